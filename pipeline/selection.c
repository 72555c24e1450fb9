/* selection: a text is cut into at most PL_SELECTION_CHARS / 2 terms first; then each page that a
 * term names is taken unless a term that leaves out names it too.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/selection.h"

#include "engine/base/text.h"
#include "pipeline/convert_settings.h"

#include <stdlib.h>
#include <string.h>

#define SELECTION_TERMS (PL_SELECTION_CHARS / 2)
#define SELECTION_PAGE_MOST 999999
#define SELECTION_FORMS "write 3, 2-5, 5-2, 4-, -1 (the last), odd, even or all; !3 leaves out"

enum term_kind { TERM_PAGE, TERM_FROM_END, TERM_RANGE, TERM_OPEN_RANGE, TERM_ODD, TERM_EVEN };

struct term {
    enum term_kind kind;
    uint32_t first; /* 1-based */
    uint32_t last;
};

struct selection {
    struct term taken[SELECTION_TERMS];
    size_t taken_count;
    struct term left_out[SELECTION_TERMS];
    size_t left_out_count;
};

static bool number_read(struct pl_span digits, uint32_t *out)
{
    uint64_t number = 0;
    if (!pl_text_parse_u64(digits, SELECTION_PAGE_MOST, &number) || number == 0)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* One term without its '!'. */
static bool term_read(struct pl_span text, struct term *out)
{
    static const struct {
        const char *word;
        struct term term;
    } words[] = { { "all", { TERM_OPEN_RANGE, 1, 0 } },
                  { "odd", { TERM_ODD, 1, 0 } },
                  { "even", { TERM_EVEN, 2, 0 } } };
    for (size_t i = 0; i < PL_COUNT_OF(words); i++) {
        if (pl_span_equals(text, words[i].word)) {
            *out = words[i].term;
            return true;
        }
    }
    const char *dash = text.size == 0 ? NULL : memchr(text.data, '-', text.size);
    if (dash == NULL) {
        out->kind = TERM_PAGE;
        return number_read(text, &out->first);
    }
    struct pl_span before = { text.data, (size_t)(dash - text.data) };
    struct pl_span after = { dash + 1, text.size - before.size - 1 };
    if (before.size == 0) {
        out->kind = TERM_FROM_END;
        return number_read(after, &out->first);
    }
    out->kind = after.size == 0 ? TERM_OPEN_RANGE : TERM_RANGE;
    return number_read(before, &out->first) && (after.size == 0 || number_read(after, &out->last));
}

static pl_status term_refuse(struct pl_span text, const char *why, struct pl_fault *fault)
{
    char shown[40];
    (void)pl_text_sanitize(text, shown, sizeof shown);
    return pl_fault_set(fault, PL_MISCONFIGURED, "pages: '%s' %s; " SELECTION_FORMS, shown, why);
}

/* Takes the text up to the next comma off `rest`. */
static struct pl_span text_take(struct pl_span *rest)
{
    const char *comma = memchr(rest->data, ',', rest->size);
    size_t size = comma == NULL ? rest->size : (size_t)(comma - rest->data);
    struct pl_span text = { rest->data, size };
    size_t used = comma == NULL ? size : size + 1;
    *rest = (struct pl_span){ rest->data + used, rest->size - used };
    return pl_span_trim(text);
}

static pl_status selection_parse(const char *text, struct selection *out, struct pl_fault *fault)
{
    struct pl_span rest = pl_span_from(text);
    bool more = rest.size > 0;
    *out = (struct selection){ .taken_count = 0 };
    if (rest.size >= PL_SELECTION_CHARS)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "pages: a selection has at most %d characters, this one has %zu",
                            PL_SELECTION_CHARS - 1, rest.size);
    while (more) {
        more = memchr(rest.data, ',', rest.size) != NULL;
        struct pl_span shown = text_take(&rest);
        struct pl_span text_of_page = shown;
        bool leaves_out = shown.size > 0 && shown.data[0] == '!';
        struct term term = { .kind = TERM_PAGE };
        if (leaves_out)
            text_of_page = (struct pl_span){ shown.data + 1, shown.size - 1 };
        if (!term_read(text_of_page, &term))
            return term_refuse(shown, "is no page", fault);
        if (!leaves_out && out->left_out_count > 0)
            return term_refuse(shown, "stands after a term with '!', which come last", fault);
        /* A term and its comma take two characters at least. */
        PL_CHECK(out->taken_count + out->left_out_count < SELECTION_TERMS);
        if (leaves_out)
            out->left_out[out->left_out_count++] = term;
        else
            out->taken[out->taken_count++] = term;
    }
    if (out->taken_count == 0)
        out->taken[out->taken_count++] = (struct term){ TERM_OPEN_RANGE, 1, 0 };
    return PL_OK;
}

