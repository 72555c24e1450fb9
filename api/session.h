/* session: whose bearer token a request carries (RFC 6750), from a small cache or the ledger.
 *
 * The ledger holds SHA-256 of each token; a token has 256 random bits, so no salt or slowness is
 * needed. A hit is remembered for a minute: a token that is taken away works for that long at most.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_SESSION_H
#define PL_API_SESSION_H

#include "engine/base/digest.h"
#include "engine/base/ids.h"

struct pl_sessions;

#define PL_SESSION_ROLE_CHARS 32

struct pl_session {
    struct pl_id tenant;
    struct pl_id token; /* its id, as histories name it */
    char role[PL_SESSION_ROLE_CHARS];
};

pl_status pl_sessions_new(struct pl_sessions **out) PL_MUST_USE;
void pl_sessions_free(struct pl_sessions *sessions);

/* Reads "Bearer TOKEN"; false when the field is absent, of another scheme, or too long. */
bool pl_session_token_hash(struct pl_span authorization, uint8_t out[PL_SHA256_BYTES]);

/* False: not known, or too long ago. */
bool pl_session_lookup(struct pl_sessions *sessions, const uint8_t token_hash[PL_SHA256_BYTES],
                       int64_t now_ms, struct pl_session *out);
void pl_session_remember(struct pl_sessions *sessions, const uint8_t token_hash[PL_SHA256_BYTES],
                         int64_t now_ms, const struct pl_session *session);

/* A new token of 256 random bits, as it is shown once; and its hash, as the ledger keeps it. */
#define PL_SESSION_TOKEN_CHARS (4 + 64 + 1)
pl_status pl_session_token_make(char out[PL_SESSION_TOKEN_CHARS],
                                uint8_t token_hash[PL_SHA256_BYTES]) PL_MUST_USE;

#endif
