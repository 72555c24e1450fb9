/* ids: names for tenants, jobs and the rest: 26 characters that sort by time of birth.
 *
 * 48 bits of milliseconds and 80 random bits in Crockford's base 32 (the ULID layout), lower case.
 * Nobody can guess one, and the newest sorts last. Two of one maker never compare equal and are
 * ordered even within a millisecond or while the clock runs backwards: the next one is then a
 * random step of 56 bits further, so that whoever holds one still cannot guess its neighbour.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_IDS_H
#define PL_ENGINE_BASE_IDS_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_ID_CHARS 26

/* Always terminated; empty text means "none". */
struct pl_id {
    char text[PL_ID_CHARS + 1];
};

/* Zero-initialise; belongs to one thread. */
struct pl_id_maker {
    bool started;
    uint64_t last_ms;
    uint8_t random[10];
};

/* PL_UNAVAILABLE when the kernel gives no random bytes. */
pl_status pl_id_make(struct pl_id_maker *maker, int64_t now_ms, struct pl_id *out) PL_MUST_USE;

/* Accepts only what pl_id_make can write. */
bool pl_id_parse(struct pl_span span, struct pl_id *out);
bool pl_id_equals(const struct pl_id *a, const struct pl_id *b);
bool pl_id_is_none(const struct pl_id *id);

/* Fills out[0..size) from getrandom(2); PL_UNAVAILABLE when it fails. */
pl_status pl_random_bytes(void *out, size_t size) PL_MUST_USE;

#endif
