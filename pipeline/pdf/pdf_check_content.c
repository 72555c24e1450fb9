/* pdf_check_content: what a content stream uses, and the rules about its operators.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_parse.h"

#include <stdlib.h>
#include <string.h>

#define USES_MOST 16384
#define STATES_MOST 28 /* ISO 32000-1 annex C */
#define STATES_ROOM 64
#define NAMES_BYTES ((size_t)1 << 22)

/* As much of the graphics state as decides whether a font is seen. */
struct state {
    struct pl_span font; /* into the uses' text by at and size */
    size_t font_at;
    bool hidden;
    bool fill_set;
    bool stroke_set;
};

struct scan {
    struct pl_pdf_checking *c;
    struct pl_check_uses *uses;
    struct state now;
    struct state saved[STATES_ROOM];
    unsigned depth;
    bool of_page;
};

void pl_check_uses_init(struct pl_check_uses *uses)
{
    *uses = (struct pl_check_uses){ 0 };
    pl_bytes_init(&uses->text, NAMES_BYTES);
}

void pl_check_uses_fini(struct pl_check_uses *uses)
{
    pl_bytes_fini(&uses->text);
    free(uses->items);
    uses->items = NULL;
    uses->count = uses->room = 0;
}

static pl_status use_add(struct scan *scan, enum pl_check_use_kind kind, struct pl_span name)
{
    struct pl_check_uses *uses = scan->uses;
    for (size_t i = uses->count; i-- > 0;) {
        const struct pl_check_use *use = &uses->items[i];
        if (use->kind == kind && use->size == name.size &&
            memcmp(uses->text.data + use->at, name.data, name.size) == 0)
            return PL_OK;
    }
    if (uses->count == USES_MOST || name.size > UINT16_MAX)
        return pl_fault_set(scan->c->fault, PL_TOO_LARGE,
                            "page %u names more than %d resources, the limit", scan->c->page,
                            USES_MOST);
    if (uses->count == uses->room) {
        size_t room = uses->room == 0 ? 16 : uses->room * 2;
        struct pl_check_use *items = realloc(uses->items, room * sizeof *items);
        if (items == NULL)
            return PL_NO_MEMORY;
        uses->items = items;
        uses->room = room;
    }
    struct pl_check_use use = { kind, (uint32_t)uses->text.size, (uint32_t)name.size };
    pl_status status = pl_bytes_append(&uses->text, name.data, name.size);
    if (status != PL_OK)
        return status;
    uses->items[uses->count++] = use;
    return pl_check_step(scan->c, uses->count / 64);
}

/* --- colours ---------------------------------------------------------------------------------- */

static pl_status space_use(struct scan *scan, const struct pl_pdf_value *space)
{
    if (space == NULL || space->kind != PL_PDF_NAME || pl_pdf_name_is(space, "Pattern"))
        return PL_OK;
    if (pl_pdf_name_is(space, "DeviceGray") || pl_pdf_name_is(space, "G"))
        scan->uses->grey = true;
    else if (pl_pdf_name_is(space, "DeviceRGB") || pl_pdf_name_is(space, "RGB"))
        scan->uses->rgb = true;
    else if (pl_pdf_name_is(space, "DeviceCMYK") || pl_pdf_name_is(space, "CMYK"))
        scan->uses->cmyk = true;
    else
        return use_add(scan, PL_USE_SPACE, space->as.text);
    return PL_OK;
}

static pl_status op_colour(struct scan *scan, const struct pl_pdf_op *op)
{
    const struct pl_pdf_value *last = op->count > 0 ? op->operands[op->count - 1] : NULL;
    char first = op->name.data[0];
    bool stroke = first >= 'A' && first <= 'Z';
    if (stroke)
        scan->now.stroke_set = true;
    else
        scan->now.fill_set = true;
    if (pl_span_equals(op->name, "g") || pl_span_equals(op->name, "G"))
        scan->uses->grey = true;
    else if (pl_span_equals(op->name, "rg") || pl_span_equals(op->name, "RG"))
        scan->uses->rgb = true;
    else if (pl_span_equals(op->name, "k") || pl_span_equals(op->name, "K"))
        scan->uses->cmyk = true;
    else if (pl_span_equals(op->name, "cs") || pl_span_equals(op->name, "CS"))
        return space_use(scan, last);
    else if (last != NULL && last->kind == PL_PDF_NAME) /* scn, SCN */
        return use_add(scan, PL_USE_PATTERN, last->as.text);
    return PL_OK;
}

/* Paint before any colour was set is black of DeviceGray; a form inherits its colour. */
static pl_status op_paint(struct scan *scan, const struct pl_pdf_op *op)
{
    char first = op->name.data[0];
    bool fills = first == 'f' || first == 'F' || first == 'b' || first == 'B';
    bool strokes = first == 's' || first == 'S' || first == 'b' || first == 'B';
    if (scan->of_page && ((fills && !scan->now.fill_set) || (strokes && !scan->now.stroke_set)))
        scan->uses->grey = true;
    return PL_OK;
}

/* --- text ------------------------------------------------------------------------------------- */

