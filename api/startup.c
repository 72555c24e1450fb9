/* startup: see startup.h; each step says what it could not do, and for whom.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_INHERITED_FD 3
#define INHERITED_MOST 16

pl_status pl_user_find(const char *name, struct pl_user *out, struct pl_fault *fault)
{
    uint64_t number = 0;
    const struct passwd *entry = pl_text_parse_u64(pl_span_from(name), UINT32_MAX - 1, &number)
                                     ? getpwuid((uid_t)number)
                                     : getpwnam(name);
    if (entry == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "there is no user %s; make it with: useradd --system --user-group "
                            "--home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin %s",
                            name, name);
    if (entry->pw_uid == 0 || entry->pw_gid == 0)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "the user %s is root, or in its group; choose one that is not", name);
    (void)pl_text_format(out->name, sizeof out->name, "%s", entry->pw_name);
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    return PL_OK;
}

pl_status pl_user_become(const struct pl_user *user, struct pl_fault *fault)
{
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    bool done = setgroups(0, NULL) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
                setresuid(user->uid, user->uid, user->uid) == 0 &&
                getresuid(&real, &effective, &saved) == 0 && real == user->uid &&
                effective == user->uid && saved == user->uid && setuid(0) != 0;
    if (done)
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED, "cannot become the user %s: %s", user->name,
                        strerror(errno));
}

void pl_process_harden(void)
{
    struct rlimit files;
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef PL_SANITIZED /* the leak checker traces its own process */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

pl_status pl_process_check_files(uint64_t needed, struct pl_fault *fault)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed)
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED,
                        "these settings may need %llu open files and the limit is %llu: raise it "
                        "(LimitNOFILE=, ulimit -Hn), or lower limits.documents, http.connections "
                        "or workers.processes",
                        (unsigned long long)needed, (unsigned long long)files.rlim_cur);
}

/* Gives the socket to the field that its name calls. */
static pl_status inherited_place(struct pl_inherited *out, struct pl_span name, int fd,
                                 struct pl_fault *fault)
{
    int *place = pl_span_equals(name, "devices")   ? &out->devices
                 : pl_span_equals(name, "control") ? &out->control
                                                   : NULL;
    if (place == NULL || *place >= 0)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "LISTEN_FDNAMES must name each socket devices or control, once");
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "LISTEN_FDS promises a socket %d: %s", fd,
                            strerror(errno));
    *place = fd;
    return PL_OK;
}

static pl_status inherited_read(struct pl_inherited *out, uint64_t count, const char *names,
                                struct pl_fault *fault)
{
    pl_status status = PL_OK;
    for (uint64_t i = 0; i < count && status == PL_OK; i++) {
        size_t size = strcspn(names, ":");
        status = inherited_place(out, (struct pl_span){ names, size }, FIRST_INHERITED_FD + (int)i,
                                 fault);
        names += size + (names[size] == ':');
    }
    return status;
}

pl_status pl_inherited_take(struct pl_inherited *out, struct pl_fault *fault)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t for_pid = 0;
    uint64_t count = 0;
    pl_status status = PL_OK;
    *out = (struct pl_inherited){ -1, -1 };
    if (pid != NULL && fds != NULL && pl_text_parse_u64(pl_span_from(pid), UINT32_MAX, &for_pid) &&
        for_pid == (uint64_t)getpid()) {
        if (!pl_text_parse_u64(pl_span_from(fds), INHERITED_MOST, &count))
            status = pl_fault_set(fault, PL_MISCONFIGURED, "LISTEN_FDS must be a number up to %d",
                                  INHERITED_MOST);
        else
            status = inherited_read(out, count, names == NULL ? "" : names, fault);
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return status;
}

void pl_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        !pl_text_format(address.sun_path, sizeof address.sun_path, "%s", path))
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* the abstract name space */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    (void)close(fd);
}

/* This program's own folder. */
static bool program_folder(char out[PL_PATH_CHARS])
{
    ssize_t size = readlink("/proc/self/exe", out, PL_PATH_CHARS - 1);
    if (size <= 0)
        return false;
    out[size] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

pl_status pl_worker_program(const struct pl_settings *settings, char out[PL_PATH_CHARS],
                            struct pl_fault *fault)
{
    char folder[PL_PATH_CHARS];
    if (settings->workers_program[0] != '\0') {
        pl_status status = pl_settings_path(settings, settings->workers_program, out, fault);
        if (status == PL_OK && access(out, X_OK) != 0)
            status = pl_fault_set(fault, PL_MISCONFIGURED, "workers.program: %s: %s", out,
                                  strerror(errno));
        return status;
    }
    if (program_folder(folder) && pl_text_format(out, PL_PATH_CHARS, "%s/platen-worker", folder) &&
        access(out, X_OK) == 0)
        return PL_OK;
    (void)pl_text_format(out, PL_PATH_CHARS, "%s/platen-worker", PL_LIBEXEC_FOLDER);
    if (access(out, X_OK) == 0)
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED,
                        "platen-worker is neither beside this program nor in %s; set "
                        "workers.program to where it is",
                        PL_LIBEXEC_FOLDER);
}
