/* test_corpus_pdfs: every page of real PDFs is a picture that decodes, or says what it is instead;
 * every page can be copied; hostile ones get a verdict in time.
 *
 * PLATEN_CORPUS and PLATEN_HOSTILE name the folders; without them the tests say so and pass.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page_decode.h"
#include "pipeline/pdf/pdf_import.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/pl_test.h"

#define SECONDS_MOST 20.0 /* of CPU, a document and what it is wanted for, with sanitizers */

struct tally {
    bool hostile;
    enum pl_want want;
    unsigned files, refused, pages, good, interpreter, failed;
    double worst;
};

struct document {
    struct tally *tally;
    const char *path;
    struct pl_source *source;
    struct pl_reader *reader;
    struct memory_out out;
    struct pl_pdf_writer *writer;
    struct pl_pdf_import *import;
};

/* What survey said yes to is there. */
static pl_status page_use(struct document *document, const struct pl_page *page,
                          struct pl_fault *fault)
{
    struct pl_picture picture = { 0 };
    if (page->kind == PL_PAGE_PDF) {
        uint32_t number = pl_pdf_reserve(document->writer);
        return pl_pdf_import_page(document->import, page->pdf, number, 1, fault);
    }
    pl_status status = pl_page_decode(page, &pl_limits_default, &picture, fault);
    pl_picture_fini(&picture);
    return status;
}

static void document_page(struct document *document, uint32_t n)
{
    struct tally *tally = document->tally;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    pl_page_init(&page, pl_limits_default.page_bytes);
    pl_status status = pl_pdf_reader.survey(document->reader, n, &fault);
    bool surveyed = status == PL_OK;
    if (status == PL_OK)
        status = pl_pdf_reader.load(document->reader, document->source, n, &page, &fault);
    if (status == PL_OK)
        status = page_use(document, &page, &fault);
    pl_page_fini(&page);
    tally->pages++;
    tally->good += status == PL_OK;
    tally->interpreter += status == PL_NEEDS_INTERPRETER;
    assert_true(status == PL_OK || fault.reason[0] != '\0');
    if (status != PL_OK && (surveyed || status != PL_NEEDS_INTERPRETER)) {
        tally->failed++;
        if (!tally->hostile)
            print_error("%s: page %u: %s: %s\n", document->path, n + 1, pl_status_name(status),
                        fault.reason);
    }
}

static void document_read(struct document *document)
{
    struct tally *tally = document->tally;
    const struct pl_open_settings settings = { .limits = &pl_limits_default, .want = tally->want };
    struct pl_fault fault = { 0 };
    memory_out_init(&document->out, 0);
    assert_int_equal(pl_pdf_writer_new(&document->out.out, 7, NULL, &document->writer), PL_OK);
    assert_int_equal(pl_pdf_import_new(document->writer, 0, &document->import), PL_OK);
    pl_status status = pl_pdf_reader.open(document->source, &settings, &document->reader, &fault);
    if (status != PL_OK) {
        assert_true(fault.reason[0] != '\0');
        tally->refused++;
        return;
    }
    for (uint32_t n = 0; n < pl_pdf_reader.page_count(document->reader); n++)
        document_page(document, n);
}

static void visit(void *owner, const char *path)
{
    struct tally *tally = owner;
    struct document document = { .tally = tally, .path = path };
    uint8_t *data = NULL;
    size_t size = 0;
    clock_t start = clock();
    assert_true(walk_read_file(path, &data, &size));
    assert_int_equal(pl_source_memory_new(data, size, &document.source), PL_OK);
    document_read(&document);
    if (document.reader != NULL)
        pl_pdf_reader.close(document.reader);
    pl_pdf_import_free(document.import);
    pl_pdf_writer_free(document.writer);
    pl_bytes_fini(&document.out.bytes);
    document.source->ops->free(document.source);
    free(data);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    tally->files++;
    if (seconds > tally->worst)
        tally->worst = seconds;
    if (seconds > SECONDS_MOST)
        print_error("late: %s %.2f s\n", path, seconds);
}

static struct tally walk(const char *variable, const char *folder, bool hostile, enum pl_want want)
{
    static const char *const endings[] = { ".pdf", NULL };
    const char *root = getenv(variable);
    char path[4096];
    struct tally tally = { .hostile = hostile, .want = want };
    if (root == NULL) {
        print_message("%s is not set: nothing read\n", variable);
        skip();
    }
    (void)snprintf(path, sizeof path, "%s%s", root, folder);
    (void)walk_folder(path, endings, visit, &tally);
    print_message("want %d: %u files, %u refused; %u pages, %u good, %u for an interpreter, %u "
                  "failed; slowest %.2f s\n",
                  (int)want, tally.files, tally.refused, tally.pages, tally.good, tally.interpreter,
                  tally.failed, tally.worst);
    assert_true(tally.files > 0);
    assert_true(tally.worst <= SECONDS_MOST);
    return tally;
}

static void corpus__pictures__decode(void **state)
{
    (void)state;
    struct tally tally = walk("PLATEN_CORPUS", "", false, PL_WANT_PICTURE);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.failed, 0);
    assert_true(tally.good >= 40);
}

static void corpus__pages__are_imported(void **state)
{
    (void)state;
    struct tally tally = walk("PLATEN_CORPUS", "", false, PL_WANT_PDF);
    assert_int_equal(tally.failed, 0);
    assert_int_equal(tally.good, tally.pages);
    tally = walk("PLATEN_CORPUS", "", false, PL_WANT_PDFA_1);
    assert_int_equal(tally.failed, 0);
    tally = walk("PLATEN_CORPUS", "", false, PL_WANT_PDFA_2);
    assert_int_equal(tally.failed, 0);
}

static void hostile__every_pdf__gets_a_verdict_in_time(void **state)
{
    (void)state;
    (void)walk("PLATEN_HOSTILE", "/pdf", true, PL_WANT_PICTURE);
    (void)walk("PLATEN_HOSTILE", "/pdf", true, PL_WANT_PDF);
    (void)walk("PLATEN_HOSTILE", "/pdf", true, PL_WANT_PDFA_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus__pictures__decode),
        cmocka_unit_test(corpus__pages__are_imported),
        cmocka_unit_test(hostile__every_pdf__gets_a_verdict_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
