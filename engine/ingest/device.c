/* device: one slow check per credential, then a keyed cache.
 *
 * The cache never holds a password: an entry's name is an HMAC of login and password under a key
 * that lives as long as the process. Checks of the same credential that arrive together share one
 * Argon2id run; wrong ones are remembered for a few seconds, so that a device with an old password
 * cannot eat the machine. An unknown login costs as much time as a wrong password.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/device.h"

#include "engine/ingest/password.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE_BUCKETS 1024u
#define DEVICE_CACHED_MOST 16384u
#define DEVICE_GOOD_MS (10 * 60 * 1000)
#define DEVICE_BAD_MS (5 * 1000)
#define DEVICE_HASHING_MOST 2u
#define DEVICE_WAITING_MOST 256u
#define DEVICE_PASSWORD_CHARS 256
#define DEVICE_SECRET_CHARS (PL_DEVICE_LOGIN_CHARS + 1 + PL_PASSWORD_HASH_CHARS)

/* A credential: cached, or being checked while `checks` is not empty. */
struct device_entry {
    struct pl_list bucket;
    struct pl_list age; /* oldest first */
    struct pl_devices *devices;
    uint8_t name[PL_SHA256_BYTES];
    pl_status status;
    struct pl_id tenant;
    struct pl_id device;
    int64_t until_ms;
    struct pl_list checks; /* of struct device_waiter */
    bool pending;
    /* While pending. */
    struct pl_list line;
    struct pl_ledger_call call;
    struct pl_loop_work work;
    uint8_t login_hash[PL_SHA256_BYTES];
    char login[PL_DEVICE_LOGIN_CHARS];
    char password[DEVICE_PASSWORD_CHARS];
    char encoded[PL_PASSWORD_HASH_CHARS];
};

struct device_waiter {
    struct pl_list node;
    struct pl_device_check *check;
};

struct pl_devices {
    struct pl_core *core;
    uint8_t key[PL_SHA256_BYTES];
    char nobody[PL_PASSWORD_HASH_CHARS]; /* what an unknown login is checked against */
    struct pl_list buckets[DEVICE_BUCKETS];
    struct pl_list ages;
    struct pl_list line; /* entries that wait for a free hasher */
    unsigned entries;
    unsigned hashing;
    unsigned waiting;
    bool stopping;
};

pl_status pl_devices_new(struct pl_core *core, struct pl_devices **out)
{
    struct pl_devices *devices = calloc(1, sizeof *devices);
    if (devices == NULL)
        return PL_NO_MEMORY;
    devices->core = core;
    pl_list_init(&devices->ages);
    pl_list_init(&devices->line);
    for (unsigned i = 0; i < DEVICE_BUCKETS; i++)
        pl_list_init(&devices->buckets[i]);
    pl_status status = pl_random_bytes(devices->key, sizeof devices->key);
    if (status == PL_OK)
        status = pl_password_hash(pl_span_from("nobody"), devices->nobody);
    if (status != PL_OK) {
        free(devices);
        return status;
    }
    *out = devices;
    return PL_OK;
}

static void entry_free(struct device_entry *entry)
{
    PL_CHECK(pl_list_is_empty(&entry->checks) && !entry->pending);
    pl_list_remove(&entry->bucket);
    pl_list_remove(&entry->age);
    entry->devices->entries--;
    pl_wipe(entry, sizeof *entry);
    free(entry);
}

void pl_devices_free(struct pl_devices *devices)
{
    if (devices == NULL)
        return;
    PL_CHECK(devices->hashing == 0 && devices->waiting == 0);
    while (!pl_list_is_empty(&devices->ages))
        entry_free(PL_CONTAINER_OF(devices->ages.next, struct device_entry, age));
    pl_wipe(devices, sizeof *devices);
    free(devices);
}

/* -- one check -- */

static void check_answer(struct pl_device_check *check, const struct device_entry *entry)
{
    check->status = entry->status;
    check->tenant = entry->tenant;
    check->device = entry->device;
    check->done(check);
}

