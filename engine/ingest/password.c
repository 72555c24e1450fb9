/* password: Argon2id through libargon2.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/password.h"

#include "engine/base/ids.h"

#include <argon2.h>

#define PASSWORD_MEMORY_KIB 19456
#define PASSWORD_PASSES 2
#define PASSWORD_LANES 1
#define PASSWORD_SALT_BYTES 16
#define PASSWORD_HASH_BYTES 32

pl_status pl_password_hash(struct pl_span password, char out[PL_PASSWORD_HASH_CHARS])
{
    uint8_t salt[PASSWORD_SALT_BYTES];
    pl_status status = pl_random_bytes(salt, sizeof salt);
    if (status != PL_OK)
        return status;
    int result = argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, PASSWORD_LANES,
                                       password.data, password.size, salt, sizeof salt,
                                       PASSWORD_HASH_BYTES, out, PL_PASSWORD_HASH_CHARS);
    return result == ARGON2_OK ? PL_OK : PL_NO_MEMORY;
}

pl_status pl_password_verify(const char *encoded, struct pl_span password)
{
    switch (argon2id_verify(encoded, password.data, password.size)) {
    case ARGON2_OK:
        return PL_OK;
    case ARGON2_MEMORY_ALLOCATION_ERROR:
        return PL_NO_MEMORY;
    default:
        return PL_UNAUTHENTICATED;
    }
}
