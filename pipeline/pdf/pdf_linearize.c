/* pdf_linearize: objects are numbered anew, written once to learn their sizes, and once for good.
 *
 *   header | parameters | table of the second half | document | hints | first page |
 *   other pages | what they share | the rest | table of the first half
 *
 * The second half of the numbers is what stands before the other pages. Parameters and the trailer
 * of the first table have a fixed size, filled with spaces, as they name offsets that come later.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_linearize.h"

#include "engine/base/cipher.h"
#include "engine/base/digest.h"
#include "pipeline/codec/flate.h"
#include "pipeline/pdf/pdf_file.h"
#include "pipeline/pdf/pdf_hints.h"
#include "pipeline/pdf/pdf_parts.h"
#include "pipeline/pdf/pdf_put.h"
#include "pipeline/pdf/pdf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINEAR_PARAMETERS 256 /* bytes of the object */
#define LINEAR_TRAILER 256    /* bytes of the first trailer up to its startxref */
#define LINEAR_ENTRY 20
#define LINEAR_ID 16

struct linear {
    const struct pl_pdf_linear *settings;
    struct pl_fault *fault;
    struct pl_pdf_file *file;
    struct pl_pdf_parts *parts;
    uint32_t pages;
    uint32_t old_count;   /* numbers of the plain file, with 0 */
    uint32_t total;       /* numbers of the result, with 0 */
    uint32_t *numbers;    /* by old number: the new one */
    uint32_t *order;      /* by new number: the old one; 0: an object that is made here */
    uint64_t *sizes;      /* by new number */
    uint64_t *offsets;    /* by new number */
    uint32_t *page_first; /* by page: its first number; the next page's, or what they share, ends
                             it; the first page's is in the second half */
    /* Numbers where ranges begin; each ends where the next one begins. */
    uint32_t shared;     /* part 8 */
    uint32_t rest;       /* part 9 */
    uint32_t parameters; /* the second half */
    uint32_t document;   /* part 4 */
    uint32_t encrypt;    /* 0: none */
    uint32_t hints;
    uint32_t first;
    struct pl_bytes data; /* of the stream that is written */
    struct pl_bytes hint_data;
    size_t shared_table;
    char id[2 * LINEAR_ID + 1];
    uint64_t first_table_at;
    uint64_t main_table_at;
    uint64_t size; /* of the result */
};

/* --- numbers --------------------------------------------------------------------------------- */

static void linear_give(struct linear *linear, uint32_t old, uint32_t number)
{
    PL_CHECK(linear->numbers[old] == 0 && number < linear->total && linear->order[number] == 0);
    linear->numbers[old] = number;
    linear->order[number] = old;
}

/* Numbers from `next` on for what is in a part and has none yet; the number after them. */
static uint32_t linear_give_part(struct linear *linear, enum pl_pdf_part part, uint32_t next)
{
    for (uint32_t old = 1; old < linear->old_count; old++) {
        if (pl_pdf_parts_of(linear->parts, old) == part && linear->numbers[old] == 0)
            linear_give(linear, old, next++);
    }
    return next;
}

/* Pages one after the other, each page object before what the page alone needs. */
static uint32_t linear_give_pages(struct linear *linear, uint32_t next)
{
    uint32_t *at = linear->page_first;
    for (uint32_t old = 1; old < linear->old_count; old++) {
        if (pl_pdf_parts_of(linear->parts, old) == PL_PDF_PART_PAGE)
            at[pl_pdf_parts_page(linear->parts, old)]++;
    }
    for (uint32_t n = 1; n < linear->pages; n++) {
        uint32_t count = at[n];
        linear_give(linear, pl_pdf_page_ref(linear->file, n).number, next);
        at[n] = next + 1; /* the next one to be given */
        next += count;
    }
    for (uint32_t old = 1; old < linear->old_count; old++) {
        if (pl_pdf_parts_of(linear->parts, old) == PL_PDF_PART_PAGE && linear->numbers[old] == 0)
            linear_give(linear, old, at[pl_pdf_parts_page(linear->parts, old)]++);
    }
    for (uint32_t n = 1; n < linear->pages; n++)
        at[n] = linear->numbers[pl_pdf_page_ref(linear->file, n).number];
    return next;
}

static uint32_t linear_old(const struct linear *linear, const char *key)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(pl_pdf_file_trailer(linear->file), key);
    bool is_there =
        value != NULL && value->kind == PL_PDF_REF && value->as.ref.number < linear->old_count;
    return is_there ? value->as.ref.number : 0;
}

