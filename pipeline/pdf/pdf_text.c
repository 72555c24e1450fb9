/* pdf_text: from UTF-8 to the two encodings that a text string of PDF 1.7 may have.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_text.h"

#include <string.h>

/* Where PDFDocEncoding is not Latin-1: 0x18 to 0x1f, and 0x80 to 0xa0. 0: undefined. */
static const uint16_t doc_low[] = {
    0x02d8, 0x02c7, 0x02c6, 0x02d9, 0x02dd, 0x02db, 0x02da, 0x02dc
};
static const uint16_t doc_high[] = {
    0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x0192, 0x2044, 0x2039, 0x203a, 0x2212,
    0x2030, 0x201e, 0x201c, 0x201d, 0x2018, 0x2019, 0x201a, 0x2122, 0xfb01, 0xfb02, 0x0141,
    0x0152, 0x0160, 0x0178, 0x017d, 0x0131, 0x0142, 0x0153, 0x0161, 0x017e, 0,      0x20ac,
};

/* The next character off well-formed UTF-8. */
static uint32_t text_take(struct pl_span *rest)
{
    const uint8_t *data = (const uint8_t *)rest->data;
    size_t length = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
    PL_CHECK(length <= rest->size);
    uint32_t character = length == 1 ? data[0] : data[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (data[i] & 0x3f);
    rest->data += length;
    rest->size -= length;
    return character;
}

/* The byte of a character; false when it has none. */
static bool text_doc_byte(uint32_t character, uint8_t *out)
{
    bool same = character == '\t' || character == '\n' || character == '\r' ||
                (character >= 0x20 && character < 0x7f) ||
                (character > 0xa0 && character <= 0xff && character != 0xad);
    if (same) {
        *out = (uint8_t)character;
        return true;
    }
    for (size_t i = 0; i < PL_COUNT_OF(doc_low); i++) {
        if (doc_low[i] == character) {
            *out = (uint8_t)(0x18 + i);
            return true;
        }
    }
    for (size_t i = 0; i < PL_COUNT_OF(doc_high) && character != 0; i++) {
        if (doc_high[i] == character) {
            *out = (uint8_t)(0x80 + i);
            return true;
        }
    }
    return false;
}

pl_status pl_pdf_text_doc(struct pl_span utf8, struct pl_bytes *out, bool *fits)
{
    uint8_t *room = NULL;
    *fits = false;
    if (!pl_text_is_utf8(utf8))
        return PL_OK;
    pl_status status = pl_bytes_reserve(out, utf8.size, &room);
    if (status != PL_OK)
        return status;
    size_t size = 0;
    while (utf8.size > 0) {
        if (!text_doc_byte(text_take(&utf8), &room[size]))
            return PL_OK;
        size++;
    }
    out->size += size;
    *fits = true;
    return PL_OK;
}

/* Whether a reader would take PDFDocEncoding for UTF-16 or UTF-8 (ISO 32000-2 7.9.2.2). */
static bool text_misleads(const uint8_t *data, size_t size)
{
    return (size >= 2 && (memcmp(data, "\xfe\xff", 2) == 0 || memcmp(data, "\xff\xfe", 2) == 0)) ||
           (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0);
}

static size_t text_put_utf16(uint32_t character, uint8_t *out)
{
    if (character < 0x10000) {
        pl_put_u16be(out, (uint16_t)character);
        return 2;
    }
    character -= 0x10000;
    pl_put_u16be(out, (uint16_t)(0xd800 | character >> 10));
    pl_put_u16be(out + 2, (uint16_t)(0xdc00 | (character & 0x3ff)));
    return 4;
}

pl_status pl_pdf_text_string(struct pl_span utf8, struct pl_bytes *out)
{
    bool fits = false;
    size_t before = out->size;
    pl_status status = pl_pdf_text_doc(utf8, out, &fits);
    if (status != PL_OK)
        return status;
    if (fits && !text_misleads(out->data + before, out->size - before))
        return PL_OK;
    out->size = before;
    if (!pl_text_is_utf8(utf8))
        return PL_BAD_REQUEST;
    uint8_t *room = NULL;
    /* No character takes more than twice its bytes of UTF-8. */
    status = pl_bytes_reserve(out, 2 + 2 * utf8.size, &room);
    if (status != PL_OK)
        return status;
    pl_put_u16be(room, 0xfeff);
    size_t size = 2;
    while (utf8.size > 0)
        size += text_put_utf16(text_take(&utf8), room + size);
    out->size += size;
    return PL_OK;
}

pl_status pl_pdf_text_xml(struct pl_span utf8, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    for (size_t i = 0; i < utf8.size && status == PL_OK; i++) {
        const char *escaped = utf8.data[i] == '&'   ? "&amp;"
                              : utf8.data[i] == '<' ? "&lt;"
                              : utf8.data[i] == '>' ? "&gt;"
                                                    : NULL;
        status = escaped != NULL ? pl_bytes_append(out, escaped, strlen(escaped))
                                 : pl_bytes_append(out, &utf8.data[i], 1);
    }
    return status;
}
