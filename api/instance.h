/* instance: what a new instance holds: keys, certificates, ledger, one tenant, one drop, one
 * device, one token.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_INSTANCE_H
#define PL_API_INSTANCE_H

#include "api/address.h"
#include "api/pipeline_file.h"
#include "api/session.h"
#include "api/settings.h"

/* Sixteen characters of 5 random bits, in groups of four. */
#define PL_INSTANCE_PASSWORD_CHARS (16 + 3 + 1)

#define PL_INSTANCE_DEVICE "scanner-1"
#define PL_INSTANCE_DROP "inbox"
#define PL_INSTANCE_PIPELINE "archive"

/* Shown once and written to credentials.txt; elsewhere only their hashes are kept. */
struct pl_credentials {
    char device_password[PL_INSTANCE_PASSWORD_CHARS];
    char admin_token[PL_SESSION_TOKEN_CHARS];
};

struct pl_instance_plan {
    const char *folder; /* where it is built; exists and is empty */
    const char *home;   /* where it will stand; what the credentials name */
    struct pl_address devices;
    struct pl_address control;
    const struct pl_conf_override *overrides; /* of platen.yaml */
    size_t override_count;
    int64_t duplicates_ms;                   /* of the drop */
    const struct pl_pipeline_file *pipeline; /* of the drop; NULL: PDF/A-2b, PL_INSTANCE_PIPELINE */
};

/* Fills the folder. What a failure leaves is the caller's to remove. */
pl_status pl_instance_make(const struct pl_instance_plan *plan, struct pl_credentials *out,
                           struct pl_fault *fault) PL_MUST_USE;

#endif