static pl_status op_font(struct scan *scan, const struct pl_pdf_op *op)
{
    if (op->count < 2 || op->operands[op->count - 2]->kind != PL_PDF_NAME)
        return PL_OK;
    struct pl_span name = op->operands[op->count - 2]->as.text;
    scan->now.font_at = scan->uses->text.size;
    scan->now.font = (struct pl_span){ "", name.size };
    return name.size > UINT16_MAX ? PL_TOO_LARGE
                                  : pl_bytes_append(&scan->uses->text, name.data, name.size);
}

static pl_status op_mode(struct scan *scan, const struct pl_pdf_op *op)
{
    const struct pl_pdf_value *mode = op->count > 0 ? op->operands[op->count - 1] : NULL;
    scan->now.hidden = mode != NULL && mode->kind == PL_PDF_INT && mode->as.integer == 3;
    return PL_OK;
}

static pl_status op_show(struct scan *scan, const struct pl_pdf_op *op)
{
    char name[256];
    if (scan->of_page && !scan->now.fill_set && !scan->now.hidden)
        scan->uses->grey = true;
    if (scan->now.font.data == NULL || scan->now.font.size > sizeof name)
        return PL_OK;
    memcpy(name, scan->uses->text.data + scan->now.font_at, scan->now.font.size);
    const struct pl_span font = { name, scan->now.font.size };
    pl_status status = use_add(scan, scan->now.hidden ? PL_USE_HIDDEN_FONT : PL_USE_FONT, font);
    return status == PL_OK && pl_check_shows_controls(op) ? use_add(scan, PL_USE_CONTROLS, font)
                                                          : status;
}

/* --- states and objects ----------------------------------------------------------------------- */

static pl_status op_save(struct scan *scan, const struct pl_pdf_op *op)
{
    (void)op;
    if (scan->depth < STATES_ROOM)
        scan->saved[scan->depth] = scan->now;
    if (++scan->depth == STATES_MOST + 1)
        pl_check_breach(scan->c, "6.1.12", "6.1.13", "q and Q are nested deeper than 28");
    return PL_OK;
}

static pl_status op_restore(struct scan *scan, const struct pl_pdf_op *op)
{
    (void)op;
    if (scan->depth > 0 && --scan->depth < STATES_ROOM)
        scan->now = scan->saved[scan->depth];
    return PL_OK;
}

static pl_status op_intent(struct scan *scan, const struct pl_pdf_op *op)
{
    if (op->count > 0)
        pl_check_intent_name(scan->c, op->operands[op->count - 1]);
    return PL_OK;
}

static pl_status op_resource(struct scan *scan, const struct pl_pdf_op *op)
{
    const struct pl_pdf_value *last = op->count > 0 ? op->operands[op->count - 1] : NULL;
    if (last == NULL || last->kind != PL_PDF_NAME)
        return PL_OK;
    enum pl_check_use_kind kind = op->name.data[0] == 'D'   ? PL_USE_XOBJECT
                                  : op->name.data[0] == 'g' ? PL_USE_STATE
                                                            : PL_USE_SHADING;
    return use_add(scan, kind, last->as.text);
}

static const struct pl_pdf_value *inline_entry(const struct pl_pdf_value *dict, const char *key,
                                               const char *full)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    return value != NULL ? value : pl_pdf_dict_peek(dict, full);
}

static void inline_filter(struct pl_pdf_checking *c, const struct pl_pdf_value *filter)
{
    static const char *const fine[] = { "AHx", "ASCIIHexDecode", "A85", "ASCII85Decode",
                                        "Fl",  "FlateDecode",    "RL",  "RunLengthDecode",
                                        "CCF", "CCITTFaxDecode", "DCT", "DCTDecode" };
    char shown[PL_CHECK_NAME_CHARS];
    if (filter == NULL || filter->kind != PL_PDF_NAME ||
        pl_check_is_one_of(filter, fine, PL_COUNT_OF(fine)))
        return;
    bool lzw = pl_pdf_name_is(filter, "LZW") || pl_pdf_name_is(filter, "LZWDecode");
    pl_check_breach(c, lzw ? "6.1.10" : NULL, "6.1.10", "an inline image has the filter %s",
                    pl_check_show(filter, shown));
}

