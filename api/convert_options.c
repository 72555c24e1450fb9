/* convert_options: options become members of `with`, laid over those of a definition from a file
 * where one is given.
 *
 * Passwords come from files alone: a command line is seen by everyone on the machine.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_options.h"

#include "api/files.h"
#include "api/pipeline_file.h"
#include "engine/base/digest.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_FILE_BYTES ((size_t)65536)
#define OPTION_PATH "steps[0].with"
/* getopt_long's values: below are letters. */
#define OPTION_FIRST_MEMBER 256

static const char help_head[] =
    "usage: platen convert --to FORMAT [OPTION]... IN... -o OUT\n"
    "       platen convert --pipeline FILE [OPTION]... IN... -o OUT\n"
    "\n"
    "Converts scans and documents (TIFF, JPEG, PNG, PDF, PostScript) without a server, in the\n"
    "same sandboxed worker. Pages are copied where the format can carry them, encoded again\n"
    "without loss where it cannot, and with loss only if that is asked for.\n"
    "\n"
    "If OUT is a folder, or ends in '/', each input becomes a document there, named like it;\n"
    "otherwise the pages of all inputs, in order, become the one document OUT. jpeg, png and\n"
    "thumbnail hold one page: several pages become OUT-001.png, OUT-002.png, and so on.\n"
    "\n"
    "  -o, --output OUT   where to; a document that is there is kept, and that is an error,\n"
    "  --force            unless this is given\n"
    "  --to FORMAT        ";
static const char help_rest[] =
    "\n"
    "  --pipeline FILE    the settings of a pipeline's definition (JSON); options lie over them\n"
    "\n"
    "what is taken\n"
    "  --pages LIST       in that order: 3  2-5  5-2  4-  -1 (the last)  odd  even  all, by "
    "commas;\n"
    "                     !3 at the end leaves out; counted over all inputs\n"
    "  --rotate DEGREES   0, 90, 180, 270 clockwise\n"
    "  --open-password-file FILE   the first line opens encrypted inputs\n"
    "\n"
    "pixels\n"
    "  --resolution DPI   pages of more are brought down to it (30 to 1200); what has to be drawn\n"
    "                     is drawn at it, or at 300\n"
    "  --colour MODE      keep, grey, bilevel, auto (by what is on the page)\n"
    "  --binarize HOW     sauvola, otsu, dither: how a page becomes black and white\n"
    "  --quality N        1 to 100: encode with loss, as JPEG (jpeg and thumbnail: 85)\n"
    "  --compression NAME of tiff: lzw, deflate, jpeg\n"
    "  --size PIXELS      of a thumbnail's longer side (256)\n"
    "\n"
    "documents (PDF)\n"
    "  --title, --author, --subject, --keywords TEXT\n"
    "  --xmp FILE         rdf:Description elements to go into the metadata\n"
    "  --labels LIST      FROM[:STYLE[:START[:PREFIX]]] by commas; styles 1 I i A a none\n"
    "  --linearize        for viewing while it loads\n"
    "  --password-file FILE         the first line is needed to open the result\n"
    "  --owner-password-file FILE   and this one to do what is not permitted\n"
    "  --permit LIST      of print, print-high, modify, copy, annotate, fill, assemble, by "
    "commas;\n"
    "                     none: nothing\n"
    "\n"
    "  --json             report on stdout: one line of JSON for each document or set of "
    "documents\n"
    "  --threads N        page threads, 1 to 64 (one for each processor, at most 4)\n"
    "  --help             this text\n"
    "\n"
    "Exit: 0 done, 1 refused or failed, with a line on stderr, 2 wrong usage.\n";

void pl_convert_help(FILE *to)
{
    (void)fprintf(to, "%s%s%s", help_head, pl_format_list(), help_rest);
}

enum option_kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_FLAG,
    KIND_WORDS,
    KIND_LABELS,
    KIND_LINE,
    KIND_FILE
};

struct option_row {
    const char *option;
    const char *member;
    enum option_kind kind;
};

/* Options that are members. */
static const struct option_row rows[] = {
    { "to", "to", KIND_TEXT },
    { "pages", "pages", KIND_TEXT },
    { "rotate", "rotate", KIND_NUMBER },
    { "resolution", "resolution", KIND_NUMBER },
    { "colour", "colour", KIND_TEXT },
    { "color", "colour", KIND_TEXT },
    { "binarize", "binarize", KIND_TEXT },
    { "quality", "quality", KIND_NUMBER },
    { "compression", "compression", KIND_TEXT },
    { "size", "size", KIND_NUMBER },
    { "linearize", "linearize", KIND_FLAG },
    { "open-password-file", "open_password", KIND_LINE },
    { "password-file", "user_password", KIND_LINE },
    { "owner-password-file", "owner_password", KIND_LINE },
    { "permit", "permissions", KIND_WORDS },
    { "title", "title", KIND_TEXT },
    { "author", "author", KIND_TEXT },
    { "subject", "subject", KIND_TEXT },
    { "keywords", "keywords", KIND_TEXT },
    { "xmp", "xmp", KIND_FILE },
    { "labels", "labels", KIND_LABELS },
};

