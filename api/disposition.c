/* disposition: names come from devices and are data; they leave as one safe header field.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/disposition.h"

#include <string.h>

#define NAME_CHARS 256

/* attr-char of RFC 8187 section 3.2.1. */
static bool is_attr_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

/* A separator of any system, a quote, or a byte that a plain parameter cannot carry. */
static bool is_unsafe(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F || c == '"' || c == '\\' || c == '/' || c == ':' ||
           c == '*' || c == '?' || c == '<' || c == '>' || c == '|';
}

/* Well-formed UTF-8 without anything that a file system reads as more than a name. */
static void name_clean(struct pl_span name, const char *fallback, char out[NAME_CHARS])
{
    size_t size = pl_text_sanitize(name, out, NAME_CHARS);
    for (size_t i = 0; i < size; i++)
        if (is_unsafe(out[i]))
            out[i] = '_';
    if (out[0] == '.')
        out[0] = '_';
    if (out[0] == '\0')
        (void)pl_text_format(out, NAME_CHARS, "%s", fallback);
}

const char *pl_disposition(struct pl_span name, const char *fallback,
                           char out[PL_DISPOSITION_CHARS])
{
    char clean[NAME_CHARS];
    char plain[NAME_CHARS];
    char coded[3 * NAME_CHARS];
    size_t used = 0;
    bool is_ascii = true;
    name_clean(name, fallback, clean);
    (void)memcpy(plain, clean, sizeof plain);
    for (size_t i = 0; clean[i] != '\0'; i++) {
        bool high = (unsigned char)clean[i] >= 0x80;
        is_ascii = is_ascii && !high;
        /* Some clients decode %XX in the plain form too (RFC 6266 appendix D). */
        if (high || clean[i] == '%')
            plain[i] = '_';
        if (is_attr_char(clean[i]))
            coded[used++] = clean[i];
        else
            used += (size_t)(pl_text_format(coded + used, sizeof coded - used, "%%%02X",
                                            (unsigned char)clean[i])
                                 ? 3
                                 : 0);
    }
    coded[used] = '\0';
    if (is_ascii && strchr(clean, '%') == NULL)
        (void)pl_text_format(out, PL_DISPOSITION_CHARS, "attachment; filename=\"%s\"", plain);
    else
        (void)pl_text_format(out, PL_DISPOSITION_CHARS,
                             "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, coded);
    return out;
}
