/* test_sandbox: what code that took over a worker would try, each try in a process of its own.
 *
 * A try ends in death by SIGSYS, or in the errno that its row states; and then nothing has
 * happened: no file, no signal, no connection. What a worker needs must still work, or the rest
 * would prove nothing. Run by root, the tries run as nobody, as workers do.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/sandbox.h"

#include "tests/support/pl_test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_SOCKET 3
#define TRY_KEPT 4    /* a file handed over: the first descriptor of a job */
#define TRY_CANARY 10 /* open before the sandbox; must be closed by it */
#define NOBODY 65534

/* Codes of a try that lived; errno values lie below. */
enum { TRY_SUCCEEDED = 200, TRY_NO_SANDBOX = 201 };

struct escape {
    const char *name;
    long (*attempt)(void); /* -1 and errno when it was denied */
    int denied;            /* 0: death by SIGSYS */
    int sanitized;         /* under a sanitizer, when that differs */
};

static char try_folder[64]; /* writable by everybody */
static pid_t try_parent;    /* getppid is not allowed either */

static long try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_environ(void)
{
    return open("/proc/self/environ", O_RDONLY);
}

static long try_create(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/created", try_folder);
    return open(path, O_WRONLY | O_CREAT, 0600);
}

static long try_mkdir(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/made", try_folder);
    return mkdir(path, 0700);
}

static long try_unlink(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/precious", try_folder);
    return unlink(path);
}

static long try_stat(void)
{
    struct stat file;
    return syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &file, 0);
}

static long try_statx(void)
{
    char room[256];
    return syscall(SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0x7ff, room);
}

static long try_tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_udp(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static long try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_connect(void)
{
    struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0platen-test" };
    return connect(TRY_SOCKET, (struct sockaddr *)&abstract, sizeof abstract);
}

static long try_exec(void)
{
    char *const argv[] = { (char *)(uintptr_t) "/bin/true", NULL };
    return execve(argv[0], argv, NULL);
}

static long try_memfd(void)
{
    return memfd_create("code", 0);
}

static long try_execveat(void)
{
    char *const argv[] = { (char *)(uintptr_t) "x", NULL };
    return syscall(SYS_execveat, TRY_KEPT, "", argv, NULL, AT_EMPTY_PATH);
}

static long try_fork(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long try_vfork(void)
{
    return syscall(SYS_vfork);
}

static long try_clone3(void)
{
    uint64_t arguments[11] = { 0 };
    arguments[4] = SIGCHLD;
    return syscall(SYS_clone3, arguments, sizeof arguments);
}

static long try_namespace_clone(void)
{
    return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, try_parent, NULL, NULL);
}

static long try_kill(void)
{
    return syscall(SYS_kill, 1, SIGUSR1);
}

static long try_kill_parent(void)
{
    return kill(try_parent, SIGUSR1);
}

static long try_tgkill_parent(void)
{
    return syscall(SYS_tgkill, try_parent, try_parent, SIGUSR1);
}

static long try_queue_parent(void)
{
    siginfo_t info = { .si_code = SI_QUEUE };
    return syscall(SYS_rt_sigqueueinfo, try_parent, SIGUSR1, &info);
}

static long try_read_parent(void)
{
    char byte = 0;
    struct iovec here = { &byte, 1 };
    struct iovec there = { &try_parent, 1 };
    return process_vm_readv(try_parent, &here, 1, &there, 1, 0);
}

static long try_write_parent(void)
{
    char byte = 0;
    struct iovec here = { &byte, 1 };
    struct iovec there = { &try_parent, 1 };
    return process_vm_writev(try_parent, &here, 1, &there, 1, 0);
}

static long try_pidfd(void)
{
    return syscall(SYS_pidfd_open, try_parent, 0);
}

static long try_mount(void)
{
    return mount("none", try_folder, "tmpfs", 0, NULL);
}

static long try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}

static long try_setns(void)
{
    return setns(TRY_KEPT, 0);
}

static long try_bpf(void)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

static long try_io_uring(void)
{
    char parameters[120] = { 0 };
    return syscall(SYS_io_uring_setup, 4, parameters);
}

static long try_perf(void)
{
    char attributes[128] = { 0 };
    return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}

static long try_userfaultfd(void)
{
    return syscall(SYS_userfaultfd, 0);
}

static long try_keyring(void)
{
    return syscall(SYS_keyctl, 0, -3, 1);
}

static long try_setuid(void)
{
    return syscall(SYS_setuid, 0);
}

static long try_chroot(void)
{
    return chroot(try_folder);
}

