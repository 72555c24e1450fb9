/* ghost_words: one table of phrases and what each of them means.
 *
 * Collected from the library's own texts and from what it said over folders of damaged documents.
 * What stands in no row is noise; a message that begins with "Error" or "****" and is in no row
 * counts as a repair, so that what a newer version says is never silent.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_words.h"

#include <string.h>

enum word_meaning {
    WORD_NOISE,
    WORD_LOST,
    WORD_REPAIRED,
    WORD_LOCKED,
    WORD_MEMORY,
    WORD_FONT,
    WORD_OVERPRINT,
    WORD_GLYPH,
    WORD_ANNOTATION,
    WORD_FILE,
};

struct word_row {
    const char *phrase;
    enum word_meaning meaning;
};

/* The first row whose phrase is in the line decides. */
static const struct word_row rows[] = {
    { "requires a password", WORD_LOCKED },
    /* Content is gone. */
    { "page will be missing", WORD_LOST },
    { "Failed to initialise PDF interpreter", WORD_LOST },
    { "Couldn't initialise file", WORD_LOST },
    { "Couldn't get page info", WORD_LOST },
    { "page not found", WORD_LOST },
    { "Unrecoverable error", WORD_LOST },
    { "FATAL", WORD_LOST }, /* jbig2dec */
    { "jbig2dec ERROR", WORD_LOST },
    { "openjpeg error", WORD_LOST },
    { "VMerror", WORD_MEMORY },
    { "ut of memory", WORD_MEMORY },
    { "Catalog dictionary not located", WORD_LOST },
    { "PDF document has no pages", WORD_LOST },
    { "reverting to normal PDF output", WORD_LOST }, /* with our policy it never says so */
    /* Known, and nobody's loss. */
    { "DOCINFO cannot be represented", WORD_NOISE }, /* our writer writes both anew */
    { "Interpolate true", WORD_NOISE },
    { "Output may be incorrect", WORD_NOISE }, /* follows what was said */
    { "Output may not be as expected", WORD_NOISE },
    { "errors that were repaired or ignored", WORD_NOISE },
    { "were encountered at least once", WORD_NOISE },
    { "The file was produced by", WORD_NOISE },
    { ">>>> ", WORD_NOISE },
    { "Please notify the author", WORD_NOISE },
    { "file that it does not conform", WORD_NOISE },
    { "**** specification.", WORD_NOISE },
    { "A dictionary is missing a required /Type key", WORD_NOISE },
    { "not terminated with a linefeed", WORD_NOISE },
    { "missing white space after number", WORD_NOISE },
    { "number uses illegal exponent form", WORD_NOISE },
    { "Setting Overprint", WORD_OVERPRINT },
    { "Requested glyph not present", WORD_GLYPH },
    { "All used glyphs m", WORD_GLYPH },
    { "non-printing", WORD_ANNOTATION },
    { "annotation will not be present", WORD_ANNOTATION },
    { "annotations not permitted", WORD_ANNOTATION },
    { "embedding of files", WORD_FILE },
    { "embedding of PDF/A", WORD_FILE },
    { "has not validated this embedded file", WORD_FILE },
    { "(or substitute) from", WORD_FONT },
    { "Substituting font", WORD_FONT },
    { "Can't find (or can't open) font file", WORD_FONT },
    { "A font missing from the input", WORD_FONT },
    /* Worked around. */
    { "Page drawing error occurred", WORD_REPAIRED },
    { "jbig2dec WARNING", WORD_REPAIRED },
    { "openjpeg warning", WORD_REPAIRED },
    { "ignoring zlib error", WORD_REPAIRED },
    { "PDF file was repaired", WORD_REPAIRED },
    { "couldn't repair PDF file", WORD_REPAIRED },
    { "error reading a stream", WORD_REPAIRED },
    { "error executing PDF token", WORD_REPAIRED },
    { "circular reference", WORD_REPAIRED },
    { "recoverable image error", WORD_REPAIRED },
    { "error in ", WORD_REPAIRED },
    { "Couldn't find named resource", WORD_REPAIRED },
    { "cannot process embedded stream for font", WORD_REPAIRED },
    { "invalid object number", WORD_REPAIRED },
    { "startxref", WORD_REPAIRED },
    { "xref", WORD_REPAIRED },
    { "MediaBox", WORD_REPAIRED },
    { "/Count did not match", WORD_REPAIRED },
    { "Unable to read", WORD_REPAIRED },
    { "garbage before %PDF", WORD_NOISE },
    { "**** ", WORD_REPAIRED },
};