static void linear_number(struct linear *linear)
{
    linear->shared = linear_give_pages(linear, 1);
    linear->rest = linear_give_part(linear, PL_PDF_PART_SHARED, linear->shared);
    linear->parameters = linear_give_part(linear, PL_PDF_PART_REST, linear->rest);
    linear->document = linear->parameters + 1;
    linear_give(linear, linear_old(linear, "Root"), linear->document);
    uint32_t next = linear_give_part(linear, PL_PDF_PART_DOCUMENT, linear->document + 1);
    if (linear->settings->crypt != NULL)
        linear->encrypt = next++;
    linear->hints = next++;
    linear->first = next;
    linear->page_first[0] = next;
    linear_give(linear, pl_pdf_page_ref(linear->file, 0).number, next);
    next = linear_give_part(linear, PL_PDF_PART_FIRST, next + 1);
    PL_CHECK(next == linear->total);
}

/* --- objects --------------------------------------------------------------------------------- */

static uint32_t linear_on_reference(void *owner, struct pl_pdf_ref from)
{
    const struct linear *linear = owner;
    return from.number < linear->old_count ? linear->numbers[from.number] : 0;
}

static pl_status linear_put(struct linear *linear, struct pl_pdf_writer *writer,
                            const struct pl_pdf_value *value)
{
    if (value->kind != PL_PDF_STREAM) {
        pl_status status = pl_pdf_put_value(writer, value, linear_on_reference, linear);
        pl_pdf_end(writer);
        return status;
    }
    pl_bytes_clear(&linear->data);
    pl_status status = pl_pdf_put_stream(writer, value, linear_on_reference, linear);
    if (status == PL_OK)
        status = pl_pdf_stream_raw(linear->file, value, &linear->data, linear->fault);
    if (status == PL_OK)
        pl_pdf_end_stream(writer, linear->data.data, linear->data.size);
    return status;
}

/* Writes object `number`, whatever it is. */
static pl_status linear_write(struct linear *linear, struct pl_pdf_writer *writer, uint32_t number)
{
    uint64_t before = pl_pdf_size(writer);
    pl_status status = PL_OK;
    pl_pdf_begin(writer, number);
    if (number == linear->encrypt) {
        pl_pdf_write(writer, linear->settings->encrypt.data, linear->settings->encrypt.size);
        pl_pdf_end(writer);
    } else if (number == linear->hints) {
        pl_pdf_format(writer, "<</S %zu/Filter/FlateDecode", linear->shared_table);
        pl_pdf_end_stream(writer, linear->hint_data.data, linear->hint_data.size);
    } else {
        const struct pl_pdf_ref old = { linear->order[number], 0 };
        const struct pl_pdf_value *value = NULL;
        size_t mark = pl_pdf_file_mark(linear->file);
        status = pl_pdf_load_object(linear->file, old, &value, linear->fault);
        if (status == PL_OK)
            status = linear_put(linear, writer, value);
        pl_pdf_file_release(linear->file, mark);
    }
    if (status == PL_OK)
        status = pl_pdf_status(writer);
    linear->sizes[number] = pl_pdf_size(writer) - before;
    return status;
}

static pl_status linear_write_range(struct linear *linear, struct pl_pdf_writer *writer,
                                    uint32_t from, uint32_t to)
{
    pl_status status = PL_OK;
    for (uint32_t number = from; number < to && status == PL_OK; number++) {
        PL_CHECK(linear->offsets[number] == 0 || linear->offsets[number] == pl_pdf_size(writer));
        status = linear_write(linear, writer, number);
    }
    return status;
}

/* A writer whose numbers are those of the result. */
static pl_status linear_writer(struct linear *linear, struct pl_out *out,
                               struct pl_pdf_crypt *crypt, struct pl_pdf_writer **writer)
{
    pl_status status = pl_pdf_writer_new(out, linear->settings->minor, crypt, writer);
    for (uint32_t number = 1; number < linear->total && status == PL_OK; number++) {
        (void)pl_pdf_reserve(*writer);
        status = pl_pdf_status(*writer);
    }
    return status;
}

/* --- sizes and places ------------------------------------------------------------------------ */

static pl_status null_write(struct pl_out *out, const void *data, size_t size)
{
    (void)out;
    (void)data;
    (void)size;
    return PL_OK;
}