/* Digits are a number; the rest is text, which the compiler refuses with the range. */
static json_t *value_number(const char *text)
{
    uint64_t number = 0;
    return pl_text_parse_u64(pl_span_from(text), INT32_MAX, &number)
               ? json_integer((json_int_t)number)
               : json_string(text);
}

/* Up to the next `mark`, which is taken off `rest` with it. */
static struct pl_span text_take(struct pl_span *rest, char mark)
{
    const char *end = memchr(rest->data, mark, rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    struct pl_span text = { rest->data, size };
    size_t used = end == NULL ? size : size + 1;
    *rest = (struct pl_span){ rest->data + used, rest->size - used };
    return text;
}

static json_t *value_words(const char *text)
{
    json_t *list = json_array();
    struct pl_span rest = pl_span_from(text);
    while (rest.size > 0 && !pl_span_equals(pl_span_from(text), "none")) {
        struct pl_span word = pl_span_trim(text_take(&rest, ','));
        (void)json_array_append_new(list, json_stringn(word.data, word.size));
    }
    return list;
}

/* FROM[:STYLE[:START[:PREFIX]]] */
static json_t *value_label(struct pl_span rest)
{
    static const char *const members[] = { "from", "style", "start", "prefix" };
    json_t *label = json_object();
    for (size_t i = 0; i < PL_COUNT_OF(members) && rest.size > 0; i++) {
        char text[64];
        bool is_number = i == 0 || i == 2;
        struct pl_span part = i == 3 ? rest : text_take(&rest, ':');
        if (part.size == 0)
            continue;
        (void)pl_text_copy(text, sizeof text, part); /* too long: empty, and refused */
        (void)json_object_set_new(label, members[i],
                                  is_number ? value_number(text) : json_string(text));
        if (i == 3)
            break;
    }
    return label;
}

static json_t *value_labels(const char *text)
{
    json_t *list = json_array();
    struct pl_span rest = pl_span_from(text);
    while (rest.size > 0)
        (void)json_array_append_new(list, value_label(text_take(&rest, ',')));
    return list;
}

/* A file's text, or its first line. */
static json_t *value_file(const char *path, bool is_line, struct pl_fault *fault)
{
    struct pl_bytes text;
    json_t *value = NULL;
    pl_bytes_init(&text, OPTION_FILE_BYTES);
    if (pl_file_read(path, &text, fault) == PL_OK) {
        struct pl_span all = { (const char *)text.data, text.size };
        struct pl_span used = is_line ? text_take(&all, '\n') : all;
        if (is_line && used.size > 0 && used.data[used.size - 1] == '\r')
            used.size--;
        if (used.size == 0)
            (void)pl_fault_set(fault, PL_MISCONFIGURED, "%s: the %s is empty", path,
                               is_line ? "first line" : "file");
        else
            value = json_stringn(used.data, used.size);
        if (used.size > 0 && value == NULL)
            (void)pl_fault_set(fault, PL_MISCONFIGURED, "%s: is not UTF-8", path);
    }
    if (text.data != NULL)
        pl_wipe(text.data, text.size);
    pl_bytes_fini(&text);
    return value;
}

static json_t *value_read(const struct option_row *row, const char *text, struct pl_fault *fault)
{
    json_t *value = NULL;
    switch (row->kind) {
    case KIND_TEXT:
        value = json_string(text);
        break;
    case KIND_NUMBER:
        value = value_number(text);
        break;
    case KIND_FLAG:
        value = json_true();
        break;
    case KIND_WORDS:
        value = value_words(text);
        break;
    case KIND_LABELS:
        value = value_labels(text);
        break;
    case KIND_LINE:
    case KIND_FILE:
        return value_file(text, row->kind == KIND_LINE, fault);
    }
    if (value == NULL)
        (void)pl_fault_set(fault, PL_MISCONFIGURED, "--%s: is not UTF-8", row->option);
    return value;
}

/* The definition that the settings are laid over. */
static json_t *definition_base(const char *pipeline, struct pl_fault *fault)
{
    json_t *root = NULL;
    if (pipeline == NULL)
        return json_pack("{s:s, s:[{s:s, s:{}}], s:[{s:s}]}", "name", "convert", "steps", "op",
                         "convert", "with", "sinks", "sink", "store");
    struct pl_pipeline_file file = { .name = "" };
    if (pl_pipeline_file_read(pipeline, &file, fault) == PL_OK)
        root = json_loadb((const char *)file.definition.data, file.definition.size, 0, NULL);
    pl_pipeline_file_fini(&file);
    return root;
}

/* Without the path that nobody wrote. */
static pl_status definition_refuse(const struct pl_fault *why, struct pl_fault *fault)
{
    const char *reason = why->reason;
    if (strncmp(reason, OPTION_PATH, sizeof OPTION_PATH - 1) == 0) {
        reason += sizeof OPTION_PATH - 1;
        reason += strncmp(reason, ": ", 2) == 0 ? 2 : *reason == '.' ? 1 : 0;
    }
    return pl_fault_set(fault, why->status, "%s", reason);
}

static pl_status definition_make(const char *pipeline, json_t *with,
                                 struct pl_convert_options *options, struct pl_fault *fault)
{
    struct pl_plan plan = { .max_pages = 0 };
    struct pl_fault why = { .status = PL_OK };
    json_t *root = definition_base(pipeline, fault);
    json_t *step = json_array_get(json_object_get(root, "steps"), 0);
    pl_status status = PL_OK;
    if (step == NULL || json_object_update(json_object_get(step, "with"), with) != 0 ||
        (options->definition = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS)) == NULL)
        status = pl_fault_set(fault, PL_NO_MEMORY, "no memory for the settings");
    json_decref(root);
    if (status != PL_OK)
        return fault->status;
    status = pl_plan_compile(pl_span_from(options->definition), &plan, &why);
    if (status != PL_OK)
        return definition_refuse(&why, fault);
    options->wish.format = plan.convert.to;
    pl_plan_fini(&plan);
    return PL_OK;
}

