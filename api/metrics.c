/* metrics: one table of figures, so that name, help and type stand beside the value.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define METRICS_BYTES ((size_t)64 << 10)
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct figure {
    const char *name;
    const char *type;
    const char *help;
    size_t offset; /* of a uint64_t in the struct that the table is about */
};

#define HTTP(name, type, field, help)                                                              \
    {                                                                                              \
        "platen_http_" name, type, help, offsetof(struct pl_http_stats, field)                     \
    }
static const struct figure http_figures[] = {
    HTTP("connections", "gauge", connections_open, "Connections open now."),
    HTTP("connections_total", "counter", connections_total, "Connections accepted."),
    HTTP("connections_refused_total", "counter", connections_refused,
         "Connections closed at accept, over a limit."),
    HTTP("handshakes_failed_total", "counter", handshakes_failed, "TLS handshakes that failed."),
    HTTP("requests_total", "counter", requests_total, "Requests with a well-formed head."),
    HTTP("requests_bad_total", "counter", requests_bad, "Requests that broke the protocol."),
    HTTP("received_bytes_total", "counter", bytes_in, "Bytes received."),
    HTTP("sent_bytes_total", "counter", bytes_out, "Bytes sent."),
};

#define OF(name, type, field, help)                                                                \
    {                                                                                              \
        "platen_" name, type, help, offsetof(struct pl_metrics, field)                             \
    }
static const struct figure figures[] = {
    OF("jobs_waiting", "gauge", core.waiting, "Jobs that wait for a worker."),
    OF("jobs_running", "gauge", core.running, "Jobs in a worker."),
    OF("jobs_delivering", "gauge", core.delivering, "Jobs whose results are being stored."),
    OF("jobs_accepted_total", "counter", core.accepted_total, "Jobs accepted since start."),
    OF("jobs_done_total", "counter", core.done_total, "Jobs done since start."),
    OF("jobs_dead_total", "counter", core.dead_total, "Jobs put aside as dead since start."),
    OF("jobs_retries_total", "counter", core.retries_total, "Attempts that were tried again."),
    OF("uploads", "gauge", core.uploads_open, "Uploads running now."),
    OF("uploads_total", "counter", core.uploads_total, "Uploads admitted."),
    OF("uploads_refused_total", "counter", core.uploads_refused, "Uploads refused at admission."),
    OF("upload_bytes_total", "counter", core.upload_bytes_total, "Bytes of uploads taken in."),
    OF("workers", "gauge", pool.alive, "Worker processes alive."),
    OF("workers_busy", "gauge", pool.busy, "Worker processes with a job."),
    OF("workers_started_total", "counter", pool.started, "Worker processes started."),
    OF("workers_died_total", "counter", pool.died, "Workers that died without being asked to."),
    OF("workers_killed_total", "counter", pool.killed, "Workers stopped for passing a limit."),
    OF("interpreters", "gauge", pool.interpreters, "Ghostscript processes alive."),
    OF("interpreters_busy", "gauge", pool.interpreters_busy, "Ghostscript processes with a job."),
    OF("interpreted_total", "counter", pool.interpreted, "Runs that only Ghostscript could do."),
    OF("worker_jobs_total", "counter", pool.jobs, "Runs handed to workers."),
    OF("ledger_calls_total", "counter", ledger.calls, "Calls to the ledger."),
    OF("ledger_commits_total", "counter", ledger.commits, "Commits of the ledger."),
    OF("ledger_commit_errors_total", "counter", ledger.commit_errors, "Commits that failed."),
    { "process_resident_memory_bytes", "gauge", "Resident memory of the engine.",
      offsetof(struct pl_metrics, resident_bytes) },
    { "process_open_fds", "gauge", "File descriptors open.",
      offsetof(struct pl_metrics, open_fds) },
};

static uint64_t figure_value(const void *owner, const struct figure *figure)
{
    return *(const uint64_t *)(const void *)((const char *)owner + figure->offset);
}

static pl_status head_write(struct pl_bytes *out, const char *name, const char *type,
                            const char *help)
{
    return pl_bytes_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static pl_status http_write(const struct pl_metrics *metrics, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(http_figures) && status == PL_OK; i++) {
        const struct figure *figure = &http_figures[i];
        status = head_write(out, figure->name, figure->type, figure->help);
        if (status == PL_OK)
            status = pl_bytes_format(
                out,
                "%s{listener=\"devices\"} %llu\n"
                "%s{listener=\"control\"} %llu\n",
                figure->name, (unsigned long long)figure_value(&metrics->devices, figure),
                figure->name, (unsigned long long)figure_value(&metrics->control, figure));
    }
    return status;
}