/* Vectors of the first round are not those of the second, but as long. */
static pl_status linear_measure(struct linear *linear, uint64_t *header, bool hints)
{
    static const struct pl_out_ops ops = { null_write };
    struct pl_out out = { .ops = &ops };
    struct pl_pdf_crypt crypt = { .strings = PL_PDF_CIPHER_NONE };
    struct pl_pdf_writer *writer = NULL;
    bool encrypts = linear->settings->crypt != NULL;
    if (encrypts)
        crypt = *linear->settings->crypt;
    pl_status status = linear_writer(linear, &out, encrypts ? &crypt : NULL, &writer);
    if (status == PL_OK)
        *header = pl_pdf_size(writer);
    if (status == PL_OK && hints)
        status = linear_write(linear, writer, linear->hints);
    if (status == PL_OK && !hints)
        status = linear_write_range(linear, writer, 1, linear->parameters);
    if (status == PL_OK && !hints)
        status = linear_write_range(linear, writer, linear->document, linear->hints);
    if (status == PL_OK && !hints)
        status = linear_write_range(linear, writer, linear->first, linear->total);
    pl_pdf_writer_free(writer);
    pl_wipe(&crypt, sizeof crypt);
    return status;
}

/* Places objects one after the other; where the last one ends. */
static uint64_t linear_place(struct linear *linear, uint32_t from, uint32_t to, uint64_t at)
{
    for (uint32_t number = from; number < to; number++) {
        linear->offsets[number] = at;
        at += linear->sizes[number];
    }
    return at;
}

/* "xref\n0 17\n", as the table from `from` to `to` begins. */
static int linear_table_head(uint32_t from, uint32_t to, char out[32])
{
    return snprintf(out, 32, "xref\n%u %u\n", from, to - from);
}

static uint64_t linear_table_size(uint32_t from, uint32_t to)
{
    char head[32];
    return (uint64_t)linear_table_head(from, to, head) + (uint64_t)LINEAR_ENTRY * (to - from);
}

static const char linear_first_end[] = "\nstartxref\n0\n%%EOF\n";

/* Everything but the end of the file, which follows the main table. */
static void linear_place_all(struct linear *linear, uint64_t header)
{
    uint64_t at = header;
    linear->offsets[linear->parameters] = at;
    linear->sizes[linear->parameters] = LINEAR_PARAMETERS;
    at += LINEAR_PARAMETERS;
    linear->first_table_at = at;
    at += linear_table_size(linear->parameters, linear->total) + LINEAR_TRAILER +
          strlen(linear_first_end);
    at = linear_place(linear, linear->document, linear->total, at);
    linear->main_table_at = linear_place(linear, 1, linear->parameters, at);
}

static void linear_hint_pages(struct linear *linear, struct pl_pdf_hint_page *pages,
                              uint32_t *shared)
{
    size_t used = 0;
    for (uint32_t n = 0; n < linear->pages; n++) {
        uint32_t from = linear->page_first[n];
        uint32_t to = n == 0                  ? linear->total
                      : n + 1 < linear->pages ? linear->page_first[n + 1]
                                              : linear->shared;
        pages[n] = (struct pl_pdf_hint_page){ .objects = to - from, .shared_from = used };
        for (uint32_t number = from; number < to; number++)
            pages[n].bytes += linear->sizes[number];
        size_t count = 0;
        const uint32_t *old = n > 0 ? pl_pdf_parts_shared(linear->parts, n, &count) : NULL;
        for (size_t i = 0; i < count; i++) {
            uint32_t number = linear->numbers[old[i]];
            shared[used++] = number >= linear->first
                                 ? number - linear->first
                                 : linear->total - linear->first + number - linear->shared;
        }
        pages[n].shared_count = (uint32_t)count;
    }
}

/* Both tables, deflated. Offsets are taken while the hint stream has no size yet. */
static pl_status linear_make_hints(struct linear *linear)
{
    pl_status status = PL_NO_MEMORY;
    uint32_t first_count = linear->total - linear->first;
    uint32_t shared_count = linear->rest - linear->shared;
    size_t references = 0;
    for (uint32_t n = 1; n < linear->pages; n++) {
        size_t count = 0;
        (void)pl_pdf_parts_shared(linear->parts, n, &count);
        references += count;
    }
    struct pl_bytes tables = { 0 };
    struct pl_pdf_hint_page *pages = calloc(linear->pages, sizeof *pages);
    uint32_t *shared = calloc(references + 1, sizeof *shared);
    uint64_t *bytes = calloc((size_t)first_count + shared_count, sizeof *bytes);
    pl_bytes_init(&tables, PL_PDF_LINEAR_MOST);
    if (pages == NULL || shared == NULL || bytes == NULL)
        goto done;
    memcpy(bytes, &linear->sizes[linear->first], first_count * sizeof *bytes);
    memcpy(bytes + first_count, &linear->sizes[linear->shared], shared_count * sizeof *bytes);
    linear_hint_pages(linear, pages, shared);
    const struct pl_pdf_hints hints = {
        .pages = pages,
        .page_count = linear->pages,
        .first_page_at = linear->offsets[linear->first],
        .shared = shared,
        .shared_bytes = bytes,
        .shared_first = first_count,
        .shared_total = first_count + shared_count,
        .shared_object = shared_count > 0 ? linear->shared : 0,
        .shared_at = shared_count > 0 ? linear->offsets[linear->shared] : 0,
    };
    status = pl_pdf_hints_write(&hints, &tables, &linear->shared_table);
    if (status == PL_OK)
        status = pl_flate_all(tables.data, tables.size, &linear->hint_data);
done:
    pl_bytes_fini(&tables);
    free(pages);
    free(shared);
    free(bytes);
    return status;
}

