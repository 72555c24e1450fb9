/* sealed_file: a worker's way to its documents: PLT1 over passed descriptors, as source and out.
 *
 * Reads and writes by pread and pwrite only, so that no shared offset moves and the sandbox needs
 * no other call. A source opens the last chunk at once: an object that was cut is refused before
 * a byte of it is used. The plain kinds are for `platen convert`, whose files are not sealed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_SEALED_FILE_H
#define PL_WORKERS_SEALED_FILE_H

#include "engine/base/digest.h"
#include "engine/base/seal.h"
#include "pipeline/source.h"

/* `size` is that of the sealed file. The descriptor is borrowed and outlives the source and its
 * clones. PL_TAMPERED, PL_IO_ERROR, PL_NO_MEMORY. Free with source->ops->free. */
pl_status pl_sealed_source_new(int fd, uint64_t size, const struct pl_seal_key *key,
                               const uint8_t context[PL_SEAL_CONTEXT_BYTES],
                               struct pl_source **out) PL_MUST_USE;
pl_status pl_plain_source_new(int fd, uint64_t size, struct pl_source **out) PL_MUST_USE;

/* An empty file being written; at most `limit` bytes of plaintext. The descriptor is borrowed. */
struct pl_file_out;

/* Sealed under `key`, or plain when `key` is NULL. PL_NO_MEMORY, PL_UNAVAILABLE. */
pl_status pl_file_out_new(int fd, uint64_t limit, const struct pl_seal_key *key,
                          const uint8_t context[PL_SEAL_CONTEXT_BYTES],
                          struct pl_file_out **out) PL_MUST_USE;
struct pl_out *pl_file_out_base(struct pl_file_out *file);
/* Writes what is left and the end mark; nothing may be written afterwards. The digest is that of
 * the plaintext; zero for a plain file, which whoever wants to can read again. */
pl_status pl_file_out_end(struct pl_file_out *file, uint8_t sha256[PL_SHA256_BYTES]) PL_MUST_USE;
void pl_file_out_free(struct pl_file_out *file);

#endif