static long try_code_pages(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long try_code_later(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long try_map_file(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, TRY_KEPT, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long try_stdout(void)
{
    return write(STDOUT_FILENO, "x", 1);
}

static long try_other_socket(void)
{
    struct msghdr message = { .msg_iov = NULL };
    return sendmsg(TRY_KEPT, &message, 0);
}

static long try_dup(void)
{
    return dup(TRY_SOCKET);
}

static long try_truncate(void)
{
    return ftruncate(TRY_KEPT, 0);
}

static long try_fcntl(void)
{
    return fcntl(TRY_SOCKET, F_SETOWN, try_parent);
}

static long try_ioctl(void)
{
    char byte = 'x';
    return syscall(SYS_ioctl, STDERR_FILENO, 0x5412 /* TIOCSTI */, &byte);
}

static long try_more_memory(void)
{
    struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
    return setrlimit(RLIMIT_NOFILE, &none);
}

static long try_other_abi(void)
{
    return syscall(SYS_getpid | 0x40000000);
}

static long try_own_filter(void)
{
    return syscall(SYS_seccomp, 0, 0, NULL);
}

/* clang-format off */
static const struct escape escapes[] = {
    { "open /etc/passwd",          try_open,            0, EPERM },
    { "open /proc/self/environ",   try_environ,         0, EPERM },
    { "create a file",             try_create,          0, EPERM },
    { "make a folder",             try_mkdir,           0, 0 },
    { "remove a file",             try_unlink,          0, 0 },
    { "stat",                      try_stat,            EPERM, EPERM },
    { "statx",                     try_statx,           0, 0 },
    { "TCP socket",                try_tcp,             0, 0 },
    { "UDP socket",                try_udp,             0, 0 },
    { "Unix socket",               try_unix,            0, 0 },
    { "connect, abstract socket",  try_connect,         0, 0 },
    { "execve",                    try_exec,            0, 0 },
    { "memfd_create",              try_memfd,           0, 0 },
    { "execveat of a descriptor",  try_execveat,        0, 0 },
    { "fork",                      try_fork,            0, 0 },
    { "vfork",                     try_vfork,           0, 0 },
    { "clone3",                    try_clone3,          ENOSYS, ENOSYS },
    { "clone into a namespace",    try_namespace_clone, 0, 0 },
    { "ptrace of the parent",      try_ptrace,          0, 0 },
    { "kill 1",                    try_kill,            0, 0 },
    { "kill the parent",           try_kill_parent,     0, 0 },
    { "tgkill the parent",         try_tgkill_parent,   0, 0 },
    { "queue a signal",            try_queue_parent,    0, 0 },
    { "read the parent's memory",  try_read_parent,     0, 0 },
    { "write the parent's memory", try_write_parent,    0, 0 },
    { "pidfd of the parent",       try_pidfd,           0, 0 },
    { "mount",                     try_mount,           0, 0 },
    { "unshare",                   try_unshare,         0, 0 },
    { "setns",                     try_setns,           0, 0 },
    { "bpf",                       try_bpf,             0, 0 },
    { "io_uring",                  try_io_uring,        0, 0 },
    { "perf events",               try_perf,            0, 0 },
    { "userfaultfd",               try_userfaultfd,     0, 0 },
    { "keyctl",                    try_keyring,         0, 0 },
    { "setuid",                    try_setuid,          0, 0 },
    { "chroot",                    try_chroot,          0, 0 },
    { "map code",                  try_code_pages,      0, 0 },
    { "turn data into code",       try_code_later,      0, 0 },
    { "map a file",                try_map_file,        0, 0 },
    { "write to stdout",           try_stdout,          0, 0 },
    { "speak on another socket",   try_other_socket,    0, 0 },
    { "dup",                       try_dup,             0, 0 },
    { "truncate",                  try_truncate,        0, 0 },
    { "fcntl",                     try_fcntl,           0, 0 },
    { "ioctl",                     try_ioctl,           0, EPERM },
    { "raise a limit",             try_more_memory,     0, EPERM },
    { "a call of the x32 ABI",     try_other_abi,       0, 0 },
    { "a filter of its own",       try_own_filter,      0, 0 },
};
/* clang-format on */

/* -- one try -- */

static bool try_become_nobody(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                              setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

/* As a worker of the launcher would be, with one file of a job open. */
static bool try_enter(int kept)
{
    struct pl_fault fault = { .status = PL_OK };
    struct pl_sandbox_report report;
    const struct pl_sandbox_limits limits = { .socket_fd = TRY_SOCKET,
                                              .memory_bytes = (uint64_t)400 << 20,
                                              .cpu_ms = 5000,
                                              .file_bytes = 1 << 20 };
    int pair[2];
    bool good = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0;
    int safe = fcntl(kept, F_DUPFD, 20);
    int safe_socket = fcntl(pair[0], F_DUPFD, 20);
    good = good && try_become_nobody() && dup2(safe_socket, TRY_SOCKET) >= 0 &&
           dup2(safe, TRY_KEPT) >= 0 && dup2(safe, TRY_CANARY) >= 0;
    good = good && pl_sandbox_prepare(TRY_KEPT + 1, &fault) == PL_OK &&
           fcntl(TRY_CANARY, F_GETFD) < 0 && errno == EBADF &&
           pl_sandbox_enter(&limits, &report, &fault) == PL_OK;
    if (!good)
        (void)fprintf(stderr, "no sandbox: %s\n", fault.reason);
    return good;
}

static int try_in_child(long (*attempt)(void), int kept)
{
    try_parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!try_enter(kept))
            _exit(TRY_NO_SANDBOX);
        errno = 0;
        _exit(attempt() >= 0 ? TRY_SUCCEEDED : errno);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int try_file(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/precious", try_folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "precious", 8), 8);
    return fd;
}

static int sandbox_set_up(void **state)
{
    (void)state;
    (void)snprintf(try_folder, sizeof try_folder, "/tmp/platen-escape-XXXXXX");
    assert_non_null(mkdtemp(try_folder));
    assert_int_equal(chmod(try_folder, 0777), 0);
    return 0;
}

static int sandbox_tear_down(void **state)
{
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/precious", try_folder);
    (void)unlink(path);
    /* Fails when a try left something behind. */
    assert_int_equal(rmdir(try_folder), 0);
    return 0;
}

static volatile sig_atomic_t sandbox_signalled;

static void sandbox_on_signal(int signum)
{
    (void)signum;
    sandbox_signalled = 1;
}

static void sandbox__every_escape__is_death_or_a_refusal(void **state)
{
    (void)state;
    int kept = try_file();
    unsigned wrong = 0;
    (void)signal(SIGUSR1, sandbox_on_signal);
    for (size_t i = 0; i < PL_COUNT_OF(escapes); i++) {
        const struct escape *escape = &escapes[i];
        int denied = escape->denied;
#ifdef PL_SANITIZED
        denied = escape->sanitized;
#endif
        int status = try_in_child(escape->attempt, kept);
        bool good = denied == 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
                                : WIFEXITED(status) && WEXITSTATUS(status) == denied;
        if (good)
            continue;
        wrong++;
        (void)printf("%s: status %x, errno wanted %d\n", escape->name, (unsigned)status, denied);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(sandbox_signalled, 0);
    struct stat file;
    assert_int_equal(fstat(kept, &file), 0);
    assert_int_equal(file.st_size, 8);
    assert_int_equal(file.st_nlink, 1);
    (void)close(kept);
}

/* -- what a worker needs -- */

static void *need_thread(void *memory)
{
    memset(memory, 7, 100000);
    return memory;
}

static long need_threads(void)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *memory = malloc(100000);
        if (memory == NULL || pthread_create(&thread, NULL, need_thread, memory) != 0 ||
            pthread_join(thread, NULL) != 0)
            return -1;
        free(memory);
    }
    return 0;
}

static long need_memory(void)
{
    char *memory = malloc(50000000);
    if (memory == NULL)
        return -1;
    memset(memory, 1, 50000000);
    char *more = realloc(memory, 90000000);
    if (more == NULL)
        return -1;
    free(more);
    return 0;
}

static long need_files(void)
{
    char text[8];
    return pread(TRY_KEPT, text, 8, 0) == 8 && memcmp(text, "precious", 8) == 0 &&
                   pwrite(TRY_KEPT, "precious", 8, 0) == 8
               ? 0
               : -1;
}

static long need_words(void)
{
    return fprintf(stderr, "a worker may say a line\n") > 0 ? 0 : -1;
}

static void sandbox__what_a_worker_needs__works(void **state)
{
    static long (*const needs[])(void) = { need_threads, need_memory, need_files, need_words };
    (void)state;
    int kept = try_file();
    for (size_t i = 0; i < PL_COUNT_OF(needs); i++) {
        int status = try_in_child(needs[i], kept);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), TRY_SUCCEEDED);
    }
    (void)close(kept);
}

static long limit_of_file(void)
{
    return pwrite(TRY_KEPT, "x", 1, (off_t)1 << 20);
}

static long limit_of_memory(void)
{
    void *volatile memory = malloc((size_t)500 << 20); /* or a compiler leaves it out */
    return memory == NULL ? -1 : 0;
}

static long last_word(void)
{
    abort();
}

static void sandbox__limits__hold(void **state)
{
    (void)state;
    int kept = try_file();
    int status = try_in_child(limit_of_file, kept);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXFSZ);
#ifndef PL_SANITIZED
    status = try_in_child(limit_of_memory, kept);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ENOMEM);
#else
    (void)limit_of_memory;
#endif
    status = try_in_child(last_word, kept);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
    (void)close(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sandbox__every_escape__is_death_or_a_refusal,
                                        sandbox_set_up, sandbox_tear_down),
        cmocka_unit_test_setup_teardown(sandbox__what_a_worker_needs__works, sandbox_set_up,
                                        sandbox_tear_down),
        cmocka_unit_test_setup_teardown(sandbox__limits__hold, sandbox_set_up, sandbox_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
