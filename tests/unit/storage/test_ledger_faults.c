/* test_ledger_faults: the disk fails at every write and every sync in turn, under real SQLite.
 *
 * A VFS that passes everything on to the usual one and fails the n-th write, sync or truncation.
 * Whatever fails, what was acknowledged is there when the file is opened again, no unit is there
 * in part, and after a failed sync nothing more is acknowledged.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite.h"

#include "tests/unit/storage/ledger_suite_rows.h"

#include "storage/ledger_sqlite_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault_kind { FAULT_WRITE_FULL, FAULT_WRITE_EIO, FAULT_SYNC_EIO, FAULT_KINDS };

/* Test-wide, because SQLite asks a VFS for files without saying for whom. */
static struct {
    enum fault_kind kind;
    unsigned countdown; /* 0: nothing fails */
    bool struck;
} fault_plan;

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_file *fault_real(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static bool fault_strikes(bool is_sync)
{
    if (fault_plan.countdown == 0 || is_sync != (fault_plan.kind == FAULT_SYNC_EIO))
        return false;
    if (--fault_plan.countdown != 0)
        return false;
    errno = fault_plan.kind == FAULT_WRITE_FULL ? ENOSPC : EIO;
    return fault_plan.struck = true;
}

static int fault_close(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xClose(fault_real(file));
}

static int fault_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    return fault_real(file)->pMethods->xRead(fault_real(file), data, size, at);
}

