/* fuzz_http_chunked: any bytes as a chunked body: the pieces in which they come change nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    pl_status status;
    size_t used;
    size_t body;
    uint32_t sum;
    bool done;
};

static struct run run_in_pieces(const uint8_t *data, size_t size, size_t step)
{
    struct pl_http_chunked chunked = { 0 };
    struct run run = { 0 };
    const char *why = NULL;
    while (run.used < size && !chunked.done && run.status == PL_OK) {
        size_t used = 0;
        size_t at = 0;
        size_t count = 0;
        size_t piece = size - run.used < step ? size - run.used : step;
        run.status =
            pl_http_chunked_read(&chunked, data + run.used, piece, &used, &at, &count, &why);
        if (run.status != PL_OK)
            break;
        PL_CHECK(used > 0 && used <= piece && at + count <= used);
        for (size_t i = 0; i < count; i++)
            run.sum = run.sum * 31 + data[run.used + at + i];
        run.body += count;
        run.used += used;
    }
    run.done = chunked.done;
    return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole = run_in_pieces(data, size, size > 0 ? size : 1);
    struct run bytes = run_in_pieces(data, size, 1);
    PL_CHECK(whole.status == bytes.status && whole.done == bytes.done);
    PL_CHECK(whole.body == bytes.body && whole.sum == bytes.sum);
    PL_CHECK(whole.status != PL_OK || whole.used == bytes.used);
    return 0;
}
