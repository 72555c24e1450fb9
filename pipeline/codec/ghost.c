/* ghost: one instance of Ghostscript, a few lines of PostScript around each document.
 *
 * A document runs between a save and a restore and inside `stopped`; what it prints goes to
 * ghost_words, which judges. An instance makes one PDF or draws the pages of one, and the next
 * document of the job starts another: a process has one job, and most jobs have one document.
 *
 * NONATIVEFONTMAP: fonts come from Ghostscript's own map, not from what happens to be installed, so
 * that two machines draw the same.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost.h"

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "pipeline/codec/ghost_file.h"
#include "pipeline/codec/ghost_lib.h"
#include "pipeline/codec/ghost_raster.h"
#include "pipeline/codec/ghost_words.h"
#include "pipeline/pdf/pdf_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GHOST_PATH_CHARS 128
#define GHOST_CODE_CHARS 4096
#define GHOST_PASSWORD_CHARS 512
#define GHOST_HEAD_BYTES 1024 /* where a PDF says that it is one */
#define GHOST_FLATTEN_DPI 300 /* PDF/A-1 knows no transparency */

struct ghost {
    struct pl_interpreter base;
    struct pl_ghost_lib lib;
    void *instance; /* NULL: to be started */
    struct pl_ghost_raster raster;
    struct pl_ghost_words words;
    char scratch[GHOST_PATH_CHARS];
    char in[GHOST_PATH_CHARS + 8];
    char out[GHOST_PATH_CHARS + 8];
    bool is_open;   /* a PDF, for render */
    bool is_broken; /* it does not follow our lines any more */
    uint32_t dpi;   /* that the display device is set to; 0: it is not */
    bool bilevel;
};

/* -- the instance -- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is gsapi_set_stdio's. */
static int ghost_on_in(void *handle, char *data, int size)
{
    (void)handle;
    (void)data;
    (void)size;
    return 0;
}

static int ghost_on_out(void *handle, const char *data, int size)
{
    struct ghost *ghost = handle;
    if (size > 0)
        pl_ghost_words_take(&ghost->words, 0, (struct pl_span){ data, (size_t)size });
    return size;
}

static int ghost_on_error(void *handle, const char *data, int size)
{
    struct ghost *ghost = handle;
    if (size > 0)
        pl_ghost_words_take(&ghost->words, 1, (struct pl_span){ data, (size_t)size });
    return size;
}

/* Completes what the device was writing; what it says meanwhile still counts. */
static void ghost_stop(struct ghost *ghost)
{
    if (ghost->instance == NULL)
        return;
    ghost->raster.out = NULL;
    if (ghost->lib.exit(ghost->instance) != 0)
        ghost->words.was_stopped = true;
    pl_ghost_words_end(&ghost->words);
    ghost->lib.delete_instance(ghost->instance);
    ghost->instance = NULL;
    ghost->is_broken = false;
    ghost->dpi = 0;
}

static pl_status ghost_start(struct ghost *ghost, struct pl_fault *fault)
{
    char may_read[GHOST_PATH_CHARS + 32];
    char may_write[GHOST_PATH_CHARS + 32];
    (void)pl_text_format(may_read, sizeof may_read, "--permit-file-read=%s/", ghost->scratch);
    (void)pl_text_format(may_write, sizeof may_write, "--permit-file-write=%s", ghost->out);
    const char *const arguments[] = {
        "gs",     "-dSAFER",           "-dNOPAUSE", "-dNOPROMPT",   "-dNOOUTERSAVE",
        "-P-",    "-dNONATIVEFONTMAP", "-dEPSCrop", "-dUseCropBox", "-sDEVICE=nullpage",
        may_read, may_write,
    };
    char *argv[PL_COUNT_OF(arguments)];
    memcpy(argv, arguments, sizeof argv); /* the library changes neither the array nor the texts */
    void *instance = NULL;
    int code = ghost->lib.new_instance(&instance, ghost);
    if (code != 0)
        return pl_fault_set(fault, PL_UNAVAILABLE, "Ghostscript cannot be started (%d)", code);
    code = ghost->lib.set_stdio_with_handle(instance, ghost_on_in, ghost_on_out, ghost_on_error,
                                            ghost);
    if (code == 0)
        code = ghost->lib.set_arg_encoding(instance, GS_ARG_ENCODING_UTF8);
    if (code == 0 && pl_ghost_raster_attach(&ghost->raster, &ghost->lib, instance) != PL_OK)
        code = -1;
    if (code == 0)
        code = ghost->lib.init_with_args(instance, (int)PL_COUNT_OF(arguments), argv);
    ghost->instance = instance;
    if (code == 0)
        return PL_OK;
    ghost_stop(ghost);
    return pl_fault_set(fault, PL_UNAVAILABLE,
                        "Ghostscript cannot be started (%d); is the package libgs10-common "
                        "installed as a whole?",
                        code);
}

