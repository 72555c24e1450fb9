/* ledger_suite: what every implementation of the ledger must do, as tests.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_H
#define PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_H

#include "tests/support/pl_test.h"

#include "engine/core/ledger.h"

/* A fresh, empty ledger for each test: setup leaves a `struct pl_ledger *` in *state, teardown
 * closes it. Returns the number of tests that failed. */
int pl_ledger_suite_run(const char *name, CMFixtureFunction setup, CMFixtureFunction teardown);

/* Rows that tests build on: everything that a job needs, then jobs 1, 2, 3 of tenant 1 or 2. */
struct pl_id pl_suite_id(char kind, unsigned n);
void pl_suite_add_places(const struct pl_ledger *ledger);
struct pl_ledger_job pl_suite_job(unsigned n, unsigned tenant, enum pl_job_state state);

#endif
