/* convert_report: jansson writes it; what a worker said is parsed before it is passed on.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_report.h"

#include <jansson.h>

#include <fcntl.h>
#include <unistd.h>

#define DIGEST_READ_BYTES 65536

static json_t *report_text(const char *text)
{
    char clean[4096];
    (void)pl_text_sanitize(pl_span_from(text), clean, sizeof clean);
    return json_string(clean);
}

/* In hex; null when the file cannot be read any more. */
static json_t *report_digest(const char *path)
{
    char hex[2 * PL_SHA256_BYTES + 1];
    uint8_t digest[PL_SHA256_BYTES];
    struct pl_sha256 *hash = NULL;
    ssize_t took = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && pl_sha256_new(&hash) == PL_OK) {
        static uint8_t data[DIGEST_READ_BYTES];
        while ((took = read(fd, data, sizeof data)) > 0)
            pl_sha256_update(hash, data, (size_t)took);
        pl_sha256_final(hash, digest);
    }
    pl_sha256_free(hash);
    if (fd >= 0)
        (void)close(fd);
    return took == 0 ? json_string(pl_text_hex(digest, sizeof digest, hex)) : json_null();
}

static json_t *report_output(const struct pl_run_output *output, const char *name)
{
    json_t *made = json_object();
    (void)json_object_set_new(made, "name", report_text(name));
    (void)json_object_set_new(made, "type", report_text(output->type));
    (void)json_object_set_new(made, "bytes", json_integer((json_int_t)output->bytes));
    (void)json_object_set_new(made, "pages", json_integer(output->pages));
    (void)json_object_set_new(made, "sha256", report_digest(name));
    return made;
}

static json_t *report_how(const struct pl_job_report *summary)
{
    json_t *how = json_object();
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++)
        (void)json_object_set_new(how, pl_job_pages_name((enum pl_job_pages)i),
                                  json_integer(summary->by_how[i]));
    return how;
}

static json_t *report_error(const struct pl_fault *fault)
{
    if (fault->status == PL_OK)
        return json_null();
    json_t *error = json_object();
    (void)json_object_set_new(error, "status", json_string(pl_status_name(fault->status)));
    (void)json_object_set_new(error, "reason", report_text(fault->reason));
    return error;
}

/* Outputs and the pages of all of them. */
static void report_outputs(const struct pl_convert_end *end, json_t *out)
{
    json_t *outputs = json_array();
    json_t *pages = json_array();
    bool is_done = end->fault->status == PL_OK;
    for (size_t i = 0; is_done && i < end->report->output_count; i++) {
        const struct pl_run_output *output = &end->report->outputs[i];
        json_t *rows = json_loadb(output->page_ledger.data, output->page_ledger.size, 0, NULL);
        (void)json_array_append_new(outputs, report_output(output, end->names[i]));
        if (json_is_array(rows))
            (void)json_array_extend(pages, rows);
        json_decref(rows);
    }
    (void)json_object_set_new(out, "outputs", outputs);
    (void)json_object_set_new(out, "pages", pages);
}

void pl_convert_report_json(const struct pl_convert_end *end, FILE *to)
{
    const struct pl_job_report *summary = &end->report->summary;
    json_t *out = json_object();
    json_t *inputs = json_array();
    for (size_t i = 0; i < end->task->input_count; i++)
        (void)json_array_append_new(inputs, report_text(end->task->inputs[i]));
    (void)json_object_set_new(out, "inputs", inputs);
    report_outputs(end, out);
    (void)json_object_set_new(out, "pages_in", json_integer(summary->pages_in));
    (void)json_object_set_new(out, "pages_out", json_integer(summary->pages_out));
    (void)json_object_set_new(out, "bytes_in", json_integer((json_int_t)end->bytes_in));
    (void)json_object_set_new(out, "bytes_out", json_integer((json_int_t)summary->bytes_out));
    (void)json_object_set_new(out, "how", report_how(summary));
    (void)json_object_set_new(out, "repaired", json_boolean(summary->repaired));
    (void)json_object_set_new(out, "note", report_text(summary->note));
    (void)json_object_set_new(out, "ms", json_integer(end->took_ms));
    (void)json_object_set_new(out, "error", report_error(end->fault));
    if (json_dumpf(out, to, JSON_COMPACT) == 0)
        (void)fputc('\n', to);
    json_decref(out);
}

void pl_convert_report_line(const struct pl_convert_end *end, FILE *to)
{
    const struct pl_job_report *summary = &end->report->summary;
    size_t count = end->report->output_count;
    const char *mark = " (";
    (void)fputs(end->names[0], to);
    if (count > 1)
        (void)fprintf(to, " to %s: %zu documents", end->names[count - 1], count);
    (void)fprintf(to, "%s %u page%s", count > 1 ? "," : ":", summary->pages_out,
                  summary->pages_out == 1 ? "" : "s");
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++) {
        if (summary->by_how[i] == 0)
            continue;
        (void)fprintf(to, "%s%u %s", mark, summary->by_how[i],
                      pl_job_pages_name((enum pl_job_pages)i));
        mark = ", ";
    }
    (void)fprintf(to, "%s, %llu bytes in, %llu out, %lld ms\n", mark[0] == ',' ? ")" : "",
                  (unsigned long long)end->bytes_in, (unsigned long long)summary->bytes_out,
                  (long long)end->took_ms);
    if (summary->note[0] != '\0') {
        char clean[PL_JOB_NOTE_CHARS];
        (void)pl_text_sanitize(pl_span_from(summary->note), clean, sizeof clean);
        (void)fprintf(to, "  %s\n", clean);
    }
}
