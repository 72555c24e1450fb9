/* pdf_tool: what the PDF reader makes of documents, page by page, for eyes and for other readers.
 *
 * pdf_tool [-p password] [-w picture|pdf|pdfa-1|pdfa-2|pdfa-3] [-o OUT.pdf] [-x PREFIX] IN.pdf
 * prints a line a page: what it was judged to be and why. -o writes the pages that are imported,
 * -x each picture as PREFIX-n.pgm or .ppm (CMYK as .pam).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/image/page_decode.h"
#include "pipeline/pdf/pdf_import.h"
#include "pipeline/pdf/pdf_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file_out {
    struct pl_out out;
    FILE *file;
};

struct tool {
    enum pl_want want;
    const char *password;
    const char *output;
    const char *prefix;
    struct pl_source *source;
    struct pl_reader *reader;
    struct file_out file;
    struct pl_pdf_writer *writer;
    struct pl_pdf_import *import;
    struct pl_pdf_tree tree;
    uint32_t written;
};

static pl_status file_write(struct pl_out *out, const void *data, size_t size)
{
    struct file_out *file = (struct file_out *)out;
    return fwrite(data, 1, size, file->file) == size ? PL_OK : PL_IO_ERROR;
}

static const struct pl_out_ops file_ops = { file_write };

static uint8_t *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    if (file == NULL)
        return NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        data = malloc(*size + 1);
        if (data != NULL && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    (void)fclose(file);
    return data;
}

/* Bilevel is written as bytes, so that one kind of file holds it and grey. */
static void picture_write(const struct pl_picture *picture, const char *prefix, uint32_t n)
{
    unsigned samples = pl_colour_samples(picture->colour);
    char path[512];
    (void)snprintf(path, sizeof path, "%s-%u.%s", prefix, n,
                   samples == 1   ? "pgm"
                   : samples == 3 ? "ppm"
                                  : "pam");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    if (samples == 4) {
        (void)fprintf(file, "P7\nWIDTH %u\nHEIGHT %u\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n",
                      picture->width_px, picture->height_px);
    } else {
        (void)fprintf(file, "P%d\n%u %u\n255\n", samples == 3 ? 6 : 5, picture->width_px,
                      picture->height_px);
    }
    for (uint32_t y = 0; y < picture->height_px; y++) {
        const uint8_t *row = picture->pixels + (size_t)y * picture->stride;
        if (picture->colour != PL_COLOUR_BILEVEL) {
            (void)fwrite(row, samples, picture->width_px, file);
            continue;
        }
        for (uint32_t x = 0; x < picture->width_px; x++)
            (void)fputc((row[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255, file);
    }
    (void)fclose(file);
}

static void page_print(const struct pl_page *page)
{
    static const char *const colours[] = { "bilevel", "grey", "rgb", "cmyk" };
    static const char *const filters[] = { "g4", "dct", "flate", "g3", "jbig2", "jpx", "lzw" };
    static const char *const hows[] = { "copied", "reencoded_exact", "reencoded_loss", "rendered" };
    if (page->kind == PL_PAGE_PDF) {
        (void)printf("page %u: import\n", page->number);
        return;
    }
    (void)printf(
        "page %u: picture %ux%u %s%s bits %u %s predictor %u, %zu part(s), orientation %u, "
        "%.3f x %.3f dpi, %s, %llu -> %zu bytes, icc %zu, palette %zu%s%s%s\n",
        page->number, page->width_px, page->height_px, colours[page->colour],
        page->inverted ? " inverted" : "", page->bits, filters[page->filter], page->predictor,
        page->part_count, page->orientation, page->x_mdpi / 1000.0, page->y_mdpi / 1000.0,
        hows[page->how], (unsigned long long)page->bytes_in, page->data.size, page->icc.size,
        page->palette.size, page->note[0] ? " (" : "", page->note, page->note[0] ? ")" : "");
}

static pl_status tool_page(struct tool *tool, uint32_t n, struct pl_fault *fault)
{
    const struct pl_reader_ops *ops = tool->reader->ops;
    struct pl_page page;
    struct pl_picture picture = { 0 };
    pl_page_init(&page, pl_limits_default.page_bytes);
    pl_status status = ops->survey(tool->reader, n, fault);
    if (status == PL_OK)
        status = ops->load(tool->reader, tool->source, n, &page, fault);
    if (status == PL_OK)
        page_print(&page);
    if (status == PL_OK && page.kind == PL_PAGE_PDF && tool->import != NULL) {
        uint32_t parent = pl_pdf_tree_parent(&tool->tree, tool->writer);
        uint32_t number = pl_pdf_reserve(tool->writer);
        status = pl_pdf_import_page(tool->import, page.pdf, number, parent, fault);
        pl_pdf_tree_add(&tool->tree, number);
        tool->written++;
    }
    if (status == PL_OK && page.kind == PL_PAGE_IMAGE && tool->prefix != NULL) {
        status = pl_page_decode(&page, &pl_limits_default, &picture, fault);
        if (status == PL_OK)
            picture_write(&picture, tool->prefix, n + 1);
    }
    pl_picture_fini(&picture);
    pl_page_fini(&page);
    return status;
}

static pl_status tool_begin(struct tool *tool)
{
    if (tool->output == NULL)
        return PL_OK;
    tool->file = (struct file_out){ { .ops = &file_ops }, fopen(tool->output, "wb") };
    if (tool->file.file == NULL)
        return PL_IO_ERROR;
    pl_status status = pl_pdf_writer_new(&tool->file.out, 7, NULL, &tool->writer);
    return status == PL_OK ? pl_pdf_import_new(tool->writer, 0, &tool->import) : status;
}

static pl_status tool_end(struct tool *tool)
{
    if (tool->writer == NULL)
        return PL_OK;
    if (tool->written == 0) {
        (void)remove(tool->output);
        return PL_OK;
    }
    uint32_t pages = pl_pdf_tree_end(&tool->tree, tool->writer);
    struct pl_pdf_ends ends = { .root = pl_pdf_reserve(tool->writer) };
    pl_pdf_begin(tool->writer, ends.root);
    pl_pdf_format(tool->writer, "<</Type/Catalog/Pages %u 0 R>>", pages);
    pl_pdf_end(tool->writer);
    return pl_pdf_writer_finish(tool->writer, &ends);
}

static pl_status tool_run(struct tool *tool, struct pl_fault *fault)
{
    const struct pl_open_settings settings = { .limits = &pl_limits_default,
                                               .want = tool->want,
                                               .password = tool->password };
    pl_status status = pl_pdf_reader.open(tool->source, &settings, &tool->reader, fault);
    if (status == PL_OK)
        status = tool_begin(tool);
    for (uint32_t n = 0; status == PL_OK && n < pl_pdf_reader.page_count(tool->reader); n++) {
        struct pl_fault found = { 0 };
        status = tool_page(tool, n, &found);
        if (status != PL_OK)
            (void)printf("page %u: %s: %s\n", n + 1, pl_status_name(status), found.reason);
        if (status == PL_NEEDS_INTERPRETER || tool->import == NULL)
            status = PL_OK;
    }
    return status == PL_OK ? tool_end(tool) : status;
}

static void tool_close(struct tool *tool)
{
    if (tool->reader != NULL)
        tool->reader->ops->close(tool->reader);
    pl_pdf_import_free(tool->import);
    pl_pdf_writer_free(tool->writer);
    if (tool->file.file != NULL)
        (void)fclose(tool->file.file);
    if (tool->source != NULL)
        tool->source->ops->free(tool->source);
}

static enum pl_want want_named(const char *name)
{
    static const char *const names[] = { "picture", "pdf", "pdfa-1", "pdfa-2", "pdfa-3" };
    for (size_t i = 0; i < PL_COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum pl_want)i;
    }
    return PL_WANT_PICTURE;
}

int main(int argc, char **argv)
{
    struct tool tool = { 0 };
    struct pl_fault fault = { 0 };
    size_t size = 0;
    int option = 0;
    while ((option = getopt(argc, argv, "p:w:o:x:")) != -1) {
        if (option == 'p')
            tool.password = optarg;
        else if (option == 'w')
            tool.want = want_named(optarg);
        else if (option == 'o')
            tool.output = optarg;
        else if (option == 'x')
            tool.prefix = optarg;
        else
            return 2;
    }
    uint8_t *data = optind < argc ? file_read(argv[optind], &size) : NULL;
    pl_status status = data == NULL ? PL_NOT_FOUND : pl_source_memory_new(data, size, &tool.source);
    if (status == PL_OK)
        status = tool_run(&tool, &fault);
    tool_close(&tool);
    free(data);
    if (status != PL_OK)
        (void)printf("document: %s: %s\n", pl_status_name(status), fault.reason);
    return status == PL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
