/* run_render: pages that the interpreter draws, one at a time, on the caller's thread.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run_priv.h"

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

static pl_status render_open(struct pl_run_inputs *inputs, size_t i, struct pl_fault *fault)
{
    struct pl_interpreter *interpreter = inputs->job->interpreter;
    const struct pl_run_input *input = &inputs->items[i];
    const char *password = inputs->job->plan->convert.open_password;
    struct pl_interpreted report = { 0 };
    if (inputs->drawn == i + 1)
        return PL_OK;
    pl_run_render_end(inputs);
    struct pl_source *source = input->readings[PL_RUN_WAY_PICTURE].source;
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
    return status;
}

void pl_run_render_end(struct pl_run_inputs *inputs)
{
    struct pl_interpreter *interpreter = inputs->job->interpreter;
    if (inputs->drawn > 0)
        interpreter->ops->close(interpreter);
    inputs->drawn = 0;
}
