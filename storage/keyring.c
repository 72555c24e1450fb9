/* keyring: keys live in pages that are locked, left out of core files and of forked children.
 *
 * Readers take the lock shared, copy the one key that they need to their stack, and wipe it when
 * done; only loading and forgetting a tenant takes it alone. Tenants are kept sorted, versions
 * ascending, so that the newest version of a tenant is the last of its run.
 *
 * A box is sealed under HMAC(purpose key, aad) rather than the purpose key itself: the random
 * nonces of one tenant's millions of fields then never share a key, and the limit of 2^32 boxes a
 * key (NIST SP 800-38D section 8.3) is out of reach.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/keyring.h"

#include "storage/keyring_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KEYRING_FIRST ((size_t)31) /* tenant keys in the first page */
#define KEYRING_MOST ((size_t)1 << 20)

struct tenant_key {
    struct pl_id tenant;
    uint32_t version;
    uint8_t wrap[32];
    uint8_t field[32];
};

/* What the locked pages hold. */
struct secrets {
    uint8_t root_wrap[32];
    uint8_t name_hash[32];
    struct tenant_key keys[];
};

struct pl_keychain {
    pthread_rwlock_t lock;
    struct secrets *secrets;
    size_t count;
    size_t capacity;
    bool locked;
};

/* --- locked pages ------------------------------------------------------------------------ */

static size_t secrets_size(size_t capacity)
{
    return sizeof(struct secrets) + capacity * sizeof(struct tenant_key);
}

static struct secrets *secrets_new(size_t capacity, bool *locked)
{
    size_t size = secrets_size(capacity);
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    *locked = mlock(pages, size) == 0;
    (void)madvise(pages, size, MADV_DONTDUMP); /* both are best effort on odd kernels */
    (void)madvise(pages, size, MADV_DONTFORK);
    return pages;
}

static void secrets_free(struct secrets *secrets, size_t capacity)
{
    if (secrets == NULL)
        return;
    pl_wipe(secrets, secrets_size(capacity));
    PL_CHECK(munmap(secrets, secrets_size(capacity)) == 0);
}

/* Room for one more key; moves all of them when there is none. */
static pl_status keychain_reserve(struct pl_keychain *chain)
{
    if (chain->count < chain->capacity)
        return PL_OK;
    if (chain->capacity >= KEYRING_MOST)
        return PL_TOO_LARGE;
    size_t capacity = chain->capacity * 2 + 1;
    bool locked = false;
    struct secrets *larger = secrets_new(capacity, &locked);
    if (larger == NULL)
        return PL_NO_MEMORY;
    memcpy(larger, chain->secrets, secrets_size(chain->count));
    secrets_free(chain->secrets, chain->capacity);
    chain->secrets = larger;
    chain->capacity = capacity;
    chain->locked = chain->locked && locked;
    return PL_OK;
}

/* --- the ring ---------------------------------------------------------------------------- */

static struct pl_keychain *keychain_new(void)
{
    struct pl_keychain *chain = calloc(1, sizeof *chain);
    if (chain == NULL)
        return NULL;
    chain->capacity = KEYRING_FIRST;
    chain->secrets = secrets_new(chain->capacity, &chain->locked);
    if (chain->secrets != NULL && pthread_rwlock_init(&chain->lock, NULL) == 0)
        return chain;
    secrets_free(chain->secrets, chain->capacity);
    free(chain);
    return NULL;
}

static void expand_label(const uint8_t prk[PL_SHA256_BYTES], const char *label, uint8_t out[32])
{
    pl_hkdf_expand(prk, label, strlen(label), out, 32);
}

pl_status pl_keyring_load(const char *root_path, struct pl_keychain **out, struct pl_fault *fault)
{
    static const char salt[] = "platen root key";
    uint8_t root[PL_ROOT_KEY_BYTES];
    uint8_t prk[PL_SHA256_BYTES];
    struct pl_keychain *chain = NULL;
    pl_status status = pl_keyring_root_load(root_path, root, fault);
    if (status != PL_OK)
        goto done;
    chain = keychain_new();
    if (chain == NULL) {
        status = pl_fault_set(fault, PL_NO_MEMORY, "out of memory for the keys");
        goto done;
    }
    pl_hkdf_extract(salt, sizeof salt - 1, root, sizeof root, prk);
    expand_label(prk, "wrap tenant keys", chain->secrets->root_wrap);
    expand_label(prk, "hash names", chain->secrets->name_hash);
    *out = chain;
done:
    pl_wipe(prk, sizeof prk);
    pl_wipe(root, sizeof root);
    return status;
}

