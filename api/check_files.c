/* check_files: files go to a worker in its sandbox, one after the other, and come back as findings.
 *
 * What the worker says is the word of a process that read a foreign file: parsed strictly, cleaned
 * before it is shown.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/check_files.h"

#include "api/settings.h"
#include "api/startup.h"
#include "engine/core/runner.h"
#include "pipeline/check_document.h"
#include "workers/pool.h"
#include "workers/worker_main.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_BYTES ((size_t)2 << 20)
#define FALLBACK_WORKER_USER "nobody"

enum check_exit { CHECK_FINE = 0, CHECK_BROKEN = 1, CHECK_MISUSED = 2 };

struct check_options {
    bool json;
    bool help;
    unsigned part;
    char **files;
    size_t count;
};

struct check {
    struct pl_settings settings;
    struct pl_clock clock;
    struct pl_log log;
    struct check_options options;
    char order[PL_CHECK_ORDER_CHARS];
    struct pl_launcher *launcher;
    struct pl_loop *loop;
    struct pl_pool *pool;
    struct pl_id_maker ids;
    struct pl_id tenant;
    struct pl_run run;
    int answer_fd;
    size_t next; /* file */
    bool stopping;
    bool running;
    bool broken;
};

static const char help_text[] =
    "usage: platen check [--json] [--as pdfa-1b|pdfa-2b|pdfa-3b] FILE...\n"
    "\n"
    "Says what each file is, by its content, and whether it is what it claims to be:\n"
    "PDF/A against ISO 19005 (level B), TIFF against its directory rules, JPEG and PNG\n"
    "against their structure. One line for each finding:\n"
    "\n"
    "  FILE: a PDF/A-2b document of 28 pages\n"
    "  FILE: page 3: object 12: ISO 19005-2 6.2.8: /Interpolate is true\n"
    "\n"
    "  --json   one JSON object a line for each file\n"
    "  --as     holds PDFs against that standard, whatever they claim\n"
    "\n"
    "Ends with 0 when nothing was found, 1 when something was or a file cannot be read,\n"
    "2 on wrong usage.\n";

/* --- the command line ------------------------------------------------------------------------- */

static bool option_as(const char *name, unsigned *part)
{
    static const char *const names[] = { "pdfa-1b", "pdfa-2b", "pdfa-3b" };
    for (unsigned i = 0; i < PL_COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *part = i + 1;
            return true;
        }
    }
    return false;
}

/* Moves the files to the front of argv. False: it makes no sense. */
static bool options_read(int argc, char **argv, struct check_options *out)
{
    bool files_only = false;
    *out = (struct check_options){ .files = argv };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (files_only || word[0] != '-') {
            out->files[out->count++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            files_only = true;
        } else if (strcmp(word, "--json") == 0) {
            out->json = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            out->help = true;
        } else if (strcmp(word, "--as") == 0 && i + 1 < argc) {
            if (!option_as(argv[++i], &out->part))
                return false;
        } else if (strncmp(word, "--as=", 5) != 0 || !option_as(word + 5, &out->part)) {
            return false;
        }
    }
    return out->help || out->count > 0;
}

/* --- what is said ----------------------------------------------------------------------------- */

static const char *clean(const char *text, char *out, size_t size)
{
    (void)pl_text_sanitize(pl_span_from(text != NULL ? text : ""), out, size);
    return out;
}

static void line_finding(const char *name, const json_t *finding)
{
    char rule[PL_FINDING_RULE_CHARS * 3];
    char text[PL_FINDING_TEXT_CHARS * 3];
    json_int_t page = json_integer_value(json_object_get(finding, "page"));
    json_int_t object = json_integer_value(json_object_get(finding, "object"));
    (void)printf("%s: ", name);
    if (page > 0)
        (void)printf("page %" JSON_INTEGER_FORMAT ": ", page);
    if (object > 0)
        (void)printf("object %" JSON_INTEGER_FORMAT ": ", object);
    (void)printf("%s: %s\n",
                 clean(json_string_value(json_object_get(finding, "rule")), rule, sizeof rule),
                 clean(json_string_value(json_object_get(finding, "text")), text, sizeof text));
}

