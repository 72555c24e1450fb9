/* ledger_memory: tables of rows that never change, and a log of what to put back.
 *
 * A change of a row is a new row in its place, so undoing is a walk back through the log of
 * replaced pointers. All rows live in one arena.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_memory.h"

#include "storage/ledger_memory_priv.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_LIMIT_BYTES ((size_t)1 << 30)

/* Every counted call starts here. */
pl_status pl_memory_enter(struct memory_ledger *ledger)
{
    ledger->call = ledger->undo_count;
    if (ledger->fail_in == 0 || --ledger->fail_in != 0)
        return PL_OK;
    return ledger->fail_status;
}

static pl_status memory_grow(void **data, size_t count, size_t *capacity, size_t item)
{
    if (count < *capacity)
        return PL_OK;
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    size_t bytes = 0;
    if (!pl_size_mul(wanted, item, &bytes))
        return PL_NO_MEMORY;
    void *grown = realloc(*data, bytes);
    if (grown == NULL)
        return PL_NO_MEMORY;
    *data = grown;
    *capacity = wanted;
    return PL_OK;
}

/* Puts a row at `index`, or at the end (MEMORY_END), and remembers how to take it back. */
pl_status pl_memory_put(struct memory_ledger *ledger, enum memory_table_name name, size_t index,
                        const void *row)
{
    struct memory_table *table = &ledger->tables[name];
    void *rows = (void *)table->rows;
    void *undos = ledger->undos;
    pl_status status = memory_grow(&rows, table->count, &table->capacity, sizeof *table->rows);
    table->rows = rows;
    if (status == PL_OK)
        status =
            memory_grow(&undos, ledger->undo_count, &ledger->undo_capacity, sizeof *ledger->undos);
    ledger->undos = undos;
    if (status != PL_OK)
        return status;
    const void *old = index < table->count ? table->rows[index] : NULL;
    if (old == NULL)
        index = table->count++;
    ledger->undos[ledger->undo_count++] = (struct memory_undo){ name, index, old };
    table->rows[index] = row;
    return PL_OK;
}

static void memory_undo_to(struct memory_ledger *ledger, size_t mark)
{
    while (ledger->undo_count > mark) {
        const struct memory_undo *undo = &ledger->undos[--ledger->undo_count];
        struct memory_table *table = &ledger->tables[undo->table];
        if (undo->old != NULL)
            table->rows[undo->index] = undo->old;
        else
            table->count--;
    }
}

/* Every call that writes ends here. Outside a unit nothing can be taken back later. */
pl_status pl_memory_leave(struct memory_ledger *ledger, pl_status status)
{
    if (status != PL_OK)
        memory_undo_to(ledger, ledger->call);
    else if (!ledger->in_unit)
        ledger->undo_count = 0;
    return status;
}

static pl_status memory_begin(void *self)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(!ledger->in_unit);
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK)
        ledger->in_unit = true;
    return status;
}

static void memory_rollback(void *self)
{
    struct memory_ledger *ledger = self;
    memory_undo_to(ledger, 0);
    ledger->in_unit = ledger->marked = false;
}

static pl_status memory_commit(void *self)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(ledger->in_unit && !ledger->marked);
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        memory_rollback(ledger);
    ledger->undo_count = 0;
    ledger->in_unit = false;
    return status;
}

static pl_status memory_mark(void *self)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(ledger->in_unit && !ledger->marked);
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK) {
        ledger->marked = true;
        ledger->mark = ledger->undo_count;
    }
    return status;
}

static pl_status memory_release(void *self)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(ledger->marked);
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        memory_undo_to(ledger, ledger->mark);
    ledger->marked = false;
    return status;
}

static void memory_undo(void *self)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(ledger->marked);
    memory_undo_to(ledger, ledger->mark);
    ledger->marked = false;
}

static void memory_tidy(void *self)
{
    (void)self;
}

MEMORY_KEEPER(tenant, MEMORY_TENANTS)
MEMORY_KEEPER(device, MEMORY_DEVICES)
MEMORY_KEEPER(token, MEMORY_TOKENS)
MEMORY_KEEPER(drop, MEMORY_DROPS)
MEMORY_KEEPER(pipeline, MEMORY_PIPELINES)

bool pl_memory_has_tenant(const struct memory_ledger *ledger, const struct pl_id *id)
{
    const struct memory_table *table = &ledger->tables[MEMORY_TENANTS];
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_tenant *row = table->rows[i];
        if (pl_id_equals(&row->id, id))
            return true;
    }
    return false;
}

static pl_status memory_tenant_add(void *self, const struct pl_ledger_tenant *tenant)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && pl_memory_has_tenant(ledger, &tenant->id))
        status = PL_CONFLICT;
    if (status == PL_OK)
        status = memory_keep_tenant(ledger, MEMORY_END, tenant);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_tenant_each(void *self, pl_ledger_tenant_fn *fn, void *owner)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_TENANTS];
    for (size_t i = 0; status == PL_OK && i < table->count; i++)
        fn(owner, table->rows[i]);
    return status;
}

static pl_status memory_device_add(void *self, const struct pl_ledger_device *device)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_DEVICES];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_device *row = table->rows[i];
        if (pl_id_equals(&row->id, &device->id) ||
            memcmp(row->login_hash, device->login_hash, PL_SHA256_BYTES) == 0)
            status = PL_CONFLICT;
    }
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &device->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_keep_device(ledger, MEMORY_END, device);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_device_by_login(void *self, const uint8_t login_hash[PL_SHA256_BYTES],
                                        struct pl_arena *arena, struct pl_ledger_device *out)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_DEVICES];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_device *row = table->rows[i];
        if (memcmp(row->login_hash, login_hash, PL_SHA256_BYTES) == 0)
            return pl_ledger_device_copy(row, arena, out);
    }
    return status == PL_OK ? PL_NOT_FOUND : status;
}

