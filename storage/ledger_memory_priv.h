/* ledger_memory_priv: the tables of the ledger in memory, for its own three files.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_LEDGER_MEMORY_PRIV_H
#define PL_STORAGE_LEDGER_MEMORY_PRIV_H

#include "engine/core/ledger.h"

/* As an index: behind the last row. */
#define MEMORY_END SIZE_MAX

enum memory_table_name {
    MEMORY_TENANTS,
    MEMORY_DEVICES,
    MEMORY_TOKENS,
    MEMORY_DROPS,
    MEMORY_PIPELINES,
    MEMORY_JOBS,
    MEMORY_DOCUMENTS,
    MEMORY_EVENTS,
    MEMORY_RECEIPTS,
    MEMORY_USAGE,
    MEMORY_TABLE_COUNT
};

struct memory_table {
    const void **rows;
    size_t count;
    size_t capacity;
};

/* What stood at rows[index] before; NULL: the row was appended. */
struct memory_undo {
    enum memory_table_name table;
    size_t index;
    const void *old;
};

struct memory_ledger {
    struct pl_ledger_ops ops;
    struct pl_arena arena;
    struct memory_table tables[MEMORY_TABLE_COUNT];
    struct memory_undo *undos;
    size_t undo_count;
    size_t undo_capacity;
    size_t call; /* undo_count when the call began */
    size_t mark; /* and when the mark was set */
    bool in_unit;
    bool marked;
    uint64_t fail_in;
    pl_status fail_status;
};

/* Every counted call starts here: the status that fail_at chose, or PL_OK. */
pl_status pl_memory_enter(struct memory_ledger *ledger) PL_MUST_USE;
/* Every call that writes ends here: takes back what a failed one did. */
pl_status pl_memory_leave(struct memory_ledger *ledger, pl_status status) PL_MUST_USE;
/* Puts a row at `index`, or at the end, and remembers how to take it back. */
pl_status pl_memory_put(struct memory_ledger *ledger, enum memory_table_name name, size_t index,
                        const void *row) PL_MUST_USE;
bool pl_memory_has_tenant(const struct memory_ledger *ledger, const struct pl_id *id);

/* Copies a row into the arena and appends it, or puts it in the place of an older version. */
#define MEMORY_KEEPER(kind, name)                                                                  \
    static pl_status memory_keep_##kind(struct memory_ledger *ledger, size_t at,                   \
                                        const struct pl_ledger_##kind *from)                       \
    {                                                                                              \
        struct pl_ledger_##kind *row = pl_arena_take(&ledger->arena, sizeof *row);                 \
        if (row == NULL || pl_ledger_##kind##_copy(from, &ledger->arena, row) != PL_OK)            \
            return PL_NO_MEMORY;                                                                   \
        return pl_memory_put(ledger, name, at, row);                                               \
    }

/* ledger_memory_jobs.c: the half of the ops about jobs and documents. */
void pl_memory_job_ops(struct pl_ledger_ops *ops);
/* ledger_memory_uploads.c: receipts and usage. */
void pl_memory_upload_ops(struct pl_ledger_ops *ops);

#endif
