/* pdf_probe: what our reader of PDF structure says of files, one line each, for comparison with
 * other readers.
 *
 *   pdf_probe [--decode] [--streams] [--password TEXT] FILE...
 *
 * Fields, by tabs: file, status, pages, "repaired" or "-", "encrypted" or "-", milliseconds to
 * open, milliseconds to walk everything, streams decoded, streams refused, operators, peak RSS in
 * KiB, sentence. --decode walks all pages and objects and decodes all streams as far as their image
 * filters.
 * --streams prints before that line "stream", number, status, image filter, size and SHA-256 of
 * the decoded bytes of each.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/digest.h"
#include "pipeline/pdf/pdf_content.h"
#include "pipeline/pdf/pdf_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct probe {
    struct pl_pdf_file *file;
    struct pl_fault fault;
    unsigned decoded;
    unsigned refused;
    unsigned long operators;
    bool streams;
};

static double probe_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void probe_content(struct probe *probe, const struct pl_bytes *data)
{
    struct pl_pdf_content *content = NULL;
    struct pl_pdf_op op;
    bool more = true;
    if (pl_pdf_content_new(data->data, data->size, &content) != PL_OK)
        return;
    while (more) {
        if (pl_pdf_content_next(content, &op, &more, &probe->fault) != PL_OK)
            break;
        if (more)
            probe->operators++;
    }
    pl_pdf_content_free(content);
}

static void probe_stream(struct probe *probe, const struct pl_pdf_value *stream, bool content)
{
    struct pl_bytes data;
    struct pl_span filter = { "", 0 };
    const struct pl_pdf_value *parms = NULL;
    pl_bytes_init(&data, (size_t)256 << 20);
    pl_status status =
        pl_pdf_stream_image(probe->file, stream, &data, &filter, &parms, &probe->fault);
    if (status == PL_OK)
        probe->decoded++;
    else
        probe->refused++;
    if (status == PL_OK && content)
        probe_content(probe, &data);
    if (probe->streams && !content) {
        uint8_t digest[PL_SHA256_BYTES];
        char hex[2 * PL_SHA256_BYTES + 1];
        pl_sha256_of(data.data, data.size, digest);
        (void)printf("stream\t%" PRIu32 "\t%s\t%.*s\t%zu\t%s\n", stream->as.dict.self.number,
                     pl_status_name(status), (int)filter.size, filter.data, data.size,
                     pl_text_hex(digest, sizeof digest, hex));
    }
    pl_bytes_fini(&data);
}

static void probe_page(struct probe *probe, uint32_t n)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *contents = NULL;
    size_t mark = pl_pdf_file_mark(probe->file);
    if (pl_pdf_load_object(probe->file, pl_pdf_page_ref(probe->file, n), &page, &probe->fault) ==
            PL_OK &&
        pl_pdf_lookup(probe->file, page, "Contents", &contents, &probe->fault) == PL_OK) {
        size_t count = contents->kind == PL_PDF_ARRAY ? contents->as.array.count : 1;
        for (size_t i = 0; i < count; i++) {
            const struct pl_pdf_value *part =
                contents->kind == PL_PDF_ARRAY ? contents->as.array.items[i] : contents;
            if (pl_pdf_resolve(probe->file, part, &part, &probe->fault) == PL_OK &&
                part->kind == PL_PDF_STREAM)
                probe_stream(probe, part, true);
        }
    }
    pl_pdf_file_release(probe->file, mark);
}

static void probe_walk(struct probe *probe)
{
    for (uint32_t n = 0; n < pl_pdf_page_count(probe->file); n++)
        probe_page(probe, n);
    for (uint32_t n = 1; n < pl_pdf_file_objects(probe->file); n++) {
        const struct pl_pdf_value *value = NULL;
        size_t mark = pl_pdf_file_mark(probe->file);
        struct pl_pdf_ref ref = { n, 0 };
        if (pl_pdf_load_object(probe->file, ref, &value, &probe->fault) == PL_OK &&
            value->kind == PL_PDF_STREAM)
            probe_stream(probe, value, false);
        pl_pdf_file_release(probe->file, mark);
    }
}

/* VmHWM: ru_maxrss would begin with what the parent process had. */
static unsigned long probe_peak_kib(void)
{
    char line[128];
    unsigned long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtoul(line + 6, NULL, 10);
    }
    if (file != NULL)
        (void)fclose(file);
    return peak;
}

static uint8_t *probe_slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        rewind(file);
        data = end >= 0 ? malloc((size_t)end + 1) : NULL;
        *size = data != NULL ? fread(data, 1, (size_t)end, file) : 0;
    }
    (void)fclose(file);
    return data;
}

static void probe_file(const char *path, const char *password, bool decode, bool streams)
{
    struct probe probe = { .streams = streams };
    struct pl_source *source = NULL;
    size_t size = 0;
    uint8_t *data = probe_slurp(path, &size);
    if (data == NULL || pl_source_memory_new(data, size, &source) != PL_OK)
        exit(2);
    double begin = probe_now_ms();
    pl_status status =
        pl_pdf_file_open(source, &pl_limits_default, password, &probe.file, &probe.fault);
    double opened = probe_now_ms();
    bool open = status == PL_OK;
    if (open && (decode || streams))
        probe_walk(&probe);
    double walked = probe_now_ms();
    (void)printf("%s\t%s\t%" PRIu32 "\t%s\t%s\t%.3f\t%.3f\t%u\t%u\t%lu\t%lu\t%s\n", path,
                 pl_status_name(status), open ? pl_pdf_page_count(probe.file) : 0,
                 open && pl_pdf_file_is_repaired(probe.file) ? "repaired" : "-",
                 open && pl_pdf_file_is_encrypted(probe.file) ? "encrypted" : "-", opened - begin,
                 walked - opened, probe.decoded, probe.refused, probe.operators, probe_peak_kib(),
                 probe.fault.reason);
    pl_pdf_file_free(probe.file);
    source->ops->free(source);
    free(data);
}

int main(int argc, char **argv)
{
    const char *password = NULL;
    bool decode = false;
    bool streams = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--decode") == 0)
            decode = true;
        else if (strcmp(argv[i], "--streams") == 0)
            streams = true;
        else if (strcmp(argv[i], "--password") == 0 && i + 1 < argc)
            password = argv[++i];
        else
            probe_file(argv[i], password, decode, streams);
    }
    return 0;
}
