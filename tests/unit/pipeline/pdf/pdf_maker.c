/* pdf_maker: appends, and remembers where objects begin.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/pdf/pdf_maker.h"

#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"

#include <inttypes.h>
#include <string.h>

static void ok(pl_status status)
{
    assert_int_equal(status, PL_OK);
}

void pdf_maker_text(struct pdf_maker *maker, const char *text)
{
    ok(pl_bytes_append(&maker->out, text, strlen(text)));
}

void pdf_maker_init(struct pdf_maker *maker, const char *before)
{
    *maker = (struct pdf_maker){ .shift = strlen(before) };
    pl_bytes_init(&maker->out, (size_t)1 << 28);
    pdf_maker_text(maker, before);
    pdf_maker_text(maker, "%PDF-1.7\n");
}

void pdf_maker_fini(struct pdf_maker *maker)
{
    pl_bytes_fini(&maker->out);
}

void pdf_maker_object(struct pdf_maker *maker, unsigned number, const char *body)
{
    assert_true(number < PDF_MAKER_OBJECTS);
    maker->at[number] = maker->out.size - maker->shift;
    ok(pl_bytes_format(&maker->out, "%u 0 obj\n", number));
    pdf_maker_text(maker, body);
    pdf_maker_text(maker, "\nendobj\n");
}

void pdf_maker_stream_of(struct pdf_maker *maker, unsigned number, const char *dict,
                         const void *data, size_t size, const char *length)
{
    assert_true(number < PDF_MAKER_OBJECTS);
    maker->at[number] = maker->out.size - maker->shift;
    ok(pl_bytes_format(&maker->out, "%u 0 obj\n<<%s /Length %s>>\nstream\n", number, dict, length));
    ok(pl_bytes_append(&maker->out, data, size));
    pdf_maker_text(maker, "\nendstream\nendobj\n");
}

void pdf_maker_stream(struct pdf_maker *maker, unsigned number, const char *dict, const void *data,
                      size_t size)
{
    char length[24];
    (void)pl_text_format(length, sizeof length, "%zu", size);
    pdf_maker_stream_of(maker, number, dict, data, size, length);
}

void pdf_maker_one_page(struct pdf_maker *maker)
{
    pdf_maker_object(maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(maker, 2, "<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 200 100]>>");
    pdf_maker_object(maker, 3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Rotate 90>>");
}

void pdf_maker_pack(struct pdf_maker *maker, unsigned number, const unsigned *numbers,
                    const char *const *bodies, size_t count)
{
    struct pl_bytes head;
    struct pl_bytes body;
    struct pl_bytes flat;
    char dict[96];
    pl_bytes_init(&head, 1 << 16);
    pl_bytes_init(&body, 1 << 16);
    pl_bytes_init(&flat, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        ok(pl_bytes_format(&head, "%u %zu ", numbers[i], body.size));
        ok(pl_bytes_format(&body, "%s\n", bodies[i]));
        maker->packed[numbers[i]] = (unsigned)i + 1;
    }
    size_t first = head.size;
    ok(pl_bytes_append(&head, body.data, body.size));
    ok(pl_flate_all(head.data, head.size, &flat));
    (void)pl_text_format(dict, sizeof dict, "/Type/ObjStm/N %zu/First %zu/Filter/FlateDecode",
                         count, first);
    maker->container = number;
    pdf_maker_stream(maker, number, dict, flat.data, flat.size);
    pl_bytes_fini(&head);
    pl_bytes_fini(&body);
    pl_bytes_fini(&flat);
}

static unsigned maker_size(const struct pdf_maker *maker)
{
    unsigned size = 1;
    for (unsigned n = 1; n < PDF_MAKER_OBJECTS; n++) {
        if (maker->at[n] > 0 || maker->packed[n] > 0)
            size = n + 1;
    }
    return size;
}

static void maker_end(struct pdf_maker *maker, uint64_t at)
{
    ok(pl_bytes_format(&maker->out, "startxref\n%" PRIu64 "\n%%%%EOF\n", at));
}

uint64_t pdf_maker_table(struct pdf_maker *maker, const char *extra)
{
    uint64_t at = maker->out.size - maker->shift;
    unsigned size = maker_size(maker);
    ok(pl_bytes_format(&maker->out, "xref\n0 %u\n0000000000 65535 f \n", size));
    for (unsigned n = 1; n < size; n++)
        ok(pl_bytes_format(&maker->out, "%010" PRIu64 " 00000 %c \n", maker->at[n],
                           maker->at[n] > 0 ? 'n' : 'f'));
    ok(pl_bytes_format(&maker->out, "trailer\n<</Size %u/Root 1 0 R%s>>\n", size, extra));
    maker_end(maker, at);
    return at;
}

uint64_t pdf_maker_xref_stream(struct pdf_maker *maker, unsigned number, const char *extra)
{
    uint64_t at = maker->out.size - maker->shift;
    uint8_t rows[PDF_MAKER_OBJECTS * 7];
    char dict[256];
    maker->at[number] = at;
    unsigned size = maker_size(maker);
    for (unsigned n = 0; n < size; n++) {
        uint8_t *row = rows + (size_t)n * 7;
        bool packed = maker->packed[n] > 0;
        row[0] = packed ? 2 : maker->at[n] > 0 ? 1 : 0;
        pl_put_u32be(row + 1, packed ? maker->container : (uint32_t)maker->at[n]);
        pl_put_u16be(row + 5, packed ? (uint16_t)(maker->packed[n] - 1) : 0);
    }
    (void)pl_text_format(dict, sizeof dict, "/Type/XRef/Size %u/W[1 4 2]/Root 1 0 R%s", size,
                         extra);
    pdf_maker_stream(maker, number, dict, rows, (size_t)size * 7);
    maker_end(maker, at);
    return at;
}

void pdf_maker_open(const struct pdf_maker *maker, struct pdf_opened *opened)
{
    *opened = (struct pdf_opened){ .status = PL_OK };
    ok(pl_source_memory_new(maker->out.data, maker->out.size, &opened->source));
    opened->status =
        pl_pdf_file_open(opened->source, &pl_limits_default, NULL, &opened->file, &opened->fault);
}

void pdf_maker_close(struct pdf_opened *opened)
{
    pl_pdf_file_free(opened->file);
    opened->source->ops->free(opened->source);
}
