/* ledger_memory_uploads: receipts of uploads and usage of a day, in memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_memory_priv.h"

#include <string.h>

#define MEMORY_FORGET 4

struct memory_usage {
    struct pl_id tenant;
    struct pl_id device; /* none: the tenant as a whole */
    int64_t day;
    struct pl_ledger_usage sum;
};

/* A receipt that was forgotten leaves an empty row behind. */
static const struct pl_ledger_receipt *memory_find_receipt(const struct memory_ledger *ledger,
                                                           const uint8_t hash[PL_SHA256_BYTES],
                                                           size_t *at)
{
    const struct memory_table *table = &ledger->tables[MEMORY_RECEIPTS];
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_receipt *row = table->rows[i];
        if (row != NULL && memcmp(row->hash, hash, PL_SHA256_BYTES) == 0) {
            *at = i;
            return row;
        }
    }
    return NULL;
}

static pl_status memory_receipt_load(void *self, const struct pl_id *tenant,
                                     const uint8_t hash[PL_SHA256_BYTES], int64_t now_ms,
                                     struct pl_ledger_receipt *out)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_receipt *row = memory_find_receipt(ledger, hash, &at);
    if (row == NULL || !pl_id_equals(&row->tenant, tenant) || row->until_ms <= now_ms)
        return PL_NOT_FOUND;
    *out = *row;
    return PL_OK;
}

static pl_status memory_forget_receipts(struct memory_ledger *ledger, int64_t now_ms)
{
    const struct memory_table *table = &ledger->tables[MEMORY_RECEIPTS];
    pl_status status = PL_OK;
    unsigned left = MEMORY_FORGET;
    for (size_t i = 0; status == PL_OK && left > 0 && i < table->count; i++) {
        const struct pl_ledger_receipt *row = table->rows[i];
        if (row == NULL || row->until_ms > now_ms)
            continue;
        status = pl_memory_put(ledger, MEMORY_RECEIPTS, i, NULL);
        left--;
    }
    return status;
}

static pl_status memory_receipt_put(void *self, const struct pl_ledger_receipt *receipt,
                                    int64_t now_ms)
{
    struct memory_ledger *ledger = self;
    size_t at = MEMORY_END;
    struct pl_ledger_receipt *row = NULL;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &receipt->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK) {
        row = pl_arena_take(&ledger->arena, sizeof *row);
        status = row == NULL ? PL_NO_MEMORY : PL_OK;
    }
    if (status == PL_OK) {
        *row = *receipt;
        (void)memory_find_receipt(ledger, receipt->hash, &at);
        status = pl_memory_put(ledger, MEMORY_RECEIPTS, at, row);
    }
    if (status == PL_OK)
        status = memory_forget_receipts(ledger, now_ms);
    return pl_memory_leave(ledger, status);
}

static const struct memory_usage *memory_find_usage(const struct memory_ledger *ledger,
                                                    const struct pl_id *tenant,
                                                    const struct pl_id *device, size_t *at)
{
    const struct memory_table *table = &ledger->tables[MEMORY_USAGE];
    for (size_t i = 0; i < table->count; i++) {
        const struct memory_usage *row = table->rows[i];
        if (pl_id_equals(&row->tenant, tenant) && pl_id_equals(&row->device, device)) {
            *at = i;
            return row;
        }
    }
    return NULL;
}

static pl_status memory_count(struct memory_ledger *ledger, const struct pl_id *tenant,
                              const struct pl_id *device, int64_t day,
                              const struct pl_ledger_usage *more)
{
    size_t at = MEMORY_END;
    const struct memory_usage *old = memory_find_usage(ledger, tenant, device, &at);
    struct memory_usage *row = pl_arena_take(&ledger->arena, sizeof *row);
    if (row == NULL)
        return PL_NO_MEMORY;
    *row = (struct memory_usage){ *tenant, *device, day, *more };
    if (old != NULL && old->day >= day) {
        row->day = old->day;
        row->sum.jobs += old->sum.jobs;
        row->sum.bytes += old->sum.bytes;
        row->sum.pages += old->sum.pages;
    }
    return pl_memory_put(ledger, MEMORY_USAGE, at, row);
}

static pl_status memory_usage_add(void *self, const struct pl_id *tenant,
                                  const struct pl_id *device, int64_t day,
                                  const struct pl_ledger_usage *more)
{
    static const struct pl_id whole = { "" };
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && !pl_memory_has_tenant(ledger, tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_count(ledger, tenant, &whole, day, more);
    if (status == PL_OK && !pl_id_is_none(device))
        status = memory_count(ledger, tenant, device, day, more);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_usage_load(void *self, const struct pl_id *tenant,
                                   const struct pl_id *device, int64_t day,
                                   struct pl_ledger_usage *out)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct memory_usage *row = memory_find_usage(ledger, tenant, device, &at);
    *out = row != NULL && row->day >= day ? row->sum : (struct pl_ledger_usage){ 0 };
    return PL_OK;
}

void pl_memory_upload_ops(struct pl_ledger_ops *ops)
{
    ops->receipt_load = memory_receipt_load;
    ops->receipt_put = memory_receipt_put;
    ops->usage_add = memory_usage_add;
    ops->usage_load = memory_usage_load;
}
