/* ledger_sqlite_places: tenants, devices, tokens, drops and pipelines: what jobs refer to.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite_priv.h"

static struct pl_span places_bytes(const uint8_t hash[PL_SHA256_BYTES])
{
    return (struct pl_span){ (const char *)hash, PL_SHA256_BYTES };
}

static pl_status places_tenant_add(void *self, const struct pl_ledger_tenant *tenant)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_TENANT_ADD);
    pl_sql_bind_text(&query, tenant->id.text);
    pl_sql_bind_number(&query, tenant->key_version);
    pl_sql_bind_span(&query, tenant->key_wrapped);
    pl_sql_bind_span(&query, tenant->name_sealed);
    pl_sql_bind_number(&query, tenant->created_ms);
    return pl_sql_finish(&query);
}

static pl_status places_tenant_each(void *self, pl_ledger_tenant_fn *fn, void *owner)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_TENANT_EACH);
    while (pl_sql_step(&query)) {
        struct pl_ledger_tenant row = { 0 };
        pl_sql_take_id(&query, &row.id);
        row.key_version = (uint32_t)pl_sql_take_number(&query, UINT32_MAX);
        row.key_wrapped = pl_sql_take_span(&query);
        row.name_sealed = pl_sql_take_span(&query);
        row.created_ms = pl_sql_take_number(&query, INT64_MAX);
        if (query.status == PL_OK)
            fn(owner, &row);
    }
    return pl_sql_end(&query);
}

static pl_status places_device_add(void *self, const struct pl_ledger_device *device)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DEVICE_ADD);
    pl_sql_bind_text(&query, device->id.text);
    pl_sql_bind_text(&query, device->tenant.text);
    pl_sql_bind_span(&query, places_bytes(device->login_hash));
    pl_sql_bind_span(&query, device->secret_sealed);
    pl_sql_bind_number(&query, device->created_ms);
    return pl_sql_finish(&query);
}

/* The one row of a bound query, or PL_NOT_FOUND; ends the query. */
static pl_status places_take_device(struct pl_sql *query, struct pl_arena *arena,
                                    struct pl_ledger_device *out)
{
    if (pl_sql_step(query)) {
        struct pl_ledger_device row = { 0 };
        pl_sql_take_id(query, &row.id);
        pl_sql_take_id(query, &row.tenant);
        pl_sql_take_bytes(query, row.login_hash, sizeof row.login_hash);
        row.secret_sealed = pl_sql_take_span(query);
        row.created_ms = pl_sql_take_number(query, INT64_MAX);
        if (query->status == PL_OK)
            query->status = pl_ledger_device_copy(&row, arena, out);
    } else if (query->status == PL_OK) {
        query->status = PL_NOT_FOUND;
    }
    return pl_sql_end(query);
}

static pl_status places_device_by_login(void *self, const uint8_t login_hash[PL_SHA256_BYTES],
                                        struct pl_arena *arena, struct pl_ledger_device *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DEVICE_BY_LOGIN);
    pl_sql_bind_span(&query, places_bytes(login_hash));
    return places_take_device(&query, arena, out);
}

static pl_status places_device_load(void *self, const struct pl_id *tenant, const struct pl_id *id,
                                    struct pl_arena *arena, struct pl_ledger_device *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DEVICE_LOAD);
    pl_sql_bind_text(&query, id->text);
    pl_sql_bind_text(&query, tenant->text);
    return places_take_device(&query, arena, out);
}

static pl_status places_token_add(void *self, const struct pl_ledger_token *token)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_TOKEN_ADD);
    pl_sql_bind_text(&query, token->id.text);
    pl_sql_bind_text(&query, token->tenant.text);
    pl_sql_bind_span(&query, places_bytes(token->token_hash));
    pl_sql_bind_text(&query, token->role);
    pl_sql_bind_number(&query, token->created_ms);
    return pl_sql_finish(&query);
}

