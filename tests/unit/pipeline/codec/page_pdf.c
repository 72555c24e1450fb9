/* page_pdf: objects one after the other, and a table of where they are.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_pdf.h"

#include <stdio.h> /* jpeglib.h does not include it */

#include <jpeglib.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void pdf_put(struct page_pdf *pdf, const void *data, size_t size)
{
    PL_CHECK(size <= sizeof pdf->data - pdf->size);
    memcpy(pdf->data + pdf->size, data, size);
    pdf->size += size;
}

static void pdf_text(struct page_pdf *pdf, const char *format, ...) PL_PRINTF(2, 3);

static void pdf_text(struct page_pdf *pdf, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    PL_CHECK(size >= 0 && (size_t)size < sizeof text);
    pdf_put(pdf, text, (size_t)size);
}

/* Object 5 is the JPEG, when there is one. */
static void pdf_write(struct page_pdf *pdf, const char *resources, const char *content,
                      const char *page, size_t jpeg_size)
{
    size_t offsets[6] = { 0 };
    unsigned count = jpeg_size > 0 ? 5 : 4;
    pdf->size = 0;
    pdf_text(pdf, "%%PDF-1.7\n");
    offsets[1] = pdf->size;
    pdf_text(pdf, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    offsets[2] = pdf->size;
    pdf_text(pdf, "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n");
    offsets[3] = pdf->size;
    pdf_text(pdf,
             "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R "
             "/Resources << %s >> %s >>\nendobj\n",
             resources, page);
    offsets[4] = pdf->size;
    pdf_text(pdf, "4 0 obj\n<< /Length %zu >>\nstream\n%s\nendstream\nendobj\n", strlen(content),
             content);
    if (jpeg_size > 0) {
        offsets[5] = pdf->size;
        pdf_text(pdf,
                 "5 0 obj\n<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace "
                 "/DeviceCMYK /BitsPerComponent 8 /Filter /DCTDecode /Length %zu >>\nstream\n",
                 jpeg_size);
        pdf_put(pdf, pdf->jpeg, jpeg_size);
        pdf_text(pdf, "\nendstream\nendobj\n");
    }
    size_t table = pdf->size;
    pdf_text(pdf, "xref\n0 %u\n0000000000 65535 f \n", count + 1);
    for (unsigned i = 1; i <= count; i++)
        pdf_text(pdf, "%010zu 00000 n \n", offsets[i]);
    pdf_text(pdf, "trailer\n<< /Size %u /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n", count + 1,
             table);
}

void page_pdf_make(struct page_pdf *pdf, const char *resources, const char *content,
                   const char *page)
{
    pdf_write(pdf, resources, content, page, 0);
}

static size_t jpeg_write(struct page_pdf *pdf)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &size);
    jpeg.image_width = jpeg.image_height = 64;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (unsigned y = 0; y < 64; y++) {
        JSAMPLE row[64 * 4];
        for (unsigned i = 0; i < sizeof row; i++)
            row[i] = (JSAMPLE)(i * 7 + y * 3);
        JSAMPROW rows[] = { row };
        (void)jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    PL_CHECK(size <= sizeof pdf->jpeg);
    memcpy(pdf->jpeg, out, size);
    free(out);
    return size;
}

size_t page_pdf_make_jpeg(struct page_pdf *pdf)
{
    size_t size = jpeg_write(pdf);
    pdf_write(pdf, "/XObject << /I 5 0 R >>",
              "0 0 1 rg 5 5 20 20 re f q 100 0 0 100 50 50 cm /I Do Q", "", size);
    return size;
}
