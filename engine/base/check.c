/* check: print where the invariant broke, then stop.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void pl_check_failed(const char *cond, const char *file, int line, const char *func)
{
    (void)fprintf(stderr, "%s:%d: %s: broken invariant: %s\n", file, line, func, cond);
    abort();
}
