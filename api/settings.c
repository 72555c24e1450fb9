/* settings: the rows, their defaults, and the file they come from.
 *
 * Every default suits a machine with two processors and 2 GB of memory; what is too small for a
 * large site is a refusal with a sentence there, never a machine that swaps.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/settings.h"

#include "api/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define AT(field) offsetof(struct pl_settings, field)
#define TEXT(name, field, least, initial, comment)                                                 \
    {                                                                                              \
        name, PL_CONF_TEXT, AT(field), least, sizeof(((struct pl_settings *)0)->field) - 1,        \
            initial, NULL, comment                                                                 \
    }
#define NUMBER(name, field, least, most, initial, comment)                                         \
    {                                                                                              \
        name, PL_CONF_NUMBER, AT(field), least, most, initial, NULL, comment                       \
    }
#define BYTES(name, field, least, most, initial, comment)                                          \
    {                                                                                              \
        name, PL_CONF_BYTES, AT(field), least, most, initial, NULL, comment                        \
    }
#define DURATION(name, field, least, most, initial, comment)                                       \
    {                                                                                              \
        name, PL_CONF_DURATION, AT(field), least, most, initial, NULL, comment                     \
    }
#define BOOL(name, field, initial, comment)                                                        \
    {                                                                                              \
        name, PL_CONF_BOOL, AT(field), 0, 1, initial, NULL, comment                                \
    }
#define CHOICE(name, field, choices, initial, comment)                                             \
    {                                                                                              \
        name, PL_CONF_CHOICE, AT(field), 0, 0, initial, choices, comment                           \
    }

/* In the order of enum pl_log_level and enum pl_log_format. */
static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

