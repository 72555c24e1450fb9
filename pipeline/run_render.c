/* run_render: pages that the interpreter draws, one at a time, on the caller's thread.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run_priv.h"

#include <string.h>

#define RENDER_DPI 300
#define RENDER_DPI_LEAST 72
#define RENDER_THUMBNAIL_PX 256
#define RENDER_THUMBNAIL_INCHES 4 /* of a longer side; smaller pages are scaled up by nobody */

static uint32_t render_dpi(const struct pl_convert *convert)
{
    if (convert->to == PL_FORMAT_THUMBNAIL) {
        uint32_t side = convert->thumbnail_px > 0 ? convert->thumbnail_px : RENDER_THUMBNAIL_PX;
        uint32_t dpi = side / RENDER_THUMBNAIL_INCHES;
        return dpi < RENDER_DPI_LEAST ? RENDER_DPI_LEAST : dpi < RENDER_DPI ? dpi : RENDER_DPI;
    }
    return convert->dpi > 0 ? convert->dpi : RENDER_DPI;
}

/* What the interpreter had to say, once for the job. */
static void render_hear(struct pl_run_inputs *inputs, const struct pl_interpreted *report)
{
    inputs->repaired = inputs->repaired || report->repaired;
    pl_run_note(inputs->note, report->note);
}

/* What it draws from: the document, or the PDF that was made of one of another kind. */
static struct pl_source *render_source(const struct pl_run_inputs *inputs, size_t i)
{
    const struct pl_run_input *input = &inputs->items[i];
    struct pl_source *source = input->readings[PL_RUN_WAY_PICTURE].source;
    if (source == NULL)
        source = input->readings[PL_RUN_WAY_PDF].source;
    return source != NULL ? source : input->made;
}

static pl_status render_open(struct pl_run_inputs *inputs, size_t i, struct pl_fault *fault)
{
    struct pl_interpreter *interpreter = inputs->job->interpreter;
    const struct pl_run_input *input = &inputs->items[i];
    const char *password = inputs->job->plan->convert.open_password;
    struct pl_interpreted report = { 0 };
    if (inputs->drawn == i + 1)
        return PL_OK;
    pl_run_render_end(inputs);
    struct pl_source *source = render_source(inputs, i);
    bool is_made = source == input->made;
    pl_status status = interpreter->ops->open(interpreter, source,
                                              is_made || password[0] == '\0' ? NULL : password,
                                              inputs->job->limits, &report, fault);
    if (status == PL_OK)
        inputs->drawn = i + 1;
    render_hear(inputs, &report);
    return status;
}

pl_status pl_run_render(struct pl_run_inputs *inputs, const struct pl_run_place *place,
                        struct pl_page *page, struct pl_picture *out, struct pl_fault *fault)
{
    struct pl_interpreter *interpreter = inputs->job->interpreter;
    const struct pl_convert *convert = &inputs->job->plan->convert;
    bool bilevel = convert->to == PL_FORMAT_TIFF_G4 || convert->colour == PL_COLOUR_MODE_BILEVEL;
    struct pl_interpreted report = { 0 };
    page->number = place->page + 1;
    page->how = PL_PAGE_RENDERED;
    pl_status status = render_open(inputs, place->input, fault);
    if (status != PL_OK)
        return status;
    status = interpreter->ops->render(interpreter, place->page, render_dpi(convert), bilevel,
                                      inputs->job->limits, out, &report, fault);
    render_hear(inputs, &report);
    if (place->way == PL_RUN_WAY_REDRAW)
        pl_page_note(page, "not kept as text under %s (%s): drawn at %u dpi",
                     pl_format_name(convert->to), inputs->rule, render_dpi(convert));
    return status;
}

/* "ISO 19005-2 6.2.11.8" out of a sentence, or its beginning. */
static void redraw_rule(const char *reason, char rule[PL_RUN_RULE_CHARS])
{
    const char *from = strstr(reason, "ISO ");
    if (from == NULL)
        from = reason;
    size_t size = strcspn(from, from == reason ? "" : ":,;()");
    if (size >= PL_RUN_RULE_CHARS)
        size = PL_RUN_RULE_CHARS - 1;
    memcpy(rule, from, size);
    rule[size] = '\0';
}

/* Whether the page lies in a PDF that the interpreter made. */
static bool page_is_made(const struct pl_run_inputs *inputs, const struct pl_run_place *place)
{
    const struct pl_run_input *input = &inputs->items[place->input];
    return input->made != NULL && input->readings[place->way].source == input->made;
}

/* Each page that was made is drawn, or is the picture that its document has of it; `count` gets how
 * many there are and `drawn` how many of them are drawn. */
static pl_status redraw_pages(struct pl_run_inputs *inputs, uint32_t *count, uint32_t *drawn)
{
    pl_status status = PL_OK;
    for (uint32_t n = 0; n < inputs->total && status == PL_OK; n++) {
        struct pl_run_place place = pl_run_inputs_place(inputs, n);
        bool pictured = false;
        if (!page_is_made(inputs, &place))
            continue;
        status = pl_run_input_pictures(inputs, &place, &pictured);
        inputs->ways[inputs->items[place.input].first + place.page] =
            pictured ? PL_RUN_WAY_PICTURE : PL_RUN_WAY_REDRAW;
        *count += 1;
        *drawn += !pictured;
    }
    return status;
}

pl_status pl_run_redraw(struct pl_run_inputs *inputs, const char *reason, struct pl_fault *fault)
{
    char sentence[PL_RUN_NOTE_CHARS];
    const char *why = strstr(reason, "ISO ") != NULL ? strstr(reason, "ISO ") : reason;
    const struct pl_convert *convert = &inputs->job->plan->convert;
    uint32_t count = 0;
    uint32_t drawn = 0;
    pl_status status = redraw_pages(inputs, &count, &drawn);
    if (status == PL_OK && count == 0)
        return PL_CONFLICT;
    for (size_t i = 0; i < inputs->job->input_count && status == PL_OK; i++)
        status = pl_run_input_detach(&inputs->items[i], inputs->job->limits);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "pages cannot be drawn anew: %s",
                            pl_status_text(status));
    redraw_rule(reason, inputs->rule);
    (void)pl_text_format(sentence, sizeof sentence,
                         "%u page%s could not be kept as text under %s, %u of them drawn at %u "
                         "dpi: %.*s",
                         count, count == 1 ? "" : "s", pl_format_name(convert->to), drawn,
                         render_dpi(convert), (int)strcspn(why, ";"), why);
    pl_run_note(inputs->note, sentence);
    inputs->renders = inputs->renders || drawn > 0;
    inputs->repaired = true;
    return PL_OK;
}

void pl_run_render_end(struct pl_run_inputs *inputs)
{
    struct pl_interpreter *interpreter = inputs->job->interpreter;
    if (inputs->drawn > 0)
        interpreter->ops->close(interpreter);
    inputs->drawn = 0;
}
