/* tenant_limits: what one job of each tenant may ask for.
 *
 * The section `limits` of platen.yaml holds for every tenant; a file TENANT.yaml in the folder
 * paths.tenants, with a section `limits` and nothing else, replaces single settings for that
 * tenant. Read once, at start.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_TENANT_LIMITS_H
#define PL_API_TENANT_LIMITS_H

#include "api/settings.h"
#include "engine/core/ledger.h"

struct pl_tenant_limits;

/* Reads the folder, which need not be there; every file in it must be a tenant's of the ledger.
 * PL_MISCONFIGURED with file, line and what is allowed. */
pl_status pl_tenant_limits_load(const struct pl_settings *settings, const struct pl_ledger *ledger,
                                struct pl_tenant_limits **out, struct pl_fault *fault) PL_MUST_USE;
void pl_tenant_limits_free(struct pl_tenant_limits *limits);

/* Fills struct pl_core_limits; `owner` is the pl_tenant_limits. */
struct pl_run_limits pl_tenant_limits_of(void *owner, const struct pl_id *tenant);
/* The most that any tenant may ask for, of documents, output_bytes and cpu_ms. */
struct pl_run_limits pl_tenant_limits_most(const struct pl_tenant_limits *limits);

#endif
