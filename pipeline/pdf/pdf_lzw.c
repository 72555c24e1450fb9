/* pdf_lzw: a string is its last byte and the code of what stands before it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_lzw.h"

#define CODES 4096
#define CODE_CLEAR 256
#define CODE_END 257
#define CODE_FIRST 258
#define CODE_NONE CODES

struct lzw {
    unsigned next;     /* code that the next string gets */
    unsigned width;    /* bits */
    unsigned previous; /* code; CODE_NONE: none since the table was cleared */
    uint16_t before[CODES];
    uint16_t length[CODES];
    uint8_t last[CODES];
    uint8_t first[CODES];
};

static void lzw_clear(struct lzw *lzw)
{
    lzw->next = CODE_FIRST;
    lzw->width = 9;
    lzw->previous = CODE_NONE;
}

static void lzw_init(struct lzw *lzw)
{
    for (unsigned i = 0; i < 256; i++) {
        lzw->length[i] = 1;
        lzw->first[i] = lzw->last[i] = (uint8_t)i;
        lzw->before[i] = 0;
    }
    lzw_clear(lzw);
}

static void lzw_learn(struct lzw *lzw, uint8_t last)
{
    if (lzw->next == CODES || lzw->previous == CODE_NONE)
        return;
    lzw->before[lzw->next] = (uint16_t)lzw->previous;
    lzw->length[lzw->next] = (uint16_t)(lzw->length[lzw->previous] + 1);
    lzw->first[lzw->next] = lzw->first[lzw->previous];
    lzw->last[lzw->next] = last;
    lzw->next++;
}

static pl_status lzw_write(const struct lzw *lzw, unsigned code, struct pl_bytes *out)
{
    uint8_t *room = NULL;
    size_t length = lzw->length[code];
    pl_status status = pl_bytes_reserve(out, length, &room);
    if (status != PL_OK)
        return status;
    out->size += length;
    while (length-- > 0) {
        room[length] = lzw->last[code];
        code = lzw->before[code];
    }
    return PL_OK;
}

static pl_status lzw_code(struct lzw *lzw, unsigned code, struct pl_bytes *out)
{
    bool known = code < 256 || (code >= CODE_FIRST && code < lzw->next);
    bool own = code == lzw->next && lzw->previous != CODE_NONE && code < CODES;
    if (!known && !own)
        return PL_BAD_DOCUMENT;
    lzw_learn(lzw, known ? lzw->first[code] : lzw->first[lzw->previous]);
    lzw->previous = code;
    return lzw_write(lzw, code, out);
}

pl_status pl_pdf_lzw(struct pl_cursor *in, bool early, struct pl_bytes *out)
{
    struct lzw lzw;
    uint32_t bits = 0;
    unsigned held = 0;
    lzw_init(&lzw);
    for (;;) {
        uint8_t byte = 0;
        while (held < lzw.width) {
            if (!pl_cursor_u8(in, &byte))
                return PL_OK; /* without an end mark */
            bits = bits << 8 | byte;
            held += 8;
        }
        held -= lzw.width;
        unsigned code = bits >> held & ((1U << lzw.width) - 1);
        if (code == CODE_END)
            return PL_OK;
        if (code == CODE_CLEAR) {
            lzw_clear(&lzw);
            continue;
        }
        pl_status status = lzw_code(&lzw, code, out);
        if (status != PL_OK)
            return status;
        while (lzw.width < 12 && lzw.next + (early ? 1 : 0) >= 1U << lzw.width)
            lzw.width++;
    }
}