/* What stands beside the members. */
struct plain_options {
    const char *pipeline;
    json_t *with;
};

static enum pl_convert_verdict option_take(int option, struct plain_options *plain,
                                           struct pl_convert_options *out, struct pl_fault *fault)
{
    if (option >= OPTION_FIRST_MEMBER) {
        const struct option_row *row = &rows[option - OPTION_FIRST_MEMBER];
        json_t *value = value_read(row, optarg, fault);
        if (value == NULL)
            return PL_CONVERT_REFUSE;
        (void)json_object_set_new(plain->with, row->member, value);
        return PL_CONVERT_GO;
    }
    switch (option) {
    case 'o':
        out->wish.output = optarg;
        return PL_CONVERT_GO;
    case 'f':
        out->wish.force = true;
        return PL_CONVERT_GO;
    case 'j':
        out->json = true;
        return PL_CONVERT_GO;
    case 'p':
        plain->pipeline = optarg;
        return PL_CONVERT_GO;
    case 'n':
        return pl_text_parse_u64(pl_span_from(optarg), 64, &out->threads) && out->threads > 0
                   ? PL_CONVERT_GO
                   : PL_CONVERT_USAGE;
    case 'h':
        return PL_CONVERT_HELP;
    default:
        return PL_CONVERT_USAGE;
    }
}

static void options_table(struct option out[PL_COUNT_OF(rows) + 7])
{
    static const struct option plain[] = {
        { "output", required_argument, NULL, 'o' },  { "force", no_argument, NULL, 'f' },
        { "json", no_argument, NULL, 'j' },          { "pipeline", required_argument, NULL, 'p' },
        { "threads", required_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' },
    };
    memcpy(out, plain, sizeof plain);
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++)
        out[PL_COUNT_OF(plain) + i] =
            (struct option){ rows[i].option,
                             rows[i].kind == KIND_FLAG ? no_argument : required_argument, NULL,
                             OPTION_FIRST_MEMBER + (int)i };
    out[PL_COUNT_OF(plain) + PL_COUNT_OF(rows)] = (struct option){ NULL, 0, NULL, 0 };
}

enum pl_convert_verdict pl_convert_options_read(int argc, char **argv,
                                                struct pl_convert_options *out,
                                                struct pl_fault *fault)
{
    struct option table[PL_COUNT_OF(rows) + 7];
    struct plain_options plain = { NULL, json_object() };
    enum pl_convert_verdict verdict = PL_CONVERT_GO;
    *out = (struct pl_convert_options){ .definition = NULL };
    options_table(table);
    optind = 1;
    for (int option;
         verdict == PL_CONVERT_GO && (option = getopt_long(argc, argv, "o:h", table, NULL)) != -1;)
        verdict = option_take(option, &plain, out, fault);
    out->wish.inputs = (const char *const *)argv + optind;
    out->wish.input_count = (size_t)(argc - optind);
    bool is_named = plain.pipeline != NULL || json_object_get(plain.with, "to") != NULL;
    if (verdict == PL_CONVERT_GO &&
        (!is_named || out->wish.output == NULL || out->wish.output[0] == '\0' || optind >= argc))
        verdict = PL_CONVERT_USAGE;
    if (verdict == PL_CONVERT_GO &&
        definition_make(plain.pipeline, plain.with, out, fault) != PL_OK)
        verdict = PL_CONVERT_REFUSE;
    json_decref(plain.with);
    return verdict;
}

void pl_convert_options_fini(struct pl_convert_options *options)
{
    if (options->definition != NULL)
        pl_wipe(options->definition, strlen(options->definition));
    free(options->definition);
    options->definition = NULL;
}
