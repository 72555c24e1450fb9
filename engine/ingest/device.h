/* device: who uploads: Basic credentials checked once by Argon2id, then from a keyed cache.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_INGEST_DEVICE_H
#define PL_ENGINE_INGEST_DEVICE_H

#include "engine/core/core.h"

/* Of a device's row, the sealed part: login, a NUL, the Argon2id string. */
#define PL_DEVICE_LOGIN_CHARS 128

struct pl_devices;
struct pl_device_check;
typedef void pl_device_checked_fn(struct pl_device_check *check);

/* Embedded in what waits for the answer. */
struct pl_device_check {
    struct pl_span login; /* valid until done */
    struct pl_span password;
    pl_device_checked_fn *done; /* perhaps before pl_device_check returns */
    pl_status status;           /* OK, UNAUTHENTICATED, BUSY (too many at once), or an error */
    struct pl_id tenant;
    struct pl_id device;
    bool cancelled; /* set it to never hear of it; the memory must stay until done all the same */
    void *impl;
};

pl_status pl_devices_new(struct pl_core *core, struct pl_devices **out) PL_MUST_USE;
void pl_devices_free(struct pl_devices *devices);
void pl_device_check(struct pl_devices *devices, struct pl_device_check *check);
/* Before the ledger's thread ends: what waits for its turn, and what comes later, is answered
 * STOPPING; a check that has begun ends without the ledger. */
void pl_devices_stop(struct pl_devices *devices);

/* Builds the row of a new device for the ledger: hashes the password, seals the secret. `row`
 * points into `arena`. For `platen init` and, later, the API. */
struct pl_ledger_device;
pl_status pl_device_make(const struct pl_keyring *keyring, const struct pl_id *tenant,
                         const struct pl_id *id, struct pl_span login, struct pl_span password,
                         int64_t now_ms, struct pl_arena *arena,
                         struct pl_ledger_device *row) PL_MUST_USE;

#endif
