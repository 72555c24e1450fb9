/* sandbox: the four walls, in the order in which each can still be built.
 *
 * Everything a worker may do is in `allowed` and the rules with conditions below it. clone3 is
 * answered ENOSYS because its flags lie in memory where a filter cannot see them; glibc then uses
 * clone, whose flags are compared. newfstatat is answered EPERM: with an empty path it would be
 * harmless, but a filter cannot see the path either, and stdio does without.
 *
 * An interpreter's filter lets it open, list, read and unlink, because Landlock decides of what:
 * the resources of Ghostscript to read, its scratch to write files to, no folder and no link. What
 * its library may ask for in passing is refused, what only an attacker asks for is death here too.
 * It looks for its resources with stat, which Landlock does not decide about: an attacker could ask
 * for size and times of files whose path he knows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define SANDBOX_FDS_MOST 96
#define WORKER_KEEP_BYTES (64 << 20)
/* Counted over all processes of the user; a worker cannot make processes, only threads. */
#define SANDBOX_THREADS_MOST 8192

/* Landlock as of ABI 7; the distribution's header stops at 2. */
struct landlock_attributes {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};
#define LANDLOCK_NET_TCP 3u    /* bind, connect: ABI 4 */
#define LANDLOCK_SCOPE_BOTH 3u /* abstract sockets, signals: ABI 6 */
#define LANDLOCK_ASK_ABI 1u
#define LANDLOCK_RULE_PATH 1
#define LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)
#define LANDLOCK_REMOVE_FILE (UINT64_C(1) << 5)
#define LANDLOCK_MAKE_FILE (UINT64_C(1) << 8)
#define LANDLOCK_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#define LANDLOCK_SCRATCH                                                                           \
    (LANDLOCK_WRITE_FILE | LANDLOCK_READ_FILE | LANDLOCK_READ_DIR | LANDLOCK_REMOVE_FILE |         \
     LANDLOCK_MAKE_FILE | LANDLOCK_TRUNCATE)

void pl_sandbox_prepare_memory(void)
{
    /* One arena for all threads: glibc counts processors in /sys before it makes a second, reserves
     * 64 MiB of the limit for each, and asks /proc before it shrinks one. */
    (void)mallopt(M_ARENA_MAX, 1);
    /* Memory that a page gave back serves the next one instead of going to the kernel and coming
     * back a fault at a time: 0.17 to 0.14 ms a page of a sealed pass-through. */
    (void)mallopt(M_MMAP_THRESHOLD, WORKER_KEEP_BYTES / 2);
    (void)mallopt(M_TRIM_THRESHOLD, WORKER_KEEP_BYTES);
    (void)mallopt(M_TOP_PAD, WORKER_KEEP_BYTES / 16);
}

pl_status pl_sandbox_prepare(unsigned first_fd, struct pl_fault *fault)
{
    struct rlimit none = { 0, 0 };
    pl_sandbox_prepare_memory();
    if (close_range(first_fd, ~0u, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return pl_fault_set(
            fault, PL_UNAVAILABLE,
            "the sandbox cannot be prepared: %s (a kernel of 5.9 or newer is needed)",
            strerror(errno));
    return PL_OK;
}

static void *sandbox_first_thread(void *nothing)
{
    return nothing;
}

/* glibc installs a signal handler with the first thread of a process; the filter has no call for
 * that. */
static pl_status sandbox_warm_threads(struct pl_fault *fault)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, sandbox_first_thread, NULL) == 0 &&
        pthread_join(thread, NULL) == 0)
        return PL_OK;
    return pl_fault_set(fault, PL_UNAVAILABLE, "the worker cannot start a thread");
}

/* Where the machine allows less than the value, less it is. */
static pl_status limit_set(unsigned resource, const char *name, uint64_t value,
                           struct pl_fault *fault)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
            return PL_OK;
    }
    return pl_fault_set(fault, PL_UNAVAILABLE, "the limit %s cannot be set to %llu: %s", name,
                        (unsigned long long)value, strerror(errno));
}

static pl_status sandbox_limit(const struct pl_sandbox_limits *limits, struct pl_fault *fault)
{
    pl_status status = limit_set(RLIMIT_CPU, "RLIMIT_CPU", limits->cpu_ms / 1000 + 1, fault);
    if (status == PL_OK)
        status = limit_set(RLIMIT_FSIZE, "RLIMIT_FSIZE", limits->file_bytes, fault);
    if (status == PL_OK)
        status = limit_set(RLIMIT_NOFILE, "RLIMIT_NOFILE", SANDBOX_FDS_MOST, fault);
    if (status == PL_OK)
        status = limit_set(RLIMIT_NPROC, "RLIMIT_NPROC", SANDBOX_THREADS_MOST, fault);
#ifndef PL_SANITIZED /* a sanitizer's shadow memory is larger than any honest limit */
    if (status == PL_OK)
        status = limit_set(RLIMIT_AS, "RLIMIT_AS", limits->memory_bytes, fault);
#endif
    return status;
}