static bool line_has(struct pl_span line, const char *phrase)
{
    return memmem(line.data, line.size, phrase, strlen(phrase)) != NULL;
}

/* Takes `prefix` off; false when the line does not begin with it. */
static bool line_take(struct pl_span *line, const char *prefix)
{
    size_t size = strlen(prefix);
    if (line->size < size || memcmp(line->data, prefix, size) != 0)
        return false;
    line->data += size;
    line->size -= size;
    return true;
}

/* "GPL Ghostscript 10.00.0: " and stars say nothing to an admin. */
static struct pl_span line_core(struct pl_span line)
{
    if (line_take(&line, "GPL Ghostscript ")) {
        const char *colon = memchr(line.data, ':', line.size);
        if (colon != NULL) {
            line.size -= (size_t)(colon + 1 - line.data);
            line.data = colon + 1;
        }
    }
    while (line.size > 0 && strchr(" \t*", line.data[0]) != NULL) {
        line.data++;
        line.size--;
    }
    (void)line_take(&line, "Error: ");
    while (line.size > 0 && (line.data[line.size - 1] == '.' || line.data[line.size - 1] == ' '))
        line.size--;
    return line;
}

static void said_keep(char said[PL_GHOST_SAID_CHARS], struct pl_span line)
{
    if (said[0] == '\0')
        (void)pl_text_sanitize(line_core(line), said, PL_GHOST_SAID_CHARS);
}

static void names_add(struct pl_ghost_names *names, struct pl_span name)
{
    char shown[PL_GHOST_NAME_CHARS];
    if (pl_text_sanitize(name, shown, sizeof shown) == 0)
        (void)pl_text_format(shown, sizeof shown, "without a name");
    uint32_t known = names->count < PL_GHOST_NAMES ? names->count : PL_GHOST_NAMES;
    for (uint32_t i = 0; i < known; i++)
        if (strcmp(names->name[i], shown) == 0)
            return;
    if (known < PL_GHOST_NAMES)
        memcpy(names->name[known], shown, sizeof shown);
    if (names->count < UINT32_MAX)
        names->count++;
}

/* "Loading font Arial (or substitute) from ...", "Substituting font Courier for Foo." */
static void words_take_font(struct pl_ghost_words *words, struct pl_span line)
{
    if (line_take(&line, "Loading ")) {
        const char *end = memmem(line.data, line.size, " (or sub", 8);
        const char *from = memmem(line.data, line.size, "font ", 5);
        from = from == NULL || from > end ? memmem(line.data, line.size, "Font ", 5) : from;
        from = from == NULL || from > end ? line.data : from + 5;
        if (end != NULL)
            names_add(&words->fonts, (struct pl_span){ from, (size_t)(end - from) });
        return;
    }
    const char *target = memmem(line.data, line.size, " for ", 5);
    if (line_take(&line, "Substituting font ") && target != NULL) {
        struct pl_span name = { target + 5, (size_t)(line.data + line.size - target) - 5 };
        while (name.size > 0 && name.data[name.size - 1] == '.')
            name.size--;
        names_add(&words->fonts, name);
        return;
    }
    names_add(&words->fonts, pl_span_from(""));
}

/* Our own PostScript's word; false when it is none of it. */
static bool words_take_ours(struct pl_ghost_words *words, struct pl_span line)
{
    uint64_t number = 0;
    if (!line_take(&line, PL_GHOST_SIGN))
        return false;
    if (line_take(&line, "pages ") && pl_text_parse_u64(line, UINT32_MAX - 1, &number))
        words->pages_in = (uint32_t)number;
    else if (line_take(&line, "drawn ") && pl_text_parse_u64(line, UINT32_MAX - 1, &number))
        words->pages_out = (uint32_t)number;
    else if (line_take(&line, "spot ") && !pl_span_equals(line, "All") &&
             !pl_span_equals(line, "None"))
        names_add(&words->spots, line);
    else if (pl_span_equals(line, "transparency"))
        words->transparent_pages++;
    else if (line_take(&line, "stopped ")) {
        words->was_stopped = true;
        words->was_too_large = words->was_too_large || line_has(line, "VMerror");
        said_keep(words->lost, line);
    }
    return true;
}

