/* ledger_sqlite_schema: the tables, as a list of steps that each bring an older file forward.
 *
 * A step that was released is never edited: a change of the schema is one more step at the end.
 * PRAGMA user_version counts the steps that a file has seen; application_id says that it is ours.
 * Jobs and what belongs to them are clustered by ids that grow with time, so that new rows land
 * on few pages.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite_priv.h"

#include <errno.h>

#define SCHEMA_APPLICATION_ID 0x504C544E /* "PLTN" */

const struct pl_sql_migration pl_sql_migrations[] = {
    { "CREATE TABLE tenant ("
      " id TEXT NOT NULL PRIMARY KEY, key_version INTEGER NOT NULL, key_wrapped BLOB NOT NULL,"
      " name_sealed BLOB NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE TABLE device ("
      " id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant (id),"
      " login_hash BLOB NOT NULL UNIQUE, secret_sealed BLOB NOT NULL,"
      " created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE INDEX device_tenant ON device (tenant);"
      "CREATE TABLE token ("
      " id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant (id),"
      " token_hash BLOB NOT NULL UNIQUE, role TEXT NOT NULL,"
      " created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE INDEX token_tenant ON token (tenant);"
      "CREATE TABLE drop_box ("
      " tenant TEXT NOT NULL REFERENCES tenant (id), name TEXT NOT NULL, pipeline TEXT NOT NULL,"
      " PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE pipeline ("
      " tenant TEXT NOT NULL REFERENCES tenant (id), name TEXT NOT NULL, version INTEGER NOT NULL,"
      " definition TEXT NOT NULL, PRIMARY KEY (tenant, name, version)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE job ("
      " id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant (id),"
      " device TEXT NOT NULL, drop_name TEXT NOT NULL, pipeline TEXT NOT NULL,"
      " pipeline_version INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,"
      " fence INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,"
      " finished_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL,"
      " name_sealed BLOB NOT NULL, original_key_wrapped BLOB NOT NULL,"
      " result_key_wrapped BLOB NOT NULL, error TEXT NOT NULL, reason_sealed BLOB NOT NULL"
      ") STRICT, WITHOUT ROWID;"
      "CREATE INDEX job_tenant ON job (tenant, id DESC);"
      "CREATE INDEX job_open ON job (id)"
      " WHERE state NOT IN ('done', 'cancelled', 'dead', 'erased');"
      "CREATE TABLE event ("
      " job TEXT NOT NULL REFERENCES job (id), seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
      " state TEXT NOT NULL, attempt INTEGER NOT NULL, error TEXT NOT NULL,"
      " PRIMARY KEY (job, seq)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE document ("
      " job TEXT NOT NULL REFERENCES job (id), n INTEGER NOT NULL, name_sealed BLOB NOT NULL,"
      " type TEXT NOT NULL, bytes INTEGER NOT NULL, pages INTEGER NOT NULL, sha256 BLOB NOT NULL,"
      " object_key TEXT NOT NULL, page_ledger_sealed BLOB NOT NULL,"
      " PRIMARY KEY (job, n)) STRICT, WITHOUT ROWID;" },
    { "ALTER TABLE job ADD COLUMN report_sealed BLOB NOT NULL DEFAULT x'';" },
    { "ALTER TABLE job ADD COLUMN holder INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE job ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE event ADD COLUMN action TEXT NOT NULL DEFAULT 'none';"
      "ALTER TABLE event ADD COLUMN by_token TEXT NOT NULL DEFAULT '';"
      "ALTER TABLE event ADD COLUMN note_sealed BLOB NOT NULL DEFAULT x'';"
      "CREATE INDEX job_live ON job (tenant, state, id)"
      " WHERE state NOT IN ('done', 'cancelled', 'erased');" },
    { "ALTER TABLE drop_box ADD COLUMN duplicates_ms INTEGER NOT NULL DEFAULT 9223372036854775807;"
      "CREATE TABLE receipt ("
      " hash BLOB NOT NULL PRIMARY KEY, print BLOB NOT NULL,"
      " tenant TEXT NOT NULL REFERENCES tenant (id), job TEXT NOT NULL,"
      " until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE INDEX receipt_until ON receipt (until_ms);"
      "CREATE TABLE usage ("
      " tenant TEXT NOT NULL REFERENCES tenant (id), device TEXT NOT NULL, day INTEGER NOT NULL,"
      " jobs INTEGER NOT NULL, bytes INTEGER NOT NULL, pages INTEGER NOT NULL,"
      " PRIMARY KEY (tenant, device)) STRICT, WITHOUT ROWID;" },
};
const size_t pl_sql_migration_count = PL_COUNT_OF(pl_sql_migrations);