/* Runs our own lines. What fails in them is not the document's doing alone, so that the instance is
 * not trusted any more. */
static void ghost_run(struct ghost *ghost, const char *code)
{
    int exit_code = 0;
    if (ghost->is_broken || code[0] == '\0') /* no text at all would end the input */
        return;
    int result =
        ghost->lib.run_string(ghost->instance, code, (unsigned)strlen(code), 0, &exit_code);
    pl_ghost_words_end(&ghost->words);
    if (result == 0)
        return;
    ghost->is_broken = true;
    ghost->words.was_stopped = true;
}

static void ghost_run_format(struct ghost *ghost, const char *format, ...) PL_PRINTF(2, 3);

static void ghost_run_format(struct ghost *ghost, const char *format, ...)
{
    char code[GHOST_CODE_CHARS];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(code, sizeof code, format, arguments);
    va_end(arguments);
    PL_CHECK(size > 0 && (size_t)size < sizeof code); /* all texts in it are bounded */
    ghost_run(ghost, code);
}

/* -- lines that every document shares -- */

/* After `save`, so that they go with it. An operator's name may be told, any other is the
 * document's. pdfgetpage and its kin come with runpdfbegin. */
static const char ghost_common[] =
    "/platen-say { (" PL_GHOST_SIGN ") print print } bind def\n"
    "/platen-stopped { (stopped ) platen-say $error /errorname get =only\n"
    "  $error /command get dup type /operatortype eq { ( in ) print =only } { pop } ifelse\n"
    "  (\\n) print flush } bind def\n"
    "/platen-page { PDFFile 1 index 1 sub { .PDFPageInfoExt } stopped { pop pop } {\n"
    "    dup /Spots known { dup /Spots get { (spot ) platen-say =only (\\n) print } forall } if\n"
    "    dup /UsesTransparency known { dup /UsesTransparency get\n"
    "      { (transparency\\n) platen-say } if } if pop } ifelse\n"
    "  pdfgetpage dup null eq { pop (stopped page not found\\n) platen-say }\n"
    "  { pdfshowpage } ifelse } bind def\n"
    "/quit { stop } bind def /Printed true def\n";

/* A string of PostScript in hexadecimal: no character of it can end it. */
static pl_status password_write(const char *password, char out[GHOST_PASSWORD_CHARS],
                                struct pl_fault *fault)
{
    static const char before[] = "/PDFPassword <";
    size_t size = password == NULL ? 0 : strlen(password);
    out[0] = '\0';
    if (size == 0)
        return PL_OK;
    if (size > 127) /* ISO 32000-2 section 7.6.4.3.3 */
        return pl_fault_set(fault, PL_DENIED,
                            "the password of the document is longer than 127 bytes, which no PDF "
                            "has");
    memcpy(out, before, sizeof before);
    (void)pl_text_hex(password, size, out + sizeof before - 1);
    memcpy(out + sizeof before - 1 + size * 2, "> def\n", sizeof "> def\n");
    return PL_OK;
}

/* This version of the library dies of a wrong password: it is given one that our own reader needed
 * and took, or none. */
static pl_status password_settle(struct pl_source *source, const struct pl_limits *limits,
                                 const char **password, struct pl_fault *fault)
{
    struct pl_pdf_file *file = NULL;
    struct pl_fault found = { .status = PL_OK };
    if (*password == NULL || (*password)[0] == '\0')
        return PL_OK;
    pl_status status = pl_pdf_file_open(source, limits, NULL, &file, &found);
    if (status == PL_DENIED)
        status = pl_pdf_file_open(source, limits, *password, &file, fault);
    else
        *password = NULL; /* not wanted, or there is no telling */
    pl_pdf_file_free(file);
    return status == PL_DENIED || status == PL_NO_MEMORY ? status : PL_OK;
}

static pl_status ghost_is_pdf(struct pl_source *source, bool *out, struct pl_fault *fault)
{
    uint8_t head[GHOST_HEAD_BYTES];
    size_t size = source->size < sizeof head ? (size_t)source->size : sizeof head;
    pl_status status = pl_source_read(source, 0, head, size);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the document cannot be read: %s",
                            pl_status_text(status));
    *out = memmem(head, size, "%PDF-", 5) != NULL;
    return PL_OK;
}