static void entry_start(struct device_entry *entry);

/* Remembers the verdict, tells all who asked. */
static void entry_settle(struct device_entry *entry, pl_status status)
{
    struct pl_devices *devices = entry->devices;
    int64_t now = pl_loop_now_ms(pl_core_parts(devices->core)->loop);
    bool keep = status == PL_OK || status == PL_UNAUTHENTICATED;
    struct pl_list checks;
    entry->status = status;
    entry->until_ms = now + (status == PL_OK ? DEVICE_GOOD_MS : keep ? DEVICE_BAD_MS : 0);
    entry->pending = false;
    pl_wipe(entry->password, sizeof entry->password);
    pl_list_init(&checks);
    pl_list_take_all(&checks, &entry->checks);
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(&checks)) != NULL) {
        struct device_waiter *waiter = PL_CONTAINER_OF(node, struct device_waiter, node);
        devices->waiting--;
        check_answer(waiter->check, entry);
        free(waiter);
    }
    PL_LOG(pl_core_parts(devices->core)->log, status == PL_OK ? PL_LOG_DEBUG : PL_LOG_INFO,
           "device.checked", PL_F("status", pl_status_name(status)),
           PL_F("device", entry->device.text));
}

/* Frees the hasher for the next in line. */
static void entry_finish(struct device_entry *entry, pl_status status)
{
    struct pl_devices *devices = entry->devices;
    devices->hashing--;
    struct pl_list *next = pl_list_take_first(&devices->line);
    if (next != NULL)
        entry_start(PL_CONTAINER_OF(next, struct device_entry, line));
    entry_settle(entry, status);
}

void pl_devices_stop(struct pl_devices *devices)
{
    struct pl_list *node = NULL;
    devices->stopping = true;
    while ((node = pl_list_take_first(&devices->line)) != NULL)
        entry_settle(PL_CONTAINER_OF(node, struct device_entry, line), PL_STOPPING);
}

static void entry_on_verify(struct pl_loop_work *work)
{
    struct device_entry *entry = PL_CONTAINER_OF(work, struct device_entry, work);
    bool known = !pl_id_is_none(&entry->device);
    pl_status status = pl_password_verify(known ? entry->encoded : entry->devices->nobody,
                                          pl_span_from(entry->password));
    entry->status = status == PL_OK && !known ? PL_UNAUTHENTICATED : status;
}

static void entry_on_verified(struct pl_loop_work *work)
{
    struct device_entry *entry = PL_CONTAINER_OF(work, struct device_entry, work);
    entry_finish(entry, entry->status);
}

/* The secret of a row: login, a NUL, the encoded hash. */
static pl_status entry_open_secret(struct device_entry *entry, const struct pl_ledger_device *row)
{
    const struct pl_keyring *keyring = &pl_core_parts(entry->devices->core)->keyring;
    char secret[DEVICE_SECRET_CHARS + 1];
    char field[PL_FIELD_CHARS];
    size_t size = row->secret_sealed.size;
    if (size <= PL_SEALED_FIELD_OVERHEAD || size - PL_SEALED_FIELD_OVERHEAD > DEVICE_SECRET_CHARS)
        return PL_TAMPERED;
    size -= PL_SEALED_FIELD_OVERHEAD;
    pl_status status = keyring->ops->field_open(keyring->self, &row->tenant,
                                                pl_field_name("device.secret", &row->id, 0, field),
                                                row->secret_sealed, (uint8_t *)secret);
    if (status != PL_OK)
        return status;
    secret[size] = '\0';
    size_t login = strlen(secret);
    if (login == size || strcmp(secret, entry->login) != 0 ||
        !pl_text_copy(entry->encoded, sizeof entry->encoded,
                      (struct pl_span){ secret + login + 1, size - login - 1 }))
        status = PL_TAMPERED;
    pl_wipe(secret, sizeof secret);
    return status;
}