void pl_keyring_free(struct pl_keychain *chain)
{
    if (chain == NULL)
        return;
    secrets_free(chain->secrets, chain->capacity);
    PL_CHECK(pthread_rwlock_destroy(&chain->lock) == 0);
    free(chain);
}

static void lock_shared(struct pl_keychain *chain)
{
    PL_CHECK(pthread_rwlock_rdlock(&chain->lock) == 0);
}

static void lock_alone(struct pl_keychain *chain)
{
    PL_CHECK(pthread_rwlock_wrlock(&chain->lock) == 0);
}

static void unlock(struct pl_keychain *chain)
{
    PL_CHECK(pthread_rwlock_unlock(&chain->lock) == 0);
}

bool pl_keyring_is_locked(struct pl_keychain *chain)
{
    lock_shared(chain);
    bool locked = chain->locked;
    unlock(chain);
    return locked;
}

static int tenant_key_order(const struct tenant_key *key, const struct pl_id *tenant,
                            uint32_t version)
{
    int order = strcmp(key->tenant.text, tenant->text);
    if (order != 0)
        return order;
    return key->version < version ? -1 : key->version > version;
}

/* Index of the first key that is not before (tenant, version). */
static size_t keychain_place(const struct pl_keychain *chain, const struct pl_id *tenant,
                             uint32_t version)
{
    size_t low = 0;
    size_t high = chain->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tenant_key_order(&chain->secrets->keys[middle], tenant, version) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Copies the key of that version; version 0 means the newest. */
static pl_status keychain_copy(struct pl_keychain *chain, const struct pl_id *tenant,
                               uint32_t version, struct tenant_key *out)
{
    pl_status status = PL_NOT_FOUND;
    lock_shared(chain);
    size_t at = keychain_place(chain, tenant, version == 0 ? UINT32_MAX : version);
    /* Versions end before UINT32_MAX, so the newest stands just before that place. */
    if (version == 0)
        at = at > 0 ? at - 1 : chain->count;
    if (at < chain->count) {
        const struct tenant_key *key = &chain->secrets->keys[at];
        if (pl_id_equals(&key->tenant, tenant) && (version == 0 || key->version == version)) {
            *out = *key;
            status = PL_OK;
        }
    }
    unlock(chain);
    return status;
}

/* --- what a box is bound to -------------------------------------------------------------- */

#define BINDING_BYTES ((size_t)8 + 4 + PL_SEAL_KEY_ID_BYTES + PL_SEAL_CONTEXT_BYTES)

/* The aad of a box: what it is for, the version, the key's id (zeros when there is none), and the
 * hash of the length-prefixed names; and the box's own key. */
static const uint8_t no_key_id[PL_SEAL_KEY_ID_BYTES];

struct binding {
    uint8_t aad[BINDING_BYTES];
    uint8_t key[PL_SEAL_KEY_BYTES];
};

static void binding_make(struct binding *binding, const char purpose[8], uint32_t version,
                         const uint8_t *key_id, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                         const uint8_t purpose_key[32])
{
    memcpy(binding->aad, purpose, 8);
    pl_put_u32be(binding->aad + 8, version);
    memcpy(binding->aad + 12, key_id, PL_SEAL_KEY_ID_BYTES);
    memcpy(binding->aad + 12 + PL_SEAL_KEY_ID_BYTES, ctx, PL_SEAL_CONTEXT_BYTES);
    pl_hmac_sha256(purpose_key, 32, binding->aad, sizeof binding->aad, binding->key);
}

static struct pl_span binding_aad(const struct binding *binding)
{
    return (struct pl_span){ (const char *)binding->aad, sizeof binding->aad };
}

static void tenant_binding(struct pl_keychain *chain, const struct pl_id *tenant, uint32_t version,
                           struct binding *out)
{
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    pl_seal_context(tenant->text, "", "tenant key", ctx);
    lock_shared(chain); /* the pages may be moving */
    binding_make(out, "pl-tenan", version, no_key_id, ctx, chain->secrets->root_wrap);
    unlock(chain);
}

static void wrap_binding(const struct tenant_key *key, const char *job, const char *role,
                         const uint8_t *key_id, struct binding *out)
{
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    pl_seal_context(key->tenant.text, job, role, ctx);
    binding_make(out, "pl-datak", key->version, key_id, ctx, key->wrap);
}

static void field_binding(const struct tenant_key *key, const char *field, struct binding *out)
{
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    pl_seal_context(key->tenant.text, "", field, ctx);
    binding_make(out, "pl-field", key->version, no_key_id, ctx, key->field);
}

/* --- tenants ----------------------------------------------------------------------------- */

pl_status pl_keyring_tenant_new(struct pl_keychain *chain, const struct pl_id *tenant,
                                uint32_t version, uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES])
{
    struct binding binding;
    uint8_t key[32];
    PL_CHECK(version > 0 && version < UINT32_MAX);
    pl_status status = pl_random_bytes(key, sizeof key);
    if (status != PL_OK)
        return status;
    tenant_binding(chain, tenant, version, &binding);
    status = pl_box_seal(binding.key, binding_aad(&binding), key, sizeof key, wrapped);
    pl_wipe(&binding, sizeof binding);
    pl_wipe(key, sizeof key);
    return status;
}

