/* lzw_encode: strings of the table are found in a hash of 32 KB, so that it stays in cache.
 *
 * Codes have 9 to 12 bits, most significant bit first, and grow one code early. The table is
 * cleared before its entry 4,094 is used, as libtiff does: old readers do not take more.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/lzw_encode.h"

#include <stdlib.h>
#include <string.h>

#define CODE_CLEAR 256U
#define CODE_END 257U
#define CODE_FIRST 258U
#define CODE_FULL 4094U
#define BITS_LEAST 9U
#define HASH_BITS 13U /* less than half full with 3,836 strings */
#define HASH_SLOTS (1U << HASH_BITS)
#define SLOT_EMPTY UINT32_MAX

struct lzw {
    uint8_t *at;
    uint32_t window; /* bits that are not written yet stand at its low end */
    unsigned held;
    unsigned bits;              /* of the next code */
    uint32_t next;              /* code of the next string */
    uint32_t slots[HASH_SLOTS]; /* string (code of its head << 8 | last byte) << 12 | its code */
};

static void lzw_put(struct lzw *lzw, uint32_t code)
{
    lzw->window = lzw->window << lzw->bits | code;
    lzw->held += lzw->bits;
    while (lzw->held >= 8) {
        lzw->held -= 8;
        *lzw->at++ = (uint8_t)(lzw->window >> lzw->held);
    }
}

static void lzw_clear(struct lzw *lzw)
{
    lzw_put(lzw, CODE_CLEAR);
    lzw->bits = BITS_LEAST;
    lzw->next = CODE_FIRST;
    memset(lzw->slots, 0xff, sizeof lzw->slots);
}

/* A code was written, whereby the reader's table grows: clears or widens as it will. */
static void lzw_grow(struct lzw *lzw)
{
    lzw->next++;
    if (lzw->next == CODE_FULL)
        lzw_clear(lzw);
    else if (lzw->next == 1U << lzw->bits)
        lzw->bits++;
}

/* The slot of a string, or the empty one where it belongs. */
static uint32_t *lzw_slot(struct lzw *lzw, uint32_t string)
{
    uint32_t n = string * 2654435761U >> (32 - HASH_BITS);
    while (lzw->slots[n] != SLOT_EMPTY && lzw->slots[n] >> 12 != string)
        n = (n + 1) % HASH_SLOTS;
    return &lzw->slots[n];
}

static void lzw_run(struct lzw *lzw, const uint8_t *data, size_t size)
{
    lzw->bits = BITS_LEAST;
    lzw_clear(lzw);
    if (size > 0) {
        uint32_t head = data[0];
        for (size_t i = 1; i < size; i++) {
            uint32_t string = head << 8 | data[i];
            uint32_t *slot = lzw_slot(lzw, string);
            if (*slot != SLOT_EMPTY) {
                head = *slot & 4095;
                continue;
            }
            *slot = string << 12 | lzw->next;
            lzw_put(lzw, head);
            lzw_grow(lzw);
            head = data[i];
        }
        lzw_put(lzw, head);
        lzw_grow(lzw);
    }
    lzw_put(lzw, CODE_END);
    if (lzw->held > 0)
        *lzw->at++ = (uint8_t)(lzw->window << (8 - lzw->held));
}

pl_status pl_lzw_encode(const uint8_t *data, size_t size, struct pl_bytes *out)
{
    size_t most = 0; /* 12 bits a byte, and a clear code for every 3,836 of them */
    if (!pl_size_mul(size, 2, &most) || !pl_size_add(most, 16, &most))
        return PL_TOO_LARGE;
    struct lzw *lzw = malloc(sizeof *lzw);
    if (lzw == NULL)
        return PL_NO_MEMORY;
    lzw->window = 0;
    lzw->held = 0;
    pl_status status = pl_bytes_reserve(out, most, &lzw->at);
    if (status == PL_OK) {
        lzw_run(lzw, data, size);
        out->size = (size_t)(lzw->at - out->data);
        PL_CHECK(out->size <= out->limit);
    }
    free(lzw);
    return status;
}
