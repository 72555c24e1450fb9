/* bench_passthrough: G4 pages copied from TIFF to PDF/A, by the pipeline in this process and by
 * tiff2pdf.
 *
 * A TIFF of 224 pages is made from one drawn page, with one strip a page and with two. Each row
 * converts both, from memory to memory and from a sealed file to a sealed file as a worker does,
 * with 0, 1 and 2 threads. Rows take turns in each of five rounds; medians a page are printed as
 * one JSON line: wall time, and CPU time of all threads, which a busy machine disturbs less.
 * bench_passthrough [PAGES]
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "benchmarks/bench_page.h"
#include "pipeline/plan.h"
#include "pipeline/run.h"
#include "tests/support/memory_out.h"
#include "tests/support/single_document.h"
#include "workers/sandbox.h"
#include "workers/sealed_file.h"

#include <tiffio.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASS_THREADS 3 /* 0, 1, 2 */
#define PASS_PLACES 2  /* memory, sealed */
#define PASS_STRIPS 2  /* one, two */
/* A real file system, as spool and store have; nothing waits for the disk, only for the page cache.
 */
#define PASS_FOLDER "/var/tmp"

struct document {
    struct pl_bytes tiff;
    char tiff_path[64];
    char pdf_path[64];
    int sealed_in;
    uint64_t sealed_size;
    size_t pdf_bytes;
};

struct span {
    double wall_ms[BENCH_ROUNDS];
    double cpu_ms[BENCH_ROUNDS];
};

struct bench {
    uint32_t pages;
    struct pl_seal_key key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    struct document documents[PASS_STRIPS];
    struct span ours[PASS_STRIPS][PASS_PLACES][PASS_THREADS];
    struct span peer[PASS_STRIPS];
};

static int file_make(char path[64])
{
    PL_CHECK(pl_text_format(path, 64, "%s/bench_passthrough_XXXXXX", PASS_FOLDER));
    int fd = mkstemp(path);
    PL_CHECK(fd >= 0);
    return fd;
}

/* As devices write it: by libtiff, each strip with its EOFB. */
static void tiff_write(struct document *document, uint32_t pages, uint32_t strips)
{
    TIFF *tiff = TIFFOpen(document->tiff_path, "w");
    uint8_t *pixels = bench_draw_page();
    PL_CHECK(tiff != NULL);
    for (uint32_t n = 0; n < pages; n++) {
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, BENCH_WIDTH);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, BENCH_ROWS);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, BENCH_ROWS / strips);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 300.0);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 300.0);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        size_t bytes = (size_t)BENCH_STRIDE * BENCH_ROWS / strips;
        for (uint32_t i = 0; i < strips; i++)
            PL_CHECK(TIFFWriteEncodedStrip(tiff, i, pixels + i * bytes, (tmsize_t)bytes) > 0);
        PL_CHECK(TIFFWriteDirectory(tiff) == 1);
    }
    TIFFClose(tiff);
    free(pixels);
}

static void document_make(const struct bench *bench, uint32_t strips, struct document *document)
{
    PL_CHECK(close(file_make(document->tiff_path)) == 0);
    PL_CHECK(close(file_make(document->pdf_path)) == 0);
    tiff_write(document, bench->pages, strips);
    FILE *file = fopen(document->tiff_path, "rb");
    PL_CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    uint8_t *room = NULL;
    pl_bytes_init(&document->tiff, (size_t)1 << 30);
    PL_CHECK(pl_bytes_reserve(&document->tiff, size, &room) == PL_OK);
    PL_CHECK(fseek(file, 0, SEEK_SET) == 0 && fread(room, 1, size, file) == size);
    document->tiff.size = size;
    PL_CHECK(fclose(file) == 0);
}

static void document_seal(struct bench *bench, struct document *document)
{
    char sealed_path[64];
    uint8_t digest[PL_SHA256_BYTES];
    struct pl_file_out *out = NULL;
    document->sealed_in = file_make(sealed_path);
    PL_CHECK(unlink(sealed_path) == 0);
    PL_CHECK(pl_file_out_new(document->sealed_in, UINT64_MAX, &bench->key, bench->context, &out) ==
             PL_OK);
    PL_CHECK(pl_out_write(pl_file_out_base(out), document->tiff.data, document->tiff.size) ==
             PL_OK);
    PL_CHECK(pl_file_out_end(out, digest) == PL_OK);
    pl_file_out_free(out);
    off_t size = lseek(document->sealed_in, 0, SEEK_END);
    PL_CHECK(size > 0);
    document->sealed_size = (uint64_t)size;
}

static void convert(struct bench *bench, struct pl_source *source, struct pl_out *out,
                    unsigned threads)
{
    struct pl_plan plan = { .convert = { .to = PL_FORMAT_PDFA_2B } };
    struct single_document single;
    single_document_init(&single, out);
    struct pl_run_job job = { .plan = &plan,
                              .inputs = &source,
                              .input_count = 1,
                              .documents = &single.documents,
                              .limits = &pl_limits_default,
                              .threads = threads };
    struct pl_run_result result;
    struct pl_fault fault = { 0 };
    if (pl_run_plan(&job, &result, &fault) != PL_OK) {
        (void)fprintf(stderr, "%s\n", fault.reason);
        exit(EXIT_FAILURE);
    }
    PL_CHECK(result.pages == bench->pages);
    pl_run_result_fini(&result);
}

