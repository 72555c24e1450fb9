/* plt1_object: the two loops over chunks.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/plt1_object.h"

#include "engine/base/seal_priv.h"

#include <string.h>

void plt1_fill(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(i * 31 + i / 251);
}

pl_status plt1_seal(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                    const uint8_t *salt, const uint8_t *plain, size_t size, uint8_t *out)
{
    struct pl_sealer *sealer = NULL;
    pl_status status = salt == NULL ? pl_sealer_new(key, ctx, &sealer)
                                    : pl_sealer_new_salted(key, ctx, salt, &sealer);
    if (status != PL_OK)
        return status;
    memcpy(out, pl_sealer_header(sealer), PL_SEAL_HEADER_BYTES);
    out += PL_SEAL_HEADER_BYTES;
    bool last = false;
    while (status == PL_OK && !last) {
        size_t part = size < PL_SEAL_CHUNK_BYTES ? size : PL_SEAL_CHUNK_BYTES;
        last = part == size;
        status = pl_sealer_chunk(sealer, plain, part, last, out);
        plain += part;
        size -= part;
        out += part + PL_SEAL_TAG_BYTES;
    }
    pl_sealer_free(sealer);
    return status;
}

pl_status plt1_open(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                    const uint8_t *sealed, size_t size, uint8_t *out, size_t *released)
{
    struct pl_opener *opener = NULL;
    uint64_t plain = 0;
    *released = 0;
    pl_status status = pl_seal_plain_size(size, &plain);
    if (status == PL_OK)
        status = pl_opener_new(sealed, key, ctx, &opener);
    if (status != PL_OK)
        return status;
    size_t at = PL_SEAL_HEADER_BYTES;
    for (uint64_t index = 0; status == PL_OK && at < size; index++) {
        size_t whole = PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES;
        size_t part = size - at < whole ? size - at : whole;
        status =
            pl_opener_chunk(opener, index, sealed + at, part, at + part == size, out + *released);
        at += part;
        if (status == PL_OK)
            *released += part - PL_SEAL_TAG_BYTES;
    }
    pl_opener_free(opener);
    return status;
}
