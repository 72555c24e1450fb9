/* memory_pdf: text and offsets.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/pdf/memory_pdf.h"

#include <string.h>

#include "tests/support/pl_test.h"

static void put(struct memory_pdf *pdf, const void *data, size_t size)
{
    assert_int_equal(pl_bytes_append(&pdf->bytes, data, size), PL_OK);
}

static void put_text(struct memory_pdf *pdf, const char *text)
{
    put(pdf, text, strlen(text));
}

void memory_pdf_init(struct memory_pdf *pdf)
{
    *pdf = (struct memory_pdf){ .count = 1 };
    pl_bytes_init(&pdf->bytes, (size_t)1 << 24);
    put_text(pdf, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
}

void memory_pdf_fini(struct memory_pdf *pdf)
{
    if (pdf->reader != NULL)
        pdf->reader->ops->close(pdf->reader);
    if (pdf->source != NULL)
        pdf->source->ops->free(pdf->source);
    pl_bytes_fini(&pdf->bytes);
}

static void begin(struct memory_pdf *pdf, unsigned number)
{
    assert_true(number > 0 && number < MEMORY_PDF_OBJECTS && pdf->at[number] == 0);
    pdf->at[number] = pdf->bytes.size;
    if (number >= pdf->count)
        pdf->count = number + 1;
    assert_int_equal(pl_bytes_format(&pdf->bytes, "%u 0 obj\n", number), PL_OK);
}

void memory_pdf_object(struct memory_pdf *pdf, unsigned number, const char *body)
{
    begin(pdf, number);
    put_text(pdf, body);
    put_text(pdf, "\nendobj\n");
}

void memory_pdf_stream(struct memory_pdf *pdf, unsigned number, const char *dict, const void *data,
                       size_t size)
{
    begin(pdf, number);
    assert_int_equal(pl_bytes_format(&pdf->bytes, "<<%s/Length %zu>>\nstream\n", dict, size),
                     PL_OK);
    put(pdf, data, size);
    put_text(pdf, "\nendstream\nendobj\n");
}

void memory_pdf_page(struct memory_pdf *pdf, const char *page, const char *content)
{
    char object[2048];
    bool sized = strstr(page, "/MediaBox") != NULL;
    memory_pdf_object(pdf, 1, "<</Type/Catalog/Pages 2 0 R>>");
    memory_pdf_object(pdf, 2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
    assert_true(pl_text_format(object, sizeof object,
                               "<</Type/Page/Parent 2 0 R%s/Contents 4 0 R%s>>",
                               sized ? "" : "/MediaBox[0 0 72 72]", page));
    memory_pdf_object(pdf, 3, object);
    memory_pdf_stream(pdf, 4, "", content, strlen(content));
}

void memory_pdf_end(struct memory_pdf *pdf)
{
    size_t table = pdf->bytes.size;
    assert_int_equal(pl_bytes_format(&pdf->bytes, "xref\n0 %u\n0000000000 65535 f \n", pdf->count),
                     PL_OK);
    for (unsigned n = 1; n < pdf->count; n++) {
        assert_int_equal(pl_bytes_format(&pdf->bytes, "%010zu %05d %c \n", pdf->at[n],
                                         pdf->at[n] == 0 ? 65535 : 0, pdf->at[n] == 0 ? 'f' : 'n'),
                         PL_OK);
    }
    assert_int_equal(pl_bytes_format(&pdf->bytes,
                                     "trailer\n<</Size %u/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
                                     pdf->count, table),
                     PL_OK);
}

pl_status memory_pdf_open(struct memory_pdf *pdf, enum pl_want want, struct pl_fault *fault)
{
    const struct pl_open_settings settings = { .limits = &pl_limits_default, .want = want };
    assert_int_equal(pl_source_memory_new(pdf->bytes.data, pdf->bytes.size, &pdf->source), PL_OK);
    return pl_pdf_reader.open(pdf->source, &settings, &pdf->reader, fault);
}

pl_status memory_pdf_load(struct memory_pdf *pdf, uint32_t n, struct pl_page *page,
                          struct pl_fault *fault)
{
    pl_page_init(page, (size_t)1 << 24);
    pl_status status = pl_pdf_reader.survey(pdf->reader, n, fault);
    return status == PL_OK ? pl_pdf_reader.load(pdf->reader, pdf->source, n, page, fault) : status;
}