static void say_lines(const char *name, const json_t *answer)
{
    char what[PL_CHECK_WHAT_CHARS * 3];
    const json_t *findings = json_object_get(answer, "findings");
    json_int_t total = json_integer_value(json_object_get(answer, "total"));
    size_t count = json_array_size(findings);
    (void)printf("%s: %s\n", name,
                 clean(json_string_value(json_object_get(answer, "what")), what, sizeof what));
    for (size_t i = 0; i < count; i++)
        line_finding(name, json_array_get(findings, i));
    if (total > (json_int_t)count)
        (void)printf("%s: and %" JSON_INTEGER_FORMAT " findings more\n", name,
                     total - (json_int_t)count);
}

/* Names of files need not be UTF-8. */
static json_t *json_name(const char *name)
{
    char shown[4096];
    return json_string(clean(name, shown, sizeof shown));
}

static void say_json(const char *name, json_t *answer)
{
    (void)json_object_set_new(answer, "file", json_name(name));
    (void)json_dumpf(answer, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    (void)fputc('\n', stdout);
}

/* What the worker wrote; NULL: nothing that can be understood. */
static json_t *answer_read(int fd)
{
    char *text = malloc(ANSWER_BYTES);
    json_t *answer = NULL;
    ssize_t size = text != NULL ? pread(fd, text, ANSWER_BYTES, 0) : -1;
    if (size > 0)
        answer = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    if (json_is_object(answer) && json_is_array(json_object_get(answer, "findings")) &&
        json_is_string(json_object_get(answer, "what")) &&
        json_is_integer(json_object_get(answer, "total")))
        return answer;
    json_decref(answer);
    return NULL;
}

/* A file of which nothing can be said. */
static void say_fault(struct check *check, const char *name, const struct pl_fault *fault)
{
    const char *reason = fault->reason[0] != '\0' ? fault->reason : pl_status_text(fault->status);
    check->broken = true;
    if (check->options.json) {
        json_t *answer = json_object();
        (void)json_object_set_new(answer, "error", json_name(reason));
        (void)json_object_set_new(answer, "status", json_string(pl_status_name(fault->status)));
        say_json(name, answer);
        json_decref(answer);
    } else {
        (void)fprintf(stderr, "platen check: %s: %s\n", name, reason);
    }
}

static void say_answer(struct check *check, const char *name)
{
    const struct pl_fault none = { PL_WORKER_DIED, "the worker gave no answer that makes sense" };
    json_t *answer = answer_read(check->answer_fd);
    if (answer == NULL) {
        say_fault(check, name, &none);
        return;
    }
    if (json_integer_value(json_object_get(answer, "total")) > 0)
        check->broken = true;
    if (check->options.json)
        say_json(name, answer);
    else
        say_lines(name, answer);
    json_decref(answer);
}

/* --- files ------------------------------------------------------------------------------------ */

static void file_close(struct check *check)
{
    if (check->run.input_count > 0)
        (void)close(check->run.inputs[0].fd);
    if (check->answer_fd >= 0)
        (void)close(check->answer_fd);
    check->run.input_count = 0;
    check->answer_fd = -1;
}

static void check_continue(struct check *check);

static void check_on_run(struct pl_run *run)
{
    struct check *check = PL_CONTAINER_OF(run, struct check, run);
    const char *name = check->options.files[check->next++];
    struct pl_fault fault = run->report.fault;
    fault.status = run->report.status;
    check->running = false;
    if (fault.status == PL_OK)
        say_answer(check, name);
    else
        say_fault(check, name, &fault);
    (void)fflush(stdout);
    file_close(check);
    check_continue(check);
}

static pl_status check_on_open(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                               struct pl_fault *fault)
{
    struct check *check = PL_CONTAINER_OF(run, struct check, run);
    PL_CHECK(n == 1);
    if (check->answer_fd < 0)
        check->answer_fd = memfd_create("platen-check", MFD_CLOEXEC);
    if (check->answer_fd < 0 || ftruncate(check->answer_fd, 0) != 0)
        return pl_fault_set(fault, PL_UNAVAILABLE, "there is no place for the answer: %s",
                            strerror(errno));
    *out = (struct pl_run_file){ .fd = check->answer_fd };
    return PL_OK;
}

static pl_status file_open(struct check *check, const char *path, struct pl_fault *fault)
{
    struct stat info;
    check->run = (struct pl_run){ .plan = check->order,
                                  .wall_limit_ms = check->settings.jobs_lease_ms,
                                  .limits = check->settings.limits,
                                  .open_document = check_on_open,
                                  .done = check_on_run };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return pl_fault_set(fault, PL_NOT_FOUND, "%s", strerror(errno));
    check->run.inputs[check->run.input_count++] = (struct pl_run_file){ .fd = fd };
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return pl_fault_set(fault, PL_MISCONFIGURED, "it is not a file");
    pl_status status = pl_id_make(&check->ids, pl_clock_wall_ms(&check->clock), &check->run.job);
    if (check->next == 0)
        check->tenant = check->run.job;
    check->run.tenant = check->tenant;
    return status;
}

static void check_on_closed(void *owner)
{
    struct check *check = owner;
    check->pool = NULL;
    pl_loop_stop(check->loop);
}

/* Starts the next file that can be opened, or ends. */
static void check_continue(struct check *check)
{
    while (!check->stopping && check->next < check->options.count) {
        struct pl_fault fault = { .status = PL_OK };
        fault.status = file_open(check, check->options.files[check->next], &fault);
        if (fault.status == PL_OK) {
            const struct pl_runner runner = pl_pool_runner(check->pool);
            check->running = true;
            runner.ops->start(runner.self, &check->run);
            return;
        }
        say_fault(check, check->options.files[check->next++], &fault);
        file_close(check);
    }
    pl_pool_close(check->pool, check_on_closed, check);
}

static void check_on_signal(void *owner, int signum)
{
    struct check *check = owner;
    const struct pl_runner runner = pl_pool_runner(check->pool);
    (void)signum;
    if (check->stopping)
        return;
    check->stopping = true;
    check->broken = true;
    if (check->running)
        runner.ops->cancel(runner.self, &check->run);
}

/* --- life ------------------------------------------------------------------------------------- */

/* As root workers run as somebody else, who need not be made for this command. */
static const char *check_worker_user(const struct check *check)
{
    struct pl_user user;
    const char *name = check->settings.process_worker_user;
    return geteuid() == 0 && pl_user_find(name, &user, NULL) != PL_OK ? FALLBACK_WORKER_USER : name;
}

static pl_status check_run(struct check *check, struct pl_fault *fault)
{
    const struct pl_pool_settings pool = {
        .processes = 1,
        .is_alone = true,
        .threads = 1,
        .memory_bytes = check->settings.workers_memory_bytes,
        .cpu_ms = check->settings.limits.cpu_ms,
        .output_bytes = check->settings.limits.output_bytes,
        .jobs_per_process = check->settings.workers_jobs_per_process,
    };
    pl_status status =
        pl_launcher_new_inside(pl_worker_main, check_worker_user(check), &check->launcher, fault);
    if (status == PL_OK)
        status = pl_loop_new(&check->loop);
    if (status == PL_OK)
        status = pl_pool_new(check->loop, &check->log, check->launcher, &pool, &check->pool, fault);
    if (status == PL_OK) {
        (void)!pl_loop_on_signal(check->loop, check_on_signal, check);
        check_continue(check);
        pl_loop_run(check->loop);
    }
    pl_loop_free(check->loop);
    pl_launcher_free(check->launcher);
    return status == PL_OK ? PL_OK : pl_fault_set(fault, status, "%s", pl_status_text(status));
}

static int check_main(struct check *check, int argc, char **argv)
{
    struct pl_fault fault = { .status = PL_OK };
    if (!options_read(argc, argv, &check->options)) {
        (void)fputs("usage: platen check [--json] [--as pdfa-1b|pdfa-2b|pdfa-3b] FILE...\n",
                    stderr);
        return CHECK_MISUSED;
    }
    if (check->options.help) {
        (void)fputs(help_text, stdout);
        return CHECK_FINE;
    }
    pl_check_order_write(check->options.part, check->order);
    if (check_run(check, &fault) == PL_OK)
        return check->broken ? CHECK_BROKEN : CHECK_FINE;
    (void)fprintf(stderr, "platen check: %s\n", fault.reason);
    return CHECK_BROKEN;
}

int pl_check_main(int argc, char **argv)
{
    struct check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return CHECK_BROKEN;
    pl_settings_defaults(&check->settings);
    check->clock = PL_CLOCK_SYSTEM;
    check->answer_fd = -1;
    check->log =
        (struct pl_log){ .least = PL_LOG_ERROR, .sink = pl_log_stderr, .clock = &check->clock };
    int code = check_main(check, argc, argv);
    free(check);
    return code;
}