unsigned pl_sandbox_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_ABI);
    return version < 0 ? 0 : (unsigned)version;
}

/* As linux/landlock.h has it; a path that is not there needs no rule. */
static bool landlock_allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path {
        uint64_t access;
        int32_t fd;
    } __attribute__((packed)) rule = { .access = access };
    rule.fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0)
        return errno == ENOENT;
    bool good = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH, &rule, 0) == 0;
    int error = errno;
    (void)close(rule.fd);
    errno = error;
    return good;
}

/* What Ghostscript reads besides documents, as Debian installs it. */
static bool landlock_allow_interpreter(int rules, const char *scratch, uint64_t handled)
{
    static const char *const resources[] = {
        "/usr/share/ghostscript", "/usr/share/fonts",     "/usr/share/color",
        "/usr/share/poppler",     "/var/lib/ghostscript",
    };
    for (size_t i = 0; i < PL_COUNT_OF(resources); i++)
        if (!landlock_allow(rules, resources[i], LANDLOCK_READ_FILE | LANDLOCK_READ_DIR))
            return false;
    return landlock_allow(rules, scratch, LANDLOCK_SCRATCH & handled);
}

/* Without a scratch no rule is added to the ruleset: what it handles is denied everywhere. */
static pl_status sandbox_landlock(const char *scratch, unsigned *abi, struct pl_fault *fault)
{
    unsigned version = pl_sandbox_landlock();
    *abi = version;
    if (version == 0 && scratch != NULL)
        return pl_fault_set(fault, PL_UNAVAILABLE,
                            "this kernel has no Landlock, without which nothing is interpreted");
    if (version == 0)
        return PL_OK;
    struct landlock_attributes all = { .fs = (UINT64_C(1) << 13) - 1 };
    size_t size = sizeof all.fs;
    if (version >= 2)
        all.fs |= UINT64_C(1) << 13; /* refer */
    if (version >= 3)
        all.fs |= LANDLOCK_TRUNCATE;
    if (version >= 5)
        all.fs |= UINT64_C(1) << 15; /* ioctl on devices */
    if (version >= 4) {
        all.net = LANDLOCK_NET_TCP;
        size = offsetof(struct landlock_attributes, scoped);
    }
    if (version >= 6) {
        all.scoped = LANDLOCK_SCOPE_BOTH;
        size = sizeof all;
    }
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    bool good = rules >= 0 &&
                (scratch == NULL || landlock_allow_interpreter(rules, scratch, all.fs)) &&
                syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    int error = errno;
    if (rules >= 0)
        (void)close(rules);
    if (!good)
        return pl_fault_set(fault, PL_UNAVAILABLE, "Landlock ABI %u refuses our rules: %s", version,
                            strerror(error));
    return PL_OK;
}

/* Calls whose arguments do not matter. */
static const int allowed[] = {
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(close),
    SCMP_SYS(futex),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo), /* qsort asks how much memory there is */
    SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
};

/* What an interpreter may besides; of its files Landlock decides. */
static const int interpreter_allowed[] = {
    SCMP_SYS(openat),    SCMP_SYS(read),     SCMP_SYS(readv),     SCMP_SYS(lseek),
    SCMP_SYS(unlink),    SCMP_SYS(unlinkat), SCMP_SYS(ftruncate), SCMP_SYS(getdents64),
    SCMP_SYS(fadvise64), SCMP_SYS(times),    SCMP_SYS(getrusage), SCMP_SYS(gettimeofday),
    SCMP_SYS(write),     SCMP_SYS(writev),   SCMP_SYS(fstat),     SCMP_SYS(newfstatat),
};
/* What its libraries ask in passing and do without. */
static const int interpreter_refused[] = {
    SCMP_SYS(access), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(stat),   SCMP_SYS(lstat),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs),    SCMP_SYS(ioctl),    SCMP_SYS(getcwd), SCMP_SYS(uname),
    SCMP_SYS(chmod),  SCMP_SYS(rename),     SCMP_SYS(mkdir),
};