static pl_status op_inline(struct scan *scan, const struct pl_pdf_op *op)
{
    struct pl_pdf_checking *c = scan->c;
    const struct pl_pdf_value *dict = op->count > 0 ? op->operands[0] : NULL;
    const struct pl_pdf_value *filter = inline_entry(dict, "F", "Filter");
    const struct pl_pdf_value *smooth = inline_entry(dict, "I", "Interpolate");
    const struct pl_pdf_value *mask = inline_entry(dict, "IM", "ImageMask");
    const struct pl_pdf_value *bits = inline_entry(dict, "BPC", "BitsPerComponent");
    const struct pl_pdf_value *space = inline_entry(dict, "CS", "ColorSpace");
    bool is_mask = mask != NULL && mask->kind == PL_PDF_BOOL && mask->as.boolean;
    if (filter != NULL && filter->kind == PL_PDF_ARRAY) {
        for (size_t i = 0; i < filter->as.array.count; i++)
            inline_filter(c, filter->as.array.items[i]);
    } else {
        inline_filter(c, filter);
    }
    if (smooth != NULL && smooth->kind == PL_PDF_BOOL && smooth->as.boolean)
        pl_check_breach(c, "6.2.4", "6.2.8", "an inline image has /I true");
    if (bits != NULL && bits->kind == PL_PDF_INT) {
        int64_t n = bits->as.integer;
        bool fine =
            is_mask ? n == 1 : n == 1 || n == 2 || n == 4 || n == 8 || (n == 16 && c->part != 1);
        if (!fine)
            pl_check_breach(c, "6.2.4", "6.2.8", "an inline image has %lld bits a component",
                            (long long)n);
    }
    pl_check_intent_name(c, pl_pdf_dict_peek(dict, "Intent"));
    if (is_mask || space == NULL)
        return PL_OK;
    if (space->kind == PL_PDF_ARRAY && space->as.array.count > 1) /* [/Indexed base ...] */
        space = space->as.array.items[1];
    return space_use(scan, space);
}

/* --- all operators ---------------------------------------------------------------------------- */

typedef pl_status op_fn(struct scan *scan, const struct pl_pdf_op *op);

struct operator
{
    const char *name;
    op_fn *check; /* NULL: nothing to see */
};

/* Sorted by name, as strcmp does. */
static const struct operator operators[] = {
    { "\"", op_show },    { "'", op_show },      { "B", op_paint },     { "B*", op_paint },
    { "BDC", NULL },      { "BI", op_inline },   { "BMC", NULL },       { "BT", NULL },
    { "BX", NULL },       { "CS", op_colour },   { "DP", NULL },        { "Do", op_resource },
    { "EI", NULL },       { "EMC", NULL },       { "ET", NULL },        { "EX", NULL },
    { "F", op_paint },    { "G", op_colour },    { "ID", NULL },        { "J", NULL },
    { "K", op_colour },   { "M", NULL },         { "MP", NULL },        { "Q", op_restore },
    { "RG", op_colour },  { "S", op_paint },     { "SC", op_colour },   { "SCN", op_colour },
    { "T*", NULL },       { "TD", NULL },        { "TJ", op_show },     { "TL", NULL },
    { "Tc", NULL },       { "Td", NULL },        { "Tf", op_font },     { "Tj", op_show },
    { "Tm", NULL },       { "Tr", op_mode },     { "Ts", NULL },        { "Tw", NULL },
    { "Tz", NULL },       { "W", NULL },         { "W*", NULL },        { "b", op_paint },
    { "b*", op_paint },   { "c", NULL },         { "cm", NULL },        { "cs", op_colour },
    { "d", NULL },        { "d0", NULL },        { "d1", NULL },        { "f", op_paint },
    { "f*", op_paint },   { "g", op_colour },    { "gs", op_resource }, { "h", NULL },
    { "i", NULL },        { "j", NULL },         { "k", op_colour },    { "l", NULL },
    { "m", NULL },        { "n", NULL },         { "q", op_save },      { "re", NULL },
    { "rg", op_colour },  { "ri", op_intent },   { "s", op_paint },     { "sc", op_colour },
    { "scn", op_colour }, { "sh", op_resource }, { "v", NULL },         { "w", NULL },
    { "y", NULL },
};

static int operator_compare(const void *key, const void *row)
{
    return strcmp(key, ((const struct operator*)row)->name);
}

static pl_status scan_op(struct scan *scan, const struct pl_pdf_op *op)
{
    char name[8];
    char shown[32];
    const struct operator* found = NULL;
    if (pl_text_copy(name, sizeof name, op->name))
        found =
            bsearch(name, operators, PL_COUNT_OF(operators), sizeof operators[0], operator_compare);
    if (found != NULL)
        return found->check != NULL ? found->check(scan, op) : PL_OK;
    (void)pl_text_sanitize(op->name, shown, sizeof shown);
    pl_check_breach(scan->c, "6.2.10", "6.2.2", "the content has an unknown operator, %s", shown);
    return PL_OK;
}

pl_status pl_check_content(struct pl_pdf_checking *c, const struct pl_bytes *data, bool of_page,
                           struct pl_check_uses *uses)
{
    struct scan scan = { .c = c, .uses = uses, .of_page = of_page };
    struct pl_pdf_content *content = NULL;
    bool more = true;
    if (data->size == 0)
        return PL_OK;
    pl_status status = pl_pdf_content_new(data->data, data->size, &content);
    while (status == PL_OK) {
        struct pl_fault found = { 0 };
        struct pl_pdf_op op;
        status = pl_pdf_content_next(content, &op, &more, &found);
        if (status == PL_BAD_DOCUMENT) {
            pl_check_defect(c, "7.8.2", "%s", found.reason);
            status = PL_OK;
            break;
        }
        if (status != PL_OK)
            status = pl_fault_set(c->fault, status, "%s", found.reason);
        if (status != PL_OK || !more)
            break;
        status = pl_check_step(c, 1);
        if (status == PL_OK)
            status = scan_op(&scan, &op);
    }
    pl_pdf_content_free(content);
    return status;
}
