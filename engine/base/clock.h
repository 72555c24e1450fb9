/* clock: wall time and monotonic time behind one struct, so that tests can move both by hand.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_CLOCK_H
#define PL_ENGINE_BASE_CLOCK_H

#include "engine/base/check.h"

/* Either the system's clocks (`fake` false) or two numbers that a test moves. Read from any
 * thread while nobody moves it. */
struct pl_clock {
    bool fake;
    int64_t wall_ms;
    int64_t monotonic_ms;
};

#define PL_CLOCK_SYSTEM ((struct pl_clock){ .fake = false })

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t pl_clock_wall_ms(const struct pl_clock *clock);

/* Milliseconds since some fixed moment; never runs backwards. */
int64_t pl_clock_monotonic_ms(const struct pl_clock *clock);

/* Moves a fake clock's both times forward. */
void pl_clock_advance(struct pl_clock *clock, int64_t ms);

#define PL_CLOCK_TEXT_CHARS 25

/* RFC 3339 in UTC with milliseconds: "2026-11-22T10:48:00.123Z". Returns `out`. Times outside the
 * years 1970 to 9999 are clamped. */
const char *pl_clock_text(int64_t wall_ms, char out[PL_CLOCK_TEXT_CHARS]);

#endif
