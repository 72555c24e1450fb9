/* fuzz_seal_open: any bytes as a sealed object, and any change to a true one: nothing opens.
 *
 * The first byte picks the game: the rest as a whole object, or as changes (position, bytes) to an
 * object sealed under a fixed key and salt, which must be refused unless they change nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/seal.h"

#include "tests/support/plt1_object.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRUE_BYTES ((size_t)300)
#define ROOM ((size_t)1 << 18)

static const struct pl_seal_key key = { .secret = { 1, 2, 3 }, .id = { 4, 5, 6 } };

/* Nobody but the fuzzer's luck against 128 bits can make these open. */
static void whole_object(const uint8_t *ctx, const uint8_t *data, size_t size)
{
    size_t released = 0;
    uint64_t plain = 0;
    uint8_t *out = malloc(size + 1);
    PL_CHECK(out != NULL);
    if (pl_seal_plain_size(size, &plain) == PL_OK)
        PL_CHECK(pl_seal_sealed_size(plain) == size);
    PL_CHECK(plt1_open(&key, ctx, data, size, out, &released) == PL_TAMPERED && released == 0);
    uint8_t *box = malloc(size + 1);
    PL_CHECK(box != NULL);
    PL_CHECK(pl_box_open(key.secret, (struct pl_span){ "f", 1 }, data, size, box) == PL_TAMPERED);
    free(box);
    free(out);
}

static void changed_object(const uint8_t *ctx, struct pl_cursor *changes)
{
    const uint8_t salt[32] = { 9 };
    uint8_t plain[TRUE_BYTES];
    uint8_t sealed[1024];
    uint8_t wanted[1024];
    uint8_t out[1024];
    uint16_t at = 0;
    uint8_t value = 0;
    size_t released = 0;
    size_t size = (size_t)pl_seal_sealed_size(TRUE_BYTES);
    plt1_fill(plain, sizeof plain);
    memset(sealed, 0, sizeof sealed);
    PL_CHECK(plt1_seal(&key, ctx, salt, plain, sizeof plain, sealed) == PL_OK);
    memcpy(wanted, sealed, sizeof sealed);
    /* A change past the end makes the object longer; one of the value of its place cuts there. */
    size_t claimed = size;
    while (pl_cursor_u16be(changes, &at) && pl_cursor_u8(changes, &value)) {
        at = (uint16_t)(at % sizeof sealed);
        if (sealed[at] == value)
            claimed = at;
        sealed[at] = value;
    }
    bool same = claimed == size && memcmp(sealed, wanted, size) == 0;
    memset(out, 0, sizeof out);
    pl_status status = plt1_open(&key, ctx, sealed, claimed, out, &released);
    PL_CHECK(same ? status == PL_OK && released == TRUE_BYTES
                  : status == PL_TAMPERED && released == 0);
    for (size_t i = 0; !same && i < sizeof out; i++)
        PL_CHECK(out[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    if (size == 0 || size > ROOM)
        return 0;
    pl_seal_context("tenant", "job", "original", ctx);
    struct pl_cursor rest = { data + 1, size - 1, 0 };
    if (data[0] % 2 == 0)
        whole_object(ctx, rest.data, rest.size);
    else
        changed_object(ctx, &rest);
    return 0;
}
