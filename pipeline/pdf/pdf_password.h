/* pdf_password: from passwords to the key of a file (ISO 32000-1 7.6.3, ISO 32000-2 7.6.4).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PASSWORD_H
#define PL_PIPELINE_PDF_PDF_PASSWORD_H

#include "engine/base/bytes.h"

#define PL_PDF_HASH_BYTES 32 /* of a password, R5 and R6 */
#define PL_PDF_SALT_BYTES 8
#define PL_PDF_ENTRY_BYTES (PL_PDF_HASH_BYTES + 2 * PL_PDF_SALT_BYTES) /* /O and /U of R5, R6 */
#define PL_PDF_PASSWORD_MOST 127                                       /* bytes, R5 and R6 */

/* What the /Encrypt dictionary says about passwords. */
struct pl_pdf_lock {
    unsigned revision; /* 2, 3, 4, 5, 6 */
    size_t key_size;   /* bytes: 5 to 16, R5 and R6 32 */
    uint32_t permissions;
    bool metadata;
    uint8_t owner[PL_PDF_ENTRY_BYTES]; /* /O; R2 to R4 use 32 bytes */
    uint8_t user[PL_PDF_ENTRY_BYTES];
    uint8_t owner_key[32]; /* /OE, R5 and R6 */
    uint8_t user_key[32];
    struct pl_span id;
};

/* Tries a password, as the bytes that the revision hashes, as the user's and then as the owner's.
 * *fits tells whether it is one; key gets lock->key_size bytes then. PL_NO_MEMORY. */
pl_status pl_pdf_password_try(const struct pl_pdf_lock *lock, struct pl_span password,
                              uint8_t key[32], bool *fits) PL_MUST_USE;

/* ISO 32000-2 algorithm 2.B; `entry` is /U (48 bytes) for an owner's password, NULL for a user's.
 * Revision 5 is one SHA-256. */
pl_status pl_pdf_password_hash(unsigned revision, struct pl_span password,
                               const uint8_t salt[PL_PDF_SALT_BYTES], const uint8_t *entry,
                               uint8_t out[PL_PDF_HASH_BYTES]) PL_MUST_USE;

#endif