static const struct pl_conf_row settings_rows[] = {
    TEXT("instance.name", instance_name, 1, "platen",
         "What this engine is called in logs and metrics."),
    DURATION("instance.grace", instance_grace_ms, SECOND, HOUR, "30s",
             "How long running uploads, downloads and jobs may go on after the engine is told to "
             "stop."),

    TEXT("devices.address", devices_address, 3, "0.0.0.0:8443",
         "Where devices upload: ADDRESS:PORT; port 0 takes a free one."),
    TEXT("devices.certificate", devices_certificate, 1, "tls/devices-p256.pem",
         "Certificate (PEM, with its chain) that devices see; TLS 1.2 and 1.3."),
    TEXT("devices.key", devices_key, 1, "tls/devices-p256.key", "Private key of that certificate."),
    TEXT("devices.second_certificate", devices_second_certificate, 0, "tls/devices-rsa.pem",
         "Second certificate of another key type, for devices that know RSA only; may be empty."),
    TEXT("devices.second_key", devices_second_key, 0, "tls/devices-rsa.key",
         "Private key of the second certificate; empty exactly when that is."),

    TEXT("control.address", control_address, 3, "127.0.0.1:8444",
         "Where the control API answers: ADDRESS:PORT; port 0 takes a free one."),
    TEXT("control.certificate", control_certificate, 1, "tls/control-p256.pem",
         "Certificate (PEM, with its chain) of the control API; TLS 1.3 only."),
    TEXT("control.key", control_key, 1, "tls/control-p256.key", "Private key of that certificate."),

    BYTES("http.head_bytes", http_head_bytes, 4 * KIB, MIB, "64KiB",
          "Largest request head; more is answered 431."),
    DURATION("http.head_timeout", http_head_timeout_ms, SECOND, 10 * MINUTE, "15s",
             "Longest time for a whole request head to arrive."),
    DURATION("http.handshake_timeout", http_handshake_timeout_ms, SECOND, 10 * MINUTE, "15s",
             "Longest time for a TLS handshake; old devices are slow."),
    DURATION("http.idle_timeout", http_idle_timeout_ms, SECOND, 24 * HOUR, "60s",
             "How long an idle connection is kept open between requests."),
    DURATION("http.body_idle_timeout", http_body_idle_timeout_ms, SECOND, 24 * HOUR, "5m",
             "Longest gap inside an upload; a device feeds paper meanwhile."),
    BYTES("http.body_min_rate", http_body_min_rate, 0, GIB, "0B",
          "Least bytes a second over a whole upload, looked at after one minute; 0B for none."),
    DURATION("http.write_timeout", http_write_timeout_ms, SECOND, HOUR, "60s",
             "A peer that takes nothing of a reply for so long is dropped."),
    NUMBER("http.connections", http_connections, 1, 1000000, "4096",
           "Most connections of each listener."),
    NUMBER("http.connections_per_peer", http_connections_per_peer, 1, 1000000, "1024",
           "Most connections from one address; devices behind one gateway share it."),
    NUMBER("http.requests_per_connection", http_requests_per_connection, 1, 1000000000, "10000",
           "A connection is closed politely after so many requests."),

    BYTES("uploads.bytes", uploads_bytes, KIB, TIB, "4GiB",
          "Largest upload; more is answered 413."),
    NUMBER("uploads.at_once", uploads_at_once, 1, 100000, "256",
           "Most uploads at the same time; more are answered 503 with Retry-After."),
    DURATION("uploads.duplicates", uploads_duplicates_ms, 0, 7ULL * 24 * HOUR, "10m",
             "How long the same bytes under the same name from the same device are the same scan, "
             "sent again because our answer was not heard; 0s for never."),

    BYTES("disk.reserve", disk_reserve_bytes, 16 * MIB, TIB, "256MiB",
          "Disk space kept free to finish what was accepted; below it uploads are answered 507."),

    TEXT("workers.program", workers_program, 0, "",
         "The platen-worker program; empty looks beside platen, then where it was installed."),
    NUMBER("workers.processes", workers_processes, 0, 64, "0",
           "Worker processes; 0 for one for each processor, at most 8."),
    NUMBER("workers.threads", workers_threads, 0, 64, "0",
           "Page threads in each worker; 0 for one for each processor, at most 4."),
    BYTES("workers.memory", workers_memory_bytes, 64 * MIB, TIB, "1GiB",
          "Address space of one worker; a document that needs more fails alone."),
    NUMBER("workers.jobs_per_process", workers_jobs_per_process, 1, 1000000, "1000",
           "A worker is replaced by a fresh one after so many jobs."),
    NUMBER("workers.interpreters", workers_interpreters, 0, 16, "1",
           "Ghostscript processes at work at once; one more is kept ready. 0: documents that only "
           "it can read are refused."),
    BYTES("workers.interpreter_memory", workers_interpreter_memory_bytes, 256 * MIB, TIB, "1536MiB",
          "Address space of one Ghostscript process; what it keeps in /dev/shm comes on top."),

    NUMBER("limits.documents", limits.documents, 1, PL_RUN_DOCUMENTS_MOST, "1000",
           "Most documents that one job may end with (formats of one page a file)."),
    NUMBER("limits.pages", limits.pages, 1, 100000, "10000",
           "Most pages of a document that comes in."),
    NUMBER("limits.side_pixels", limits.side_px, 1000, 1000000, "65500",
           "Longest side of a page, in pixels."),
    NUMBER("limits.colour_pixels", limits.colour_px, 1000000, 4000000000, "150000000",
           "Most pixels of a grey or colour page."),
    NUMBER("limits.bilevel_pixels", limits.bilevel_px, 1000000, 16000000000, "600000000",
           "Most pixels of a bilevel page."),
    BYTES("limits.page_bytes", limits.page_bytes, MIB, 64 * GIB, "512MiB",
          "Most bytes of one page in memory, encoded or decoded; workers.memory bounds it too."),
    NUMBER("limits.expansion", limits.expansion, 10, 1000000, "1000",
           "How many times its encoded size a page may grow when it is decoded."),
    NUMBER("limits.nesting", limits.nesting, 8, 64, "64",
           "How deep arrays and dictionaries of a PDF may stand inside each other."),
    BYTES("limits.output_bytes", limits.output_bytes, MIB, TIB, "4GiB",
          "Largest result of one job, all its documents together."),
    DURATION("limits.cpu_time", limits.cpu_ms, SECOND, 24 * HOUR, "5m",
             "Processor time of one job."),

    NUMBER("jobs.attempts", jobs_attempts, 1, 100, "3",
           "Attempts before a job is put aside as dead, with its original."),
    DURATION("jobs.lease", jobs_lease_ms, SECOND, 24 * HOUR, "10m",
             "Longest time of one attempt; a worker that takes longer is stopped."),
    DURATION("jobs.retry", jobs_retry_ms, 10, HOUR, "2s",
             "Wait before the second attempt; doubles with each, with jitter."),
    DURATION("jobs.retry_most", jobs_retry_most_ms, 10, 24 * HOUR, "10m",
             "Longest wait between two attempts."),
    BOOL("jobs.keep_originals", jobs_keep_originals, "true",
         "Keep the sealed original of a job that is done; else its disk space is freed."),

    CHOICE("log.level", log_level, log_levels, "info", "What is logged to stderr."),
    CHOICE("log.format", log_format, log_formats, "text",
           "key=value lines, or one JSON object a line."),

    TEXT("process.user", process_user, 1, "platen",
         "User that the engine becomes when it is started as root."),
    TEXT("process.worker_user", process_worker_user, 1, "platen-worker",
         "User of the workers when the engine is started as root."),

    TEXT("paths.root_key", paths_root_key, 1, "keys/root.key",
         "Root key (mode 0600); without it nothing sealed here can ever be read again."),
    TEXT("paths.ledger", paths_ledger, 1, "ledger/platen.db",
         "Database of tenants, devices and jobs."),
    TEXT("paths.spool", paths_spool, 1, "spool", "Folder of sealed originals."),
    TEXT("paths.store", paths_store, 1, "store", "Folder of sealed results."),
    TEXT("paths.run", paths_run, 1, "run", "Folder that says where the running engine listens."),
    TEXT("paths.tenants", paths_tenants, 1, "tenants",
         "Folder of limits that tenants have of their own, TENANT.yaml each; need not exist."),
};

