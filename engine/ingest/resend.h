/* resend: tells an upload that comes again from a new one, by a receipt in the ledger.
 *
 * A device that did not hear our answer sends its scan again. Two uploads are one when the same
 * device sends the same bytes under the same name to the same drop; or, where the sender says
 * itself what is one request (Idempotency-Key), by that alone. Whether there is a receipt is asked
 * in the unit that would write the job, so that two at the same time make one job too.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_INGEST_RESEND_H
#define PL_ENGINE_INGEST_RESEND_H

#include "engine/core/keyring.h"
#include "engine/core/ledger.h"

/* How long a key that a sender chose stands for its request. */
#define PL_RESEND_KEY_MS ((int64_t)24 * 60 * 60 * 1000)
#define PL_RESEND_KEY_CHARS 255

/* All of it that makes an upload itself; spans are borrowed. */
struct pl_resend_subject {
    struct pl_id tenant;
    struct pl_id device;
    const char *drop;
    const uint8_t *name_sha256; /* of the name as it was sent */
    const uint8_t *sha256;      /* of the bytes */
    const char *key;            /* Idempotency-Key; empty: none */
};

/* Of one upload. Zero: nothing is looked for, nothing remembered. */
struct pl_resend {
    bool wanted;
    struct pl_ledger_receipt receipt; /* its job is the caller's to set */
};

/* `window_ms`: how long without a key; 0: never. Keyed hashes only; any thread. */
void pl_resend_init(const struct pl_keyring *keyring, const struct pl_resend_subject *subject,
                    int64_t now_ms, int64_t window_ms, struct pl_resend *out);
/* The job that was made of it, in the arena: PL_OK. NOT_FOUND: it is new, or what was made of it
 * was taken back (cancelled, erased). KEY_REUSED: the key was used for something else. */
pl_status pl_resend_find(const struct pl_resend *resend, const struct pl_ledger *ledger,
                         int64_t now_ms, struct pl_arena *arena,
                         struct pl_ledger_job *out) PL_MUST_USE;
/* In the unit that adds `job`. */
pl_status pl_resend_remember(const struct pl_resend *resend, const struct pl_ledger *ledger,
                             int64_t now_ms, const struct pl_id *job) PL_MUST_USE;

/* Reads Idempotency-Key: a string of RFC 8941, or bare as many clients send it; 1 to
 * PL_RESEND_KEY_CHARS printable characters. False: it is none of these. */
bool pl_resend_read_key(struct pl_span field, char out[PL_RESEND_KEY_CHARS + 1]);

#endif