static pl_status entry_run_find(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct device_entry *entry = PL_CONTAINER_OF(call, struct device_entry, call);
    struct pl_arena arena;
    struct pl_ledger_device row;
    pl_arena_init(&arena, (size_t)1 << 16);
    pl_status status = ledger->ops->device_by_login(ledger->self, entry->login_hash, &arena, &row);
    if (status == PL_OK)
        status = entry_open_secret(entry, &row);
    if (status == PL_OK) {
        entry->tenant = row.tenant;
        entry->device = row.id;
    }
    pl_arena_fini(&arena);
    return status == PL_NOT_FOUND ? PL_OK : status;
}

static void entry_on_found(struct pl_ledger_call *call)
{
    struct device_entry *entry = PL_CONTAINER_OF(call, struct device_entry, call);
    if (call->status != PL_OK) {
        entry_finish(entry, call->status);
        return;
    }
    entry->work.run = entry_on_verify;
    entry->work.done = entry_on_verified;
    pl_loop_work(pl_core_parts(entry->devices->core)->loop, &entry->work);
}

static void entry_start(struct device_entry *entry)
{
    entry->devices->hashing++;
    entry->call.run = entry_run_find;
    entry->call.done = entry_on_found;
    pl_ledger_thread_call(pl_core_parts(entry->devices->core)->ledger, &entry->call);
}

/* -- the cache -- */

static void credential_name(const struct pl_devices *devices, const struct pl_device_check *check,
                            uint8_t out[PL_SHA256_BYTES])
{
    uint8_t pair[PL_DEVICE_LOGIN_CHARS + DEVICE_PASSWORD_CHARS];
    memcpy(pair, check->login.data, check->login.size);
    pair[check->login.size] = '\0'; /* a login holds no NUL, so the pair is unambiguous */
    memcpy(pair + check->login.size + 1, check->password.data, check->password.size);
    pl_hmac_sha256(devices->key, sizeof devices->key, pair,
                   check->login.size + 1 + check->password.size, out);
    pl_wipe(pair, sizeof pair);
}

static struct pl_list *credential_bucket(struct pl_devices *devices,
                                         const uint8_t name[PL_SHA256_BYTES])
{
    return &devices->buckets[((unsigned)name[0] | (unsigned)name[1] << 8) % DEVICE_BUCKETS];
}

static struct device_entry *devices_find(struct pl_devices *devices,
                                         const uint8_t name[PL_SHA256_BYTES])
{
    struct pl_list *bucket = credential_bucket(devices, name);
    PL_LIST_FOR(node, bucket)
    {
        struct device_entry *entry = PL_CONTAINER_OF(node, struct device_entry, bucket);
        if (pl_text_equal_ct(entry->name, name, PL_SHA256_BYTES))
            return entry;
    }
    return NULL;
}

/* Makes room by forgetting the oldest verdict. */
static void devices_forget_one(struct pl_devices *devices)
{
    PL_LIST_FOR(node, &devices->ages)
    {
        struct device_entry *entry = PL_CONTAINER_OF(node, struct device_entry, age);
        if (!entry->pending) {
            entry_free(entry);
            return;
        }
    }
}

static struct device_entry *devices_add(struct pl_devices *devices,
                                        const struct pl_device_check *check,
                                        const uint8_t name[PL_SHA256_BYTES])
{
    const struct pl_keyring *keyring = &pl_core_parts(devices->core)->keyring;
    if (devices->entries >= DEVICE_CACHED_MOST)
        devices_forget_one(devices);
    struct device_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->devices = devices;
    memcpy(entry->name, name, PL_SHA256_BYTES);
    PL_CHECK(pl_text_copy(entry->login, sizeof entry->login, check->login) &&
             pl_text_copy(entry->password, sizeof entry->password, check->password));
    keyring->ops->name_hash(keyring->self, "device.login", check->login, entry->login_hash);
    pl_list_init(&entry->checks);
    pl_list_init(&entry->line);
    pl_list_append(credential_bucket(devices, name), &entry->bucket);
    pl_list_append(&devices->ages, &entry->age);
    devices->entries++;
    entry->pending = true;
    if (devices->hashing < DEVICE_HASHING_MOST)
        entry_start(entry);
    else
        pl_list_append(&devices->line, &entry->line);
    return entry;
}

