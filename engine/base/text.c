/* text: see text.h; every function is pure and bounded by the sizes it is given.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct pl_span pl_span_from(const char *terminated)
{
    return (struct pl_span){ terminated, strlen(terminated) };
}

bool pl_span_equals(struct pl_span span, const char *terminated)
{
    return span.size == strlen(terminated) &&
           (span.size == 0 || memcmp(span.data, terminated, span.size) == 0);
}

bool pl_span_equals_nocase(struct pl_span span, const char *terminated)
{
    return span.size == strlen(terminated) &&
           (span.size == 0 || strncasecmp(span.data, terminated, span.size) == 0);
}

struct pl_span pl_span_trim(struct pl_span span)
{
    while (span.size > 0 && (span.data[0] == ' ' || span.data[0] == '\t')) {
        span.data++;
        span.size--;
    }
    while (span.size > 0 && (span.data[span.size - 1] == ' ' || span.data[span.size - 1] == '\t'))
        span.size--;
    return span;
}

bool pl_text_format(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, size, format, args);
    va_end(args);
    return length >= 0 && (size_t)length < size;
}

bool pl_text_copy(char *out, size_t size, struct pl_span span)
{
    PL_CHECK(size > 0);
    if (span.size >= size || (span.size > 0 && memchr(span.data, '\0', span.size) != NULL)) {
        out[0] = '\0';
        return false;
    }
    if (span.size > 0)
        memcpy(out, span.data, span.size);
    out[span.size] = '\0';
    return true;
}

bool pl_text_parse_u64(struct pl_span span, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (span.size == 0 || span.size > 20)
        return false;
    for (size_t i = 0; i < span.size; i++) {
        if (span.data[i] < '0' || span.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(span.data[i] - '0'), &value))
            return false;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

char *pl_text_hex(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
    return out;
}

int pl_text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool pl_text_unhex(struct pl_span span, void *out, size_t size)
{
    uint8_t *bytes = out;
    if (span.size / 2 != size || span.size % 2 != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = pl_text_hex_digit(span.data[2 * i]);
        int low = pl_text_hex_digit(span.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *pl_text_base64(const void *data, size_t size, char *out)
{
    const uint8_t *in = data;
    char *next = out;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                         (left > 2 ? in[i + 2] : 0);
        *next++ = base64_digits[group >> 18];
        *next++ = base64_digits[group >> 12 & 63];
        *next++ = (char)(left > 1 ? base64_digits[group >> 6 & 63] : '=');
        *next++ = (char)(left > 2 ? base64_digits[group & 63] : '=');
    }
    *next = '\0';
    return out;
}

static int base64_value(char c)
{
    const char *at = c == '\0' ? NULL : strchr(base64_digits, c);
    return at == NULL ? -1 : (int)(at - base64_digits);
}

bool pl_text_unbase64(struct pl_span span, void *out, size_t *out_size)
{
    if (span.size % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < span.size && span.data[span.size - 1 - padding] == '=')
        padding++;
    size_t size = span.size / 4 * 3 - padding;
    if (size > *out_size)
        return false;
    uint8_t *bytes = out;
    uint32_t group = 0;
    size_t done = 0;
    for (size_t i = 0; i < span.size; i++) {
        bool is_pad = i >= span.size - padding;
        int value = is_pad ? 0 : base64_value(span.data[i]);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        if (i % 4 != 3)
            continue;
        for (int shift = 16; shift >= 0; shift -= 8) {
            uint8_t byte = (uint8_t)(group >> shift);
            if (done < size)
                bytes[done++] = byte;
            else if (byte != 0)
                return false; /* bits that stand for nothing */
        }
        group = 0;
    }
    *out_size = size;
    return true;
}

/* Length of the well-formed UTF-8 sequence at data[0..size), or 0. */
static size_t utf8_sequence(const uint8_t *data, size_t size)
{
    uint8_t lead = data[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || length > size)
        return 0;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (data[1] < low || data[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (data[i] < 0x80 || data[i] > 0xBF)
            return 0;
    return length;
}

bool pl_text_is_utf8(struct pl_span span)
{
    const uint8_t *data = (const uint8_t *)span.data;
    for (size_t i = 0; i < span.size;) {
        size_t length = utf8_sequence(data + i, span.size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

/* Of a well-formed sequence: is it one that changes how the text around it is shown? */
static bool utf8_is_unshown(const uint8_t *data, size_t length)
{
    if (length == 1)
        return data[0] < 0x20 || data[0] == 0x7F;
    if (length == 2)
        return data[0] == 0xC2 && data[1] < 0xA0;
    if (length != 3 || data[0] != 0xE2)
        return false;
    return (data[1] == 0x80 && data[2] >= 0xA8 && data[2] <= 0xAE) ||
           (data[1] == 0x81 && data[2] >= 0xA6 && data[2] <= 0xA9);
}

bool pl_text_take_char(struct pl_span *rest, struct pl_span *character)
{
    const uint8_t *data = (const uint8_t *)rest->data;
    PL_CHECK(rest->size > 0);
    size_t length = utf8_sequence(data, rest->size);
    bool shown = length > 0 && !utf8_is_unshown(data, length);
    *character = (struct pl_span){ rest->data, length > 0 ? length : 1 };
    rest->data += character->size;
    rest->size -= character->size;
    return shown;
}

size_t pl_text_sanitize(struct pl_span span, char *out, size_t size)
{
    static const struct pl_span replacement = { "\xEF\xBF\xBD", 3 };
    size_t done = 0;
    PL_CHECK(size > 0);
    while (span.size > 0) {
        struct pl_span put;
        if (!pl_text_take_char(&span, &put))
            put = replacement;
        if (put.size >= size - done)
            break;
        memcpy(out + done, put.data, put.size);
        done += put.size;
    }
    out[done] = '\0';
    return done;
}

bool pl_text_equal_ct(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference = (uint8_t)(difference | (left[i] ^ right[i]));
    return difference == 0;
}