/* Ready for a document: an instance that works, the document in the scratch, nothing said yet. */
static pl_status ghost_prepare(struct ghost *ghost, struct pl_source *source,
                               struct pl_fault *fault)
{
    pl_status status = PL_OK;
    PL_CHECK(!ghost->is_open);
    if (ghost->instance == NULL)
        status = ghost_start(ghost, fault);
    if (status == PL_OK)
        status = pl_ghost_file_put(ghost->in, source, fault);
    ghost->words = (struct pl_ghost_words){ .pages_in = UINT32_MAX };
    return status;
}

/* Opens the PDF inside the save; false when there is no page to be had. */
static pl_status ghost_begin_pdf(struct ghost *ghost, const struct pl_limits *limits,
                                 struct pl_fault *fault)
{
    struct pl_ghost_words *words = &ghost->words;
    words->pages_in = 0;
    ghost_run_format(ghost,
                     "{ (%s) (r) file runpdfbegin\n"
                     "(pages ) platen-say pdfpagecount = flush } stopped { platen-stopped } if\n",
                     ghost->in);
    pl_status status = pl_ghost_words_judge(words, fault);
    if (status == PL_OK && words->pages_in == 0)
        status = pl_fault_set(fault, PL_BAD_DOCUMENT, "Ghostscript finds no page in the document");
    if (status == PL_OK && words->pages_in > limits->pages)
        status = pl_fault_set(fault, PL_TOO_LARGE, "the document has %u pages, limit %u",
                              words->pages_in, limits->pages);
    return status;
}

/* -- a PDF of the document -- */

/* Colours that PDF/A can carry without a word about their origin become ICC-based, which leaves
 * the samples of an image as they are; to convert them to RGB would not. */
static void ghost_open_pdfwrite(struct ghost *ghost, unsigned pdfa)
{
    ghost_run_format(
        ghost,
        "<< /OutputDevice /pdfwrite /OutputFile (%s) /HWResolution [%d %d]\n"
        "/CompatibilityLevel %s /PDFA %u /PDFACompatibilityPolicy 1\n"
        "/ColorConversionStrategy /%s\n"
        "/PassThroughJPEGImages true /PassThroughJPXImages true\n"
        "/EncodeColorImages true /EncodeGrayImages true /EncodeMonoImages true\n"
        "/AutoFilterColorImages false /AutoFilterGrayImages false\n"
        "/ColorImageFilter /FlateEncode /GrayImageFilter /FlateEncode\n"
        "/MonoImageFilter /CCITTFaxEncode\n"
        "/DownsampleColorImages false /DownsampleGrayImages false /DownsampleMonoImages false\n"
        "/EmbedAllFonts true /SubsetFonts true /MaxSubsetPct 100 /CompressFonts true\n"
        "/CompressPages true /AutoRotatePages /None /PreserveOverprintSettings %s\n"
        "/Optimize false >> setpagedevice\n"
        "/platen-save save def\n",
        ghost->out, pdfa == 1 ? GHOST_FLATTEN_DPI : 720, pdfa == 1 ? GHOST_FLATTEN_DPI : 720,
        pdfa == 1 ? "1.4" : "1.7", pdfa,
        pdfa == 0 ? "LeaveColorUnchanged" : "UseDeviceIndependentColor",
        pdfa == 0 ? "true" : "false");
    ghost_run(ghost, ghost_common);
}

/* The device completes its file when it is closed, which in this library only the end of the
 * instance does (7 ms). */
static void ghost_close_pdfwrite(struct ghost *ghost)
{
    ghost_run(ghost, "clear cleardictstack platen-save restore\n"
                     "(" PL_GHOST_SIGN "drawn ) print currentpagedevice /PageCount get = flush\n");
    ghost_stop(ghost);
}

/* Annotations of a kind that PDF/A does not know are drawn into the page as they look. The names
 * stand in one string without spaces, or the library takes none of them. */
#define KEPT_1                                                                                     \
    "/Text/Link/FreeText/Line/Square/Circle/Highlight/Underline/Squiggly/StrikeOut/Stamp/Ink/"     \
    "Popup/Widget"
static const char ghost_kept_1[] = "/PRESERVEANNOTTYPES (" KEPT_1 ") def\n";
static const char ghost_kept_2[] =
    "/PRESERVEANNOTTYPES (" KEPT_1 "/Polygon/PolyLine/Caret/Watermark/Redact) def\n";

