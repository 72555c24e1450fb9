/* run_inputs: opens what came, and decides for each wanted page how it is had, before anything is
 * written.
 *
 * A page of a PDF has up to four ways. For a PDF it is imported as it stands, or from what the
 * interpreter made of the whole document. For a picture, or where a setting changes pixels, it
 * is the one picture that it consists of; a page of other content is rendered, but for a PDF whose
 * colours are kept: resolution and quality are those of scans, and text is not made a picture for
 * them. Only PDF readers know more than one way; the others give pictures whatever is asked.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run_priv.h"
#include "pipeline/selection.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_COPY_BYTES ((size_t)1 << 16) /* a read */

static const struct pl_convert *inputs_convert(const struct pl_run_inputs *inputs)
{
    return &inputs->job->plan->convert;
}

/* The way that is tried first. */
static enum pl_run_way way_first(const struct pl_convert *convert)
{
    bool touches = convert->colour != PL_COLOUR_KEEP || convert->dpi > 0 || convert->quality > 0;
    return pl_format_is_pdf(convert->to) && !touches ? PL_RUN_WAY_PDF : PL_RUN_WAY_PICTURE;
}

/* Whether content that is no picture is to become one. */
static bool wants_rendering(const struct pl_convert *convert)
{
    return !pl_format_is_pdf(convert->to) || convert->colour != PL_COLOUR_KEEP;
}

/* What the interpreter made for PDF/A is fit for it, though it holds text. */
static enum pl_want way_want(const struct pl_convert *convert, enum pl_run_way way, bool is_made)
{
    static const enum pl_want parts[] = { PL_WANT_PDF, PL_WANT_PDFA_1, PL_WANT_PDFA_2,
                                          PL_WANT_PDFA_3 };
    if (way == PL_RUN_WAY_PICTURE)
        return PL_WANT_PICTURE;
    return is_made ? PL_WANT_PDF : parts[pl_format_pdfa_part(convert->to)];
}

static const char *inputs_password(const struct pl_run_inputs *inputs)
{
    const char *password = inputs_convert(inputs)->open_password;
    return password[0] == '\0' ? NULL : password;
}

void pl_run_note(char *note, const char *sentence)
{
    size_t used = strlen(note);
    if (sentence[0] == '\0' || strstr(note, sentence) != NULL)
        return;
    (void)pl_text_format(note + used, PL_RUN_NOTE_CHARS - used, "%s%s", used > 0 ? "; " : "",
                         sentence);
}

pl_status pl_run_blame(const struct pl_run_job *job, size_t input, pl_status status,
                       const struct pl_fault *found, struct pl_fault *fault)
{
    const char *reason = found->status != PL_OK ? found->reason : pl_status_text(status);
    if (job->input_count == 1)
        return pl_fault_set(fault, status, "%s", reason);
    return pl_fault_set(fault, status, "input %zu: %s", input + 1, reason);
}

/* -- the interpreter, for whole documents -- */

/* Copies `source` into memory of the input, so that the interpreter can be used again. */
static pl_status input_copy(struct pl_run_input *input, struct pl_source *source,
                            const struct pl_limits *limits)
{
    pl_status status = PL_OK;
    pl_bytes_init(&input->copy, (size_t)limits->output_bytes);
    for (uint64_t at = 0; at < source->size && status == PL_OK;) {
        uint64_t left = source->size - at;
        size_t part = left < INPUT_COPY_BYTES ? (size_t)left : INPUT_COPY_BYTES;
        uint8_t *room = NULL;
        status = pl_bytes_reserve(&input->copy, part, &room);
        if (status == PL_OK)
            status = pl_source_read(source, at, room, part);
        if (status == PL_OK)
            input->copy.size += part;
        at += part;
    }
    source->ops->free(source);
    if (status == PL_OK)
        status = pl_source_memory_new(input->copy.data, input->copy.size, &input->made);
    return status;
}

static void reading_close(struct pl_run_reading *reading)
{
    if (reading->reader != NULL)
        reading->reader->ops->close(reading->reader);
    *reading = (struct pl_run_reading){ NULL, NULL };
}

pl_status pl_run_input_detach(struct pl_run_input *input, const struct pl_limits *limits)
{
    struct pl_source *made = input->made;
    for (size_t way = 0; way < PL_RUN_WAYS; way++) {
        if (made != NULL && input->readings[way].source == made)
            reading_close(&input->readings[way]);
    }
    if (made == NULL || input->copy.data != NULL)
        return PL_OK;
    input->made = NULL;
    return input_copy(input, made, limits);
}

