/* test_ledger_sqlite: the suite, and what only a file can do: last, migrate, be full, be killed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite.h"

#include "tests/unit/storage/ledger_suite.h"

#include "storage/ledger_sqlite_priv.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct pl_id no_id;

struct sqlite_fixture {
    struct pl_ledger ledger; /* first: the suite takes the pointer */
    char folder[64];
    char path[96];
    bool open;
};

static void sqlite_open(struct sqlite_fixture *fixture)
{
    struct pl_fault fault = { 0 };
    pl_status status = pl_ledger_sqlite_open(fixture->path, NULL, &fixture->ledger, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    fixture->open = true;
}

static void sqlite_close(struct sqlite_fixture *fixture)
{
    fixture->ledger.ops->close(fixture->ledger.self);
    fixture->open = false;
}

static int sqlite_setup_closed(void **state)
{
    struct sqlite_fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/pl_ledger_XXXXXX",
                   pl_suite_folder());
    if (mkdtemp(fixture->folder) == NULL)
        return -1;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/ledger.db", fixture->folder);
    *state = fixture;
    return 0;
}

static int sqlite_setup(void **state)
{
    if (sqlite_setup_closed(state) != 0)
        return -1;
    sqlite_open(*state);
    return 0;
}

static int sqlite_teardown(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    struct sqlite_fixture *fixture = *state;
    if (fixture->open)
        sqlite_close(fixture);
    for (unsigned i = 0; i < PL_COUNT_OF(suffixes); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        (void)unlink(path);
    }
    int left = rmdir(fixture->folder);
    free(fixture);
    return left;
}

static void sqlite_count_job(void *owner, const struct pl_ledger_job *job)
{
    unsigned *count = owner;
    (void)job;
    (*count)++;
}

static unsigned sqlite_jobs(const struct pl_ledger *ledger)
{
    struct pl_id tenant = pl_suite_id('t', 1);
    unsigned count = 0;
    assert_int_equal(
        ledger->ops->job_list(ledger->self, &tenant, &no_id, UINT32_MAX, sqlite_count_job, &count),
        PL_OK);
    return count;
}

/* One job in one unit. */
static pl_status sqlite_commit_job(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_ledger_job job = pl_suite_job(n, 1, PL_JOB_QUEUED);
    pl_status status = ledger->ops->begin(ledger->self);
    if (status != PL_OK)
        return status;
    status = ledger->ops->job_add(ledger->self, &job);
    if (status != PL_OK) {
        ledger->ops->rollback(ledger->self);
        return status;
    }
    return ledger->ops->commit(ledger->self);
}

static void ledger__closed_and_opened__still_holds_everything(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger *ledger = &fixture->ledger;
    uint64_t counts[PL_JOB_STATE_COUNT];
    uint64_t fence = 0;
    pl_suite_add_places(ledger);
    for (unsigned n = 1; n <= 3; n++)
        assert_int_equal(sqlite_commit_job(ledger, n), PL_OK);
    struct pl_ledger_lease lease = { pl_suite_id('j', 2), 10, 20 };
    assert_int_equal(ledger->ops->job_lease(ledger->self, &lease, &fence), PL_OK);
    sqlite_close(fixture);
    sqlite_open(fixture);
    assert_int_equal(sqlite_jobs(ledger), 3);
    assert_int_equal(ledger->ops->job_counts(ledger->self, counts), PL_OK);
    assert_int_equal(counts[PL_JOB_QUEUED], 2);
    assert_int_equal(counts[PL_JOB_RUNNING], 1);
    struct pl_ledger_move move = {
        .job = lease.job, .from = PL_JOB_RUNNING, .to = PL_JOB_QUEUED, .fence = fence, .at_ms = 30
    };
    assert_int_equal(ledger->ops->job_move(ledger->self, &move), PL_OK);
}

static void ledger__unit_not_committed__is_gone_after_close(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger *ledger = &fixture->ledger;
    pl_suite_add_places(ledger);
    struct pl_ledger_job job = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(ledger->ops->begin(ledger->self), PL_OK);
    assert_int_equal(ledger->ops->job_add(ledger->self, &job), PL_OK);
    sqlite_close(fixture);
    sqlite_open(fixture);
    assert_int_equal(sqlite_jobs(ledger), 0);
}

