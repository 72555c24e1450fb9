/* ledger_suite_rows: rows that tests of the ledger build on, and what callbacks saw as text.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_ROWS_H
#define PL_TESTS_UNIT_STORAGE_LEDGER_SUITE_ROWS_H

#include "tests/support/pl_test.h"

#include "engine/core/ledger.h"

#define PL_DO(ledger, op, ...) ((ledger)->ops->op((ledger)->self, __VA_ARGS__))

/* Where tests put files that need not outlive the machine: memory, if there is such a place. */
const char *pl_suite_folder(void);

/* "0j...1" for job 1; kinds sort together, numbers within. */
struct pl_id pl_suite_id(char kind, unsigned n);
struct pl_span pl_suite_span(const char *text);
struct pl_ledger_tenant pl_suite_tenant(unsigned n);
struct pl_ledger_device pl_suite_device(unsigned n, unsigned tenant);
struct pl_ledger_job pl_suite_job(unsigned n, unsigned tenant, enum pl_job_state state);

/* Tenants 1 and 2 with a device each. */
void pl_suite_add_places(const struct pl_ledger *ledger);
void pl_suite_add_job(const struct pl_ledger *ledger, unsigned n, unsigned tenant,
                      enum pl_job_state state);
struct pl_ledger_job pl_suite_load(const struct pl_ledger *ledger, struct pl_arena *arena,
                                   unsigned n, unsigned tenant);
/* At 6000, until 9000; the fence. */
uint64_t pl_suite_lease(const struct pl_ledger *ledger, unsigned n);
/* At 7000. */
pl_status pl_suite_move(const struct pl_ledger *ledger, unsigned n, enum pl_job_state from,
                        enum pl_job_state to, uint64_t fence);
void pl_suite_assert_span(struct pl_span span, const char *text, size_t size);

/* What a callback saw, as text: ids' last digits, in order. */
struct pl_suite_seen {
    char text[256];
    unsigned count;
};
void pl_suite_see(struct pl_suite_seen *seen, const char *text);
void pl_suite_on_job(void *owner, const struct pl_ledger_job *job);
struct pl_suite_seen pl_suite_list(const struct pl_ledger *ledger, unsigned tenant,
                                   const struct pl_id *before, uint32_t limit);
struct pl_suite_seen pl_suite_events(const struct pl_ledger *ledger, unsigned n);
uint64_t pl_suite_count(const struct pl_ledger *ledger, enum pl_job_state state);

#endif
