/* ledger_sqlite_priv: what the files of the SQLite ledger share: statements, binding, reading.
 *
 * A query is started, bound in the order of its question marks, stepped and ended; the first
 * error of a query sticks to it, so that only the end needs to be asked.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_LEDGER_SQLITE_PRIV_H
#define PL_STORAGE_LEDGER_SQLITE_PRIV_H

#include "engine/base/log.h"
#include "engine/core/ledger.h"

#include <sqlite3.h>

#define PL_SQL_JOB_COLUMNS                                                                         \
    "id, tenant, device, drop_name, pipeline, pipeline_version, state, attempts, fence, "          \
    "lease_until_ms, received_ms, finished_ms, bytes, sha256, name_sealed, "                       \
    "original_key_wrapped, result_key_wrapped, error, reason_sealed, report_sealed, holder, "      \
    "revision"
/* Word for word the condition of the partial index job_open, or it would not be used. */
#define PL_SQL_IS_OPEN "state NOT IN ('done', 'cancelled', 'dead', 'erased')"
/* Likewise, of job_live: what a person may still ask something of. */
#define PL_SQL_IS_LIVE "state NOT IN ('done', 'cancelled', 'erased')"

/* clang-format off */
#define PL_SQL_STATEMENTS(X)                                                                       \
    X(BEGIN,    "BEGIN")                                                                           \
    X(COMMIT,   "COMMIT")                                                                          \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(MARK,         "SAVEPOINT mark")                                                              \
    X(MARK_RELEASE, "RELEASE mark")                                                                \
    X(MARK_UNDO,    "ROLLBACK TO mark")                                                            \
    X(STEP,         "SAVEPOINT step")                                                              \
    X(STEP_RELEASE, "RELEASE step")                                                                \
    X(STEP_UNDO,    "ROLLBACK TO step")                                                            \
    X(TENANT_ADD,                                                                                  \
      "INSERT INTO tenant (id, key_version, key_wrapped, name_sealed, created_ms) "                \
      "VALUES (?, ?, ?, ?, ?)")                                                                    \
    X(TENANT_EACH,                                                                                 \
      "SELECT id, key_version, key_wrapped, name_sealed, created_ms FROM tenant ORDER BY id")      \
    X(DEVICE_ADD,                                                                                  \
      "INSERT INTO device (id, tenant, login_hash, secret_sealed, created_ms) "                    \
      "VALUES (?, ?, ?, ?, ?)")                                                                    \
    X(DEVICE_BY_LOGIN,                                                                             \
      "SELECT id, tenant, login_hash, secret_sealed, created_ms FROM device WHERE login_hash = ?") \
    X(DEVICE_LOAD,                                                                                 \
      "SELECT id, tenant, login_hash, secret_sealed, created_ms FROM device "                      \
      "WHERE id = ? AND tenant = ?")                                                               \
    X(TOKEN_ADD,                                                                                   \
      "INSERT INTO token (id, tenant, token_hash, role, created_ms) VALUES (?, ?, ?, ?, ?)")       \
    X(TOKEN_BY_HASH,                                                                               \
      "SELECT id, tenant, token_hash, role, created_ms FROM token WHERE token_hash = ?")           \
    X(DROP_ADD,                                                                                    \
      "INSERT INTO drop_box (tenant, name, pipeline, duplicates_ms) VALUES (?, ?, ?, ?)")          \
    X(DROP_LOAD,                                                                                   \
      "SELECT tenant, name, pipeline, duplicates_ms FROM drop_box "                                \
      "WHERE tenant = ? AND name = ?")                                                             \
    X(PIPELINE_ADD,                                                                                \
      "INSERT INTO pipeline (tenant, name, version, definition) VALUES (?, ?, ?, ?)")              \
    X(PIPELINE_LOAD,                                                                               \
      "SELECT tenant, name, version, definition FROM pipeline "                                    \
      "WHERE tenant = ? AND name = ? AND version = ?")                                             \
    X(PIPELINE_NEWEST,                                                                             \
      "SELECT tenant, name, version, definition FROM pipeline "                                    \
      "WHERE tenant = ? AND name = ? ORDER BY version DESC LIMIT 1")                               \
    X(JOB_ADD,                                                                                     \
      "INSERT INTO job (" PL_SQL_JOB_COLUMNS ") "                                                  \
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                 \
    X(JOB_BY_ID, "SELECT " PL_SQL_JOB_COLUMNS " FROM job WHERE id = ?")                            \
    X(JOB_LOAD, "SELECT " PL_SQL_JOB_COLUMNS " FROM job WHERE id = ? AND tenant = ?")              \
    X(JOB_WRITE,                                                                                   \
      "UPDATE job SET state = ?, attempts = ?, fence = ?, lease_until_ms = ?, finished_ms = ?, "   \
      "error = ?, reason_sealed = ?, report_sealed = ?, holder = ?, revision = ? WHERE id = ?")    \
    X(JOB_LIST,                                                                                    \
      "SELECT " PL_SQL_JOB_COLUMNS " FROM job "                                                    \
      "WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?")                                      \
    X(JOB_LIST_STATE,                                                                              \
      "SELECT " PL_SQL_JOB_COLUMNS " FROM job WHERE tenant = ? AND state = ? AND id > ? "          \
      "AND " PL_SQL_IS_LIVE " ORDER BY id LIMIT ?")                                                \
    X(JOB_EACH_OPEN,                                                                               \
      "SELECT " PL_SQL_JOB_COLUMNS " FROM job WHERE " PL_SQL_IS_OPEN " ORDER BY id")               \
    X(JOB_COUNT, "SELECT state, count(*) FROM job GROUP BY state")                                 \
    X(EVENT_ADD,                                                                                   \
      "INSERT INTO event (job, seq, at_ms, state, attempt, error, action, by_token, note_sealed) " \
      "VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE job = ?1), ?2, ?3, ?4, ?5, " \
      "?6, ?7, ?8)")                                                                               \
    X(EVENT_EACH,                                                                                  \
      "SELECT job, at_ms, state, attempt, error, action, by_token, note_sealed FROM event "        \
      "WHERE job = ? ORDER BY seq")                                                                \
    X(DOCUMENT_PUT,                                                                                \
      "INSERT OR REPLACE INTO document (job, n, name_sealed, type, bytes, pages, sha256, "         \
      "object_key, page_ledger_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                        \
    X(DOCUMENT_LOAD,                                                                               \
      "SELECT job, n, name_sealed, type, bytes, pages, sha256, object_key, page_ledger_sealed "    \
      "FROM document WHERE job = ? AND n = ?")                                                     \
    X(DOCUMENT_EACH,                                                                               \
      "SELECT job, n, name_sealed, type, bytes, pages, sha256, object_key, page_ledger_sealed "    \
      "FROM document WHERE job = ? ORDER BY n LIMIT ?")                                            \
    X(DOCUMENT_TRIM, "DELETE FROM document WHERE job = ? AND n > ?")                               \
    X(RECEIPT_LOAD,                                                                                \
      "SELECT hash, print, tenant, job, until_ms FROM receipt "                                    \
      "WHERE hash = ? AND tenant = ? AND until_ms > ?")                                            \
    X(RECEIPT_PUT,                                                                                 \
      "INSERT OR REPLACE INTO receipt (hash, print, tenant, job, until_ms) "                       \
      "VALUES (?, ?, ?, ?, ?)")                                                                    \
    X(RECEIPT_FORGET,                                                                              \
      "DELETE FROM receipt WHERE hash IN "                                                         \
      "(SELECT hash FROM receipt WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)")                  \
    X(USAGE_ADD,                                                                                   \
      "INSERT INTO usage (tenant, device, day, jobs, bytes, pages) VALUES (?, ?, ?, ?, ?, ?) "     \
      "ON CONFLICT DO UPDATE SET "                                                                 \
      "jobs = excluded.jobs + iif(excluded.day > day, 0, jobs), "                                  \
      "bytes = excluded.bytes + iif(excluded.day > day, 0, bytes), "                               \
      "pages = excluded.pages + iif(excluded.day > day, 0, pages), day = max(day, excluded.day)")  \
    X(USAGE_LOAD,                                                                                  \
      "SELECT jobs, bytes, pages FROM usage WHERE tenant = ? AND device = ? AND day >= ?")
/* clang-format on */

#define PL_SQL_ENUM(row, text) PL_SQL_##row,
enum pl_sql_statement { PL_SQL_STATEMENTS(PL_SQL_ENUM) PL_SQL_COUNT };
#undef PL_SQL_ENUM

/* The texts, in the order of the enum. */
extern const char *const pl_sql_texts[PL_SQL_COUNT];

struct pl_sql_counts {
    uint64_t jobs[PL_JOB_STATE_COUNT];
};

struct pl_ledger_sqlite {
    struct pl_ledger_ops ops;
    sqlite3 *db;
    const struct pl_log *log;
    sqlite3_stmt *statements[PL_SQL_COUNT];
    int wal_pages; /* in the WAL as of the last commit, less what was copied back */
    bool in_unit;
    bool marked;
    pl_status unit;   /* not PL_OK: SQLite gave the unit up; commit answers this */
    pl_status broken; /* not PL_OK: nothing more is accepted */
    /* Jobs per state, kept in memory because nobody else writes; and as they were when the unit and
     * the mark began. */
    struct pl_sql_counts counts;
    struct pl_sql_counts unit_counts;
    struct pl_sql_counts mark_counts;
};

/* One step of the schema: SQL that brings version n to n + 1. Published steps never change. */
struct pl_sql_migration {
    const char *sql;
};
extern const struct pl_sql_migration pl_sql_migrations[];
extern const size_t pl_sql_migration_count;

/* Brings a fresh or older database forward, one transaction a step. */
pl_status pl_sql_migrate(sqlite3 *db, const char *path, const struct pl_sql_migration *steps,
                         size_t count, struct pl_fault *fault) PL_MUST_USE;
/* pl_ledger_sqlite_open with another schema; for tests of migration. */
pl_status pl_sql_open(const char *path, const struct pl_log *log,
                      const struct pl_sql_migration *steps, size_t count, struct pl_ledger *out,
                      struct pl_fault *fault) PL_MUST_USE;

/* The status that an extended result code stands for; `error` is the errno that the call left, 0 if
 * it was 0 before: SQLite forgets its own on a commit that fails. */
pl_status pl_sql_status(int code, int error);

struct pl_sql {
    struct pl_ledger_sqlite *ledger;
    sqlite3_stmt *statement;
    int bound;
    int column;
    pl_status status;
};

/* A statement that is being read further up the stack must not be started again (PL_CHECK). */
struct pl_sql pl_sql_start(struct pl_ledger_sqlite *ledger, enum pl_sql_statement which);
/* What is bound must live until the end. NULL is bound as empty. */
void pl_sql_bind_text(struct pl_sql *query, const char *text);
void pl_sql_bind_span(struct pl_sql *query, struct pl_span span);
void pl_sql_bind_number(struct pl_sql *query, int64_t number);
/* True while there is a row. */
bool pl_sql_step(struct pl_sql *query);
/* Columns in their order. What they point at lives until the next step. A value that cannot be
 * what we wrote makes the query's status PL_IO_ERROR. */
const char *pl_sql_take_text(struct pl_sql *query);
struct pl_span pl_sql_take_span(struct pl_sql *query);
void pl_sql_take_bytes(struct pl_sql *query, uint8_t *out, size_t size);
void pl_sql_take_id(struct pl_sql *query, struct pl_id *out);
int64_t pl_sql_take_number(struct pl_sql *query, int64_t max);
enum pl_job_state pl_sql_take_state(struct pl_sql *query);
pl_status pl_sql_take_status(struct pl_sql *query);
enum pl_job_action pl_sql_take_action(struct pl_sql *query);
/* Lets go of the statement; what became of the query. */
pl_status pl_sql_end(struct pl_sql *query) PL_MUST_USE;
/* Steps a statement without rows to its end. */
pl_status pl_sql_finish(struct pl_sql *query) PL_MUST_USE;
/* A statement with nothing to bind. */
pl_status pl_sql_run(struct pl_ledger_sqlite *ledger, enum pl_sql_statement which) PL_MUST_USE;

/* The three parts of the ops. */
void pl_sql_place_ops(struct pl_ledger_ops *ops);
void pl_sql_job_ops(struct pl_ledger_ops *ops);
void pl_sql_upload_ops(struct pl_ledger_ops *ops);
pl_status pl_sql_count_jobs(struct pl_ledger_sqlite *ledger) PL_MUST_USE;

#endif