pl_status pl_selection_check(const char *text, struct pl_fault *fault)
{
    struct selection selection;
    return selection_parse(text, &selection, fault);
}

/* The term's pages as first, last (both 1-based and in the document, or none) and step. */
struct span_of_pages {
    uint32_t first;
    uint32_t count;
    int32_t step;
};

static struct span_of_pages term_span(const struct term *term, uint32_t pages)
{
    struct span_of_pages none = { 0, 0, 0 };
    uint32_t first = term->first;
    uint32_t last = term->kind == TERM_RANGE ? term->last : pages;
    switch (term->kind) {
    case TERM_PAGE:
        return first > pages ? none : (struct span_of_pages){ first, 1, 1 };
    case TERM_FROM_END:
        return first > pages ? none : (struct span_of_pages){ pages - first + 1, 1, 1 };
    case TERM_ODD:
    case TERM_EVEN:
        return first > pages ? none : (struct span_of_pages){ first, (pages - first) / 2 + 1, 2 };
    case TERM_RANGE:
    case TERM_OPEN_RANGE:
        break;
    }
    if (term->kind == TERM_RANGE && first > last) {
        uint32_t highest = first < pages ? first : pages;
        return last > highest ? none : (struct span_of_pages){ highest, highest - last + 1, -1 };
    }
    last = last < pages ? last : pages;
    return first > last ? none : (struct span_of_pages){ first, last - first + 1, 1 };
}

static bool span_holds(const struct span_of_pages *span, uint32_t page)
{
    int64_t offset = (int64_t)page - span->first;
    return span->count > 0 && offset % span->step == 0 && offset / span->step >= 0 &&
           offset / span->step < span->count;
}

static bool selection_leaves_out(const struct selection *selection, uint32_t pages, uint32_t page)
{
    for (size_t i = 0; i < selection->left_out_count; i++) {
        struct span_of_pages span = term_span(&selection->left_out[i], pages);
        if (span_holds(&span, page))
            return true;
    }
    return false;
}

/* Checks that pages which stand alone are there, and counts what is named before any is left out.
 */
static pl_status selection_count(const struct selection *selection, uint32_t pages, uint64_t *out,
                                 struct pl_fault *fault)
{
    *out = 0;
    for (size_t i = 0; i < selection->taken_count; i++) {
        const struct term *term = &selection->taken[i];
        struct span_of_pages span = term_span(term, pages);
        if (span.count == 0 && (term->kind == TERM_PAGE || term->kind == TERM_FROM_END))
            return pl_fault_set(fault, PL_BAD_DOCUMENT,
                                "page %s%u was asked for, there are %u pages",
                                term->kind == TERM_FROM_END ? "-" : "", term->first, pages);
        *out += span.count;
    }
    return PL_OK;
}

static void selection_list(const struct selection *selection, uint32_t pages, uint32_t most,
                           uint32_t *list, uint64_t *count)
{
    *count = 0;
    for (size_t i = 0; i < selection->taken_count; i++) {
        struct span_of_pages span = term_span(&selection->taken[i], pages);
        for (uint32_t k = 0; k < span.count; k++) {
            uint32_t page = (uint32_t)((int64_t)span.first + (int64_t)k * span.step);
            if (selection_leaves_out(selection, pages, page))
                continue;
            if (*count < most)
                list[*count] = page - 1;
            ++*count;
        }
    }
}

pl_status pl_selection_apply(const char *text, uint32_t pages, uint32_t most, uint32_t **out,
                             uint32_t *count, struct pl_fault *fault)
{
    struct selection selection;
    uint64_t named = 0;
    pl_status status = selection_parse(text, &selection, fault);
    if (status == PL_OK)
        status = selection_count(&selection, pages, &named, fault);
    if (status != PL_OK)
        return status;
    size_t room = named < most ? (size_t)named : most;
    uint32_t *list = calloc(room == 0 ? 1 : room, sizeof *list);
    if (list == NULL)
        return PL_NO_MEMORY;
    selection_list(&selection, pages, (uint32_t)room, list, &named);
    if (named > most) {
        free(list);
        return pl_fault_set(fault, PL_TOO_LARGE, "the selection names %llu pages, the limit is %u",
                            (unsigned long long)named, most);
    }
    if (named == 0) {
        free(list);
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the selection '%s' leaves no page of %u", text,
                            pages);
    }
    *out = list;
    *count = (uint32_t)named;
    return PL_OK;
}