#ifdef PL_SANITIZED
/* All that a sanitizer's build may do beyond a release build. */
static const int sanitizer_allowed[] = {
    SCMP_SYS(sigaltstack),       SCMP_SYS(rt_sigaction), SCMP_SYS(prctl),
    SCMP_SYS(clock_nanosleep),   SCMP_SYS(nanosleep),    SCMP_SYS(getrusage),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(prlimit64),    SCMP_SYS(getuid),
    SCMP_SYS(rt_sigpending),
};
/* Reports read /proc/self/maps; they do without. */
static const int sanitizer_refused[] = { SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(ioctl) };
#endif

/* What pthread_create passes to clone (glibc sysdeps/unix/sysv/linux): all of it, and no more. */
#define THREAD_FLAGS                                                                               \
    ((scmp_datum_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |             \
                    CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID))

struct filter {
    scmp_filter_ctx rules;
    int error; /* the first, as a negative errno */
};

static void filter_add(struct filter *filter, uint32_t action, int call,
                       const struct scmp_arg_cmp *conditions, unsigned count)
{
    if (filter->error == 0)
        filter->error = seccomp_rule_add_array(filter->rules, action, call, count, conditions);
}

static void filter_add_all(struct filter *filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        filter_add(filter, action, calls[i], NULL, 0);
}

static void filter_add_conditions(struct filter *filter, int socket_fd)
{
    const struct scmp_arg_cmp on_socket = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)socket_fd, 0);
    const struct scmp_arg_cmp on_stderr = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0);
    const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp own_memory[] = {
        no_code,
        SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS),
    };
    const struct scmp_arg_cmp thread_only = SCMP_A0(SCMP_CMP_EQ, THREAD_FLAGS, 0);
    const struct scmp_arg_cmp to_self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);

    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), &on_socket, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), &on_socket, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), &on_stderr, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(writev), &on_stderr, 1); /* glibc's last words */
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), own_memory, 2);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), &no_code, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), &thread_only, 1);
    filter_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), NULL, 0);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), &to_self, 1); /* abort */
}

static void filter_add_interpreter(struct filter *filter)
{
    const struct scmp_arg_cmp how_open = SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0);
    const struct scmp_arg_cmp keep_open = SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0);
    const struct scmp_arg_cmp only_ask = SCMP_A2(SCMP_CMP_EQ, 0, 0);
    filter_add_all(filter, SCMP_ACT_ALLOW, interpreter_allowed, PL_COUNT_OF(interpreter_allowed));
    filter_add_all(filter, SCMP_ACT_ERRNO(EPERM), interpreter_refused,
                   PL_COUNT_OF(interpreter_refused));
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), &how_open, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), &keep_open, 1);
    filter_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), &only_ask, 1);
}

static pl_status sandbox_filter(int socket_fd, bool interprets, struct pl_fault *fault)
{
    struct filter filter = { .rules = seccomp_init(SCMP_ACT_KILL_PROCESS) };
    if (filter.rules == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory for the system call filter");
    filter.error = seccomp_attr_set(filter.rules, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    filter_add_all(&filter, SCMP_ACT_ALLOW, allowed, PL_COUNT_OF(allowed));
    filter_add_conditions(&filter, socket_fd);
    if (interprets)
        filter_add_interpreter(&filter);
    else
        filter_add(&filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(newfstatat), NULL, 0);
#ifdef PL_SANITIZED
    filter_add_all(&filter, SCMP_ACT_ALLOW, sanitizer_allowed, PL_COUNT_OF(sanitizer_allowed));
    if (!interprets)
        filter_add_all(&filter, SCMP_ACT_ERRNO(EPERM), sanitizer_refused,
                       PL_COUNT_OF(sanitizer_refused));
#endif
    if (filter.error == 0)
        filter.error = seccomp_load(filter.rules);
    seccomp_release(filter.rules);
    if (filter.error == 0)
        return PL_OK;
    return pl_fault_set(fault, PL_UNAVAILABLE, "the kernel refuses the system call filter: %s",
                        strerror(-filter.error));
}

pl_status pl_sandbox_enter(const struct pl_sandbox_limits *limits, struct pl_sandbox_report *report,
                           struct pl_fault *fault)
{
    struct pl_sandbox_report made = { .landlock_abi = 0 };
#ifdef PL_SANITIZED
    made.widened = true;
#endif
    pl_status status = sandbox_warm_threads(fault);
    if (status == PL_OK)
        status = sandbox_limit(limits, fault);
    if (status == PL_OK)
        status = sandbox_landlock(limits->scratch, &made.landlock_abi, fault);
    if (status != PL_OK)
        return status;
    made.mdwe = prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;
    status = sandbox_filter(limits->socket_fd, limits->scratch != NULL, fault);
    if (status == PL_OK)
        *report = made;
    return status;
}
