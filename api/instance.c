/* instance: one step after another, each in the folder that is not the instance's yet.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/instance.h"

#include "api/files.h"
#include "engine/core/core.h"
#include "engine/core/definition.h"
#include "engine/ingest/device.h"
#include "engine/net/tls.h"
#include "pipeline/plan.h"
#include "storage/keyring.h"
#include "storage/ledger_sqlite.h"

#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_DAYS 3650
#define DEFINITION_CHARS 1024
#define ROW_BYTES ((size_t)1 << 20)
#define TEXT_BYTES ((size_t)256 << 10)

static pl_status path_in(const char *folder, const char *name, char out[PL_PATH_CHARS],
                         struct pl_fault *fault)
{
    if (pl_text_format(out, PL_PATH_CHARS, "%s/%s", folder, name))
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED, "the path %s/%s is too long", folder, name);
}

static pl_status folders_make(const char *folder, struct pl_fault *fault)
{
    static const char *const names[] = {
        "keys", "tls", "ledger", "spool", "store", "tenants", "run"
    };
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(names) && status == PL_OK; i++) {
        char path[PL_PATH_CHARS];
        status = path_in(folder, names[i], path, fault);
        if (status == PL_OK)
            status = pl_folder_make(path, 0700, fault);
    }
    return status;
}

/* -- certificates -- */

struct certificate {
    enum pl_tls_key_type type;
    const char *certificate_file;
    const char *key_file;
};

/* As the defaults of devices.* and control.* name them. */
static const struct certificate certificates[] = {
    { PL_TLS_KEY_P256, "tls/devices-p256.pem", "tls/devices-p256.key" },
    { PL_TLS_KEY_RSA2048, "tls/devices-rsa.pem", "tls/devices-rsa.key" },
    { PL_TLS_KEY_P256, "tls/control-p256.pem", "tls/control-p256.key" },
};

static pl_status certificate_make(const struct pl_instance_plan *plan,
                                  const struct certificate *certificate,
                                  const struct pl_address_names *names, struct pl_bytes *bundle,
                                  struct pl_fault *fault)
{
    char certificate_path[PL_PATH_CHARS];
    char key_path[PL_PATH_CHARS];
    pl_status status =
        path_in(plan->folder, certificate->certificate_file, certificate_path, fault);
    if (status == PL_OK)
        status = path_in(plan->folder, certificate->key_file, key_path, fault);
    if (status == PL_OK)
        status = pl_tls_self_signed(certificate->type, names->names, CERTIFICATE_DAYS,
                                    certificate_path, key_path, fault);
    if (status == PL_OK)
        status = pl_file_read(certificate_path, bundle, fault);
    return status;
}

/* The bundle lets clients trust all of them at once. */
static pl_status certificates_make(const struct pl_instance_plan *plan, struct pl_fault *fault)
{
    const struct pl_address addresses[] = { plan->devices, plan->control };
    struct pl_address_names names;
    struct pl_bytes bundle;
    char path[PL_PATH_CHARS];
    pl_address_names(addresses, PL_COUNT_OF(addresses), &names);
    pl_bytes_init(&bundle, TEXT_BYTES);
    pl_status status = path_in(plan->folder, "tls/ca.pem", path, fault);
    for (size_t i = 0; i < PL_COUNT_OF(certificates) && status == PL_OK; i++)
        status = certificate_make(plan, &certificates[i], &names, &bundle, fault);
    if (status == PL_OK)
        status = pl_file_write(path, bundle.data, bundle.size, 0644, fault);
    pl_bytes_fini(&bundle);
    return status;
}

/* -- the ledger's first rows -- */

struct seeding {
    struct pl_keychain *chain;
    struct pl_keyring keyring;
    const struct pl_ledger *ledger;
    struct pl_arena arena;
    struct pl_id_maker ids;
    struct pl_id tenant;
    int64_t now_ms;
};