static pl_status ghost_draw_all(struct ghost *ghost, bool is_pdf, const char *password,
                                const struct pl_limits *limits, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    if (!is_pdf) {
        ghost_run_format(ghost, "{ (%s) (r) file run } stopped { platen-stopped } if\n", ghost->in);
        return PL_OK;
    }
    ghost_run(ghost, password);
    if (ghost->words.pdfa > 0)
        ghost_run(ghost, ghost->words.pdfa == 1 ? ghost_kept_1 : ghost_kept_2);
    status = ghost_begin_pdf(ghost, limits, fault);
    if (status == PL_OK)
        ghost_run(ghost, "{ 1 1 pdfpagecount { platen-page } for runpdfend } stopped\n"
                         "{ platen-stopped } if\n");
    return status;
}

static pl_status ghost_judge_pages(const struct pl_ghost_words *words,
                                   const struct pl_limits *limits, struct pl_fault *fault)
{
    if (words->pages_out == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the document draws no page");
    if (words->pages_in != UINT32_MAX && words->pages_in != words->pages_out)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "the document has %u pages, of which Ghostscript drew %u",
                            words->pages_in, words->pages_out);
    if (words->pages_out > limits->pages)
        return pl_fault_set(fault, PL_TOO_LARGE, "the document has %u pages, limit %u",
                            words->pages_out, limits->pages);
    return PL_OK;
}

static pl_status ghost_to_pdf(struct pl_interpreter *self, struct pl_source *source,
                              const char *password, unsigned pdfa, const struct pl_limits *limits,
                              struct pl_source **out, struct pl_interpreted *report,
                              struct pl_fault *fault)
{
    struct ghost *ghost = (struct ghost *)self;
    char open_sesame[GHOST_PASSWORD_CHARS];
    bool is_pdf = false;
    struct pl_source *made = NULL;
    pl_status status = ghost_is_pdf(source, &is_pdf, fault);
    if (status == PL_OK && is_pdf)
        status = password_settle(source, limits, &password, fault);
    if (status == PL_OK)
        status = password_write(password, open_sesame, fault);
    if (status == PL_OK)
        status = ghost_prepare(ghost, source, fault);
    if (status != PL_OK)
        return status;
    ghost->words.pdfa = pdfa;
    ghost->words.is_program = !is_pdf;
    ghost_open_pdfwrite(ghost, pdfa);
    status = ghost_draw_all(ghost, is_pdf, open_sesame, limits, fault);
    ghost_close_pdfwrite(ghost);
    if (status == PL_OK)
        status = pl_ghost_words_judge(&ghost->words, fault);
    if (status == PL_OK)
        status = ghost_judge_pages(&ghost->words, limits, fault);
    pl_status taken = pl_ghost_file_take(ghost->out, &made);
    if (status == PL_OK && taken != PL_OK)
        status = pl_fault_set(fault, taken == PL_NO_MEMORY ? taken : PL_BAD_DOCUMENT,
                              "Ghostscript left no PDF of the document");
    if (status == PL_OK) {
        pl_ghost_words_report(&ghost->words, report);
        report->pages = ghost->words.pages_out;
        *out = made;
        made = NULL;
    }
    if (made != NULL)
        made->ops->free(made);
    pl_wipe(open_sesame, sizeof open_sesame);
    return status;
}

/* -- pages of a PDF, one by one -- */

static void ghost_close(struct pl_interpreter *self)
{
    struct ghost *ghost = (struct ghost *)self;
    if (!ghost->is_open)
        return;
    ghost->is_open = false;
    ghost_stop(ghost);
}

static pl_status ghost_open(struct pl_interpreter *self, struct pl_source *source,
                            const char *password, const struct pl_limits *limits,
                            struct pl_interpreted *report, struct pl_fault *fault)
{
    struct ghost *ghost = (struct ghost *)self;
    char open_sesame[GHOST_PASSWORD_CHARS];
    pl_status status = password_settle(source, limits, &password, fault);
    if (status == PL_OK)
        status = password_write(password, open_sesame, fault);
    if (status == PL_OK)
        status = ghost_prepare(ghost, source, fault);
    if (status != PL_OK)
        return status;
    ghost->is_open = true;
    ghost_run(ghost, "/platen-save save def\n");
    ghost_run(ghost, ghost_common);
    ghost_run(ghost, open_sesame);
    status = ghost_begin_pdf(ghost, limits, fault);
    if (status == PL_OK) {
        pl_ghost_words_report(&ghost->words, report);
        report->pages = ghost->words.pages_in;
    } else {
        ghost_close(self);
    }
    pl_wipe(open_sesame, sizeof open_sesame);
    return status;
}

