/* pdf_allows: whether a page can become one of PDF/A without touching its image data.
 *
 * The content is copied as it stands, so that every operator in it must be one that PDF/A has; its
 * objects are rewritten entry by entry (pdf_import_pdfa.c), so that only what cannot be left out or
 * replaced there counts against a page.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_allows_priv.h"
#include "pipeline/pdf/pdf_layers.h"
#include "pipeline/pdf/pdf_picture.h"
#include "pipeline/pdf/pdf_walk.h"

#include <math.h>
#include <string.h>

#define NESTING_MOST 28 /* of q (ISO 32000-1 annex C) */
#define NAME_MOST 127
#define REAL_MOST 32767.0 /* ISO 19005-1 6.1.12 */
#define SIDE_LEAST 3.0    /* of a box (ISO 19005-2 6.1.13) */
#define SIDE_MOST 14400.0

struct walking {
    struct pl_pdf_judge judge;
    unsigned nesting;
    bool layers_shown;
};

void pl_pdf_judge_refuse(struct pl_pdf_judge *judge, const char *why)
{
    if (judge->why == NULL)
        judge->why = why;
}

enum op_kind {
    OP_PLAIN,
    OP_TEXT,
    OP_SAVE,
    OP_RESTORE,
    OP_SPACE,
    OP_COLOUR,
    OP_CMYK,
    OP_STATE,
    OP_INTENT,
    OP_SHADING,
    OP_INLINE,

    OP_UNKNOWN
};

/* ISO 32000-1 annex A, but what only makes sense with fonts (d0, d1) or is unknown. */
static enum op_kind op_kind(struct pl_span name)
{
    static const struct {
        const char *names; /* each with a space behind */
        enum op_kind kind;
    } kinds[] = {
        { "b B b* B* f F f* s S n W W* m l c v y h re w J j M d i cm G g RG rg BMC EMC MP BDC DP "
          "BX EX "
          "BT ET Tc Td TD Tm Tr Ts Tw Tz TL T* ",
          OP_PLAIN },
        { "Tf Tj TJ ' \" ", OP_TEXT },
        { "q ", OP_SAVE },
        { "Q ", OP_RESTORE },
        { "CS cs ", OP_SPACE },
        { "SC SCN sc scn ", OP_COLOUR },
        { "K k ", OP_CMYK },
        { "gs ", OP_STATE },
        { "ri ", OP_INTENT },
        { "sh ", OP_SHADING },
        { "BI ", OP_INLINE },
        { "Do ", OP_PLAIN },
    };
    for (size_t i = 0; i < PL_COUNT_OF(kinds); i++) {
        const char *word = kinds[i].names;
        while (*word != '\0') {
            size_t length = 0;
            while (word[length] != ' ')
                length++;
            if (name.size == length && memcmp(name.data, word, length) == 0)
                return kinds[i].kind;
            word += length + 1;
        }
    }
    return OP_UNKNOWN;
}

static const struct pl_pdf_value *op_last(const struct pl_pdf_op *op)
{
    static const struct pl_pdf_value none = { .kind = PL_PDF_NULL };
    return op->count > 0 ? op->operands[op->count - 1] : &none;
}

static void walking_operands(struct walking *walking, const struct pl_pdf_op *op)
{
    for (size_t i = 0; i < op->count; i++) {
        const struct pl_pdf_value *value = op->operands[i];
        if (value->kind == PL_PDF_NAME && value->as.text.size > NAME_MOST)
            pl_pdf_judge_refuse(&walking->judge, "has a name that is too long for PDF/A");
        if (value->kind == PL_PDF_REAL && walking->judge.want == PL_WANT_PDFA_1 &&
            fabs(value->as.real) > REAL_MOST)
            pl_pdf_judge_refuse(&walking->judge, "has a number that is too large for PDF/A-1");
        if (value->kind == PL_PDF_INT &&
            (value->as.integer > INT32_MAX || value->as.integer < INT32_MIN))
            pl_pdf_judge_refuse(&walking->judge, "has a number that is too large for PDF/A");
    }
}

static pl_status walking_state(struct walking *walking, const struct pl_pdf_step *step)
{
    struct pl_pdf_judge *judge = &walking->judge;
    const struct pl_pdf_value *name = op_last(step->op);
    const struct pl_pdf_value *state = NULL;
    if (name->kind != PL_PDF_NAME)
        return PL_OK;
    pl_status status = pl_pdf_resource(judge->file, step->resources, "ExtGState", name->as.text,
                                       &state, judge->fault);
    if (status != PL_OK)
        return status;
    if (state->kind != PL_PDF_DICT)
        pl_pdf_judge_refuse(judge, "names a graphics state that is missing");
    return pl_pdf_judge_state(judge, state);
}