static pl_status seed_tenant(struct seeding *seeding, struct pl_fault *fault)
{
    static const char name[] = "default";
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    uint8_t sealed[sizeof name - 1 + PL_SEALED_FIELD_OVERHEAD];
    char field[PL_FIELD_CHARS];
    struct pl_ledger_tenant row = { .key_version = 1, .created_ms = seeding->now_ms };
    pl_status status = pl_id_make(&seeding->ids, seeding->now_ms, &seeding->tenant);
    if (status == PL_OK)
        status = pl_keyring_tenant_new(seeding->chain, &seeding->tenant, 1, wrapped);
    row.id = seeding->tenant;
    row.key_wrapped = (struct pl_span){ (const char *)wrapped, sizeof wrapped };
    if (status == PL_OK)
        status =
            pl_keyring_tenant_load(seeding->chain, &seeding->tenant, 1, row.key_wrapped, fault);
    if (status == PL_OK)
        status = seeding->keyring.ops->field_seal(
            seeding->keyring.self, &seeding->tenant,
            pl_field_name("tenant.name", &seeding->tenant, 0, field), pl_span_from(name), sealed);
    row.name_sealed = (struct pl_span){ (const char *)sealed, sizeof sealed };
    if (status == PL_OK)
        status = seeding->ledger->ops->tenant_add(seeding->ledger->self, &row);
    return status;
}

static pl_status seed_drop(struct seeding *seeding, const struct pl_instance_plan *plan)
{
    const struct pl_pipeline_file *file = plan->pipeline;
    char definition[DEFINITION_CHARS];
    const struct pl_ledger_ops *ops = seeding->ledger->ops;
    struct pl_ledger_pipeline pipeline = { .tenant = seeding->tenant, .version = 1 };
    pipeline.name = file != NULL ? file->name : PL_INSTANCE_PIPELINE;
    const char *plain = file != NULL ? (const char *)file->definition.data
                                     : pl_plan_write_simple(PL_INSTANCE_PIPELINE, PL_FORMAT_PDFA_2B,
                                                            definition, sizeof definition);
    char *sealed = NULL;
    const struct pl_ledger_drop drop = { .tenant = seeding->tenant,
                                         .name = PL_INSTANCE_DROP,
                                         .pipeline = pipeline.name,
                                         .duplicates_ms = plan->duplicates_ms };
    pl_status status =
        pl_definition_seal(&seeding->keyring, &seeding->tenant, pipeline.version, plain, &sealed);
    pipeline.definition = sealed;
    if (status == PL_OK)
        status = ops->pipeline_add(seeding->ledger->self, &pipeline);
    free(sealed);
    return status == PL_OK ? ops->drop_add(seeding->ledger->self, &drop) : status;
}

/* Letters and digits that look alike on a device's panel are left out. */
static pl_status password_make(char out[PL_INSTANCE_PASSWORD_CHARS])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t random[16];
    size_t used = 0;
    pl_status status = pl_random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random && status == PL_OK; i++) {
        if (i > 0 && i % 4 == 0)
            out[used++] = '-';
        out[used++] = letters[random[i] & 31];
    }
    out[used] = '\0';
    pl_wipe(random, sizeof random);
    return status;
}

static pl_status seed_device(struct seeding *seeding, struct pl_credentials *credentials)
{
    struct pl_id id;
    struct pl_ledger_device row;
    pl_status status = password_make(credentials->device_password);
    if (status == PL_OK)
        status = pl_id_make(&seeding->ids, seeding->now_ms, &id);
    if (status == PL_OK)
        status = pl_device_make(
            &seeding->keyring, &seeding->tenant, &id, pl_span_from(PL_INSTANCE_DEVICE),
            pl_span_from(credentials->device_password), seeding->now_ms, &seeding->arena, &row);
    return status == PL_OK ? seeding->ledger->ops->device_add(seeding->ledger->self, &row) : status;
}

static pl_status seed_token(struct seeding *seeding, struct pl_credentials *credentials)
{
    struct pl_ledger_token row = { .tenant = seeding->tenant,
                                   .role = "admin",
                                   .created_ms = seeding->now_ms };
    pl_status status = pl_session_token_make(credentials->admin_token, row.token_hash);
    if (status == PL_OK)
        status = pl_id_make(&seeding->ids, seeding->now_ms, &row.id);
    return status == PL_OK ? seeding->ledger->ops->token_add(seeding->ledger->self, &row) : status;
}

/* All rows or none. */
static pl_status ledger_seed(struct seeding *seeding, const struct pl_instance_plan *plan,
                             struct pl_credentials *credentials, struct pl_fault *fault)
{
    const struct pl_ledger_ops *ops = seeding->ledger->ops;
    void *self = seeding->ledger->self;
    pl_status status = ops->begin(self);
    if (status != PL_OK)
        return status;
    status = seed_tenant(seeding, fault);
    if (status == PL_OK)
        status = seed_drop(seeding, plan);
    if (status == PL_OK)
        status = seed_device(seeding, credentials);
    if (status == PL_OK)
        status = seed_token(seeding, credentials);
    if (status == PL_OK)
        return ops->commit(self);
    ops->rollback(self);
    return status;
}

