/* clock: the two system clocks, or the two numbers of a test.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read_ms(clockid_t which)
{
    struct timespec now;
    PL_CHECK(clock_gettime(which, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t pl_clock_wall_ms(const struct pl_clock *clock)
{
    return clock->fake ? clock->wall_ms : clock_read_ms(CLOCK_REALTIME);
}

int64_t pl_clock_monotonic_ms(const struct pl_clock *clock)
{
    return clock->fake ? clock->monotonic_ms : clock_read_ms(CLOCK_MONOTONIC);
}

void pl_clock_advance(struct pl_clock *clock, int64_t ms)
{
    PL_CHECK(clock->fake && ms >= 0);
    clock->wall_ms += ms;
    clock->monotonic_ms += ms;
}

const char *pl_clock_text(int64_t wall_ms, char out[PL_CLOCK_TEXT_CHARS])
{
    const int64_t last_ms = 253402300799999; /* 9999-12-31T23:59:59.999Z */
    int64_t ms = wall_ms < 0 ? 0 : wall_ms > last_ms ? last_ms : wall_ms;
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    PL_CHECK(gmtime_r(&seconds, &utc) != NULL);
    size_t used = strftime(out, PL_CLOCK_TEXT_CHARS, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + used, PL_CLOCK_TEXT_CHARS - used, ".%03uZ", (unsigned)(ms % 1000));
    return out;
}
