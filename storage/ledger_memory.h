/* ledger_memory: the ledger for tests: the same answers as SQLite, nothing on disk.
 *
 * Looks things up by walking; keeps every version of a row until it is closed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_LEDGER_MEMORY_H
#define PL_STORAGE_LEDGER_MEMORY_H

#include "engine/core/ledger.h"

pl_status pl_ledger_memory_new(struct pl_ledger *out) PL_MUST_USE;

/* The n-th call from now (1: the next) answers `status` and does nothing; then all is well again.
 * Counted are all calls but rollback, undo, tidy and close. 0 takes it back. On the thread that
 * uses the ledger, or while none does. */
void pl_ledger_memory_fail_at(const struct pl_ledger *ledger, uint64_t n, pl_status status);

#endif