/* The device's format can be changed while it is closed only. */
static void ghost_set_display(struct ghost *ghost, uint32_t dpi, bool bilevel)
{
    if (ghost->dpi == dpi && ghost->bilevel == bilevel)
        return;
    unsigned alpha = bilevel ? 1 : 4;
    ghost_run_format(ghost,
                     "<< /OutputDevice /nullpage >> setpagedevice\n"
                     "<< /OutputDevice /display /DisplayFormat %u /HWResolution [%u %u]\n"
                     "/TextAlphaBits %u /GraphicsAlphaBits %u >> setpagedevice\n",
                     pl_ghost_raster_format(bilevel), dpi, dpi, alpha, alpha);
    ghost->dpi = dpi;
    ghost->bilevel = bilevel;
}

static pl_status ghost_render(struct pl_interpreter *self, uint32_t n, uint32_t dpi, bool bilevel,
                              const struct pl_limits *limits, struct pl_picture *out,
                              struct pl_interpreted *report, struct pl_fault *fault)
{
    struct ghost *ghost = (struct ghost *)self;
    struct pl_ghost_raster *raster = &ghost->raster;
    PL_CHECK(ghost->is_open && n < ghost->words.pages_in);
    if (ghost->is_broken)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %u cannot be drawn: Ghostscript stopped at a page before it",
                            n + 1);
    ghost_set_display(ghost, dpi, bilevel);
    raster->limits = limits;
    raster->page = n + 1;
    raster->status = PL_OK;
    raster->fault = (struct pl_fault){ .status = PL_OK };
    raster->is_taken = false;
    raster->out = out;
    ghost_run_format(ghost, "{ %u platen-page } stopped { platen-stopped } if flush\n", n + 1);
    raster->out = NULL;
    if (raster->status != PL_OK)
        return pl_fault_set(fault, raster->status, "%s", raster->fault.reason);
    pl_status status = pl_ghost_words_judge(&ghost->words, fault);
    if (status == PL_OK && !raster->is_taken)
        status =
            pl_fault_set(fault, PL_BAD_DOCUMENT, "Ghostscript draws nothing for page %u", n + 1);
    if (status != PL_OK)
        return status;
    out->x_mdpi = out->y_mdpi = dpi * 1000;
    pl_ghost_words_report(&ghost->words, report);
    report->pages = ghost->words.pages_in;
    return PL_OK;
}

/* -- birth and death -- */

static bool scratch_is_plain(const char *scratch)
{
    size_t size = strlen(scratch);
    return size > 1 && size < GHOST_PATH_CHARS && scratch[0] == '/' &&
           strspn(scratch, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") ==
               size;
}

pl_status pl_ghost_new(const char *scratch, struct pl_interpreter **out, struct pl_fault *fault)
{
    static const struct pl_interpreter_ops ops = { ghost_to_pdf, ghost_open, ghost_render,
                                                   ghost_close };
    if (!scratch_is_plain(scratch))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s cannot be the scratch folder of Ghostscript", scratch);
    struct ghost *ghost = calloc(1, sizeof *ghost);
    if (ghost == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory for Ghostscript");
    ghost->base.ops = &ops;
    (void)pl_text_format(ghost->scratch, sizeof ghost->scratch, "%s", scratch);
    (void)pl_text_format(ghost->in, sizeof ghost->in, "%s/in", scratch);
    (void)pl_text_format(ghost->out, sizeof ghost->out, "%s/out", scratch);
    /* Its writer of PDF keeps streams in files there. */
    pl_status status = setenv("TMPDIR", scratch, 1) == 0 ? PL_OK : PL_NO_MEMORY;
    if (status == PL_OK)
        status = pl_ghost_lib_load(&ghost->lib, fault);
    if (status == PL_OK)
        status = ghost_start(ghost, fault);
    if (status != PL_OK) {
        pl_ghost_lib_unload(&ghost->lib);
        free(ghost);
        return status;
    }
    *out = &ghost->base;
    return PL_OK;
}

void pl_ghost_free(struct pl_interpreter *self)
{
    struct ghost *ghost = (struct ghost *)self;
    if (ghost == NULL)
        return;
    ghost_stop(ghost);
    pl_ghost_lib_unload(&ghost->lib);
    free(ghost);
}
