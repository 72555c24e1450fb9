/* pdf_check_info: texts are compared as PDF writes them, dates as minutes and seconds.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_info.h"

#include "pipeline/pdf/pdf_text.h"

#include <string.h>

#define TEXT_BYTES ((size_t)1 << 17)

static size_t utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static pl_status utf16_decode(struct pl_span string, struct pl_bytes *out)
{
    struct pl_cursor cursor = { (const uint8_t *)string.data, string.size, 2 };
    uint16_t unit = 0;
    uint16_t low = 0;
    pl_status status = PL_OK;
    while (status == PL_OK && pl_cursor_u16be(&cursor, &unit)) {
        uint32_t code = unit;
        char text[4];
        if (unit >= 0xd800 && unit < 0xdc00 && pl_cursor_u16be(&cursor, &low))
            code = 0x10000 + ((uint32_t)(unit & 0x3ff) << 10 | (low & 0x3ffU));
        status = pl_bytes_append(out, text, utf8_put(code, text));
    }
    return status;
}

static bool bytes_are(const struct pl_bytes *bytes, struct pl_span span)
{
    return bytes->size == span.size &&
           (span.size == 0 || memcmp(bytes->data, span.data, span.size) == 0);
}

pl_status pl_check_text_same(struct pl_span string, struct pl_span utf8, bool *same)
{
    struct pl_bytes made = { 0 };
    bool fits = true;
    pl_status status = PL_OK;
    while (string.size > 0 && string.data[string.size - 1] == '\0') /* as some write C strings */
        string.size--;
    pl_bytes_init(&made, TEXT_BYTES);
    if (string.size >= 2 && memcmp(string.data, "\xfe\xff", 2) == 0) {
        status = utf16_decode(string, &made);
        *same = status == PL_OK && bytes_are(&made, utf8);
    } else {
        status = pl_pdf_text_doc(utf8, &made, &fits);
        *same = status == PL_OK && fits && bytes_are(&made, string);
    }
    pl_bytes_fini(&made);
    if (status == PL_TOO_LARGE) {
        *same = false;
        status = PL_OK;
    }
    return status;
}

/* --- dates ------------------------------------------------------------------------------------ */

static bool digits_take(struct pl_span *rest, size_t count, int64_t *out)
{
    int64_t value = 0;
    if (rest->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        value = value * 10 + (rest->data[i] - '0');
    }
    rest->data += count;
    rest->size -= count;
    *out = value;
    return true;
}

static void skip_one_of(struct pl_span *rest, const char *these)
{
    if (rest->size > 0 && rest->data[0] != '\0' && strchr(these, rest->data[0]) != NULL) {
        rest->data++;
        rest->size--;
    }
}

/* Days since an arbitrary one (Howard Hinnant's algorithm for the civil calendar). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

/* Seconds in UTC of either notation; what tells no zone is taken for UTC. */
static bool moment_read(struct pl_span rest, int64_t *out)
{
    int64_t year = 0, part[5] = { 1, 1, 0, 0, 0 }, hours = 0, minutes = 0;
    if (!digits_take(&rest, 4, &year))
        return false;
    for (size_t i = 0; i < 5; i++) {
        skip_one_of(&rest, i < 2 ? "-" : "T:"); /* a minus after the day is the zone's */
        if (!digits_take(&rest, 2, &part[i]))
            break;
    }
    if (rest.size > 0 && rest.data[0] == '.') {
        do {
            rest.data++;
            rest.size--;
        } while (rest.size > 0 && rest.data[0] >= '0' && rest.data[0] <= '9');
    }
    char sign = '\0';
    if (rest.size > 0)
        sign = rest.data[0];
    skip_one_of(&rest, "+-Z");
    if (digits_take(&rest, 2, &hours)) {
        skip_one_of(&rest, "':");
        (void)digits_take(&rest, 2, &minutes);
    }
    int64_t offset = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    *out =
        days_of(year, part[0], part[1]) * 86400 + part[2] * 3600 + part[3] * 60 + part[4] - offset;
    return true;
}

pl_status pl_check_date_same(struct pl_span string, struct pl_span xmp, bool *same)
{
    int64_t a = 0;
    int64_t b = 0;
    if (string.size >= 2 && memcmp(string.data, "D:", 2) == 0) {
        string.data += 2;
        string.size -= 2;
    }
    *same = moment_read(string, &a) && moment_read(xmp, &b) && a == b;
    return PL_OK;
}