static pl_status ledger_make(const struct pl_instance_plan *plan,
                             struct pl_credentials *credentials, struct pl_fault *fault)
{
    char root[PL_PATH_CHARS];
    char path[PL_PATH_CHARS];
    struct pl_ledger ledger = { NULL, NULL };
    struct seeding seeding = { .ledger = &ledger, .now_ms = pl_clock_wall_ms(&PL_CLOCK_SYSTEM) };
    pl_arena_init(&seeding.arena, ROW_BYTES);
    pl_status status = path_in(plan->folder, "keys/root.key", root, fault);
    if (status == PL_OK)
        status = path_in(plan->folder, "ledger/platen.db", path, fault);
    if (status == PL_OK)
        status = pl_keyring_root_make(root, fault);
    if (status == PL_OK)
        status = pl_keyring_load(root, &seeding.chain, fault);
    if (status != PL_OK)
        goto done;
    seeding.keyring = pl_keyring_of(seeding.chain);
    status = pl_ledger_sqlite_open(path, NULL, &ledger, fault);
    if (status != PL_OK)
        goto done;
    status = ledger_seed(&seeding, plan, credentials, fault);
    if (status != PL_OK)
        status = pl_fault_set(fault, status, "the ledger's first rows cannot be written: %s",
                              pl_status_text(status));
done:
    if (ledger.ops != NULL)
        ledger.ops->close(ledger.self);
    if (seeding.chain != NULL)
        pl_keyring_free(seeding.chain);
    pl_arena_fini(&seeding.arena);
    return status;
}

/* -- what people read -- */

static pl_status settings_make(const struct pl_instance_plan *plan, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    struct pl_bytes text;
    pl_bytes_init(&text, TEXT_BYTES);
    pl_status status = path_in(plan->folder, "platen.yaml", path, fault);
    if (status == PL_OK)
        status = pl_conf_write(pl_settings_table(), plan->overrides, plan->override_count, &text);
    if (status == PL_OK)
        status = pl_file_write(path, text.data, text.size, 0600, fault);
    pl_bytes_fini(&text);
    return status;
}

static pl_status credentials_write(const struct pl_instance_plan *plan,
                                   const struct pl_credentials *credentials, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    char text[PL_PATH_CHARS + 1024];
    char reachable[PL_ADDRESS_HOST_CHARS];
    char devices[PL_ADDRESS_URL_CHARS];
    char control[PL_ADDRESS_URL_CHARS];
    (void)pl_address_reachable(reachable);
    bool fits = pl_text_format(text, sizeof text,
                               "devices_url=%s\n"
                               "control_url=%s\n"
                               "ca_file=%s/tls/ca.pem\n"
                               "device_login=%s\n"
                               "device_password=%s\n"
                               "drop=%s\n"
                               "admin_token=%s\n",
                               pl_address_url(&plan->devices, reachable, devices),
                               pl_address_url(&plan->control, reachable, control), plan->home,
                               PL_INSTANCE_DEVICE, credentials->device_password, PL_INSTANCE_DROP,
                               credentials->admin_token);
    pl_status status = path_in(plan->folder, "credentials.txt", path, fault);
    if (status == PL_OK && !fits)
        status = pl_fault_set(fault, PL_MISCONFIGURED, "the path %s is too long", plan->home);
    if (status == PL_OK)
        status = pl_file_write(path, text, strlen(text), 0600, fault);
    pl_wipe(text, sizeof text);
    return status;
}

pl_status pl_instance_make(const struct pl_instance_plan *plan, struct pl_credentials *out,
                           struct pl_fault *fault)
{
    pl_status status = folders_make(plan->folder, fault);
    if (status == PL_OK)
        status = settings_make(plan, fault);
    if (status == PL_OK)
        status = certificates_make(plan, fault);
    if (status == PL_OK)
        status = ledger_make(plan, out, fault);
    if (status == PL_OK)
        status = credentials_write(plan, out, fault);
    if (status != PL_OK)
        status = pl_fault_set(fault, status, "%s", pl_status_text(status));
    return status;
}