/* Puts the key in its place; the lock is held alone. */
static pl_status keychain_insert(struct pl_keychain *chain, const struct tenant_key *key)
{
    size_t at = keychain_place(chain, &key->tenant, key->version);
    if (at < chain->count &&
        tenant_key_order(&chain->secrets->keys[at], &key->tenant, key->version) == 0) {
        const struct tenant_key *there = &chain->secrets->keys[at];
        return pl_text_equal_ct(there->wrap, key->wrap, sizeof key->wrap) ? PL_OK : PL_CONFLICT;
    }
    pl_status status = keychain_reserve(chain);
    if (status != PL_OK)
        return status;
    struct tenant_key *place = chain->secrets->keys + at;
    memmove(place + 1, place, (chain->count - at) * sizeof *place);
    *place = *key;
    chain->count++;
    return PL_OK;
}

pl_status pl_keyring_tenant_load(struct pl_keychain *chain, const struct pl_id *tenant,
                                 uint32_t version, struct pl_span wrapped, struct pl_fault *fault)
{
    struct binding binding;
    struct tenant_key entry = { .tenant = *tenant, .version = version };
    uint8_t key[32] = { 0 };
    uint8_t prk[PL_SHA256_BYTES] = { 0 };
    pl_status status = PL_TAMPERED;
    tenant_binding(chain, tenant, version, &binding);
    if (version > 0 && version < UINT32_MAX && wrapped.size == PL_TENANT_KEY_WRAPPED_BYTES)
        status = pl_box_open(binding.key, binding_aad(&binding), wrapped.data, wrapped.size, key);
    if (status == PL_OK) {
        pl_hkdf_extract(tenant->text, strlen(tenant->text), key, sizeof key, prk);
        expand_label(prk, "wrap data keys", entry.wrap);
        expand_label(prk, "seal fields", entry.field);
        lock_alone(chain);
        status = keychain_insert(chain, &entry);
        unlock(chain);
    }
    if (status == PL_TAMPERED) {
        (void)pl_fault_set(fault, status,
                           "tenant %s: version %u of its key does not open; is this the root key "
                           "that the instance was made with?",
                           tenant->text, (unsigned)version);
    } else if (status != PL_OK) {
        (void)pl_fault_set(fault, status, "tenant %s: version %u of its key cannot be loaded: %s",
                           tenant->text, (unsigned)version, pl_status_text(status));
    }
    pl_wipe(&binding, sizeof binding);
    pl_wipe(&entry, sizeof entry);
    pl_wipe(prk, sizeof prk);
    pl_wipe(key, sizeof key);
    return status;
}

void pl_keyring_tenant_forget(struct pl_keychain *chain, const struct pl_id *tenant)
{
    lock_alone(chain);
    struct tenant_key *keys = chain->secrets->keys;
    size_t first = keychain_place(chain, tenant, 0);
    size_t after = keychain_place(chain, tenant, UINT32_MAX);
    memmove(keys + first, keys + after, (chain->count - after) * sizeof *keys);
    pl_wipe(keys + chain->count - (after - first), (after - first) * sizeof *keys);
    chain->count -= after - first;
    unlock(chain);
}

/* --- the ops ----------------------------------------------------------------------------- */

