/* settings: everything an admin can set, as one struct and one table that reads and writes it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_SETTINGS_H
#define PL_API_SETTINGS_H

#include "engine/base/conf.h"
#include "engine/core/runner.h"

#define PL_SETTINGS_NAME_CHARS 64
#define PL_SETTINGS_ADDRESS_CHARS 128
#define PL_SETTINGS_USER_CHARS 64
#define PL_SETTINGS_PATH_CHARS 255

/* A path of the configuration file may be relative to its folder; a whole one is longer. */
#define PL_PATH_CHARS 1024

struct pl_settings {
    char instance_name[PL_SETTINGS_NAME_CHARS + 1];
    uint64_t instance_grace_ms;

    char devices_address[PL_SETTINGS_ADDRESS_CHARS + 1];
    char devices_certificate[PL_SETTINGS_PATH_CHARS + 1];
    char devices_key[PL_SETTINGS_PATH_CHARS + 1];
    char devices_second_certificate[PL_SETTINGS_PATH_CHARS + 1];
    char devices_second_key[PL_SETTINGS_PATH_CHARS + 1];

    char control_address[PL_SETTINGS_ADDRESS_CHARS + 1];
    char control_certificate[PL_SETTINGS_PATH_CHARS + 1];
    char control_key[PL_SETTINGS_PATH_CHARS + 1];

    uint64_t http_head_bytes;
    uint64_t http_head_timeout_ms;
    uint64_t http_handshake_timeout_ms;
    uint64_t http_idle_timeout_ms;
    uint64_t http_body_idle_timeout_ms;
    uint64_t http_body_min_rate;
    uint64_t http_write_timeout_ms;
    uint64_t http_connections;
    uint64_t http_connections_per_peer;
    uint64_t http_requests_per_connection;

    uint64_t uploads_bytes;
    uint64_t uploads_at_once;
    uint64_t uploads_duplicates_ms;

    uint64_t disk_reserve_bytes;

    char workers_program[PL_SETTINGS_PATH_CHARS + 1];
    uint64_t workers_processes;
    uint64_t workers_threads;
    uint64_t workers_memory_bytes;
    uint64_t workers_jobs_per_process;
    uint64_t workers_interpreters;
    uint64_t workers_interpreter_memory_bytes;

    struct pl_run_limits limits; /* of every tenant that has none of its own */

    uint64_t jobs_attempts;
    uint64_t jobs_lease_ms;
    uint64_t jobs_retry_ms;
    uint64_t jobs_retry_most_ms;
    bool jobs_keep_originals;

    unsigned log_level;  /* enum pl_log_level */
    unsigned log_format; /* enum pl_log_format */

    char process_user[PL_SETTINGS_USER_CHARS + 1];
    char process_worker_user[PL_SETTINGS_USER_CHARS + 1];

    char paths_root_key[PL_SETTINGS_PATH_CHARS + 1];
    char paths_ledger[PL_SETTINGS_PATH_CHARS + 1];
    char paths_spool[PL_SETTINGS_PATH_CHARS + 1];
    char paths_store[PL_SETTINGS_PATH_CHARS + 1];
    char paths_run[PL_SETTINGS_PATH_CHARS + 1];
    char paths_tenants[PL_SETTINGS_PATH_CHARS + 1];

    /* Not a setting: the absolute folder of the configuration file. */
    char folder[PL_PATH_CHARS];
};

/* The one table: what is read, checked, written and documented. */
const struct pl_conf_table *pl_settings_table(void);

/* Its rows of the section `limits` alone: what a tenant's own file may set. The target is a whole
 * pl_settings. */
struct pl_conf_table pl_settings_limits_table(void);

void pl_settings_defaults(struct pl_settings *out);

/* Defaults, then the file. PL_MISCONFIGURED with file, line and what is allowed. */
pl_status pl_settings_load(const char *file, struct pl_settings *out,
                           struct pl_fault *fault) PL_MUST_USE;

/* `path` as it stands when absolute, else under the configuration file's folder. PL_MISCONFIGURED
 * when that is too long. */
pl_status pl_settings_path(const struct pl_settings *settings, const char *path,
                           char out[PL_PATH_CHARS], struct pl_fault *fault) PL_MUST_USE;

/* Numbers where 0 stands for "by the processors of this machine". */
unsigned pl_settings_processes(const struct pl_settings *settings);
unsigned pl_settings_threads(const struct pl_settings *settings);

#endif