static pl_status places_token_by_hash(void *self, const uint8_t token_hash[PL_SHA256_BYTES],
                                      struct pl_arena *arena, struct pl_ledger_token *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_TOKEN_BY_HASH);
    pl_sql_bind_span(&query, places_bytes(token_hash));
    if (pl_sql_step(&query)) {
        struct pl_ledger_token row = { 0 };
        pl_sql_take_id(&query, &row.id);
        pl_sql_take_id(&query, &row.tenant);
        pl_sql_take_bytes(&query, row.token_hash, sizeof row.token_hash);
        row.role = pl_sql_take_text(&query);
        row.created_ms = pl_sql_take_number(&query, INT64_MAX);
        if (query.status == PL_OK)
            query.status = pl_ledger_token_copy(&row, arena, out);
    } else if (query.status == PL_OK) {
        query.status = PL_NOT_FOUND;
    }
    return pl_sql_end(&query);
}

static pl_status places_drop_add(void *self, const struct pl_ledger_drop *drop)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DROP_ADD);
    pl_sql_bind_text(&query, drop->tenant.text);
    pl_sql_bind_text(&query, drop->name);
    pl_sql_bind_text(&query, drop->pipeline);
    pl_sql_bind_number(&query, drop->duplicates_ms);
    return pl_sql_finish(&query);
}

static pl_status places_drop_load(void *self, const struct pl_id *tenant, const char *name,
                                  struct pl_arena *arena, struct pl_ledger_drop *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DROP_LOAD);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, name);
    if (pl_sql_step(&query)) {
        struct pl_ledger_drop row = { 0 };
        pl_sql_take_id(&query, &row.tenant);
        row.name = pl_sql_take_text(&query);
        row.pipeline = pl_sql_take_text(&query);
        row.duplicates_ms = pl_sql_take_number(&query, INT64_MAX);
        if (query.status == PL_OK)
            query.status = pl_ledger_drop_copy(&row, arena, out);
    } else if (query.status == PL_OK) {
        query.status = PL_NOT_FOUND;
    }
    return pl_sql_end(&query);
}

static pl_status places_pipeline_add(void *self, const struct pl_ledger_pipeline *pipeline)
{
    PL_CHECK(pipeline->version != 0);
    struct pl_sql query = pl_sql_start(self, PL_SQL_PIPELINE_ADD);
    pl_sql_bind_text(&query, pipeline->tenant.text);
    pl_sql_bind_text(&query, pipeline->name);
    pl_sql_bind_number(&query, pipeline->version);
    pl_sql_bind_text(&query, pipeline->definition);
    return pl_sql_finish(&query);
}

static pl_status places_pipeline_load(void *self, const struct pl_id *tenant, const char *name,
                                      uint32_t version, struct pl_arena *arena,
                                      struct pl_ledger_pipeline *out)
{
    struct pl_sql query =
        pl_sql_start(self, version == 0 ? PL_SQL_PIPELINE_NEWEST : PL_SQL_PIPELINE_LOAD);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, name);
    if (version != 0)
        pl_sql_bind_number(&query, version);
    if (pl_sql_step(&query)) {
        struct pl_ledger_pipeline row = { 0 };
        pl_sql_take_id(&query, &row.tenant);
        row.name = pl_sql_take_text(&query);
        row.version = (uint32_t)pl_sql_take_number(&query, UINT32_MAX);
        row.definition = pl_sql_take_text(&query);
        if (query.status == PL_OK)
            query.status = pl_ledger_pipeline_copy(&row, arena, out);
    } else if (query.status == PL_OK) {
        query.status = PL_NOT_FOUND;
    }
    return pl_sql_end(&query);
}

void pl_sql_place_ops(struct pl_ledger_ops *ops)
{
    ops->tenant_add = places_tenant_add;
    ops->tenant_each = places_tenant_each;
    ops->device_add = places_device_add;
    ops->device_by_login = places_device_by_login;
    ops->device_load = places_device_load;
    ops->token_add = places_token_add;
    ops->token_by_hash = places_token_by_hash;
    ops->drop_add = places_drop_add;
    ops->drop_load = places_drop_load;
    ops->pipeline_add = places_pipeline_add;
    ops->pipeline_load = places_pipeline_load;
}
