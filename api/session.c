/* session: a fixed table of the tokens seen last; the oldest makes room.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/session.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_SLOTS 256
#define SESSION_MS ((int64_t)60 * 1000)
#define TOKEN_MOST 512
#define TOKEN_PREFIX "plt_"

struct slot {
    bool used;
    int64_t until_ms;
    uint8_t token_hash[PL_SHA256_BYTES];
    struct pl_session session;
};

struct pl_sessions {
    struct slot slots[SESSION_SLOTS];
};

pl_status pl_sessions_new(struct pl_sessions **out)
{
    struct pl_sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions == NULL)
        return PL_NO_MEMORY;
    *out = sessions;
    return PL_OK;
}

void pl_sessions_free(struct pl_sessions *sessions)
{
    free(sessions);
}

bool pl_session_token_hash(struct pl_span authorization, uint8_t out[PL_SHA256_BYTES])
{
    static const char scheme[] = "Bearer ";
    size_t skip = sizeof scheme - 1;
    if (authorization.size <= skip || authorization.size > skip + TOKEN_MOST ||
        !pl_span_equals_nocase((struct pl_span){ authorization.data, skip }, scheme))
        return false;
    struct pl_span token =
        pl_span_trim((struct pl_span){ authorization.data + skip, authorization.size - skip });
    if (token.size == 0)
        return false;
    pl_sha256_of(token.data, token.size, out);
    return true;
}

bool pl_session_lookup(struct pl_sessions *sessions, const uint8_t token_hash[PL_SHA256_BYTES],
                       int64_t now_ms, struct pl_session *out)
{
    for (size_t i = 0; i < SESSION_SLOTS; i++) {
        const struct slot *slot = &sessions->slots[i];
        if (slot->used && now_ms < slot->until_ms &&
            pl_text_equal_ct(slot->token_hash, token_hash, PL_SHA256_BYTES)) {
            *out = slot->session;
            return true;
        }
    }
    return false;
}

/* The slot of this token, a free one, or the one that ends first. */
static struct slot *slot_for(struct pl_sessions *sessions,
                             const uint8_t token_hash[PL_SHA256_BYTES])
{
    struct slot *best = &sessions->slots[0];
    for (size_t i = 0; i < SESSION_SLOTS; i++) {
        struct slot *slot = &sessions->slots[i];
        if (slot->used && pl_text_equal_ct(slot->token_hash, token_hash, PL_SHA256_BYTES))
            return slot;
        if (best->used && (!slot->used || slot->until_ms < best->until_ms))
            best = slot;
    }
    return best;
}

void pl_session_remember(struct pl_sessions *sessions, const uint8_t token_hash[PL_SHA256_BYTES],
                         int64_t now_ms, const struct pl_session *session)
{
    struct slot *slot = slot_for(sessions, token_hash);
    slot->used = true;
    slot->until_ms = now_ms + SESSION_MS;
    slot->session = *session;
    memcpy(slot->token_hash, token_hash, PL_SHA256_BYTES);
}

pl_status pl_session_token_make(char out[PL_SESSION_TOKEN_CHARS],
                                uint8_t token_hash[PL_SHA256_BYTES])
{
    uint8_t secret[32];
    pl_status status = pl_random_bytes(secret, sizeof secret);
    if (status != PL_OK)
        return status;
    memcpy(out, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    (void)pl_text_hex(secret, sizeof secret, out + sizeof TOKEN_PREFIX - 1);
    pl_wipe(secret, sizeof secret);
    pl_sha256_of(out, strlen(out), token_hash);
    return PL_OK;
}
