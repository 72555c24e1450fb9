/* ledger_sqlite: opening the file, units and marks, and what happens when the disk fails.
 *
 * One connection, one thread, an exclusive lock: no shared memory file, and no checkpoint ever
 * runs beside a writer. After a failed fsync the kernel may have dropped the pages and report
 * success next time, so nothing more is accepted until the file is opened anew; opening copies
 * all that the WAL shows into the database and syncs it, which writes those pages again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite.h"

#include "storage/ledger_sqlite_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQLITE_BUSY_MS 1000
/* tidy copies the WAL back past the first; past the second (nobody tidies) commit does. */
#define SQLITE_TIDY_PAGES 1000
#define SQLITE_FORCE_PAGES 8000

/* Before the first table is touched: exclusive mode must precede the WAL. secure_delete because
 * deleting a wrapped key is how an object is erased. */
static const char sqlite_settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                      "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = FULL;"
                                      "PRAGMA secure_delete = ON;"
                                      "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA temp_store = MEMORY;"
                                      "PRAGMA cache_size = -16384;"
                                      "PRAGMA journal_size_limit = 67108864;";

/* What a failed commit or checkpoint means for all that follows. */
static pl_status sqlite_disk_failed(struct pl_ledger_sqlite *ledger, int code, const char *what)
{
    int error = errno;
    pl_status status = pl_sql_status(code, error);
    if (status == PL_IO_ERROR && ledger->broken == PL_OK)
        ledger->broken = PL_IO_ERROR;
    PL_LOG(ledger->log, PL_LOG_ERROR, "ledger.disk_failed", PL_F("what", what),
           PL_F("status", pl_status_name(status)), PL_F("sqlite", sqlite3_errmsg(ledger->db)),
           PL_FN("code", code), PL_FN("errno", error));
    return status;
}

static int sqlite_on_commit(void *owner, sqlite3 *db, const char *name, int pages)
{
    struct pl_ledger_sqlite *ledger = owner;
    (void)db;
    (void)name;
    ledger->wal_pages = pages;
    return SQLITE_OK;
}

/* Copies the WAL back into the database; the next commit then starts the WAL anew. */
static void sqlite_checkpoint(struct pl_ledger_sqlite *ledger)
{
    errno = 0;
    int code = sqlite3_wal_checkpoint_v2(ledger->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK)
        (void)sqlite_disk_failed(ledger, code, "checkpoint");
    ledger->wal_pages = 0; /* the next commit says how many there are */
}

static void sqlite_tidy(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(!ledger->in_unit);
    if (ledger->broken == PL_OK && ledger->wal_pages >= SQLITE_TIDY_PAGES)
        sqlite_checkpoint(ledger);
}

static pl_status sqlite_begin(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(!ledger->in_unit);
    pl_status status = pl_sql_run(ledger, PL_SQL_BEGIN);
    if (status != PL_OK)
        return status;
    ledger->in_unit = true;
    ledger->unit_counts = ledger->counts;
    return PL_OK;
}

static void sqlite_rollback(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    if (!ledger->in_unit)
        return;
    if (!sqlite3_get_autocommit(ledger->db)) {
        sqlite3_stmt *statement = ledger->statements[PL_SQL_ROLLBACK];
        errno = 0;
        int code = sqlite3_step(statement); /* also when the ledger is broken */
        (void)sqlite3_reset(statement);
        if (code != SQLITE_DONE)
            (void)sqlite_disk_failed(ledger, code, "rollback");
    }
    ledger->counts = ledger->unit_counts;
    ledger->in_unit = ledger->marked = false;
    ledger->unit = PL_OK;
}

static pl_status sqlite_commit(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(ledger->in_unit && !ledger->marked);
    pl_status status = ledger->unit;
    if (status == PL_OK) {
        sqlite3_stmt *statement = ledger->statements[PL_SQL_COMMIT];
        errno = 0;
        int code = sqlite3_step(statement);
        if (code != SQLITE_DONE)
            status = sqlite_disk_failed(ledger, code, "commit");
        (void)sqlite3_reset(statement);
    }
    if (status != PL_OK) {
        sqlite_rollback(ledger);
        return status;
    }
    ledger->in_unit = false;
    if (ledger->wal_pages >= SQLITE_FORCE_PAGES)
        sqlite_checkpoint(ledger);
    return PL_OK;
}

static pl_status sqlite_mark(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(ledger->in_unit && !ledger->marked);
    pl_status status = pl_sql_run(ledger, PL_SQL_MARK);
    if (status != PL_OK)
        return status;
    ledger->marked = true;
    ledger->mark_counts = ledger->counts;
    return PL_OK;
}

static void sqlite_undo(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(ledger->marked);
    ledger->marked = false;
    ledger->counts = ledger->mark_counts;
    if (ledger->unit != PL_OK)
        return; /* SQLite took everything back already */
    pl_status status = pl_sql_run(ledger, PL_SQL_MARK_UNDO);
    if (status == PL_OK)
        status = pl_sql_run(ledger, PL_SQL_MARK_RELEASE);
    if (status != PL_OK && ledger->unit == PL_OK)
        ledger->unit = status;
}

static pl_status sqlite_release(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(ledger->marked);
    pl_status status = pl_sql_run(ledger, PL_SQL_MARK_RELEASE);
    if (status != PL_OK)
        sqlite_undo(ledger);
    ledger->marked = false;
    return status;
}