static pl_status walking_space(struct walking *walking, const struct pl_pdf_step *step)
{
    struct pl_pdf_judge *judge = &walking->judge;
    const struct pl_pdf_value *name = op_last(step->op);
    if (pl_pdf_name_is(name, "DeviceCMYK") && judge->want == PL_WANT_PDFA_1)
        pl_pdf_judge_refuse(judge, "has CMYK colours without a profile");
    if (pl_pdf_name_is(name, "DeviceGray") || pl_pdf_name_is(name, "DeviceRGB") ||
        pl_pdf_name_is(name, "DeviceCMYK"))
        return PL_OK;
    return pl_pdf_judge_space(judge, name, step->resources);
}

static pl_status walking_op(struct walking *walking, const struct pl_pdf_step *step)
{
    struct pl_pdf_judge *judge = &walking->judge;
    walking_operands(walking, step->op);
    switch (op_kind(step->op->name)) {
    case OP_PLAIN:
        break;
    case OP_TEXT:
        pl_pdf_judge_refuse(judge, "holds text");
        break;
    case OP_SAVE:
        if (++walking->nesting > NESTING_MOST)
            pl_pdf_judge_refuse(judge, "nests graphics states more than 28 deep");
        break;
    case OP_RESTORE:
        walking->nesting -= walking->nesting > 0;
        break;
    case OP_SPACE:
        return walking_space(walking, step);
    case OP_COLOUR:
        if (op_last(step->op)->kind == PL_PDF_NAME)
            pl_pdf_judge_refuse(judge, "has patterns");
        break;
    case OP_CMYK:
        if (judge->want == PL_WANT_PDFA_1)
            pl_pdf_judge_refuse(judge, "has CMYK colours without a profile");
        break;
    case OP_STATE:
        return walking_state(walking, step);
    case OP_INTENT:
        if (!pl_pdf_intent_is_valid(op_last(step->op)))
            pl_pdf_judge_refuse(judge, "has an unknown rendering intent");
        break;
    case OP_SHADING:
        pl_pdf_judge_refuse(judge, "has shadings");
        break;
    case OP_INLINE:
        return step->op->count > 0
                   ? pl_pdf_judge_inline(judge, step->op->operands[0], step->resources)
                   : PL_OK;
    case OP_UNKNOWN:
        pl_pdf_judge_refuse(judge, "has an operator that PDF does not know");
        break;
    }
    return PL_OK;
}