/* Makes a PDF of the input; *pages gets how many the interpreter counted. */
static pl_status input_interpret(struct pl_run_inputs *inputs, size_t i, uint32_t *pages,
                                 struct pl_fault *fault)
{
    const struct pl_run_job *job = inputs->job;
    struct pl_interpreter *interpreter = job->interpreter;
    const struct pl_convert *convert = inputs_convert(inputs);
    struct pl_run_input *input = &inputs->items[i];
    struct pl_interpreted report = { 0 };
    struct pl_source *made = NULL;
    unsigned part = way_first(convert) == PL_RUN_WAY_PDF || !wants_rendering(convert)
                        ? pl_format_pdfa_part(convert->to)
                        : 0;
    pl_status status =
        interpreter->ops->to_pdf(interpreter, job->inputs[i], inputs_password(inputs), part,
                                 job->limits, &made, &report, fault);
    if (status != PL_OK)
        return status;
    inputs->repaired = inputs->repaired || report.repaired;
    pl_run_note(inputs->note, report.note);
    *pages = report.pages;
    if (job->input_count > 1 || wants_rendering(convert))
        return input_copy(input, made, job->limits);
    input->made = made;
    return PL_OK;
}

/* -- opening -- */

/* Opens the document, or what the interpreter made of it, in that way. */
static pl_status input_open_way(struct pl_run_inputs *inputs, size_t i, enum pl_run_way way,
                                struct pl_source *source, struct pl_fault *fault)
{
    struct pl_run_input *input = &inputs->items[i];
    struct pl_run_reading *reading = &input->readings[way];
    bool is_made = source == input->made;
    const struct pl_open_settings settings = {
        .limits = inputs->job->limits,
        .want = way_want(inputs_convert(inputs), way, is_made),
        .password = is_made && way != PL_RUN_WAY_MADE ? NULL : inputs_password(inputs),
        .origin = way == PL_RUN_WAY_MADE ? inputs->job->inputs[i] : NULL,
    };
    reading->source = source;
    return input->kind->open(source, &settings, &reading->reader, fault);
}

static pl_status input_check(const struct pl_run_inputs *inputs, size_t i, struct pl_fault *fault)
{
    const struct pl_plan *plan = inputs->job->plan;
    uint64_t size = inputs->job->inputs[i]->size;
    const char *kind = inputs->items[i].kind->name;
    if (!pl_plan_accepts(plan, kind))
        return pl_fault_set(fault, PL_UNSUPPORTED, "this pipeline does not accept %s documents",
                            kind);
    if (plan->max_bytes > 0 && size > plan->max_bytes)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "the document has %llu bytes; this pipeline accepts %llu",
                            (unsigned long long)size, (unsigned long long)plan->max_bytes);
    return PL_OK;
}

/* Opens the made PDF in that way, and counts its pages. */
static pl_status input_open_made(struct pl_run_inputs *inputs, size_t i, enum pl_run_way way,
                                 uint32_t pages, struct pl_fault *fault)
{
    struct pl_run_input *input = &inputs->items[i];
    pl_status status = pl_sniff(input->made, &input->kind, fault);
    if (status == PL_OK)
        status = input_open_way(inputs, i, way, input->made, fault);
    if (status != PL_OK)
        return status;
    uint32_t found = input->kind->page_count(input->readings[way].reader);
    if (found != pages)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "the interpreter read %u pages and gave %u: content was lost", pages,
                            found);
    return PL_OK;
}

static pl_status input_open(struct pl_run_inputs *inputs, size_t i, struct pl_fault *fault)
{
    const struct pl_run_job *job = inputs->job;
    struct pl_run_input *input = &inputs->items[i];
    enum pl_run_way way = way_first(inputs_convert(inputs));
    pl_status status = pl_sniff(job->inputs[i], &input->kind, fault);
    if (status == PL_OK)
        status = input_check(inputs, i, fault);
    if (status != PL_OK)
        return status;
    struct pl_fault found = { 0 };
    status = input_open_way(inputs, i, way, job->inputs[i], &found);
    if (status == PL_NEEDS_INTERPRETER && job->interpreter != NULL) {
        uint32_t pages = 0;
        status = input_interpret(inputs, i, &pages, fault);
        if (status == PL_OK)
            status = input_open_made(inputs, i, way, pages, fault);
    } else if (status != PL_OK) {
        return pl_fault_set(fault, status, "%s",
                            found.status == PL_OK ? pl_status_text(status) : found.reason);
    }
    if (status == PL_OK)
        input->count = input->kind->page_count(input->readings[way].reader);
    return status;
}