static void sqlite_close(void *self)
{
    struct pl_ledger_sqlite *ledger = self;
    sqlite_rollback(ledger);
    for (size_t i = 0; i < PL_SQL_COUNT; i++)
        (void)sqlite3_finalize(ledger->statements[i]);
    /* A broken one leaves its WAL as it is: the next open reads it afresh. */
    if (ledger->db != NULL && ledger->broken != PL_OK)
        (void)sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    PL_CHECK(sqlite3_close(ledger->db) == SQLITE_OK);
    free(ledger);
}

/* Makes the file's name durable. */
static pl_status sqlite_sync_folder(const char *path, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    int fd = -1;
    char *copy = strdup(path);
    if (copy == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to open the ledger");
    const char *folder = dirname(copy);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        status = pl_fault_set(fault, PL_IO_ERROR, "cannot bring folder %s to stable storage: %s",
                              folder, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    free(copy);
    return status;
}

/* SQLite gives its WAL the mode of the database, so that is set first. */
static pl_status sqlite_make_file(const char *path, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    struct stat info;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return pl_fault_set(fault, pl_status_from_errno(errno), "cannot open the ledger %s: %s",
                            path, strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a file", path);
    else if ((info.st_mode & 0777) != 0600 && fchmod(fd, 0600) != 0)
        status = pl_fault_set(fault, PL_MISCONFIGURED, "cannot make the ledger %s private: %s",
                              path, strerror(errno));
    (void)close(fd);
    return status;
}

static pl_status sqlite_open_failed(sqlite3 *db, int code, const char *path, struct pl_fault *fault)
{
    pl_status status = db == NULL ? PL_NO_MEMORY : pl_sql_status(code, errno);
    if (status == PL_BUSY)
        return pl_fault_set(fault, status,
                            "ledger %s is in use by another process: stop that one, "
                            "or give this instance a folder of its own",
                            path);
    if (code == SQLITE_NOTADB)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a ledger", path);
    return pl_fault_set(fault, status, "cannot open the ledger %s: %s", path,
                        db == NULL ? "no memory" : sqlite3_errmsg(db));
}

static int sqlite_configure(sqlite3 *db)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int code = sqlite3_busy_timeout(db, SQLITE_BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, sqlite_settings, NULL, NULL, NULL);
    return code;
}

/* Once the schema stands: what the WAL showed goes into the database, and checks are on. */
static int sqlite_prepare(struct pl_ledger_sqlite *ledger)
{
    int wal_pages = 0;
    int code =
        sqlite3_wal_checkpoint_v2(ledger->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &wal_pages, NULL);
    if (code == SQLITE_OK && wal_pages < 0) /* there is no WAL, whatever the setting said */
        code = SQLITE_CANTOPEN;
    if (code == SQLITE_OK)
        code = sqlite3_exec(ledger->db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < PL_SQL_COUNT; i++)
        code = sqlite3_prepare_v3(ledger->db, pl_sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &ledger->statements[i], NULL);
    (void)sqlite3_wal_hook(ledger->db, sqlite_on_commit, ledger);
    return code;
}

static void sqlite_fill_ops(struct pl_ledger_ops *ops)
{
    *ops = (struct pl_ledger_ops){
        .begin = sqlite_begin,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
        .mark = sqlite_mark,
        .release = sqlite_release,
        .undo = sqlite_undo,
        .tidy = sqlite_tidy,
        .close = sqlite_close,
    };
    pl_sql_place_ops(ops);
    pl_sql_job_ops(ops);
    pl_sql_upload_ops(ops);
}

pl_status pl_sql_open(const char *path, const struct pl_log *log,
                      const struct pl_sql_migration *steps, size_t count, struct pl_ledger *out,
                      struct pl_fault *fault)
{
    int code = SQLITE_OK;
    struct pl_ledger_sqlite *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to open the ledger");
    ledger->log = log;
    sqlite_fill_ops(&ledger->ops);
    pl_status status = sqlite_make_file(path, fault);
    if (status != PL_OK)
        goto done;
    errno = 0;
    code = sqlite3_open_v2(path, &ledger->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite_configure(ledger->db);
    if (code != SQLITE_OK) {
        status = sqlite_open_failed(ledger->db, code, path, fault);
        goto done;
    }
    status = pl_sql_migrate(ledger->db, path, steps, count, fault);
    if (status != PL_OK)
        goto done;
    code = sqlite_prepare(ledger);
    if (code != SQLITE_OK) {
        status = sqlite_open_failed(ledger->db, code, path, fault);
        goto done;
    }
    status = pl_sql_count_jobs(ledger);
    if (status == PL_OK)
        status = sqlite_sync_folder(path, fault);
    else
        (void)pl_fault_set(fault, status, "cannot count the jobs of ledger %s: %s", path,
                           sqlite3_errmsg(ledger->db));
    if (status != PL_OK)
        goto done;
    *out = (struct pl_ledger){ &ledger->ops, ledger };
    ledger = NULL;
done:
    if (ledger != NULL)
        sqlite_close(ledger);
    return status;
}

pl_status pl_ledger_sqlite_open(const char *path, const struct pl_log *log, struct pl_ledger *out,
                                struct pl_fault *fault)
{
    return pl_sql_open(path, log, pl_sql_migrations, pl_sql_migration_count, out, fault);
}
