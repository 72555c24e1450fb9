/* text: bounded strings, hex, base64, UTF-8 and number parsing that never guesses.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_TEXT_H
#define PL_ENGINE_BASE_TEXT_H

#include "engine/base/check.h"

/* A borrowed run of bytes; not terminated. */
struct pl_span {
    const char *data;
    size_t size;
};

struct pl_span pl_span_from(const char *terminated);
bool pl_span_equals(struct pl_span span, const char *terminated);
/* ASCII case-insensitive, as HTTP field names are compared (RFC 9110 section 5.1). */
bool pl_span_equals_nocase(struct pl_span span, const char *terminated);
/* Without spaces and tabs at both ends (optional white space of RFC 9110 section 5.6.3). */
struct pl_span pl_span_trim(struct pl_span span);

/* Formats into out[0..size); false, with out cut and terminated, when it did not fit. */
bool pl_text_format(char *out, size_t size, const char *format, ...) PL_PRINTF(3, 4);
/* Copies span and a terminator; false, with out empty, when it does not fit or holds a NUL. */
bool pl_text_copy(char *out, size_t size, struct pl_span span);

/* Digits only, no sign, no space, at most 20 of them; false on anything else or past `max`. */
bool pl_text_parse_u64(struct pl_span span, uint64_t max, uint64_t *out);

/* Lower-case hex and a terminator; `out` holds 2 * size + 1 bytes. Returns `out`. */
char *pl_text_hex(const void *data, size_t size, char *out);
/* The value of a hex digit of either case, or -1. */
int pl_text_hex_digit(char c);
/* Exactly 2 * size hex digits of either case; false otherwise. */
bool pl_text_unhex(struct pl_span span, void *out, size_t size);

/* Base64 with padding (RFC 4648 section 4). Encoded size without terminator: 4 * ceil(n / 3);
 * pl_text_base64 also writes a terminator and returns `out`. */
#define PL_BASE64_CHARS(n) (((n) + 2) / 3 * 4 + 1)
char *pl_text_base64(const void *data, size_t size, char *out);
/* Strict: right padding, no white space, no stray bits. `*out_size` is the capacity before, the
 * size after; false leaves both as they were apart from scratch bytes in `out`. */
bool pl_text_unbase64(struct pl_span span, void *out, size_t *out_size);

/* Whole span is well-formed UTF-8 (Unicode 15 table 3-7: no surrogates, no overlong forms). */
bool pl_text_is_utf8(struct pl_span span);

/* Takes the next character off `rest` (one byte where it is not UTF-8). True when it may be shown:
 * well-formed, and neither a control character nor one that breaks lines or turns the direction of
 * what follows (U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069). `rest` must not be empty. */
bool pl_text_take_char(struct pl_span *rest, struct pl_span *character);

/* Makes any bytes fit to be shown: what pl_text_take_char refuses becomes U+FFFD, and the result is
 * cut at a character edge to fit `size` with its terminator. Returns the length. For names that
 * devices send (data, never paths). */
size_t pl_text_sanitize(struct pl_span span, char *out, size_t size);

/* True when both runs are equal; takes the same time wherever they differ. */
bool pl_text_equal_ct(const void *a, const void *b, size_t size);

#endif