/* Counts the input's pages against the limit. */
static pl_status input_count(struct pl_run_inputs *inputs, size_t i, uint32_t limit,
                             struct pl_fault *fault)
{
    struct pl_run_input *input = &inputs->items[i];
    input->first = inputs->pages_in;
    if (input->count == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the document has no pages");
    if (input->count > limit - inputs->pages_in)
        return pl_fault_set(fault, PL_TOO_LARGE, "the document has %llu pages, the limit is %u",
                            (unsigned long long)inputs->pages_in + input->count, limit);
    inputs->pages_in += input->count;
    inputs->bytes_in += inputs->job->inputs[i]->size;
    return PL_OK;
}

static pl_status inputs_select(struct pl_run_inputs *inputs, uint32_t limit, struct pl_fault *fault)
{
    const char *pages = inputs_convert(inputs)->pages;
    inputs->total = inputs->pages_in;
    inputs->ways = calloc(inputs->pages_in, sizeof *inputs->ways);
    if (inputs->ways == NULL)
        return PL_NO_MEMORY;
    if (pages[0] == '\0')
        return PL_OK;
    return pl_selection_apply(pages, inputs->pages_in, limit, &inputs->selected, &inputs->total,
                              fault);
}

/* -- the way to each page -- */

/* The input that a page of all inputs is in. */
static size_t inputs_find(const struct pl_run_inputs *inputs, uint32_t page)
{
    size_t low = 0;
    size_t high = inputs->job->input_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (inputs->items[middle].first <= page)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t inputs_page(const struct pl_run_inputs *inputs, uint32_t n)
{
    return inputs->selected == NULL ? n : inputs->selected[n];
}

struct pl_run_place pl_run_inputs_place(const struct pl_run_inputs *inputs, uint32_t n)
{
    uint32_t page = inputs_page(inputs, n);
    size_t input = inputs_find(inputs, page);
    return (struct pl_run_place){ input, page - inputs->items[input].first,
                                  (enum pl_run_way)inputs->ways[page] };
}

static pl_status input_survey(const struct pl_run_input *input, enum pl_run_way way, uint32_t page,
                              struct pl_fault *fault)
{
    struct pl_reader *reader = input->readings[way].reader;
    return reader->ops->survey == NULL ? PL_OK : reader->ops->survey(reader, page, fault);
}

pl_status pl_run_input_pictures(struct pl_run_inputs *inputs, const struct pl_run_place *place,
                                bool *out)
{
    struct pl_run_input *input = &inputs->items[place->input];
    struct pl_run_reading *reading = &input->readings[PL_RUN_WAY_PICTURE];
    struct pl_fault ignored = { .status = PL_OK };
    pl_status status = PL_OK;
    *out = false;
    if (place->way != PL_RUN_WAY_MADE)
        return PL_OK;
    if (reading->reader == NULL)
        status = input_open_way(inputs, place->input, PL_RUN_WAY_PICTURE,
                                inputs->job->inputs[place->input], &ignored);
    if (status == PL_OK)
        status = input_survey(input, PL_RUN_WAY_PICTURE, place->page, &ignored);
    *out = status == PL_OK;
    return status == PL_NO_MEMORY ? status : PL_OK;
}

/* The page is no picture, though one was hoped for. */
static pl_status page_survey_second(struct pl_run_inputs *inputs, struct pl_run_place *place,
                                    struct pl_fault *fault)
{
    struct pl_run_input *input = &inputs->items[place->input];
    pl_status status = PL_OK;
    if (wants_rendering(inputs_convert(inputs))) {
        place->way = PL_RUN_WAY_RENDER;
        inputs->renders = true;
        return PL_NEEDS_INTERPRETER;
    }
    place->way = PL_RUN_WAY_PDF;
    if (input->readings[PL_RUN_WAY_PDF].reader == NULL)
        status = input_open_way(inputs, place->input, PL_RUN_WAY_PDF,
                                input->readings[PL_RUN_WAY_PICTURE].source, fault);
    return status == PL_OK ? input_survey(input, PL_RUN_WAY_PDF, place->page, fault) : status;
}

/* Decides on the way to a page. `found` gets why an interpreter is needed. */
static pl_status page_survey(struct pl_run_inputs *inputs, struct pl_run_place *place,
                             struct pl_fault *fault)
{
    struct pl_run_input *input = &inputs->items[place->input];
    struct pl_fault found = { 0 };
    place->way = way_first(inputs_convert(inputs));
    pl_status status = input_survey(input, place->way, place->page, &found);
    if (status == PL_NEEDS_INTERPRETER && place->way == PL_RUN_WAY_PICTURE)
        status = page_survey_second(inputs, place, &found);
    if (status == PL_NEEDS_INTERPRETER && inputs->job->interpreter != NULL) {
        if (place->way == PL_RUN_WAY_PDF) {
            place->way = PL_RUN_WAY_MADE;
            input->wants_interpreter = true;
        }
        return PL_OK;
    }
    return status == PL_OK ? PL_OK : pl_run_blame(inputs->job, place->input, status, &found, fault);
}

static pl_status inputs_survey(struct pl_run_inputs *inputs, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    for (uint32_t n = 0; n < inputs->total && status == PL_OK; n++) {
        struct pl_run_place place = pl_run_inputs_place(inputs, n);
        if (place.way != PL_RUN_WAY_UNKNOWN)
            continue;
        status = page_survey(inputs, &place, fault);
        inputs->ways[inputs_page(inputs, n)] = (uint8_t)place.way;
    }
    return status;
}

/* Once a document went through the interpreter its pages are importable, or it is our fault. */
static pl_status input_survey_made(struct pl_run_inputs *inputs, size_t i, struct pl_fault *fault)
{
    for (uint32_t n = 0; n < inputs->total; n++) {
        struct pl_run_place place = pl_run_inputs_place(inputs, n);
        struct pl_fault found = { 0 };
        if (place.input != i || place.way != PL_RUN_WAY_MADE)
            continue;
        pl_status status = input_survey(&inputs->items[i], place.way, place.page, &found);
        if (status == PL_NEEDS_INTERPRETER)
            return pl_fault_set(
                fault, PL_UNAVAILABLE, "page %u as the interpreter gave it does not fit %s: %s",
                place.page + 1, pl_format_name(inputs_convert(inputs)->to), found.reason);
        if (status != PL_OK)
            return pl_fault_set(fault, status, "%s", found.reason);
    }
    return PL_OK;
}

static pl_status inputs_interpret(struct pl_run_inputs *inputs, struct pl_fault *fault)
{
    for (size_t i = 0; i < inputs->job->input_count; i++) {
        struct pl_run_input *input = &inputs->items[i];
        struct pl_fault found = { 0 };
        uint32_t pages = 0;
        if (!input->wants_interpreter)
            continue;
        /* What was made already and still does not fit is found by the second survey. */
        pl_status status = PL_OK;
        if (input->made == NULL)
            status = input_interpret(inputs, i, &pages, &found);
        else
            pages = input->count;
        if (status == PL_OK && pages != input->count)
            status = pl_fault_set(&found, PL_BAD_DOCUMENT,
                                  "the document has %u pages, the interpreter read %u",
                                  input->count, pages);
        if (status == PL_OK)
            status = input_open_made(inputs, i, PL_RUN_WAY_MADE, pages, &found);
        if (status == PL_OK)
            status = input_survey_made(inputs, i, &found);
        if (status != PL_OK)
            return pl_run_blame(inputs->job, i, status, &found, fault);
    }
    return PL_OK;
}

pl_status pl_run_inputs_open(const struct pl_run_job *job, struct pl_run_inputs *out,
                             struct pl_fault *fault)
{
    uint32_t limit = job->limits->pages;
    if (job->plan->max_pages > 0 && job->plan->max_pages < limit)
        limit = job->plan->max_pages;
    *out = (struct pl_run_inputs){ .job = job };
    out->items = calloc(job->input_count, sizeof *out->items);
    if (out->items == NULL)
        return PL_NO_MEMORY;
    for (size_t i = 0; i < job->input_count; i++) {
        struct pl_fault found = { 0 };
        pl_status status = input_open(out, i, &found);
        if (status == PL_OK)
            status = input_count(out, i, limit, &found);
        if (status != PL_OK)
            return pl_run_blame(job, i, status, &found, fault);
    }
    pl_status status = inputs_select(out, limit, fault);
    if (status == PL_OK)
        status = inputs_survey(out, fault);
    if (status == PL_OK)
        status = inputs_interpret(out, fault);
    return status;
}

void pl_run_inputs_close(struct pl_run_inputs *inputs)
{
    for (size_t i = 0; inputs->items != NULL && i < inputs->job->input_count; i++) {
        struct pl_run_input *input = &inputs->items[i];
        for (size_t way = 0; way < PL_RUN_WAYS; way++)
            reading_close(&input->readings[way]);
        if (input->made != NULL)
            input->made->ops->free(input->made);
        pl_bytes_fini(&input->copy);
    }
    free(inputs->items);
    free(inputs->selected);
    free(inputs->ways);
    *inputs = (struct pl_run_inputs){ .job = inputs->job };
}
