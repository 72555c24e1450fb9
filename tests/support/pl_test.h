/* pl_test: cmocka, with the headers it silently needs before it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_PL_TEST_H
#define PL_TESTS_SUPPORT_PL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* kept in a block of its own: the order matters */

#endif