static const struct pl_conf_table settings_table = { settings_rows, PL_COUNT_OF(settings_rows) };

const struct pl_conf_table *pl_settings_table(void)
{
    return &settings_table;
}

struct pl_conf_table pl_settings_limits_table(void)
{
    struct pl_conf_table table = { NULL, 0 };
    for (size_t i = 0; i < PL_COUNT_OF(settings_rows); i++) {
        if (strncmp(settings_rows[i].name, "limits.", strlen("limits.")) != 0)
            continue;
        if (table.rows == NULL)
            table.rows = &settings_rows[i];
        table.count++; /* they stand together */
    }
    return table;
}

void pl_settings_defaults(struct pl_settings *out)
{
    memset(out, 0, sizeof *out);
    pl_conf_defaults(&settings_table, out);
}

/* What no single row can say. */
static pl_status settings_check(const struct pl_settings *settings, const char *file,
                                struct pl_fault *fault)
{
    if ((settings->devices_second_certificate[0] == '\0') !=
        (settings->devices_second_key[0] == '\0'))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s: devices.second_certificate and devices.second_key belong "
                            "together: set both or leave both empty",
                            file);
    if (settings->jobs_retry_most_ms < settings->jobs_retry_ms)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s: jobs.retry_most must not be shorter than jobs.retry", file);
    return PL_OK;
}

static pl_status settings_folder(const char *file, struct pl_settings *out, struct pl_fault *fault)
{
    char *whole = realpath(file, NULL);
    char *slash = whole == NULL ? NULL : strrchr(whole, '/');
    pl_status status = PL_OK;
    if (slash == NULL) {
        status = pl_fault_set(fault, PL_MISCONFIGURED, "%s: no such file", file);
    } else {
        *(slash == whole ? slash + 1 : slash) = '\0';
        if (!pl_text_copy(out->folder, sizeof out->folder, pl_span_from(whole)))
            status =
                pl_fault_set(fault, PL_MISCONFIGURED, "%s: its folder's name is too long", file);
    }
    free(whole);
    return status;
}

pl_status pl_settings_load(const char *file, struct pl_settings *out, struct pl_fault *fault)
{
    struct pl_bytes yaml;
    pl_bytes_init(&yaml, MIB);
    pl_settings_defaults(out);
    pl_status status = pl_file_read(file, &yaml, fault);
    if (status == PL_OK)
        status = pl_conf_read(&settings_table, file,
                              (struct pl_span){ (const char *)yaml.data, yaml.size }, out, fault);
    if (status == PL_OK)
        status = settings_check(out, file, fault);
    if (status == PL_OK)
        status = settings_folder(file, out, fault);
    pl_bytes_fini(&yaml);
    return status;
}

pl_status pl_settings_path(const struct pl_settings *settings, const char *path,
                           char out[PL_PATH_CHARS], struct pl_fault *fault)
{
    bool fits = path[0] == '/'
                    ? pl_text_format(out, PL_PATH_CHARS, "%s", path)
                    : pl_text_format(out, PL_PATH_CHARS, "%s/%s", settings->folder, path);
    return fits ? PL_OK : pl_fault_set(fault, PL_MISCONFIGURED, "the path %s is too long", path);
}

static unsigned processors(unsigned most)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        return 1;
    return count > (long)most ? most : (unsigned)count;
}

unsigned pl_settings_processes(const struct pl_settings *settings)
{
    return settings->workers_processes > 0 ? (unsigned)settings->workers_processes : processors(8);
}

unsigned pl_settings_threads(const struct pl_settings *settings)
{
    return settings->workers_threads > 0 ? (unsigned)settings->workers_threads : processors(4);
}