static pl_status keyring_wrap(void *self, const struct pl_id *tenant, const char *job,
                              const char *role, const struct pl_seal_key *key,
                              uint8_t out[PL_WRAPPED_KEY_BYTES])
{
    struct tenant_key under;
    struct binding binding;
    pl_status status = keychain_copy(self, tenant, 0, &under);
    if (status != PL_OK)
        return status;
    wrap_binding(&under, job, role, key->id, &binding);
    pl_put_u32be(out, under.version);
    memcpy(out + 4, key->id, sizeof key->id);
    status = pl_box_seal(binding.key, binding_aad(&binding), key->secret, sizeof key->secret,
                         out + 4 + sizeof key->id);
    pl_wipe(&binding, sizeof binding);
    pl_wipe(&under, sizeof under);
    return status;
}

static pl_status keyring_unwrap(void *self, const struct pl_id *tenant, const char *job,
                                const char *role, struct pl_span wrapped, struct pl_seal_key *out)
{
    struct pl_cursor cursor = { (const uint8_t *)wrapped.data, wrapped.size, 0 };
    uint32_t version = 0;
    struct tenant_key under;
    struct binding binding;
    struct pl_seal_key key;
    if (wrapped.size != PL_WRAPPED_KEY_BYTES || !pl_cursor_u32be(&cursor, &version) || version == 0)
        return PL_TAMPERED;
    memcpy(key.id, wrapped.data + 4, sizeof key.id);
    pl_status status = keychain_copy(self, tenant, version, &under);
    if (status != PL_OK)
        return status;
    wrap_binding(&under, job, role, key.id, &binding);
    status = pl_box_open(binding.key, binding_aad(&binding), wrapped.data + 4 + sizeof key.id,
                         sizeof key.secret + PL_BOX_OVERHEAD_BYTES, key.secret);
    if (status == PL_OK)
        *out = key;
    pl_wipe(&key, sizeof key);
    pl_wipe(&binding, sizeof binding);
    pl_wipe(&under, sizeof under);
    return status;
}

static pl_status keyring_field_seal(void *self, const struct pl_id *tenant, const char *field,
                                    struct pl_span plain, uint8_t *out)
{
    struct tenant_key under;
    struct binding binding;
    pl_status status = keychain_copy(self, tenant, 0, &under);
    if (status != PL_OK)
        return status;
    field_binding(&under, field, &binding);
    pl_put_u32be(out, under.version);
    status = pl_box_seal(binding.key, binding_aad(&binding), plain.data, plain.size, out + 4);
    pl_wipe(&binding, sizeof binding);
    pl_wipe(&under, sizeof under);
    return status;
}

static pl_status keyring_field_open(void *self, const struct pl_id *tenant, const char *field,
                                    struct pl_span sealed, uint8_t *out)
{
    struct pl_cursor cursor = { (const uint8_t *)sealed.data, sealed.size, 0 };
    uint32_t version = 0;
    struct tenant_key under;
    struct binding binding;
    if (sealed.size < PL_SEALED_FIELD_OVERHEAD || !pl_cursor_u32be(&cursor, &version) ||
        version == 0)
        return PL_TAMPERED;
    pl_status status = keychain_copy(self, tenant, version, &under);
    if (status != PL_OK)
        return status;
    field_binding(&under, field, &binding);
    status = pl_box_open(binding.key, binding_aad(&binding), sealed.data + 4, sealed.size - 4, out);
    pl_wipe(&binding, sizeof binding);
    pl_wipe(&under, sizeof under);
    return status;
}

static void keyring_name_hash(void *self, const char *kind, struct pl_span name,
                              uint8_t out[PL_SHA256_BYTES])
{
    struct pl_keychain *chain = self;
    uint8_t kind_key[PL_SHA256_BYTES];
    lock_shared(chain);
    pl_hmac_sha256(chain->secrets->name_hash, 32, kind, strlen(kind), kind_key);
    unlock(chain);
    pl_hmac_sha256(kind_key, sizeof kind_key, name.data, name.size, out);
    pl_wipe(kind_key, sizeof kind_key);
}

struct pl_keyring pl_keyring_of(struct pl_keychain *chain)
{
    static const struct pl_keyring_ops ops = {
        .wrap = keyring_wrap,
        .unwrap = keyring_unwrap,
        .field_seal = keyring_field_seal,
        .field_open = keyring_field_open,
        .name_hash = keyring_name_hash,
    };
    return (struct pl_keyring){ .ops = &ops, .self = chain };
}
