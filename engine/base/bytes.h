/* bytes: a growing buffer with a ceiling, and a cursor that reads foreign bytes without trust.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_BYTES_H
#define PL_ENGINE_BASE_BYTES_H

#include "engine/base/status.h"
#include "engine/base/text.h"

/* Grows by doubling up to `limit` bytes; zero-initialise, then pl_bytes_init. */
struct pl_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
};

void pl_bytes_init(struct pl_bytes *bytes, size_t limit);
/* Frees the memory; the struct is as after init. */
void pl_bytes_fini(struct pl_bytes *bytes);
void pl_bytes_clear(struct pl_bytes *bytes);

/* PL_TOO_LARGE past the limit, PL_NO_MEMORY; nothing is appended then. */
pl_status pl_bytes_append(struct pl_bytes *bytes, const void *data, size_t size) PL_MUST_USE;
pl_status pl_bytes_format(struct pl_bytes *bytes, const char *format, ...) PL_MUST_USE
    PL_PRINTF(2, 3);
/* Room for `size` more bytes; *out points at it. Advance with bytes->size += n. */
pl_status pl_bytes_reserve(struct pl_bytes *bytes, size_t size, uint8_t **out) PL_MUST_USE;
/* Drops the first `size` bytes. */
void pl_bytes_shift(struct pl_bytes *bytes, size_t size);

/* Reads data[at..size); every read answers false past the end and then moves nothing. */
struct pl_cursor {
    const uint8_t *data;
    size_t size;
    size_t at;
};

bool pl_cursor_u8(struct pl_cursor *cursor, uint8_t *out);
bool pl_cursor_u16be(struct pl_cursor *cursor, uint16_t *out);
bool pl_cursor_u32be(struct pl_cursor *cursor, uint32_t *out);
bool pl_cursor_u64be(struct pl_cursor *cursor, uint64_t *out);
bool pl_cursor_take(struct pl_cursor *cursor, size_t size, const uint8_t **out);

void pl_put_u16be(uint8_t *out, uint16_t value);
void pl_put_u32be(uint8_t *out, uint32_t value);
void pl_put_u64be(uint8_t *out, uint64_t value);

#endif
