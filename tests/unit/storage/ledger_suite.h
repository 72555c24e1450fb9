/* ledger_suite: what every implementation of the ledger must do, as tests.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_H
#define PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_H

#include "tests/unit/storage/ledger_suite_rows.h"

/* A fresh, empty ledger for each test: setup leaves a `struct pl_ledger *` in *state, teardown
 * closes it. Each returns the number of tests that failed. */
int pl_ledger_suite_run(const char *name, CMFixtureFunction setup, CMFixtureFunction teardown);
/* Its half about jobs and documents; run by pl_ledger_suite_run. */
int pl_ledger_suite_run_jobs(const char *name, CMFixtureFunction setup, CMFixtureFunction teardown);
/* Its part about receipts and usage; run by pl_ledger_suite_run. */
int pl_ledger_suite_run_uploads(const char *name, CMFixtureFunction setup,
                                CMFixtureFunction teardown);

#endif