static pl_status memory_device_load(void *self, const struct pl_id *tenant, const struct pl_id *id,
                                    struct pl_arena *arena, struct pl_ledger_device *out)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_DEVICES];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_device *row = table->rows[i];
        if (pl_id_equals(&row->id, id) && pl_id_equals(&row->tenant, tenant))
            return pl_ledger_device_copy(row, arena, out);
    }
    return status == PL_OK ? PL_NOT_FOUND : status;
}

static pl_status memory_token_add(void *self, const struct pl_ledger_token *token)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_TOKENS];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_token *row = table->rows[i];
        if (pl_id_equals(&row->id, &token->id) ||
            memcmp(row->token_hash, token->token_hash, PL_SHA256_BYTES) == 0)
            status = PL_CONFLICT;
    }
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &token->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_keep_token(ledger, MEMORY_END, token);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_token_by_hash(void *self, const uint8_t token_hash[PL_SHA256_BYTES],
                                      struct pl_arena *arena, struct pl_ledger_token *out)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_TOKENS];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_token *row = table->rows[i];
        if (memcmp(row->token_hash, token_hash, PL_SHA256_BYTES) == 0)
            return pl_ledger_token_copy(row, arena, out);
    }
    return status == PL_OK ? PL_NOT_FOUND : status;
}

static const struct pl_ledger_drop *memory_find_drop(const struct memory_ledger *ledger,
                                                     const struct pl_id *tenant, const char *name)
{
    const struct memory_table *table = &ledger->tables[MEMORY_DROPS];
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_drop *row = table->rows[i];
        if (pl_id_equals(&row->tenant, tenant) && strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

static pl_status memory_drop_add(void *self, const struct pl_ledger_drop *drop)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && memory_find_drop(ledger, &drop->tenant, drop->name) != NULL)
        status = PL_CONFLICT;
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &drop->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_keep_drop(ledger, MEMORY_END, drop);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_drop_load(void *self, const struct pl_id *tenant, const char *name,
                                  struct pl_arena *arena, struct pl_ledger_drop *out)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_drop *row = memory_find_drop(ledger, tenant, name);
    return row == NULL ? PL_NOT_FOUND : pl_ledger_drop_copy(row, arena, out);
}

/* version 0: the newest. */
static const struct pl_ledger_pipeline *memory_find_pipeline(const struct memory_ledger *ledger,
                                                             const struct pl_id *tenant,
                                                             const char *name, uint32_t version)
{
    const struct memory_table *table = &ledger->tables[MEMORY_PIPELINES];
    const struct pl_ledger_pipeline *found = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_pipeline *row = table->rows[i];
        if (!pl_id_equals(&row->tenant, tenant) || strcmp(row->name, name) != 0 ||
            (version != 0 && row->version != version))
            continue;
        if (found == NULL || row->version > found->version)
            found = row;
    }
    return found;
}

static pl_status memory_pipeline_add(void *self, const struct pl_ledger_pipeline *pipeline)
{
    struct memory_ledger *ledger = self;
    PL_CHECK(pipeline->version != 0);
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK &&
        memory_find_pipeline(ledger, &pipeline->tenant, pipeline->name, pipeline->version) != NULL)
        status = PL_CONFLICT;
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &pipeline->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_keep_pipeline(ledger, MEMORY_END, pipeline);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_pipeline_load(void *self, const struct pl_id *tenant, const char *name,
                                      uint32_t version, struct pl_arena *arena,
                                      struct pl_ledger_pipeline *out)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_pipeline *row = memory_find_pipeline(ledger, tenant, name, version);
    return row == NULL ? PL_NOT_FOUND : pl_ledger_pipeline_copy(row, arena, out);
}

static void memory_close(void *self)
{
    struct memory_ledger *ledger = self;
    for (size_t i = 0; i < MEMORY_TABLE_COUNT; i++)
        free((void *)ledger->tables[i].rows);
    free(ledger->undos);
    pl_arena_fini(&ledger->arena);
    free(ledger);
}

static const struct pl_ledger_ops memory_base_ops = {
    .begin = memory_begin,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .mark = memory_mark,
    .release = memory_release,
    .undo = memory_undo,
    .tidy = memory_tidy,
    .tenant_add = memory_tenant_add,
    .tenant_each = memory_tenant_each,
    .device_add = memory_device_add,
    .device_by_login = memory_device_by_login,
    .device_load = memory_device_load,
    .token_add = memory_token_add,
    .token_by_hash = memory_token_by_hash,
    .drop_add = memory_drop_add,
    .drop_load = memory_drop_load,
    .pipeline_add = memory_pipeline_add,
    .pipeline_load = memory_pipeline_load,
    .close = memory_close,
};

pl_status pl_ledger_memory_new(struct pl_ledger *out)
{
    struct memory_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return PL_NO_MEMORY;
    pl_arena_init(&ledger->arena, MEMORY_LIMIT_BYTES);
    ledger->ops = memory_base_ops;
    pl_memory_job_ops(&ledger->ops);
    pl_memory_upload_ops(&ledger->ops);
    *out = (struct pl_ledger){ &ledger->ops, ledger };
    return PL_OK;
}

void pl_ledger_memory_fail_at(const struct pl_ledger *ledger, uint64_t n, pl_status status)
{
    struct memory_ledger *memory = ledger->self;
    PL_CHECK(ledger->ops == &memory->ops);
    memory->fail_in = n;
    memory->fail_status = status;
}
