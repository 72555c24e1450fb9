/* ledger_sqlite_uploads: receipts of uploads that were taken, and what was taken on a day.
 *
 * Receipts are few: as many as uploads were taken within the longest time that one is kept. Each
 * new one takes out some that are past their time, so that their number follows the load without a
 * timer. A device, and a tenant as a whole (the empty device), has one row of usage: the last
 * day's.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite_priv.h"

/* More than one, so that what a busy hour left goes away in a quiet one. */
#define UPLOADS_FORGET 4

static struct pl_span uploads_bytes(const uint8_t hash[PL_SHA256_BYTES])
{
    return (struct pl_span){ (const char *)hash, PL_SHA256_BYTES };
}

static pl_status uploads_receipt_load(void *self, const struct pl_id *tenant,
                                      const uint8_t hash[PL_SHA256_BYTES], int64_t now_ms,
                                      struct pl_ledger_receipt *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_RECEIPT_LOAD);
    pl_sql_bind_span(&query, uploads_bytes(hash));
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_number(&query, now_ms);
    if (pl_sql_step(&query)) {
        struct pl_ledger_receipt row = { 0 };
        pl_sql_take_bytes(&query, row.hash, sizeof row.hash);
        pl_sql_take_bytes(&query, row.print, sizeof row.print);
        pl_sql_take_id(&query, &row.tenant);
        pl_sql_take_id(&query, &row.job);
        row.until_ms = pl_sql_take_number(&query, INT64_MAX);
        if (query.status == PL_OK)
            *out = row;
    } else if (query.status == PL_OK) {
        query.status = PL_NOT_FOUND;
    }
    return pl_sql_end(&query);
}

/* The row first: a failure to forget is one of the disk, and takes the whole unit with it. */
static pl_status uploads_receipt_put(void *self, const struct pl_ledger_receipt *receipt,
                                     int64_t now_ms)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_RECEIPT_PUT);
    pl_sql_bind_span(&query, uploads_bytes(receipt->hash));
    pl_sql_bind_span(&query, uploads_bytes(receipt->print));
    pl_sql_bind_text(&query, receipt->tenant.text);
    pl_sql_bind_text(&query, receipt->job.text);
    pl_sql_bind_number(&query, receipt->until_ms);
    pl_status status = pl_sql_finish(&query);
    if (status != PL_OK)
        return status;
    query = pl_sql_start(self, PL_SQL_RECEIPT_FORGET);
    pl_sql_bind_number(&query, now_ms);
    pl_sql_bind_number(&query, UPLOADS_FORGET);
    return pl_sql_finish(&query);
}

static pl_status uploads_count(void *self, const struct pl_id *tenant, const char *device,
                               int64_t day, const struct pl_ledger_usage *more)
{
    PL_CHECK(more->jobs <= INT64_MAX && more->bytes <= INT64_MAX && more->pages <= INT64_MAX);
    struct pl_sql query = pl_sql_start(self, PL_SQL_USAGE_ADD);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, device);
    pl_sql_bind_number(&query, day);
    pl_sql_bind_number(&query, (int64_t)more->jobs);
    pl_sql_bind_number(&query, (int64_t)more->bytes);
    pl_sql_bind_number(&query, (int64_t)more->pages);
    return pl_sql_finish(&query);
}

static pl_status uploads_usage_add(void *self, const struct pl_id *tenant,
                                   const struct pl_id *device, int64_t day,
                                   const struct pl_ledger_usage *more)
{
    pl_status status = uploads_count(self, tenant, "", day, more);
    if (status == PL_OK && !pl_id_is_none(device))
        status = uploads_count(self, tenant, device->text, day, more);
    return status;
}

static pl_status uploads_usage_load(void *self, const struct pl_id *tenant,
                                    const struct pl_id *device, int64_t day,
                                    struct pl_ledger_usage *out)
{
    struct pl_ledger_usage row = { 0 };
    struct pl_sql query = pl_sql_start(self, PL_SQL_USAGE_LOAD);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, device->text);
    pl_sql_bind_number(&query, day);
    if (pl_sql_step(&query)) {
        row.jobs = (uint64_t)pl_sql_take_number(&query, INT64_MAX);
        row.bytes = (uint64_t)pl_sql_take_number(&query, INT64_MAX);
        row.pages = (uint64_t)pl_sql_take_number(&query, INT64_MAX);
    }
    pl_status status = pl_sql_end(&query);
    if (status == PL_OK)
        *out = row;
    return status;
}

void pl_sql_upload_ops(struct pl_ledger_ops *ops)
{
    ops->receipt_load = uploads_receipt_load;
    ops->receipt_put = uploads_receipt_put;
    ops->usage_add = uploads_usage_add;
    ops->usage_load = uploads_usage_load;
}
