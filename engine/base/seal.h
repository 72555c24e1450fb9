/* seal: PLT1, authenticated encryption of a stream in 64 KiB chunks, and the small box for keys
 * and fields.
 *
 * PLT1 (DESIGN section 6; docs/plt1.md has the layout byte by byte): a 92-byte header, then chunks
 * of PL_SEAL_CHUNK_BYTES plaintext each followed by a 16-byte tag. Every chunk stands for itself,
 * so a reader may start anywhere; the last one is marked in its nonce, so a cut is always seen.
 *
 *   header = "PLT1" | suite 1 (u8) | 0 0 0 | chunk size (u32 BE) | salt[32] | key id[16] |
 *            commitment[32]
 *   PRK = HKDF-Extract(salt, data key); ctx = SHA-256 of the length-prefixed tenant, job, role
 *   key = HKDF-Expand(PRK, suite | "DERIVEKEY" | ctx); commitment likewise with "COMMITKEY"
 *   nonce = chunk index (11 bytes BE) | last flag (1 byte); AAD = SHA-256(header)
 *
 * No function releases a byte of plaintext whose tag was not verified.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_SEAL_H
#define PL_ENGINE_BASE_SEAL_H

#include "engine/base/bytes.h"
#include "engine/base/status.h"

#define PL_SEAL_CHUNK_BYTES ((size_t)65536)
#define PL_SEAL_TAG_BYTES ((size_t)16)
#define PL_SEAL_HEADER_BYTES ((size_t)92)
#define PL_SEAL_KEY_BYTES ((size_t)32)
#define PL_SEAL_KEY_ID_BYTES ((size_t)16)
#define PL_SEAL_CONTEXT_BYTES ((size_t)32)
#define PL_SEAL_CHUNKS_MAX ((uint64_t)1 << 32)
#define PL_SEAL_PLAIN_MAX_BYTES (PL_SEAL_CHUNKS_MAX * PL_SEAL_CHUNK_BYTES) /* 256 TiB */
#define PL_SEAL_LABEL_CHARS 96

/* A data key with its public name. Whoever holds one wipes it (pl_wipe) when done. */
struct pl_seal_key {
    uint8_t secret[32];
    uint8_t id[16];
};

/* A fresh random key and id; PL_UNAVAILABLE. */
pl_status pl_seal_key_make(struct pl_seal_key *out) PL_MUST_USE;

/* The key and id that `label` ("document/1") names under a parent, so that one wrapped key in the
 * ledger stands for all documents of a job. Deterministic; nobody without the parent can tell that
 * two are kin. The label has at most PL_SEAL_LABEL_CHARS bytes. `out` may be the parent. */
void pl_seal_key_derive(const struct pl_seal_key *parent, const char *label,
                        struct pl_seal_key *out);

/* Makes the library load what it loads on first use (its configuration file, the algorithms), so
 * that nothing here opens a file later. A sandboxed process calls it before the door closes.
 * PL_NO_MEMORY, PL_UNAVAILABLE. */
pl_status pl_seal_prepare(void) PL_MUST_USE;

/* ctx of one object: whose it is, which job's, and what it is in that job ("original",
 * "document/1"). An object opens only under the context it was sealed under. */
void pl_seal_context(const char *tenant, const char *job, const char *role,
                     uint8_t out[PL_SEAL_CONTEXT_BYTES]);

/* Whole sealed size of `plain` bytes; the empty object has one empty, marked chunk. UINT64_MAX
 * when `plain` is over PL_SEAL_PLAIN_MAX_BYTES. */
uint64_t pl_seal_sealed_size(uint64_t plain);
/* The reverse; PL_TAMPERED when no plaintext has that sealed size. */
pl_status pl_seal_plain_size(uint64_t sealed, uint64_t *out) PL_MUST_USE;

struct pl_sealer;

/* Draws a salt and derives the keys. PL_NO_MEMORY, PL_UNAVAILABLE. Belongs to one thread at a time.
 */
pl_status pl_sealer_new(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                        struct pl_sealer **out) PL_MUST_USE;
void pl_sealer_free(struct pl_sealer *sealer);
/* The header that must stand before the first chunk. */
const uint8_t *pl_sealer_header(const struct pl_sealer *sealer);
/* Seals the next chunk: `size` is PL_SEAL_CHUNK_BYTES, or 1..PL_SEAL_CHUNK_BYTES when `last` (0
 * only when the object is empty). Writes size + PL_SEAL_TAG_BYTES bytes; `out` may equal `plain`.
 * PL_TOO_LARGE past PL_SEAL_CHUNKS_MAX, PL_NO_MEMORY; after a failure the object is void. */
pl_status pl_sealer_chunk(struct pl_sealer *sealer, const uint8_t *plain, size_t size, bool last,
                          uint8_t *out) PL_MUST_USE;

struct pl_opener;

/* Checks magic, suite, chunk size and, in constant time, the commitment. PL_TAMPERED when the
 * header was not made with this key and context; PL_NO_MEMORY. One thread at a time. */
pl_status pl_opener_new(const uint8_t header[PL_SEAL_HEADER_BYTES], const struct pl_seal_key *key,
                        const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                        struct pl_opener **out) PL_MUST_USE;
void pl_opener_free(struct pl_opener *opener);
/* Opens chunk `index` of `size` sealed bytes (tag included). `last` is what the caller knows from
 * the object's length. Writes size - PL_SEAL_TAG_BYTES bytes; on PL_TAMPERED `out` is wiped, or was
 * not touched because no chunk has that size. `out` may equal `sealed`. PL_NO_MEMORY. */
pl_status pl_opener_chunk(struct pl_opener *opener, uint64_t index, const uint8_t *sealed,
                          size_t size, bool last, uint8_t *out) PL_MUST_USE;

#define PL_BOX_OVERHEAD_BYTES ((size_t)28) /* 12-byte nonce before, 16-byte tag after */
#define PL_BOX_MAX_BYTES ((size_t)64 << 20)

/* AES-256-GCM with a random nonce, for keys and short fields. `out` takes size +
 * PL_BOX_OVERHEAD_BYTES bytes. The aad says what the field is and whose, so that a box cannot be
 * moved to another row. `out` must not overlap `plain`. PL_TOO_LARGE past PL_BOX_MAX_BYTES,
 * PL_NO_MEMORY, PL_UNAVAILABLE. */
pl_status pl_box_seal(const uint8_t key[PL_SEAL_KEY_BYTES], struct pl_span aad, const void *plain,
                      size_t size, uint8_t *out) PL_MUST_USE;
/* `size` counts the whole box; writes size - PL_BOX_OVERHEAD_BYTES bytes. PL_TAMPERED: `out` is
 * wiped. PL_NO_MEMORY. */
pl_status pl_box_open(const uint8_t key[PL_SEAL_KEY_BYTES], struct pl_span aad, const void *box,
                      size_t size, uint8_t *out) PL_MUST_USE;

#endif
