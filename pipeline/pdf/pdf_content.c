/* pdf_content: operands gather until a word comes; one arena that is emptied for each operator.
 *
 * Where an inline image ends is nowhere said (ISO 32000-1 8.9.7): without a filter its size is
 * counted out; else "EI" between white space counts when text follows it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_content.h"

#include "pipeline/pdf/pdf_parse.h"

#include <stdlib.h>
#include <string.h>

#define OPERAND_BYTES ((size_t)64 << 20)
#define TEXT_BYTES 12 /* behind EI that must be text */

struct pl_pdf_content {
    struct pl_pdf_lex lex;
    struct pl_pdf_parser parser;
    struct pl_arena arena;
    struct pl_pdf_value image[2]; /* dictionary and data */
};

pl_status pl_pdf_content_new(const uint8_t *data, size_t size, struct pl_pdf_content **out)
{
    struct pl_pdf_content *content = calloc(1, sizeof *content);
    if (content == NULL)
        return PL_NO_MEMORY;
    content->lex.data = data;
    content->lex.size = size;
    pl_arena_init(&content->arena, OPERAND_BYTES);
    content->parser.arena = &content->arena;
    *out = content;
    return PL_OK;
}

void pl_pdf_content_free(struct pl_pdf_content *content)
{
    if (content == NULL)
        return;
    pl_pdf_parser_fini(&content->parser);
    pl_arena_fini(&content->arena);
    free(content);
}

/* --- inline images --------------------------------------------------------------------------- */

static const struct pl_pdf_value *image_entry(const struct pl_pdf_value *dict, const char *key,
                                              const char *full)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    return value != NULL ? value : pl_pdf_dict_peek(dict, full);
}

static bool image_integer(const struct pl_pdf_value *dict, const char *key, const char *full,
                          uint64_t most, uint64_t *out)
{
    const struct pl_pdf_value *value = image_entry(dict, key, full);
    if (value == NULL || value->kind != PL_PDF_INT || value->as.integer < 0 ||
        (uint64_t)value->as.integer > most)
        return false;
    *out = (uint64_t)value->as.integer;
    return true;
}

/* Samples of a pixel; 0: not known here (a colour space of the page's resources). */
static uint64_t image_samples(const struct pl_pdf_value *dict)
{
    const struct pl_pdf_value *space = image_entry(dict, "CS", "ColorSpace");
    if (space == NULL)
        return 0;
    if (space->kind == PL_PDF_ARRAY) /* [/Indexed ...] is the only one */
        return 1;
    if (pl_pdf_name_is(space, "G") || pl_pdf_name_is(space, "DeviceGray"))
        return 1;
    if (pl_pdf_name_is(space, "RGB") || pl_pdf_name_is(space, "DeviceRGB"))
        return 3;
    return pl_pdf_name_is(space, "CMYK") || pl_pdf_name_is(space, "DeviceCMYK") ? 4 : 0;
}

/* Bytes of an image without filters; false when that cannot be known. */
static bool image_size(const struct pl_pdf_value *dict, uint64_t *out)
{
    uint64_t width = 0;
    uint64_t height = 0;
    uint64_t bits = 1;
    uint64_t samples = 1;
    const struct pl_pdf_value *mask = image_entry(dict, "IM", "ImageMask");
    if (image_entry(dict, "F", "Filter") != NULL ||
        !image_integer(dict, "W", "Width", 1U << 24, &width) ||
        !image_integer(dict, "H", "Height", 1U << 24, &height))
        return false;
    if (mask == NULL || mask->kind != PL_PDF_BOOL || !mask->as.boolean) {
        samples = image_samples(dict);
        if (samples == 0 || !image_integer(dict, "BPC", "BitsPerComponent", 16, &bits))
            return false;
    }
    *out = (width * samples * bits + 7) / 8 * height;
    return true;
}