static pl_status replies_write(const struct pl_metrics *metrics, struct pl_bytes *out)
{
    pl_status status = head_write(out, "platen_api_replies_total", "counter",
                                  "Replies of the control API by class of status code.");
    for (unsigned i = 2; i < PL_COUNT_OF(metrics->replies) && status == PL_OK; i++)
        status = pl_bytes_format(out, "platen_api_replies_total{code=\"%uxx\"} %llu\n", i,
                                 (unsigned long long)metrics->replies[i]);
    return status;
}

/* A label's value: quotes, backslashes and line ends escaped. */
static pl_status info_write(const struct pl_metrics *metrics, struct pl_bytes *out)
{
    pl_status status = head_write(out, "platen_info", "gauge", "Always 1; says what runs.");
    if (status == PL_OK)
        status = pl_bytes_format(out, "platen_info{version=\"%s\",instance=\"", PL_VERSION);
    for (const char *at = metrics->instance; *at != '\0' && status == PL_OK; at++) {
        if (*at == '"' || *at == '\\')
            status = pl_bytes_append(out, "\\", 1);
        if (status == PL_OK)
            status = pl_bytes_append(out, *at == '\n' ? " " : at, 1);
    }
    if (status == PL_OK)
        status = pl_bytes_format(out, "\"} 1\n");
    return status;
}

pl_status pl_metrics_write(const struct pl_metrics *metrics, struct pl_bytes *out)
{
    pl_status status = info_write(metrics, out);
    if (status == PL_OK)
        status = head_write(out, "platen_ready", "gauge", "1 while uploads are accepted.");
    if (status == PL_OK)
        status = pl_bytes_format(out, "platen_ready %d\n", metrics->ready ? 1 : 0);
    if (status == PL_OK)
        status = http_write(metrics, out);
    if (status == PL_OK)
        status = replies_write(metrics, out);
    for (size_t i = 0; i < PL_COUNT_OF(figures) && status == PL_OK; i++) {
        status = head_write(out, figures[i].name, figures[i].type, figures[i].help);
        if (status == PL_OK)
            status = pl_bytes_format(out, "%s %llu\n", figures[i].name,
                                     (unsigned long long)figure_value(metrics, &figures[i]));
    }
    if (status == PL_OK)
        status = head_write(out, "process_cpu_seconds_total", "counter",
                            "Processor time of the engine, without its workers.");
    if (status == PL_OK)
        status = pl_bytes_format(out, "process_cpu_seconds_total %.2f\n", metrics->cpu_seconds);
    if (status == PL_OK)
        status = head_write(out, "process_start_time_seconds", "gauge", "When the engine started.");
    if (status == PL_OK)
        status =
            pl_bytes_format(out, "process_start_time_seconds %.3f\n", metrics->started_seconds);
    return status;
}

static uint64_t process_resident_bytes(void)
{
    unsigned long long whole = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    char line[128];
    if (fgets(line, sizeof line, file) != NULL &&
        sscanf(line, "%llu %llu", &whole, &resident) != 2) /* NOLINT(cert-err34-c): the kernel's */
        resident = 0;
    (void)fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t process_open_fds(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count - 1; /* not the folder itself */
}

static double process_cpu_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void metrics_gather(const struct pl_api *api, struct pl_metrics *out)
{
    struct pl_fault why = { 0 };
    *out = (struct pl_metrics){ .instance = api->instance };
    pl_http_server_stats(api->devices, &out->devices);
    pl_http_server_stats(api->control, &out->control);
    pl_core_stats(api->core, &out->core);
    pl_pool_stats(api->pool, &out->pool);
    pl_ledger_thread_stats(pl_core_parts(api->core)->ledger, &out->ledger);
    for (size_t i = 0; i < PL_COUNT_OF(out->replies); i++)
        out->replies[i] = api->replies[i];
    out->ready = pl_core_is_ready(api->core, &why);
    out->resident_bytes = process_resident_bytes();
    out->open_fds = process_open_fds();
    out->cpu_seconds = process_cpu_seconds();
    out->started_seconds = (double)api->started_ms / 1000;
}

void pl_metrics_send(struct pl_ask *ask)
{
    struct pl_metrics metrics;
    struct pl_bytes text;
    pl_bytes_init(&text, METRICS_BYTES);
    metrics_gather(ask->api, &metrics);
    if (pl_metrics_write(&metrics, &text) == PL_OK)
        pl_ask_reply_text(ask, 200, METRICS_TYPE, text.data, text.size);
    else
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
    pl_bytes_fini(&text);
}
