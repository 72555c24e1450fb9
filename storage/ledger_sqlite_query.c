/* ledger_sqlite_query: prepared statements: bind, step, read, and what SQLite's answers mean.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite_priv.h"

#include <errno.h>
#include <string.h>

const char *const pl_sql_texts[PL_SQL_COUNT] = {
#define TEXT(row, text) text,
    PL_SQL_STATEMENTS(TEXT)
#undef TEXT
};

static pl_status sql_constraint_status(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
        return PL_CONFLICT;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return PL_NOT_FOUND;
    default:
        return PL_IO_ERROR; /* a row that no code of ours writes: the file is damaged */
    }
}

static pl_status sql_disk_status(int code, int error)
{
    if (code == SQLITE_IOERR_NOMEM)
        return PL_NO_MEMORY;
    /* Once an fsync has failed it is unknown what is on the disk, whatever the errno says. */
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        return PL_IO_ERROR;
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? PL_NO_SPACE : PL_IO_ERROR;
}

pl_status pl_sql_status(int code, int error)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return PL_OK;
    case SQLITE_NOMEM:
        return PL_NO_MEMORY;
    case SQLITE_FULL:
        return PL_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return PL_BUSY;
    case SQLITE_TOOBIG:
        return PL_TOO_LARGE;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return PL_MISCONFIGURED;
    case SQLITE_CONSTRAINT:
        return sql_constraint_status(code);
    case SQLITE_IOERR:
        return sql_disk_status(code, error);
    default:
        return PL_IO_ERROR;
    }
}

/* Keeps the first error of a query, logs what nobody expects, and notices when SQLite has rolled
 * the whole unit back by itself, as it does on some disk errors. */
static void sql_fail(struct pl_sql *query, int code)
{
    struct pl_ledger_sqlite *ledger = query->ledger;
    int error = errno;
    pl_status status = pl_sql_status(code, error);
    if (query->status == PL_OK)
        query->status = status;
    if (status == PL_CONFLICT || status == PL_NOT_FOUND)
        return;
    PL_LOG(ledger->log, PL_LOG_ERROR, "ledger.failed", PL_F("status", pl_status_name(status)),
           PL_F("sqlite", sqlite3_errmsg(ledger->db)), PL_FN("code", code), PL_FN("errno", error));
    if (ledger->in_unit && sqlite3_get_autocommit(ledger->db) && ledger->unit == PL_OK)
        ledger->unit = status;
}

struct pl_sql pl_sql_start(struct pl_ledger_sqlite *ledger, enum pl_sql_statement which)
{
    struct pl_sql query = { .ledger = ledger, .statement = ledger->statements[which] };
    PL_CHECK(!sqlite3_stmt_busy(query.statement));
    query.status = ledger->broken != PL_OK ? ledger->broken : ledger->unit;
    return query;
}

static void sql_bound(struct pl_sql *query, int code)
{
    if (code != SQLITE_OK)
        sql_fail(query, code);
}

void pl_sql_bind_text(struct pl_sql *query, const char *text)
{
    sql_bound(query, sqlite3_bind_text(query->statement, ++query->bound, text == NULL ? "" : text,
                                       -1, SQLITE_STATIC));
}

void pl_sql_bind_span(struct pl_sql *query, struct pl_span span)
{
    const char *data = span.data == NULL ? "" : span.data;
    sql_bound(query, sqlite3_bind_blob64(query->statement, ++query->bound, data, span.size,
                                         SQLITE_STATIC));
}

void pl_sql_bind_number(struct pl_sql *query, int64_t number)
{
    sql_bound(query, sqlite3_bind_int64(query->statement, ++query->bound, number));
}

bool pl_sql_step(struct pl_sql *query)
{
    if (query->status != PL_OK)
        return false;
    query->column = 0;
    errno = 0;
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        sql_fail(query, code);
    return false;
}

/* The next column, which must be of this type. */
static int sql_column(struct pl_sql *query, int type)
{
    int column = query->column++;
    if (sqlite3_column_type(query->statement, column) != type && query->status == PL_OK)
        query->status = PL_IO_ERROR;
    return column;
}

const char *pl_sql_take_text(struct pl_sql *query)
{
    int column = sql_column(query, SQLITE_TEXT);
    const unsigned char *text = sqlite3_column_text(query->statement, column);
    if (text == NULL && query->status == PL_OK)
        query->status = PL_NO_MEMORY;
    return text == NULL ? "" : (const char *)text;
}

struct pl_span pl_sql_take_span(struct pl_sql *query)
{
    int column = sql_column(query, SQLITE_BLOB);
    const char *data = sqlite3_column_blob(query->statement, column);
    size_t size = (size_t)sqlite3_column_bytes(query->statement, column);
    if (data == NULL) /* an empty blob, or no memory: the size tells */
        return (struct pl_span){ "", 0 };
    return (struct pl_span){ data, size };
}

void pl_sql_take_bytes(struct pl_sql *query, uint8_t *out, size_t size)
{
    struct pl_span span = pl_sql_take_span(query);
    if (span.size == size)
        memcpy(out, span.data, size);
    else if (query->status == PL_OK)
        query->status = PL_IO_ERROR;
}

void pl_sql_take_id(struct pl_sql *query, struct pl_id *out)
{
    struct pl_span text = pl_span_from(pl_sql_take_text(query));
    if (!pl_text_copy(out->text, sizeof out->text, text) && query->status == PL_OK)
        query->status = PL_IO_ERROR;
}

int64_t pl_sql_take_number(struct pl_sql *query, int64_t max)
{
    int64_t number = sqlite3_column_int64(query->statement, sql_column(query, SQLITE_INTEGER));
    if (number >= 0 && number <= max)
        return number;
    if (query->status == PL_OK)
        query->status = PL_IO_ERROR;
    return 0;
}

enum pl_job_state pl_sql_take_state(struct pl_sql *query)
{
    enum pl_job_state state = PL_JOB_ACCEPTED;
    if (!pl_job_state_parse(pl_sql_take_text(query), &state) && query->status == PL_OK)
        query->status = PL_IO_ERROR;
    return state;
}

pl_status pl_sql_take_status(struct pl_sql *query)
{
    pl_status status = PL_OK;
    if (!pl_status_parse(pl_sql_take_text(query), &status) && query->status == PL_OK)
        query->status = PL_IO_ERROR;
    return status;
}

enum pl_job_action pl_sql_take_action(struct pl_sql *query)
{
    enum pl_job_action action = PL_JOB_ACTION_NONE;
    if (!pl_job_action_parse(pl_sql_take_text(query), &action) && query->status == PL_OK)
        query->status = PL_IO_ERROR;
    return action;
}

pl_status pl_sql_end(struct pl_sql *query)
{
    (void)sqlite3_reset(query->statement); /* repeats what step said */
    (void)sqlite3_clear_bindings(query->statement);
    return query->status;
}

pl_status pl_sql_finish(struct pl_sql *query)
{
    PL_CHECK(!pl_sql_step(query));
    return pl_sql_end(query);
}

pl_status pl_sql_run(struct pl_ledger_sqlite *ledger, enum pl_sql_statement which)
{
    struct pl_sql query = pl_sql_start(ledger, which);
    return pl_sql_finish(&query);
}