static bool is_text(uint8_t c)
{
    return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

/* Whether "EI" at data[at] may end an image. */
static bool image_ends(const struct pl_pdf_lex *lex, size_t at)
{
    if (lex->size - at < 2 || lex->data[at] != 'E' || lex->data[at + 1] != 'I')
        return false;
    size_t next = at + 2;
    if (next < lex->size && !pl_pdf_is_space(lex->data[next]))
        return false;
    for (size_t i = next; i < lex->size && i < next + TEXT_BYTES; i++) {
        if (!is_text(lex->data[i]))
            return false;
    }
    return true;
}

/* Skips white space at `at`; true when "EI" stands there, whose place *end becomes. */
static bool image_ends_at(const struct pl_pdf_lex *lex, size_t at, size_t *end)
{
    while (at < lex->size && pl_pdf_is_space(lex->data[at]))
        at++;
    *end = at;
    return image_ends(lex, at);
}

static bool image_search(const struct pl_pdf_lex *lex, size_t from, size_t *end)
{
    for (size_t at = from; at < lex->size; at++) {
        const uint8_t *hit = memchr(lex->data + at, 'E', lex->size - at);
        if (hit == NULL)
            return false;
        at = (size_t)(hit - lex->data);
        if ((at == from || pl_pdf_is_space(lex->data[at - 1])) && image_ends(lex, at)) {
            *end = at;
            return true;
        }
    }
    return false;
}

/* From behind BI to behind EI. */
static pl_status content_image(struct pl_pdf_content *content, struct pl_pdf_op *op,
                               struct pl_fault *fault)
{
    struct pl_pdf_lex *lex = &content->lex;
    struct pl_span word;
    pl_status status = pl_pdf_parse_operands(&content->parser, lex, &word);
    if (status == PL_OK)
        status = pl_pdf_parse_pairs(&content->parser, &content->image[0]);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "an inline image of a PDF page: %s",
                            pl_status_text(status));
    size_t from = lex->at;
    size_t end = 0;
    uint64_t size = 0;
    bool found = pl_span_equals(word, "ID");
    if (from < lex->size && pl_pdf_is_space(lex->data[from]))
        from +=
            lex->data[from] == '\r' && lex->size - from > 1 && lex->data[from + 1] == '\n' ? 2 : 1;
    if (found) {
        found = image_size(&content->image[0], &size) && size <= lex->size - from &&
                image_ends_at(lex, from + (size_t)size, &end);
        if (found) {
            lex->at = end + 2;
            end = from + (size_t)size;
        } else {
            found = image_search(lex, from, &end);
            lex->at = end + 2;
        }
    }
    if (!found) {
        lex->at = lex->size;
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "an inline image of a PDF page has no end");
    }
    content->image[1] = (struct pl_pdf_value){ .kind = PL_PDF_STRING };
    content->image[1].as.text = (struct pl_span){ (const char *)lex->data + from, end - from };
    op->name = pl_span_from("BI");
    op->operands[0] = &content->image[0];
    op->operands[1] = &content->image[1];
    op->count = 2;
    return PL_OK;
}

pl_status pl_pdf_content_next(struct pl_pdf_content *content, struct pl_pdf_op *op, bool *more,
                              struct pl_fault *fault)
{
    struct pl_pdf_parser *parser = &content->parser;
    struct pl_span word;
    pl_arena_release(&content->arena, 0);
    pl_status status = pl_pdf_parse_operands(parser, &content->lex, &word);
    if (status == PL_BAD_DOCUMENT)
        return pl_fault_set(fault, status, "the content of a PDF page is nested deeper than %d",
                            PL_PDF_NESTING);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the content of a PDF page: %s", pl_status_text(status));
    *more = word.size > 0;
    if (pl_span_equals(word, "BI"))
        return content_image(content, op, fault);
    size_t skipped = parser->count > PL_PDF_OPERANDS ? parser->count - PL_PDF_OPERANDS : 0;
    op->name = word;
    op->count = parser->count - skipped;
    for (size_t i = 0; i < op->count; i++)
        op->operands[i] = &parser->stack[skipped + i];
    return PL_OK;
}
