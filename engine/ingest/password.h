/* password: Argon2id, slow on purpose; for devices' passwords (RFC 9106).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_INGEST_PASSWORD_H
#define PL_ENGINE_INGEST_PASSWORD_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_PASSWORD_HASH_CHARS 128

/* Writes an encoded "$argon2id$..." string of a fresh salt. 19 MiB, 2 passes, 1 lane (OWASP's
 * floor). Takes some 25 ms and that memory: on a pool thread. PL_NO_MEMORY, PL_UNAVAILABLE. */
pl_status pl_password_hash(struct pl_span password, char out[PL_PASSWORD_HASH_CHARS]) PL_MUST_USE;
/* PL_OK, PL_UNAUTHENTICATED, PL_NO_MEMORY. As slow. */
pl_status pl_password_verify(const char *encoded, struct pl_span password) PL_MUST_USE;

#endif