static void ledger__files__are_private(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct stat info;
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    (void)snprintf(wal, sizeof wal, "%s-shm", fixture->path);
    assert_int_equal(stat(wal, &info), -1); /* exclusive: nothing to share */
}

static void open__second_engine__is_refused_with_a_sentence(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger second;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_ledger_sqlite_open(fixture->path, NULL, &second, &fault), PL_BUSY);
    assert_non_null(strstr(fault.reason, "is in use by another process"));
    /* The refusal, in the same process, must not have cost the first one its lock. */
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(sqlite_commit_job(&fixture->ledger, 1), PL_OK);
}

static void open__path_wrong__is_refused_with_a_sentence(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_ledger_sqlite_open(fixture->folder, NULL, &ledger, &fault), PL_IO_ERROR);
    assert_non_null(strstr(fault.reason, "cannot open the ledger"));
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_ledger_sqlite_open("/nowhere/at/all.db", NULL, &ledger, &fault),
                     PL_NOT_FOUND);
    fault = (struct pl_fault){ 0 };
    assert_int_equal(symlink("/etc/passwd", fixture->path), 0);
    assert_int_not_equal(pl_ledger_sqlite_open(fixture->path, NULL, &ledger, &fault), PL_OK);
}

static void open__file_that_is_no_ledger__is_refused_and_left_alone(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    char text[16] = { 0 };
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(fputs("not a ledger\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(pl_ledger_sqlite_open(fixture->path, NULL, &ledger, &fault), PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "is not a ledger"));
    file = fopen(fixture->path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "not a ledger\n");
    assert_int_equal(fclose(file), 0);
}

static void sqlite_exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void open__database_of_something_else__is_refused(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    sqlite_exec(fixture->path, "CREATE TABLE bookmarks (url TEXT)");
    assert_int_equal(pl_ledger_sqlite_open(fixture->path, NULL, &ledger, &fault), PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "something else"));
}

static void open__newer_schema__is_refused_with_a_sentence(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    sqlite_open(fixture);
    sqlite_close(fixture);
    sqlite_exec(fixture->path, "PRAGMA user_version = 99");
    assert_int_equal(pl_ledger_sqlite_open(fixture->path, NULL, &ledger, &fault), PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "written by a newer Platen (schema 99"));
}

/* Opens with today's schema and one step more. */
static pl_status sqlite_open_stepped(struct sqlite_fixture *fixture, const char *sql,
                                     struct pl_fault *fault)
{
    struct pl_sql_migration steps[16] = { { NULL } };
    size_t count = pl_sql_migration_count;
    assert_in_range(count, 1, PL_COUNT_OF(steps) - 1);
    memcpy(steps, pl_sql_migrations, count * sizeof steps[0]);
    steps[count] = (struct pl_sql_migration){ sql };
    pl_status status = pl_sql_open(fixture->path, NULL, steps, count + 1, &fixture->ledger, fault);
    fixture->open = status == PL_OK;
    return status;
}

