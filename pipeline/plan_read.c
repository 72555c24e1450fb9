/* plan_read: members of a definition, and the sentence with the nearest word for what is none.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan_priv.h"

#include <string.h>

#define PLAN_WORD 40 /* characters of a foreign word that a sentence shows */
#define PLAN_HELP 260

size_t pl_plan_word_index(const char *word, const char *const *words, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(words[i], word) != 0)
        i++;
    return i;
}

/* Letters to insert, delete or replace to make one word the other; words past 31 letters: many. */
static unsigned word_distance(const char *a, const char *b)
{
    enum { LONGEST = 31 };
    size_t length = strlen(b);
    if (length > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    unsigned row[LONGEST + 1];
    for (unsigned i = 0; i <= length; i++)
        row[i] = i;
    for (unsigned y = 1; a[y - 1] != '\0'; y++) {
        unsigned corner = row[0];
        row[0] = y;
        for (unsigned x = 1; x <= length; x++) {
            unsigned best = corner + (a[y - 1] == b[x - 1] ? 0 : 1);
            corner = row[x];
            best = best <= row[x - 1] ? best : row[x - 1] + 1;
            row[x] = best <= corner ? best : corner + 1;
        }
    }
    return row[length];
}

/* Appends "; did you mean 'x'?" when one is near, and what is allowed. */
static void sentence_help(char *out, size_t size, const char *word, const char *const *words,
                          size_t count)
{
    const char *nearest = NULL;
    unsigned least = 3;
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        unsigned distance = word_distance(word, words[i]);
        if (distance < least && 2 * (size_t)distance <= strlen(word)) {
            least = distance;
            nearest = words[i];
        }
    }
    if (nearest != NULL)
        (void)pl_text_format(out, size, " (did you mean '%s'?)", nearest);
    for (size_t i = 0; i < count; i++) {
        used = strlen(out);
        (void)pl_text_format(out + used, size - used, "%s%s", i == 0 ? "; allowed: " : ", ",
                             words[i]);
    }
}

static pl_status plan_wrong_word(struct pl_fault *fault, const char *where, const char *what,
                                 const char *word, const char *const *words, size_t count)
{
    char shown[PLAN_WORD];
    char help[PLAN_HELP];
    (void)pl_text_sanitize(pl_span_from(word), shown, sizeof shown);
    sentence_help(help, sizeof help, word, words, count);
    return pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s '%s'%s", where, what, shown, help);
}

pl_status pl_plan_object(const json_t *value, const char *where, const char *const *words,
                         size_t count, struct pl_fault *fault)
{
    if (value == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is missing", where);
    if (!json_is_object(value))
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s must be a mapping", where);
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, key, member)
    {
        if (pl_plan_word_index(key, words, count) == count)
            return plan_wrong_word(fault, where, "unknown member", key, words, count);
    }
    return PL_OK;
}

const char *pl_plan_string(const json_t *value, const char *where, struct pl_fault *fault)
{
    if (value == NULL) {
        (void)pl_fault_set(fault, PL_MISCONFIGURED, "%s is missing", where);
    } else if (!json_is_string(value)) {
        (void)pl_fault_set(fault, PL_MISCONFIGURED, "%s must be text", where);
    }
    return json_string_value(value);
}

pl_status pl_plan_word(const json_t *value, const char *where, const char *const *words,
                       size_t count, size_t *out, struct pl_fault *fault)
{
    const char *word = pl_plan_string(value, where, fault);
    if (word == NULL)
        return PL_MISCONFIGURED;
    size_t i = pl_plan_word_index(word, words, count);
    if (i == count)
        return plan_wrong_word(fault, where, "unknown", word, words, count);
    *out = i;
    return PL_OK;
}

bool pl_plan_quantity(const json_t *value, const struct pl_plan_unit *units, size_t count,
                      uint64_t max, uint64_t *out)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *out = number < 0 ? 0 : (uint64_t)number;
        return number >= 0 && *out <= max;
    }
    const char *text = json_string_value(value);
    size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
    for (size_t i = 0; i < count && digits > 0; i++) {
        uint64_t number = 0;
        if (strcmp(text + digits, units[i].suffix) != 0)
            continue;
        if (!pl_text_parse_u64((struct pl_span){ text, digits }, max / units[i].size, &number))
            return false;
        *out = number * units[i].size;
        return true;
    }
    return false;
}