/* The number that a query of one row and column answers; -1 and *code when it fails. */
static int64_t schema_ask(sqlite3 *db, const char *sql, int *code)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    *code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (*code == SQLITE_OK) {
        *code = sqlite3_step(statement);
        if (*code == SQLITE_ROW) {
            number = sqlite3_column_int64(statement, 0);
            *code = SQLITE_OK;
        } else if (*code == SQLITE_DONE) {
            number = 0;
            *code = SQLITE_OK;
        }
    }
    (void)sqlite3_finalize(statement);
    return number;
}

static pl_status schema_failed(sqlite3 *db, const char *path, int code, struct pl_fault *fault)
{
    return pl_fault_set(fault, pl_sql_status(code, errno),
                        "ledger %s cannot be read or brought up to "
                        "date: %s",
                        path, sqlite3_errmsg(db));
}

/* What the file is: *version 0 for an empty one. */
static pl_status schema_identify(sqlite3 *db, const char *path, size_t known, size_t *version,
                                 struct pl_fault *fault)
{
    int code = SQLITE_OK;
    int64_t tables = schema_ask(db, "SELECT count(*) FROM sqlite_schema", &code);
    int64_t id = code != SQLITE_OK ? 0 : schema_ask(db, "PRAGMA application_id", &code);
    int64_t seen = code != SQLITE_OK ? 0 : schema_ask(db, "PRAGMA user_version", &code);
    if (code == SQLITE_NOTADB)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a ledger", path);
    if (code != SQLITE_OK)
        return schema_failed(db, path, code, fault);
    bool is_fresh = tables == 0 && seen == 0;
    if (!is_fresh && (id != SCHEMA_APPLICATION_ID || seen < 1))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s is the database of something else, not a "
                            "ledger",
                            path);
    if (seen > (int64_t)known)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "ledger %s was written by a newer Platen "
                            "(schema %lld, this one knows %zu): start that version, or restore a "
                            "backup made by this one",
                            path, (long long)seen, known);
    *version = (size_t)seen;
    return PL_OK;
}

static int schema_run_step(sqlite3 *db, const char *sql, size_t version)
{
    char mark[96];
    PL_CHECK(pl_text_format(mark, sizeof mark,
                            "PRAGMA application_id = %d; PRAGMA user_version = %zu",
                            SCHEMA_APPLICATION_ID, version));
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, mark, NULL, NULL, NULL);
    if (code == SQLITE_OK &&
        schema_ask(db, "SELECT count(*) FROM pragma_foreign_key_check", &code) > 0)
        code = SQLITE_CONSTRAINT_FOREIGNKEY;
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return code;
}

pl_status pl_sql_migrate(sqlite3 *db, const char *path, const struct pl_sql_migration *steps,
                         size_t count, struct pl_fault *fault)
{
    size_t version = 0;
    pl_status status = schema_identify(db, path, count, &version, fault);
    for (; status == PL_OK && version < count; version++) {
        int code = schema_run_step(db, steps[version].sql, version + 1);
        if (code == SQLITE_OK)
            continue;
        status = schema_failed(db, path, code, fault);
        if (!sqlite3_get_autocommit(db))
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}