/* Sizes of objects, hints from them, and with the size of these the place of everything. */
static pl_status linear_settle(struct linear *linear)
{
    uint64_t header = 0;
    pl_status status = linear_measure(linear, &header, false);
    if (status != PL_OK)
        return status;
    linear_place_all(linear, header);
    status = linear_make_hints(linear);
    memset(linear->offsets, 0, linear->total * sizeof *linear->offsets);
    if (status == PL_OK)
        status = linear_measure(linear, &header, true);
    linear_place_all(linear, header);
    return status;
}

/* --- the file -------------------------------------------------------------------------------- */

/* Text that is filled up with spaces to a fixed size. */
static void linear_padded(struct pl_pdf_writer *writer, const char *text, size_t size)
{
    size_t length = strlen(text);
    PL_CHECK(length <= size);
    pl_pdf_write(writer, text, length);
    for (; length < size; length++)
        pl_pdf_write(writer, " ", 1);
}

/* The name of the plain file is a digest of it: with a password it is mixed with the key. */
static void linear_make_id(struct linear *linear)
{
    const struct pl_pdf_crypt *crypt = linear->settings->crypt;
    const struct pl_pdf_value *ids = pl_pdf_dict_peek(pl_pdf_file_trailer(linear->file), "ID");
    struct pl_span id = { "", 0 };
    uint8_t digest[PL_SHA256_BYTES];
    if (ids != NULL && ids->kind == PL_PDF_ARRAY && ids->as.array.count > 0 &&
        ids->as.array.items[0]->kind == PL_PDF_STRING)
        id = ids->as.array.items[0]->as.text;
    const struct pl_piece pieces[] = { { id.data, id.size },
                                       { crypt != NULL ? crypt->iv_key : NULL,
                                         crypt != NULL ? sizeof crypt->iv_key : 0 } };
    pl_sha2_of(256, pieces, PL_COUNT_OF(pieces), digest);
    (void)pl_text_hex(digest, LINEAR_ID, linear->id);
}

/* The object of parameters ends in its fixed size too. */
static void linear_write_parameters(const struct linear *linear, struct pl_pdf_writer *writer)
{
    static const char end[] = "\nendobj\n";
    char head[32];
    char text[LINEAR_PARAMETERS];
    uint64_t white =
        linear->main_table_at + (uint64_t)linear_table_head(0, linear->parameters, head) - 1;
    PL_CHECK(pl_text_format(
        text, sizeof text,
        "%u 0 obj\n<</Linearized 1/L %llu/H[%llu %llu]/O %u/E %llu/N %u/T %llu>>",
        linear->parameters, (unsigned long long)linear->size,
        (unsigned long long)linear->offsets[linear->hints],
        (unsigned long long)linear->sizes[linear->hints], linear->first,
        (unsigned long long)linear->offsets[1], linear->pages, (unsigned long long)white));
    linear_padded(writer, text, LINEAR_PARAMETERS - strlen(end));
    pl_pdf_write(writer, end, strlen(end));
}

static void linear_write_table(const struct linear *linear, struct pl_pdf_writer *writer,
                               uint32_t from, uint32_t to)
{
    char head[32];
    pl_pdf_write(writer, head, (size_t)linear_table_head(from, to, head));
    for (uint32_t number = from; number < to; number++) {
        char entry[LINEAR_ENTRY + 1] = "0000000000 65535 f \n";
        if (number > 0)
            PL_CHECK(pl_text_format(entry, sizeof entry, "%010llu 00000 n \n",
                                    (unsigned long long)linear->offsets[number]));
        pl_pdf_write(writer, entry, LINEAR_ENTRY);
    }
}

