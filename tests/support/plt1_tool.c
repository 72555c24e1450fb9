/* plt1_tool: seals or opens standard input, so that a second implementation can be held against
 * ours. For tests only: the key stands on the command line.
 *
 *   plt1_tool seal KEY KEY-ID TENANT JOB ROLE [SALT] < plain > sealed
 *   plt1_tool open KEY KEY-ID TENANT JOB ROLE < sealed > plain
 *   plt1_tool derive KEY KEY-ID LABEL
 *
 * Keys, ids and the salt are hex. Exit code 1, a line on stderr and an empty standard output when
 * the object is refused; 2 when the command makes no sense.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/bytes.h"
#include "engine/base/digest.h"
#include "engine/base/seal_priv.h"
#include "tests/support/plt1_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL_BYTES ((size_t)256 << 20)

static bool read_all(struct pl_bytes *bytes)
{
    uint8_t *room = NULL;
    size_t took = 0;
    do {
        if (pl_bytes_reserve(bytes, 1 << 16, &room) != PL_OK)
            return false;
        took = fread(room, 1, 1 << 16, stdin);
        bytes->size += took;
    } while (took > 0);
    return ferror(stdin) == 0;
}

static pl_status tool_run(bool seal, const struct pl_seal_key *key, const uint8_t *ctx,
                          const uint8_t *salt, const struct pl_bytes *in, struct pl_bytes *out)
{
    uint8_t *room = NULL;
    size_t size = seal ? (size_t)pl_seal_sealed_size(in->size) : in->size;
    pl_status status = pl_bytes_reserve(out, size, &room);
    if (status != PL_OK)
        return status;
    if (!seal)
        return plt1_open(key, ctx, in->data, in->size, room, &out->size);
    out->size = size;
    return plt1_seal(key, ctx, salt, in->data, in->size, room);
}

static int tool_stream(bool seal, const struct pl_seal_key *key, const uint8_t *ctx,
                       const uint8_t *salt)
{
    struct pl_bytes in;
    struct pl_bytes out;
    pl_status status = PL_IO_ERROR;
    pl_bytes_init(&in, TOOL_BYTES);
    pl_bytes_init(&out, TOOL_BYTES + TOOL_BYTES / 2);
    if (read_all(&in))
        status = tool_run(seal, key, ctx, salt, &in, &out);
    if (status == PL_OK && fwrite(out.data, 1, out.size, stdout) != out.size)
        status = PL_IO_ERROR;
    if (status != PL_OK)
        (void)fprintf(stderr, "plt1_tool: %s\n", pl_status_text(status));
    pl_bytes_fini(&in);
    pl_bytes_fini(&out);
    return status == PL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int tool_derive(const struct pl_seal_key *parent, const char *label)
{
    struct pl_seal_key key;
    char secret[65];
    char id[33];
    pl_seal_key_derive(parent, label, &key);
    (void)printf("%s %s\n", pl_text_hex(key.secret, sizeof key.secret, secret),
                 pl_text_hex(key.id, sizeof key.id, id));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct pl_seal_key key;
    uint8_t salt[PL_SEAL_SALT_BYTES];
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    bool good = argc > 4 && pl_text_unhex(pl_span_from(argv[2]), key.secret, sizeof key.secret) &&
                pl_text_unhex(pl_span_from(argv[3]), key.id, sizeof key.id);
    if (good && argc == 5 && strcmp(argv[1], "derive") == 0)
        return tool_derive(&key, argv[4]);
    bool seal = good && strcmp(argv[1], "seal") == 0;
    good = good && (seal || strcmp(argv[1], "open") == 0) && (argc == 7 || (seal && argc == 8));
    if (good && argc == 8)
        good = pl_text_unhex(pl_span_from(argv[7]), salt, sizeof salt);
    if (!good) {
        (void)fputs("plt1_tool: seal|open KEY KEY-ID TENANT JOB ROLE [SALT], or derive KEY KEY-ID "
                    "LABEL\n",
                    stderr);
        return 2;
    }
    pl_seal_context(argv[4], argv[5], argv[6], ctx);
    return tool_stream(seal, &key, ctx, argc == 8 ? salt : NULL);
}