static int fault_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    if (!fault_strikes(false))
        return fault_real(file)->pMethods->xWrite(fault_real(file), data, size, at);
    /* Half of it reaches the file, as a disk does it. */
    (void)fault_real(file)->pMethods->xWrite(fault_real(file), data, size / 2, at);
    errno = fault_plan.kind == FAULT_WRITE_FULL ? ENOSPC : EIO;
    return fault_plan.kind == FAULT_WRITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return fault_real(file)->pMethods->xTruncate(fault_real(file), size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    if (fault_strikes(true))
        return SQLITE_IOERR_FSYNC;
    return fault_real(file)->pMethods->xSync(fault_real(file), flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return fault_real(file)->pMethods->xFileSize(fault_real(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xLock(fault_real(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xUnlock(fault_real(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *out)
{
    return fault_real(file)->pMethods->xCheckReservedLock(fault_real(file), out);
}

static int fault_control(sqlite3_file *file, int op, void *argument)
{
    return fault_real(file)->pMethods->xFileControl(fault_real(file), op, argument);
}

static int fault_sector(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xSectorSize(fault_real(file));
}

static int fault_traits(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xDeviceCharacteristics(fault_real(file));
}

/* Version 1: no shared memory, which an exclusive WAL does without. */
static const sqlite3_io_methods fault_methods = {
    .iVersion = 1,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_traits,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *usual = vfs->pAppData;
    struct fault_file *fault = (struct fault_file *)(void *)file;
    fault->real = (sqlite3_file *)(void *)(fault + 1);
    int code = usual->xOpen(usual, name, fault->real, flags, out);
    fault->base.pMethods = code == SQLITE_OK ? &fault_methods : NULL;
    return code;
}

static int faults_setup(void **state)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    (void)state;
    vfs = *usual;
    vfs.zName = "faults";
    vfs.pNext = NULL;
    vfs.pAppData = usual;
    vfs.szOsFile = (int)sizeof(struct fault_file) + usual->szOsFile;
    vfs.xOpen = fault_open;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -1;
}

static void faults_remove(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-journal" };
    for (unsigned i = 0; i < PL_COUNT_OF(suffixes); i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

struct faults_run {
    bool opened;
    bool placed;          /* the tenant was acknowledged */
    unsigned acked;       /* jobs 1..acked were acknowledged, in this order */
    pl_status status;     /* the first that was not PL_OK */
    pl_status afterwards; /* of a begin after it */
};

static pl_status faults_unit(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_ledger_tenant tenant = { .id = pl_suite_id('t', 1) };
    struct pl_ledger_job job = pl_suite_job(n, 1, PL_JOB_QUEUED);
    struct pl_ledger_lease lease = { job.id, 10, 20 };
    uint64_t fence = 0;
    pl_status status = ledger->ops->begin(ledger->self);
    if (status != PL_OK)
        return status;
    if (n == 0)
        status = ledger->ops->tenant_add(ledger->self, &tenant);
    else
        status = ledger->ops->job_add(ledger->self, &job);
    if (status == PL_OK && n > 0)
        status = ledger->ops->job_lease(ledger->self, &lease, &fence);
    if (status != PL_OK) {
        ledger->ops->rollback(ledger->self);
        return status;
    }
    return ledger->ops->commit(ledger->self);
}

/* Open, the tenant, six jobs in six units with a tidying half-way, close. */
static struct faults_run faults_run(const char *path)
{
    struct faults_run run = { 0 };
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    run.status = pl_ledger_sqlite_open(path, NULL, &ledger, &fault);
    if (run.status != PL_OK) {
        assert_true(strlen(fault.reason) > 0);
        return run;
    }
    run.opened = true;
    for (unsigned n = 0; n <= 6 && run.status == PL_OK; n++) {
        run.status = faults_unit(&ledger, n);
        if (run.status == PL_OK)
            run.acked = n;
        if (run.status == PL_OK && n == 0)
            run.placed = true;
        if (n == 3)
            ((struct pl_ledger_sqlite *)ledger.self)->wal_pages = INT_MAX; /* time to copy back */
        ledger.ops->tidy(ledger.self);
    }
    if (run.status != PL_OK) {
        run.afterwards = ledger.ops->begin(ledger.self);
        ledger.ops->rollback(ledger.self);
    }
    ledger.ops->close(ledger.self);
    return run;
}

static void faults_on_event(void *owner, const struct pl_ledger_event *event)
{
    unsigned *count = owner;
    (void)event;
    (*count)++;
}

/* On a sound disk: all that was acknowledged, and nothing in part. */
static void faults_check(const char *path, const struct faults_run *run)
{
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    struct pl_ledger_job job;
    struct pl_arena arena;
    struct pl_id tenant = pl_suite_id('t', 1);
    assert_int_equal(pl_ledger_sqlite_open(path, NULL, &ledger, &fault), PL_OK);
    for (unsigned n = 1; n <= 6; n++) {
        struct pl_id id = pl_suite_id('j', n);
        unsigned events = 0;
        pl_arena_init(&arena, 4096);
        pl_status status = ledger.ops->job_load(ledger.self, &tenant, &id, &arena, &job);
        assert_int_equal(ledger.ops->job_events(ledger.self, &id, faults_on_event, &events), PL_OK);
        assert_true(status == PL_OK || (status == PL_NOT_FOUND && n > run->acked));
        assert_int_equal(events, status == PL_OK ? 3 : 0);
        if (status == PL_OK)
            assert_int_equal(job.fence, 1);
        pl_arena_fini(&arena);
    }
    if (run->placed)
        assert_int_equal(faults_unit(&ledger, 7), PL_OK); /* and it goes on */
    ledger.ops->close(ledger.self);
}

static void disk__fails_at_every_step_in_turn__loses_nothing_that_was_acknowledged(void **state)
{
    char folder[48];
    char path[64];
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/pl_faults_XXXXXX", pl_suite_folder());
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger.db", folder);
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++) {
        unsigned refused = 0;
        unsigned n = 0;
        do {
            fault_plan.kind = (enum fault_kind)kind;
            fault_plan.struck = false;
            fault_plan.countdown = ++n;
            struct faults_run run = faults_run(path);
            fault_plan.countdown = 0;
            if (fault_plan.struck && run.opened && run.status != PL_OK) {
                refused++;
                assert_int_equal(run.status, kind == FAULT_WRITE_FULL ? PL_NO_SPACE : PL_IO_ERROR);
                if (kind == FAULT_WRITE_FULL)
                    assert_int_equal(run.afterwards, PL_OK); /* room may come back */
                if (kind == FAULT_SYNC_EIO)
                    assert_int_equal(run.afterwards, PL_IO_ERROR);
            }
            if (!fault_plan.struck)
                assert_int_equal(run.acked, 6);
            faults_check(path, &run);
            faults_remove(path);
            assert_true(n < 2000);
        } while (fault_plan.struck);
        assert_true(refused >= (kind == FAULT_SYNC_EIO ? 5 : 20));
        print_message("kind %u: %u faults, %u of them under a call\n", kind, n - 1, refused);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk__fails_at_every_step_in_turn__loses_nothing_that_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, faults_setup, NULL);
}