/* A group of a form or of the page. */
static pl_status judge_group(struct pl_pdf_judge *judge, const struct pl_pdf_value *dict)
{
    const struct pl_pdf_value *group = NULL;
    const struct pl_pdf_value *space = NULL;
    pl_status status = pl_pdf_lookup(judge->file, dict, "Group", &group, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(judge->file, group, "CS", &space, judge->fault);
    if (status == PL_OK && space->kind != PL_PDF_NULL && !pl_pdf_name_is(space, "DeviceRGB") &&
        !pl_pdf_name_is(space, "DeviceGray"))
        judge->group_colour = true;
    return status;
}

static pl_status judge_form(struct pl_pdf_judge *judge, const struct pl_pdf_value *form)
{
    static const char *const keys[] = { "PS", "Subtype2", "Ref" };
    const struct pl_pdf_value *resources = NULL;
    const struct pl_pdf_value *box = NULL;
    for (size_t i = 0; i < PL_COUNT_OF(keys); i++) {
        if (pl_pdf_dict_peek(form, keys[i]) != NULL)
            pl_pdf_judge_refuse(judge, "has forms of a kind that PDF/A does not have");
    }
    pl_status status = pl_pdf_lookup(judge->file, form, "Resources", &resources, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(judge->file, form, "BBox", &box, judge->fault);
    if (status == PL_OK && resources->kind != PL_PDF_DICT)
        pl_pdf_judge_refuse(judge, "has forms without resources of their own");
    if (status == PL_OK && box->kind != PL_PDF_ARRAY)
        pl_pdf_judge_refuse(judge, "has forms without a box");
    return status == PL_OK ? judge_group(judge, form) : status;
}

/* Spaces that stand in for the device's are a kind of colour management that is not copied. */
static pl_status judge_defaults(struct pl_pdf_judge *judge, const struct pl_pdf_value *resources)
{
    static const char *const keys[] = { "DefaultGray", "DefaultRGB", "DefaultCMYK" };
    const struct pl_pdf_value *spaces = NULL;
    pl_status status = pl_pdf_lookup(judge->file, resources, "ColorSpace", &spaces, judge->fault);
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++) {
        if (pl_pdf_dict_peek(spaces, keys[i]) != NULL)
            pl_pdf_judge_refuse(judge, "replaces device colours");
    }
    return status;
}

static pl_status walking_step(struct walking *walking, const struct pl_pdf_step *step)
{
    if (!walking->layers_shown && pl_pdf_step_is_layered(step))
        pl_pdf_judge_refuse(&walking->judge, "has layers that may be hidden");
    switch (step->kind) {
    case PL_PDF_STEP_OP:
        if (pl_span_equals(step->op->name, "Do"))
            pl_pdf_judge_refuse(&walking->judge, "draws an object that is missing");
        return walking_op(walking, step);
    case PL_PDF_STEP_IMAGE:
        return pl_pdf_judge_image(&walking->judge, step->object);
    case PL_PDF_STEP_FORM: {
        const struct pl_pdf_value *own = NULL;
        pl_status status = judge_form(&walking->judge, step->object);
        if (status == PL_OK)
            status = pl_pdf_lookup(walking->judge.file, step->object, "Resources", &own,
                                   walking->judge.fault);
        return status == PL_OK ? judge_defaults(&walking->judge, own) : status;
    }
    case PL_PDF_STEP_FORM_END:
    case PL_PDF_STEP_END:
        break;
    }
    return PL_OK;
}

static pl_status judge_box(struct pl_pdf_judge *judge, uint32_t n, const char *key)
{
    const struct pl_pdf_value *box = NULL;
    double v[4];
    bool found = false;
    pl_status status = pl_pdf_page_inherited(judge->file, n, key, &box, judge->fault);
    if (status == PL_OK && box->kind == PL_PDF_NULL)
        return PL_OK;
    if (status == PL_OK)
        status = pl_pdf_numbers(judge->file, box, v, 4, &found, judge->fault);
    if (status != PL_OK)
        return status;
    double width = found ? fabs(v[2] - v[0]) : 0;
    double height = found ? fabs(v[3] - v[1]) : 0;
    if (!(width >= SIDE_LEAST && width <= SIDE_MOST && height >= SIDE_LEAST && height <= SIDE_MOST))
        pl_pdf_judge_refuse(judge, "has a size that PDF/A does not allow");
    return PL_OK;
}

static pl_status judge_page(struct pl_pdf_judge *judge, uint32_t n)
{
    static const char *const boxes[] = { "MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox" };
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *resources = NULL;
    bool marks = false;
    bool links = false;
    pl_status status =
        pl_pdf_load_object(judge->file, pl_pdf_page_ref(judge->file, n), &page, judge->fault);
    for (size_t i = 0; i < PL_COUNT_OF(boxes) && status == PL_OK; i++)
        status = judge_box(judge, n, boxes[i]);
    if (status == PL_OK)
        status = pl_pdf_page_annotations(judge->file, n, &marks, &links, judge->fault);
    if (marks)
        pl_pdf_judge_refuse(judge, "has annotations");
    if (status == PL_OK)
        status = pl_pdf_page_inherited(judge->file, n, "Resources", &resources, judge->fault);
    if (status == PL_OK)
        status = judge_defaults(judge, resources);
    return status == PL_OK ? judge_group(judge, page) : status;
}

static pl_status walking_run(struct walking *walking, uint32_t n)
{
    struct pl_pdf_walk *walk = NULL;
    struct pl_pdf_step step;
    pl_status status = pl_pdf_walk_new(walking->judge.file, n, &walk, walking->judge.fault);
    while (status == PL_OK && walking->judge.why == NULL) {
        status = pl_pdf_walk_next(walk, &step, walking->judge.fault);
        if (status != PL_OK || step.kind == PL_PDF_STEP_END)
            break;
        status = walking_step(walking, &step);
    }
    pl_pdf_walk_free(walk);
    return status;
}

pl_status pl_pdf_page_allows(struct pl_pdf_file *file, uint32_t n, enum pl_want want, bool *allowed,
                             const char **why, struct pl_fault *fault)
{
    struct pl_fault found = { 0 };
    struct walking walking = { .judge = { .file = file, .want = want, .fault = &found } };
    if (want == PL_WANT_PDF) {
        *allowed = true;
        return PL_OK;
    }
    pl_status status = judge_page(&walking.judge, n);
    if (status == PL_OK)
        status = pl_pdf_layers_all_shown(file, &walking.layers_shown, &found);
    if (status == PL_OK && walking.judge.why == NULL)
        status = walking_run(&walking, n);
    if (walking.judge.transparent && walking.judge.group_colour)
        pl_pdf_judge_refuse(&walking.judge, "blends in a colour space without a profile");
    if (status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED || status == PL_TOO_LARGE) {
        pl_pdf_judge_refuse(&walking.judge,
                            status == PL_TOO_LARGE ? "has too much on it" : "is damaged");
        status = PL_OK;
    }
    if (status != PL_OK) {
        return pl_fault_set(fault, status, "%s",
                            found.status != PL_OK ? found.reason : pl_status_text(status));
    }
    *allowed = walking.judge.why == NULL;
    if (!*allowed)
        *why = walking.judge.why;
    return PL_OK;
}