static void words_take_line(struct pl_ghost_words *words, unsigned stream, struct pl_span line)
{
    enum word_meaning meaning = WORD_NOISE;
    if (words_take_ours(words, line))
        return;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        if (!line_has(line, rows[i].phrase))
            continue;
        meaning = rows[i].meaning;
        break;
    }
    if (words->is_program && stream == 0 && meaning != WORD_FONT)
        return;
    switch (meaning) {
    case WORD_NOISE:
        return;
    case WORD_LOST:
        said_keep(words->lost, line);
        return;
    case WORD_REPAIRED:
        said_keep(words->repaired, line);
        return;
    case WORD_LOCKED:
        words->is_locked = true;
        return;
    case WORD_MEMORY:
        words->was_too_large = true;
        return;
    case WORD_FONT:
        words_take_font(words, line);
        return;
    case WORD_OVERPRINT:
        words->has_overprint = true;
        return;
    case WORD_GLYPH:
        words->has_missing_glyph = true;
        return;
    case WORD_ANNOTATION:
        words->has_dropped_annotation = true;
        return;
    case WORD_FILE:
        words->has_dropped_file = true;
        return;
    }
}

static void words_end_line(struct pl_ghost_words *words, unsigned stream)
{
    struct pl_ghost_line *line = &words->lines[stream];
    struct pl_span span = { line->text, line->size };
    line->size = 0;
    if (span.size > 0)
        words_take_line(words, stream, span);
}

void pl_ghost_words_take(struct pl_ghost_words *words, unsigned stream, struct pl_span said)
{
    struct pl_ghost_line *line = &words->lines[stream];
    for (size_t i = 0; i < said.size; i++) {
        if (said.data[i] == '\n')
            words_end_line(words, stream);
        else if (line->size < sizeof line->text) /* what is longer says it in the beginning */
            line->text[line->size++] = said.data[i];
    }
}

void pl_ghost_words_end(struct pl_ghost_words *words)
{
    words_end_line(words, 0);
    words_end_line(words, 1);
}

/* -- the report -- */

static void note_add(struct pl_interpreted *report, const char *sentence)
{
    size_t used = strlen(report->note);
    size_t more = strlen(sentence) + (used > 0 ? 2 : 0);
    if (used + more >= sizeof report->note)
        return; /* whole sentences or none */
    (void)pl_text_format(report->note + used, sizeof report->note - used, "%s%s",
                         used > 0 ? "; " : "", sentence);
}

static void note_add_names(struct pl_interpreted *report, const struct pl_ghost_names *names,
                           const char *one, const char *many)
{
    char sentence[sizeof report->note];
    if (names->count == 0)
        return;
    (void)pl_text_format(sentence, sizeof sentence, "%u %s (%s%s%s%s)", names->count,
                         names->count == 1 ? one : many, names->name[0],
                         names->count > 1 ? ", " : "", names->count > 1 ? names->name[1] : "",
                         names->count > 2 ? ", ..." : "");
    note_add(report, sentence);
}

void pl_ghost_words_report(const struct pl_ghost_words *words, struct pl_interpreted *report)
{
    char sentence[sizeof report->note];
    report->note[0] = '\0';
    report->repaired = words->repaired[0] != '\0';
    if (report->repaired) {
        (void)pl_text_format(sentence, sizeof sentence, "damage was worked around: %s",
                             words->repaired);
        note_add(report, sentence);
    }
    note_add_names(report, &words->fonts, "font was missing and replaced",
                   "fonts were missing and replaced");
    note_add_names(report, &words->spots, "spot colour", "spot colours");
    if (words->transparent_pages > 0) {
        (void)pl_text_format(sentence, sizeof sentence, "transparency on %u page%s%s",
                             words->transparent_pages, words->transparent_pages == 1 ? "" : "s",
                             words->pdfa == 1 ? " was flattened" : "");
        note_add(report, sentence);
    }
    if (words->has_overprint)
        note_add(report, "overprint is not kept");
    if (words->has_missing_glyph)
        note_add(report, "a font lacks characters that the text uses");
    if (words->has_dropped_annotation)
        note_add(report, "annotations that PDF/A forbids were left out");
    if (words->has_dropped_file)
        note_add(report, "embedded files were left out");
}

pl_status pl_ghost_words_judge(const struct pl_ghost_words *words, struct pl_fault *fault)
{
    if (words->is_locked)
        return pl_fault_set(fault, PL_DENIED,
                            "the document is encrypted and the password is missing or wrong");
    if (words->was_too_large)
        return pl_fault_set(fault, PL_NO_MEMORY, "Ghostscript ran out of memory");
    if (words->lost[0] != '\0')
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "content of the document is lost; Ghostscript says: %s", words->lost);
    if (words->was_stopped)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "Ghostscript cannot read the document to its end");
    return PL_OK;
}