static double children_cpu_ms(void)
{
    struct rusage used;
    PL_CHECK(getrusage(RUSAGE_CHILDREN, &used) == 0);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static void span_start(struct span *span, unsigned round)
{
    span->wall_ms[round] = bench_now_ms(CLOCK_MONOTONIC);
    span->cpu_ms[round] = bench_now_ms(CLOCK_PROCESS_CPUTIME_ID) + children_cpu_ms();
}

static void span_end(struct span *span, unsigned round)
{
    span->wall_ms[round] = bench_now_ms(CLOCK_MONOTONIC) - span->wall_ms[round];
    span->cpu_ms[round] =
        bench_now_ms(CLOCK_PROCESS_CPUTIME_ID) + children_cpu_ms() - span->cpu_ms[round];
}

/* The output has its memory from the start: growing it is not what is measured. */
static void run_memory(struct bench *bench, struct document *document, unsigned threads,
                       struct span *span, unsigned round)
{
    static struct pl_bytes kept;
    struct pl_source *source = NULL;
    struct memory_out out;
    memory_out_init(&out, 0);
    kept.size = 0;
    if (kept.data != NULL)
        out.bytes = kept;
    PL_CHECK(pl_source_memory_new(document->tiff.data, document->tiff.size, &source) == PL_OK);
    span_start(span, round);
    convert(bench, source, &out.out, threads);
    span_end(span, round);
    source->ops->free(source);
    document->pdf_bytes = out.bytes.size;
    kept = out.bytes;
}

static void run_sealed(struct bench *bench, struct document *document, unsigned threads,
                       struct span *span, unsigned round)
{
    char path[64];
    uint8_t digest[PL_SHA256_BYTES];
    int fd = file_make(path);
    struct pl_source *source = NULL;
    struct pl_file_out *out = NULL;
    PL_CHECK(unlink(path) == 0);
    span_start(span, round);
    PL_CHECK(pl_sealed_source_new(document->sealed_in, document->sealed_size, &bench->key,
                                  bench->context, &source) == PL_OK);
    PL_CHECK(pl_file_out_new(fd, UINT64_MAX, &bench->key, bench->context, &out) == PL_OK);
    convert(bench, source, pl_file_out_base(out), threads);
    PL_CHECK(pl_file_out_end(out, digest) == PL_OK);
    span_end(span, round);
    pl_file_out_free(out);
    source->ops->free(source);
    PL_CHECK(close(fd) == 0);
}

/* tiff2pdf, process start included. */
static void run_peer(struct document *document, struct span *span, unsigned round)
{
    char *command[] = { "tiff2pdf", "-o", document->pdf_path, document->tiff_path, NULL };
    char *environment[] = { NULL };
    pid_t child = 0;
    int code = 0;
    span_start(span, round);
    if (posix_spawnp(&child, command[0], NULL, NULL, command, environment) != 0)
        return;
    PL_CHECK(waitpid(child, &code, 0) == child);
    span_end(span, round);
    if (code != 0)
        (void)fputs("tiff2pdf (libtiff-tools) does not run\n", stderr);
}

static void round_run(struct bench *bench, unsigned round)
{
    for (unsigned strips = 0; strips < PASS_STRIPS; strips++) {
        struct document *document = &bench->documents[strips];
        for (unsigned threads = 0; threads < PASS_THREADS; threads++) {
            run_memory(bench, document, threads, &bench->ours[strips][0][threads], round);
            run_sealed(bench, document, threads, &bench->ours[strips][1][threads], round);
        }
        run_peer(document, &bench->peer[strips], round);
    }
}

static void print_span(const char *name, const struct span *span, uint32_t pages)
{
    (void)printf(",\"%s\":{\"wall_ms\":%.4f,\"cpu_ms\":%.4f}", name,
                 bench_median(span->wall_ms) / pages, bench_median(span->cpu_ms) / pages);
}

static void print_result(const struct bench *bench)
{
    static const char *const strip_names[] = { "one_strip", "two_strips" };
    static const char *const row_names[PASS_PLACES][PASS_THREADS] = {
        { "memory_0", "memory_1", "memory_2" }, { "sealed_0", "sealed_1", "sealed_2" }
    };
    bench_print_head("passthrough");
    (void)printf(",\"pages\":%u,\"per\":\"page\"", bench->pages);
    for (unsigned strips = 0; strips < PASS_STRIPS; strips++) {
        const struct document *document = &bench->documents[strips];
        (void)printf(",\"%s\":{\"tiff_bytes\":%zu,\"pdf_bytes\":%zu", strip_names[strips],
                     document->tiff.size, document->pdf_bytes);
        for (unsigned place = 0; place < PASS_PLACES; place++) {
            for (unsigned threads = 0; threads < PASS_THREADS; threads++)
                print_span(row_names[place][threads], &bench->ours[strips][place][threads],
                           bench->pages);
        }
        print_span("tiff2pdf", &bench->peer[strips], bench->pages);
        (void)printf("}");
    }
    (void)printf("}\n");
}

int main(int argc, char **argv)
{
    static struct bench bench;
    pl_sandbox_prepare_memory(); /* as a worker does */
    bench.pages = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 224;
    PL_CHECK(bench.pages > 0);
    PL_CHECK(pl_seal_key_make(&bench.key) == PL_OK);
    pl_seal_context("tenant", "job", "original", bench.context);
    for (uint32_t i = 0; i < PASS_STRIPS; i++) {
        document_make(&bench, i + 1, &bench.documents[i]);
        document_seal(&bench, &bench.documents[i]);
    }
    run_memory(&bench, &bench.documents[0], 0, &bench.ours[0][0][0], 0); /* warms up */
    for (unsigned round = 0; round < BENCH_ROUNDS; round++)
        round_run(&bench, round);
    print_result(&bench);
    for (uint32_t i = 0; i < PASS_STRIPS; i++) {
        (void)unlink(bench.documents[i].tiff_path);
        (void)unlink(bench.documents[i].pdf_path);
        pl_bytes_fini(&bench.documents[i].tiff);
        (void)close(bench.documents[i].sealed_in);
    }
    return EXIT_SUCCESS;
}
