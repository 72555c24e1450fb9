/* startup: what a process owes its surroundings: users, limits, sockets handed over, readiness.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_STARTUP_H
#define PL_API_STARTUP_H

#include "api/settings.h"

#include <sys/types.h>

struct pl_user {
    char name[PL_SETTINGS_USER_CHARS + 1];
    uid_t uid;
    gid_t gid;
};

/* By name or number; never root. PL_MISCONFIGURED with a sentence that says how to make it. */
pl_status pl_user_find(const char *name, struct pl_user *out, struct pl_fault *fault) PL_MUST_USE;

/* Becomes that user for good, with no other group, and checks that there is no way back. */
pl_status pl_user_become(const struct pl_user *user, struct pl_fault *fault) PL_MUST_USE;

/* No core files, no new privileges, not to be traced, as many descriptors as are allowed. After
 * pl_user_become, which the kernel answers by undoing part of it. */
void pl_process_harden(void);
/* Whether this process may have so many files open; after pl_process_harden, which raises the
 * limit. PL_MISCONFIGURED with both numbers and what to do. */
pl_status pl_process_check_files(uint64_t needed, struct pl_fault *fault) PL_MUST_USE;

/* Listening sockets from systemd (LISTEN_FDS, sd_listen_fds(3)); -1: none of that name. */
struct pl_inherited {
    int devices;
    int control;
};

/* Takes them by LISTEN_FDNAMES ("devices", "control") and clears the variables. PL_MISCONFIGURED
 * when a socket has another name. */
pl_status pl_inherited_take(struct pl_inherited *out, struct pl_fault *fault) PL_MUST_USE;

/* Tells the service manager (sd_notify(3)): "READY=1", "STOPPING=1". Nobody listening is fine. */
void pl_notify(const char *state);

/* The platen-worker program: as configured, else beside this program, else where it was
 * installed. PL_MISCONFIGURED with a sentence that names the places. */
pl_status pl_worker_program(const struct pl_settings *settings, char out[PL_PATH_CHARS],
                            struct pl_fault *fault) PL_MUST_USE;

#endif