static void linear_write_first_trailer(const struct linear *linear, struct pl_pdf_writer *writer)
{
    char text[LINEAR_TRAILER + 1];
    char info[32] = "";
    char encrypt[32] = "";
    uint32_t old = linear_old(linear, "Info");
    if (old != 0)
        (void)pl_text_format(info, sizeof info, "/Info %u 0 R", linear->numbers[old]);
    if (linear->encrypt != 0)
        (void)pl_text_format(encrypt, sizeof encrypt, "/Encrypt %u 0 R", linear->encrypt);
    PL_CHECK(pl_text_format(text, sizeof text,
                            "trailer\n<</Size %u/Root %u 0 R%s%s/ID[<%s><%s>]/Prev %llu>>",
                            linear->total, linear->document, info, encrypt, linear->id, linear->id,
                            (unsigned long long)linear->main_table_at));
    linear_padded(writer, text, LINEAR_TRAILER);
    pl_pdf_write(writer, linear_first_end, strlen(linear_first_end));
}

static void linear_end_text(const struct linear *linear, char out[256])
{
    PL_CHECK(pl_text_format(
        out, 256, "trailer\n<</Size %u/ID[<%s><%s>]>>\nstartxref\n%llu\n%%%%EOF\n",
        linear->parameters, linear->id, linear->id, (unsigned long long)linear->first_table_at));
}

static pl_status linear_write_file(struct linear *linear, struct pl_out *out)
{
    char end[256];
    struct pl_pdf_writer *writer = NULL;
    linear_end_text(linear, end);
    linear->size = linear->main_table_at + linear_table_size(0, linear->parameters) + strlen(end);
    pl_status status = linear_writer(linear, out, linear->settings->crypt, &writer);
    if (status != PL_OK)
        goto done;
    linear_write_parameters(linear, writer);
    linear_write_table(linear, writer, linear->parameters, linear->total);
    linear_write_first_trailer(linear, writer);
    status = linear_write_range(linear, writer, linear->document, linear->total);
    if (status == PL_OK)
        status = linear_write_range(linear, writer, 1, linear->parameters);
    if (status != PL_OK)
        goto done;
    PL_CHECK(pl_pdf_size(writer) == linear->main_table_at);
    linear_write_table(linear, writer, 0, linear->parameters);
    pl_pdf_write(writer, end, strlen(end));
    status = pl_pdf_flush(writer);
done:
    pl_pdf_writer_free(writer);
    return status;
}

static pl_status linear_open(struct linear *linear)
{
    const struct pl_pdf_linear *settings = linear->settings;
    pl_status status =
        pl_pdf_file_open(settings->plain, settings->limits, NULL, &linear->file, linear->fault);
    if (status == PL_OK)
        status = pl_pdf_parts_new(linear->file, &linear->parts, linear->fault);
    if (status != PL_OK)
        return status;
    linear->pages = pl_pdf_page_count(linear->file);
    linear->old_count = pl_pdf_file_objects(linear->file);
    PL_CHECK(linear->pages > 0 && linear->old_count > 1);
    /* The parameters, the hints, and what unlocks the file. */
    linear->total = linear->old_count + 2 + (settings->crypt != NULL ? 1 : 0);
    linear->numbers = calloc(linear->old_count, sizeof *linear->numbers);
    linear->order = calloc(linear->total, sizeof *linear->order);
    linear->sizes = calloc(linear->total, sizeof *linear->sizes);
    linear->offsets = calloc(linear->total, sizeof *linear->offsets);
    linear->page_first = calloc(linear->pages, sizeof *linear->page_first);
    return linear->numbers == NULL || linear->order == NULL || linear->sizes == NULL ||
                   linear->offsets == NULL || linear->page_first == NULL
               ? PL_NO_MEMORY
               : PL_OK;
}

pl_status pl_pdf_linearize(const struct pl_pdf_linear *settings, struct pl_out *out,
                           struct pl_fault *fault)
{
    struct linear linear = { .settings = settings, .fault = fault };
    PL_CHECK((settings->crypt != NULL) == (settings->encrypt.size > 0));
    pl_bytes_init(&linear.data, PL_PDF_LINEAR_MOST);
    pl_bytes_init(&linear.hint_data, PL_PDF_LINEAR_MOST);
    pl_status status = linear_open(&linear);
    if (status == PL_OK) {
        linear_number(&linear);
        linear_make_id(&linear);
        status = linear_settle(&linear);
    }
    if (status == PL_OK)
        status = linear_write_file(&linear, out);
    free(linear.numbers);
    free(linear.order);
    free(linear.sizes);
    free(linear.offsets);
    free(linear.page_first);
    pl_bytes_fini(&linear.data);
    pl_bytes_fini(&linear.hint_data);
    pl_pdf_parts_free(linear.parts);
    pl_pdf_file_free(linear.file);
    return status;
}
