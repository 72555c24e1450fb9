/* pdf_check_file: how a file begins and ends, and the form of its cross-references.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_file_priv.h"

#include <string.h>

#define HEAD_BYTES 64
#define TAIL_BYTES 1024
#define SECTIONS_MOST 4096  /* of cross-references */
#define RANGES_MOST 1000000 /* subsections in one of them */
#define TRAILER_BYTES ((size_t)1 << 16)
#define ENTRY_BYTES 20

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_eol(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* --- the beginning and the end ---------------------------------------------------------------- */

static void head_check(struct pl_pdf_checking *c, const uint8_t *head, size_t size)
{
    size_t at = 8;
    if (size < 16 || memcmp(head, "%PDF-", 5) != 0 || !is_digit(head[5]) || head[6] != '.' ||
        !is_digit(head[7])) {
        pl_check_breach(c, "6.1.2", "6.1.2", "the file does not begin with %%PDF-n.n");
        return;
    }
    if (head[5] != '1' || head[7] > '7' || !is_eol(head[8]))
        pl_check_breach(c, NULL, "6.1.2",
                        "the header is not %%PDF-1.0 to %%PDF-1.7 and a line end");
    while (at < size && !is_eol(head[at]))
        at++;
    if (at + 1 < size && head[at] == '\r' && head[at + 1] == '\n')
        at++;
    at++;
    if (at + 5 > size || head[at] != '%' || head[at + 1] < 128 || head[at + 2] < 128 ||
        head[at + 3] < 128 || head[at + 4] < 128)
        pl_check_breach(c, "6.1.2", "6.1.2",
                        "no comment of four bytes above 127 follows the header");
}

/* Where the last of `word` stands; size: nowhere. */
static size_t find_last(const uint8_t *data, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = size < length ? 0 : size - length + 1; at-- > 0;) {
        if (memcmp(data + at, word, length) == 0)
            return at;
    }
    return size;
}

static void tail_check(struct pl_pdf_checking *c, const uint8_t *tail, size_t size)
{
    size_t at = find_last(tail, size, "%%EOF");
    if (at == size) {
        pl_check_breach(c, "6.1.3", "6.1.3", "the file does not end with %%%%EOF");
        return;
    }
    at += 5;
    if (at < size && tail[at] == '\r')
        at++;
    if (at < size && tail[at] == '\n')
        at++;
    if (at != size)
        pl_check_breach(c, "6.1.3", "6.1.3", "%zu bytes follow the last %%%%EOF", size - at);
}

/* --- cross-references ------------------------------------------------------------------------- */

/* A table or a stream in the chain of them. */
struct section {
    uint64_t at;
    const struct pl_pdf_value *trailer; /* NULL: cannot be read */
};

static bool take_number(const uint8_t *data, size_t size, size_t *at, uint64_t *out)
{
    size_t from = *at;
    *out = 0;
    while (*at < size && is_digit(data[*at]) && *at - from < 18)
        *out = *out * 10 + (uint64_t)(data[(*at)++] - '0');
    return *at > from;
}

/* The white space behind "xref": how much there is. */
static pl_status table_begin(struct pl_pdf_checking *c, uint64_t at, size_t *out)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    pl_status status = pl_pdf_windows_peek(&c->file->windows, at, HEAD_BYTES, &data, &size);
    size_t skip = size >= 2 && data[0] == '\r' && data[1] == '\n' ? 2
                  : size >= 1 && is_eol(data[0])                  ? 1
                                                                  : 0;
    if (status == PL_OK && (skip == 0 || skip >= size || !is_digit(data[skip])))
        pl_check_breach(c, "6.1.4", "6.1.4", "xref is not followed by one line end");
    while (status == PL_OK && skip < size && pl_pdf_is_space(data[skip]))
        skip++;
    *out = skip;
    return status;
}

/* From behind "xref" over all subsections; *end gets where "trailer" should stand. */
static pl_status table_walk(struct pl_pdf_checking *c, uint64_t at, uint64_t *end)
{
    struct pl_pdf_windows *windows = &c->file->windows;
    const uint8_t *data = NULL;
    size_t size = 0;
    size_t skip = 0;
    pl_status status = table_begin(c, at, &skip);
    at += skip;
    for (unsigned n = 0; n < RANGES_MOST && status == PL_OK; n++) {
        uint64_t first = 0;
        uint64_t count = 0;
        size_t used = 0;
        status = pl_pdf_windows_peek(windows, at, HEAD_BYTES, &data, &size);
        if (status != PL_OK || !take_number(data, size, &used, &first))
            break;
        if (used >= size || data[used] != ' ' || used + 1 >= size || !is_digit(data[used + 1]))
            pl_check_breach(c, "6.1.4", NULL,
                            "the numbers of a cross-reference subsection are not separated by one "
                            "space");
        while (used < size && pl_pdf_is_space(data[used]))
            used++;
        if (!take_number(data, size, &used, &count) || count > PL_PDF_NUMBERS)
            break;
        while (used < size && pl_pdf_is_space(data[used]))
            used++;
        at += used + count * ENTRY_BYTES;
        status = pl_check_step(c, 1);
    }
    *end = at;
    return status;
}

