/* ledger_sqlite: the ledger in one SQLite file: WAL, synchronous=FULL, one owner.
 *
 * The file is opened exclusively: a second engine on the same ledger is refused, and no shared
 * memory file is needed. A commit returns after the WAL is on stable storage. The WAL is copied
 * back between units (tidy), so commits do not wait for it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_LEDGER_SQLITE_H
#define PL_STORAGE_LEDGER_SQLITE_H

#include "engine/base/log.h"
#include "engine/core/ledger.h"

/* Makes the file (mode 0600) when it is not there and brings an older schema forward. Refused, with
 * a sentence in the fault: a ledger that is in use (PL_BUSY), one that a newer Platen wrote and a
 * file that is no ledger (PL_MISCONFIGURED), and what the disk says. */
pl_status pl_ledger_sqlite_open(const char *path, const struct pl_log *log, struct pl_ledger *out,
                                struct pl_fault *fault) PL_MUST_USE;

#endif