static void check_refuse(struct pl_device_check *check, pl_status status)
{
    check->status = status;
    check->done(check);
}

static bool credential_is_plausible(const struct pl_device_check *check)
{
    return check->login.size > 0 && check->login.size < PL_DEVICE_LOGIN_CHARS &&
           check->password.size < DEVICE_PASSWORD_CHARS &&
           memchr(check->login.data, '\0', check->login.size) == NULL &&
           (check->password.size == 0 ||
            memchr(check->password.data, '\0', check->password.size) == NULL);
}

void pl_device_check(struct pl_devices *devices, struct pl_device_check *check)
{
    uint8_t name[PL_SHA256_BYTES];
    if (!credential_is_plausible(check)) {
        check_refuse(check, PL_UNAUTHENTICATED);
        return;
    }
    if (devices->stopping) {
        check_refuse(check, PL_STOPPING);
        return;
    }
    credential_name(devices, check, name);
    struct device_entry *entry = devices_find(devices, name);
    int64_t now = pl_loop_now_ms(pl_core_parts(devices->core)->loop);
    if (entry != NULL && !entry->pending && entry->until_ms > now) {
        check_answer(check, entry);
        return;
    }
    if (entry != NULL && !entry->pending) {
        entry_free(entry);
        entry = NULL;
    }
    struct device_waiter *waiter =
        devices->waiting < DEVICE_WAITING_MOST ? calloc(1, sizeof *waiter) : NULL;
    if (waiter != NULL && entry == NULL)
        entry = devices_add(devices, check, name);
    if (waiter == NULL || entry == NULL) {
        free(waiter);
        check_refuse(check, PL_BUSY);
        return;
    }
    waiter->check = check;
    devices->waiting++;
    pl_list_append(&entry->checks, &waiter->node);
}

pl_status pl_device_make(const struct pl_keyring *keyring, const struct pl_id *tenant,
                         const struct pl_id *id, struct pl_span login, struct pl_span password,
                         int64_t now_ms, struct pl_arena *arena, struct pl_ledger_device *row)
{
    char secret[DEVICE_SECRET_CHARS + 1];
    char field[PL_FIELD_CHARS];
    if (login.size == 0 || login.size >= PL_DEVICE_LOGIN_CHARS ||
        password.size >= DEVICE_PASSWORD_CHARS || !pl_text_is_utf8(login) ||
        memchr(login.data, '\0', login.size) != NULL || memchr(login.data, ':', login.size) != NULL)
        return PL_BAD_REQUEST;
    memcpy(secret, login.data, login.size);
    secret[login.size] = '\0';
    pl_status status = pl_password_hash(password, secret + login.size + 1);
    if (status != PL_OK)
        return status;
    size_t size = login.size + 1 + strlen(secret + login.size + 1);
    uint8_t *sealed = pl_arena_take(arena, size + PL_SEALED_FIELD_OVERHEAD);
    if (sealed == NULL)
        return PL_NO_MEMORY;
    status = keyring->ops->field_seal(keyring->self, tenant,
                                      pl_field_name("device.secret", id, 0, field),
                                      (struct pl_span){ secret, size }, sealed);
    pl_wipe(secret, sizeof secret);
    if (status != PL_OK)
        return status;
    *row = (struct pl_ledger_device){ .id = *id, .tenant = *tenant, .created_ms = now_ms };
    keyring->ops->name_hash(keyring->self, "device.login", login, row->login_hash);
    row->secret_sealed = (struct pl_span){ (const char *)sealed, size + PL_SEALED_FIELD_OVERHEAD };
    return PL_OK;
}