/* Rows as the first release wrote them. */
static void migrate__from_version_1__keeps_rows_and_gives_them_no_report(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_fault fault = { 0 };
    struct pl_arena arena;
    sqlite3 *db = NULL;
    pl_arena_init(&arena, 8192);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(pl_sql_migrate(db, fixture->path, pl_sql_migrations, 1, &fault), PL_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    sqlite_exec(
        fixture->path,
        "INSERT INTO tenant VALUES ('0t000000000000000000000001', 7, x'01', x'02', 1);"
        "INSERT INTO job VALUES ('0j000000000000000000000001', '0t000000000000000000000001',"
        " '0d000000000000000000000001', 'inbox', 'archive', 1, 'done', 1, 1, 0, 5, 6, 7,"
        " zeroblob(32), x'03', x'04', x'05', 'ok', x'')");
    sqlite_open(fixture);
    struct pl_ledger_job job = pl_suite_load(&fixture->ledger, &arena, 1, 1);
    assert_int_equal(job.state, PL_JOB_DONE);
    assert_int_equal(job.bytes, 7);
    assert_int_equal(job.report_sealed.size, 0);
    pl_arena_fini(&arena);
}

static void migrate__a_step_more__keeps_rows_and_counts_the_step(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_fault fault = { 0 };
    sqlite_open(fixture);
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(sqlite_commit_job(&fixture->ledger, 1), PL_OK);
    sqlite_close(fixture);
    static const char step[] = "ALTER TABLE job ADD COLUMN batch TEXT NOT NULL DEFAULT '';"
                               "CREATE INDEX job_batch ON job (batch);";
    assert_int_equal(sqlite_open_stepped(fixture, step, &fault), PL_OK);
    assert_int_equal(sqlite_jobs(&fixture->ledger), 1);
    assert_int_equal(sqlite_commit_job(&fixture->ledger, 2), PL_OK);
    sqlite_close(fixture);
    assert_int_equal(sqlite_open_stepped(fixture, step, &fault), PL_OK); /* not run twice */
    assert_int_equal(sqlite_jobs(&fixture->ledger), 2);
    sqlite_close(fixture);
    struct pl_ledger ledger;
    assert_int_equal(pl_ledger_sqlite_open(fixture->path, NULL, &ledger, &fault), PL_MISCONFIGURED);
}

static void migrate__step_that_fails_halfway__leaves_the_file_as_it_was(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_fault fault = { 0 };
    sqlite_open(fixture);
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(sqlite_commit_job(&fixture->ledger, 1), PL_OK);
    sqlite_close(fixture);
    assert_int_not_equal(
        sqlite_open_stepped(fixture, "DELETE FROM event; DELETE FROM job; BAD", &fault), PL_OK);
    assert_non_null(strstr(fault.reason, "brought up to date"));
    fault = (struct pl_fault){ 0 };
    assert_int_not_equal(sqlite_open_stepped(fixture, "DELETE FROM tenant", &fault), PL_OK);
    sqlite_open(fixture);
    assert_int_equal(sqlite_jobs(&fixture->ledger), 1);
}

static void queries__are_all_served_by_an_index(void **state)
{
    struct sqlite_fixture *fixture = *state;
    sqlite3 *db = NULL;
    sqlite_close(fixture);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    for (unsigned i = PL_SQL_TENANT_ADD; i < PL_SQL_COUNT; i++) {
        if (i == PL_SQL_TENANT_EACH || i == PL_SQL_JOB_COUNT)
            continue; /* meant to see every row */
        char sql[1024];
        sqlite3_stmt *plan = NULL;
        (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", pl_sql_texts[i]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(plan, 3);
            bool is_walk = strstr(line, "TEMP B-TREE") != NULL ||
                           (strncmp(line, "SCAN", 4) == 0 && strstr(line, "job_open") == NULL &&
                            strstr(line, "CONSTANT ROW") == NULL);
            if (is_walk)
                fail_msg("%s: %s", pl_sql_texts[i], line);
        }
        assert_int_equal(sqlite3_finalize(plan), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static off_t sqlite_wal_bytes(const struct sqlite_fixture *fixture)
{
    struct stat info;
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    assert_int_equal(stat(wal, &info), 0);
    return info.st_size;
}

static void unit__that_only_reads__writes_nothing(void **state)
{
    struct sqlite_fixture *fixture = *state;
    const struct pl_ledger *ledger = &fixture->ledger;
    pl_suite_add_places(ledger);
    off_t before = sqlite_wal_bytes(fixture);
    assert_int_equal(ledger->ops->begin(ledger->self), PL_OK);
    assert_int_equal(ledger->ops->mark(ledger->self), PL_OK);
    assert_int_equal(sqlite_jobs(ledger), 0);
    assert_int_equal(ledger->ops->release(ledger->self), PL_OK);
    assert_int_equal(ledger->ops->commit(ledger->self), PL_OK);
    assert_int_equal(sqlite_wal_bytes(fixture), before);
}

static void wal__after_many_commits__stays_bounded(void **state)
{
    struct sqlite_fixture *fixture = *state;
    const struct pl_ledger *ledger = &fixture->ledger;
    pl_suite_add_places(ledger);
    for (unsigned unit = 0; unit < 300; unit++) {
        assert_int_equal(ledger->ops->begin(ledger->self), PL_OK);
        for (unsigned n = 1; n <= 40; n++) {
            struct pl_ledger_job job = pl_suite_job(unit * 40 + n, 1, PL_JOB_QUEUED);
            assert_int_equal(ledger->ops->job_add(ledger->self, &job), PL_OK);
        }
        assert_int_equal(ledger->ops->commit(ledger->self), PL_OK);
        ledger->ops->tidy(ledger->self);
    }
    assert_true(sqlite_wal_bytes(fixture) < (off_t)6 << 20);
}

/* The job's row is written, its event is not: then neither is, and the unit goes on. */
static void call__that_fails_halfway__changes_nothing_in_its_unit(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger_sqlite *sqlite = fixture->ledger.self;
    const struct pl_ledger_ops *ops = fixture->ledger.ops;
    struct pl_ledger_job first = pl_suite_job(1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job second = pl_suite_job(2, 1, PL_JOB_QUEUED);
    uint64_t counts[PL_JOB_STATE_COUNT];
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(sqlite3_exec(sqlite->db,
                                  "CREATE TEMP TRIGGER full BEFORE INSERT ON event "
                                  "WHEN NEW.job LIKE '%2' BEGIN SELECT RAISE(ABORT, 'no'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(ops->begin(sqlite), PL_OK);
    assert_int_equal(ops->job_add(sqlite, &first), PL_OK);
    assert_int_equal(ops->job_add(sqlite, &second), PL_IO_ERROR);
    assert_int_equal(ops->commit(sqlite), PL_OK);
    assert_int_equal(sqlite_jobs(&fixture->ledger), 1);
    assert_int_equal(ops->job_counts(sqlite, counts), PL_OK);
    assert_int_equal(counts[PL_JOB_QUEUED], 1);
}

/* Fills the ledger until it says so; every job that was accepted must be there afterwards. */
static void sqlite_fill(struct sqlite_fixture *fixture, unsigned *accepted)
{
    pl_status status = PL_OK;
    unsigned n = 0;
    while (status == PL_OK && n < 100000) {
        status = sqlite_commit_job(&fixture->ledger, n + 1);
        if (status == PL_OK)
            n++;
    }
    assert_int_equal(status, PL_NO_SPACE);
    assert_int_equal(sqlite_jobs(&fixture->ledger), n);
    *accepted = n;
}

static void disk_full__pages_used_up__is_no_space_and_loses_nothing(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct pl_ledger_sqlite *sqlite = fixture->ledger.self;
    uint64_t counts[PL_JOB_STATE_COUNT];
    unsigned accepted = 0;
    pl_suite_add_places(&fixture->ledger);
    assert_int_equal(sqlite3_exec(sqlite->db, "PRAGMA max_page_count = 36", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite_fill(fixture, &accepted);
    assert_true(accepted > 10);
    /* Two calls in one unit, the second without room: the first is not acknowledged either. */
    assert_int_equal(sqlite_commit_job(&fixture->ledger, accepted + 1), PL_NO_SPACE);
    assert_int_equal(fixture->ledger.ops->job_counts(sqlite, counts), PL_OK);
    assert_int_equal(counts[PL_JOB_QUEUED], accepted);
    assert_int_equal(sqlite3_exec(sqlite->db, "PRAGMA max_page_count = 1000", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite_commit_job(&fixture->ledger, accepted + 1), PL_OK);
    sqlite_close(fixture);
    sqlite_open(fixture);
    assert_int_equal(sqlite_jobs(&fixture->ledger), accepted + 1);
}

/* In a child, because the limit cannot be told from a full disk by anybody else either. */
static void disk_full__file_may_not_grow__is_no_space_and_loses_nothing(void **state)
{
    struct sqlite_fixture *fixture = *state;
    int pipe_fds[2];
    unsigned accepted = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = { 300000, 300000 };
        (void)signal(SIGXFSZ, SIG_IGN);
        sqlite_open(fixture);
        pl_suite_add_places(&fixture->ledger);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(2);
        sqlite_fill(fixture, &accepted);
        if (write(pipe_fds[1], &accepted, sizeof accepted) != (ssize_t)sizeof accepted)
            _exit(3);
        _exit(0); /* without closing: the WAL is what is left */
    }
    int how = 0;
    assert_int_equal(close(pipe_fds[1]), 0);
    assert_int_equal(read(pipe_fds[0], &accepted, sizeof accepted), sizeof accepted);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(close(pipe_fds[0]), 0);
    assert_true(accepted > 5);
    sqlite_open(fixture);
    assert_int_equal(sqlite_jobs(&fixture->ledger), accepted);
}

/* Commits jobs from `n` on for ever and reports each through the pipe once it is committed. */
static void sqlite_commit_until_killed(struct sqlite_fixture *fixture, int report, unsigned n)
{
    struct pl_fault fault = { 0 };
    if (pl_ledger_sqlite_open(fixture->path, NULL, &fixture->ledger, &fault) != PL_OK)
        _exit(2);
    for (;; n++) {
        if (sqlite_commit_job(&fixture->ledger, n) != PL_OK ||
            write(report, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(3);
        fixture->ledger.ops->tidy(fixture->ledger.self);
    }
}

/* The last job that a child reported before it was killed `after_us` into its work. */
static unsigned sqlite_kill_round(struct sqlite_fixture *fixture, unsigned next, long after_us)
{
    int fds[2];
    unsigned last = 0;
    unsigned said = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(fds[0]);
        sqlite_commit_until_killed(fixture, fds[1], next);
    }
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(read(fds[0], &last, sizeof last), sizeof last);
    const struct timespec pause = { 0, after_us * 1000 };
    (void)nanosleep(&pause, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(fds[0], &said, sizeof said) == (ssize_t)sizeof said)
        last = said;
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return last;
}

static void crash__killed_at_any_moment__everything_reported_is_there(void **state)
{
    struct sqlite_fixture *fixture = *state;
    unsigned next = 1;
    sqlite_open(fixture);
    pl_suite_add_places(&fixture->ledger);
    sqlite_close(fixture);
    srandom(20261122);
    for (unsigned round = 0; round < 20; round++) {
        unsigned last = sqlite_kill_round(fixture, next, random() % 40000);
        sqlite_open(fixture);
        unsigned held = sqlite_jobs(&fixture->ledger);
        sqlite_close(fixture);
        /* One more may have been committed without its report. */
        assert_in_range(held, last, last + 1);
        next = held + 1;
    }
    assert_true(next > 100);
}

#define CLOSED(test) cmocka_unit_test_setup_teardown(test, sqlite_setup_closed, sqlite_teardown)
#define OPENED(test) cmocka_unit_test_setup_teardown(test, sqlite_setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPENED(ledger__closed_and_opened__still_holds_everything),
        OPENED(ledger__unit_not_committed__is_gone_after_close),
        OPENED(ledger__files__are_private),
        OPENED(open__second_engine__is_refused_with_a_sentence),
        CLOSED(open__path_wrong__is_refused_with_a_sentence),
        CLOSED(open__file_that_is_no_ledger__is_refused_and_left_alone),
        CLOSED(open__database_of_something_else__is_refused),
        CLOSED(open__newer_schema__is_refused_with_a_sentence),
        CLOSED(migrate__from_version_1__keeps_rows_and_gives_them_no_report),
        CLOSED(migrate__a_step_more__keeps_rows_and_counts_the_step),
        CLOSED(migrate__step_that_fails_halfway__leaves_the_file_as_it_was),
        OPENED(queries__are_all_served_by_an_index),
        OPENED(unit__that_only_reads__writes_nothing),
        OPENED(wal__after_many_commits__stays_bounded),
        OPENED(call__that_fails_halfway__changes_nothing_in_its_unit),
        OPENED(disk_full__pages_used_up__is_no_space_and_loses_nothing),
        CLOSED(disk_full__file_may_not_grow__is_no_space_and_loses_nothing),
        CLOSED(crash__killed_at_any_moment__everything_reported_is_there),
    };
    int failed = pl_ledger_suite_run("ledger_suite on SQLite", sqlite_setup, sqlite_teardown);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
