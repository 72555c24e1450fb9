/* ids: time and randomness, five bits a character.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/ids.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

pl_status pl_random_bytes(void *out, size_t size)
{
    uint8_t *next = out;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return PL_UNAVAILABLE;
        next += got;
        size -= (size_t)got;
    }
    return PL_OK;
}

/* Adds 1 to 2^56 to the 80-bit number; false when it does not hold the sum. */
static bool id_step(uint8_t random[10], const uint8_t step[7])
{
    unsigned carry = 1; /* a step is never nothing */
    for (int i = 9; i >= 0; i--) {
        unsigned sum = random[i] + carry + (i >= 3 ? step[i - 3] : 0u);
        random[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    return carry == 0;
}

/* The number for the next id: fresh in a new millisecond, else further than the last. */
static pl_status id_advance(struct pl_id_maker *maker, uint64_t ms)
{
    uint8_t fresh[10];
    pl_status status = pl_random_bytes(fresh, sizeof fresh);
    if (status != PL_OK)
        return status;
    bool stepped = maker->started && ms <= maker->last_ms && id_step(maker->random, fresh);
    if (stepped)
        return PL_OK;
    if (!maker->started || ms > maker->last_ms) {
        maker->last_ms = ms;
    } else {
        maker->last_ms++; /* eight million ids and more in one millisecond: borrow the next */
    }
    memcpy(maker->random, fresh, sizeof fresh);
    maker->random[0] &= 0x7F; /* room to step */
    maker->started = true;
    return PL_OK;
}

pl_status pl_id_make(struct pl_id_maker *maker, int64_t now_ms, struct pl_id *out)
{
    uint64_t ms = now_ms > 0 ? (uint64_t)now_ms & 0xFFFFFFFFFFFFu : 0;
    pl_status status = id_advance(maker, ms);
    if (status != PL_OK)
        return status;
    uint8_t raw[16];
    for (int i = 0; i < 6; i++)
        raw[i] = (uint8_t)(maker->last_ms >> (40 - 8 * i));
    memcpy(raw + 6, maker->random, 10);
    unsigned held_bits = 2; /* 130 bits are written: two leading zero bits */
    uint32_t held = 0;
    size_t done = 0;
    for (size_t i = 0; i < sizeof raw; i++) {
        held = (held << 8 | raw[i]) & 0xFFFFF;
        held_bits += 8;
        while (held_bits >= 5) {
            held_bits -= 5;
            out->text[done++] = id_digits[held >> held_bits & 31];
        }
    }
    PL_CHECK(done == PL_ID_CHARS && held_bits == 0);
    out->text[done] = '\0';
    return PL_OK;
}

bool pl_id_parse(struct pl_span span, struct pl_id *out)
{
    if (span.size != PL_ID_CHARS || span.data[0] > '7' || span.data[0] < '0')
        return false;
    for (size_t i = 0; i < span.size; i++) {
        if (span.data[i] == '\0' || strchr(id_digits, span.data[i]) == NULL)
            return false;
    }
    return pl_text_copy(out->text, sizeof out->text, span);
}

bool pl_id_equals(const struct pl_id *a, const struct pl_id *b)
{
    return strcmp(a->text, b->text) == 0;
}

bool pl_id_is_none(const struct pl_id *id)
{
    return id->text[0] == '\0';
}