static pl_status trailer_parse(struct pl_pdf_checking *c, uint64_t at,
                               const struct pl_pdf_value **out)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    bool found = false;
    pl_status status = pl_pdf_windows_peek(&c->file->windows, at, TRAILER_BYTES, &data, &size);
    if (status != PL_OK)
        return status;
    const uint8_t *word = memmem(data, size, "trailer", 7);
    if (word == NULL)
        return PL_OK;
    struct pl_pdf_lex lex = { .data = data, .size = size, .at = (size_t)(word - data) + 7 };
    struct pl_pdf_parser parser = { .arena = &c->file->arena, .references = true };
    status = pl_pdf_parse_value(&parser, &lex, out, &found);
    pl_pdf_parser_fini(&parser);
    if (status == PL_BAD_DOCUMENT || !found)
        *out = NULL;
    return status == PL_BAD_DOCUMENT ? PL_OK : status;
}

static pl_status section_read(struct pl_pdf_checking *c, struct section *section)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    struct pl_pdf_found found;
    uint64_t end = 0;
    uint64_t at = section->at + c->file->shared->shift;
    pl_status status = pl_pdf_windows_peek(&c->file->windows, at, 4, &data, &size);
    if (status != PL_OK)
        return status;
    if (size >= 4 && memcmp(data, "xref", 4) == 0) {
        status = table_walk(c, at + 4, &end);
        return status == PL_OK ? trailer_parse(c, end, &section->trailer) : status;
    }
    status = pl_pdf_read_object(c->file, at, &found);
    if (status == PL_OK) {
        pl_check_breach(c, "6.1.4", NULL, "the cross-reference is a stream, which PDF 1.4 lacks");
        section->trailer = found.value;
    } else if (status == PL_NOT_FOUND || status == PL_BAD_DOCUMENT) {
        pl_check_defect(c, "7.5.8", "there is no cross-reference at offset %llu",
                        (unsigned long long)section->at);
        status = PL_OK;
    }
    return status;
}

static void trailer_check(struct pl_pdf_checking *c, const struct pl_pdf_value *trailer, bool last)
{
    const struct pl_pdf_value *id = pl_pdf_dict_peek(trailer, "ID");
    if (pl_check_has(trailer, "Encrypt"))
        pl_check_breach(c, "6.1.3", "6.1.3", "the file is encrypted");
    if (last && (id == NULL || id->kind == PL_PDF_NULL ||
                 (id->kind == PL_PDF_ARRAY && id->as.array.count < 2)))
        pl_check_breach(c, "6.1.3", "6.1.3", "the trailer has no /ID of two strings");
}

static pl_status sections_walk(struct pl_pdf_checking *c, uint64_t first)
{
    uint64_t next = first;
    pl_status status = PL_OK;
    for (unsigned n = 0; n < SECTIONS_MOST && status == PL_OK; n++) {
        struct section section = { .at = next };
        if (next >= c->file->windows.source->size)
            return PL_OK;
        size_t mark = pl_pdf_file_mark(c->file);
        status = section_read(c, &section);
        if (status == PL_OK && section.trailer != NULL)
            trailer_check(c, section.trailer, n == 0);
        const struct pl_pdf_value *prev = pl_pdf_dict_peek(section.trailer, "Prev");
        bool more = prev != NULL && prev->kind == PL_PDF_INT && prev->as.integer > 0;
        next = more ? (uint64_t)prev->as.integer : 0;
        pl_pdf_file_release(c->file, mark);
        if (!more)
            break;
    }
    return status;
}

pl_status pl_check_file(struct pl_pdf_checking *c)
{
    struct pl_source *source = c->file->windows.source;
    uint8_t head[HEAD_BYTES];
    uint8_t tail[TAIL_BYTES];
    size_t head_size = source->size < sizeof head ? (size_t)source->size : sizeof head;
    size_t tail_size = source->size < sizeof tail ? (size_t)source->size : sizeof tail;
    uint64_t start = 0;
    pl_status status = pl_source_read(source, 0, head, head_size);
    if (status == PL_OK)
        status = pl_source_read(source, source->size - tail_size, tail, tail_size);
    if (status != PL_OK)
        return status;
    head_check(c, head, head_size);
    tail_check(c, tail, tail_size);
    if (pl_pdf_file_is_encrypted(c->file))
        pl_check_breach(c, "6.1.3", "6.1.3", "the file is encrypted");
    size_t at = find_last(tail, tail_size, "startxref");
    if (at == tail_size) {
        pl_check_defect(c, "7.5.5", "there is no startxref at the end");
        return PL_OK;
    }
    at += 9;
    while (at < tail_size && pl_pdf_is_space(tail[at]))
        at++;
    return take_number(tail, tail_size, &at, &start) ? sections_walk(c, start) : PL_OK;
}
