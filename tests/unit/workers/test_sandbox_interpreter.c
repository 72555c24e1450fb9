/* test_sandbox_interpreter: the sandbox of the class that opens files, against code that took the
 * process over, and against Ghostscript with its own protection switched off.
 *
 * Each try has a process of its own. Those of PostScript are made outside the sandbox as well,
 * where they must succeed, or the rest would prove nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_lib.h"
#include "workers/sandbox.h"

#include "tests/support/pl_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_SOCKET 3
#define NOBODY 65534

/* Codes of a try that lived; errno values lie below. */
enum { TRY_SUCCEEDED = 200, TRY_NO_SANDBOX = 201, TRY_DENIED = 202 };

static char outside[64]; /* writable by everybody, with a file in it */
static char scratch[64]; /* the worker's */
static pid_t try_parent;

/* -- code that took the process over -- */

static int open_in(const char *folder, const char *name, int flags)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, flags, 0600);
}

static long try_passwd(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_environ(void)
{
    return open("/proc/self/environ", O_RDONLY);
}

static long try_list_root(void)
{
    return open("/", O_RDONLY | O_DIRECTORY);
}

static long try_list_shm(void)
{
    return open("/dev/shm", O_RDONLY | O_DIRECTORY);
}

static long try_create_outside(void)
{
    return open_in(outside, "created", O_WRONLY | O_CREAT);
}

static long try_read_outside(void)
{
    return open_in(outside, "precious", O_RDONLY);
}

static long try_truncate_outside(void)
{
    return open_in(outside, "precious", O_WRONLY | O_TRUNC);
}

static long try_unlink_outside(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/precious", outside);
    return syscall(SYS_unlink, path);
}

static long try_write_resource(void)
{
    return open("/usr/share/ghostscript/created", O_WRONLY | O_CREAT, 0600);
}

static long try_device(void)
{
    return open("/dev/null", O_RDWR);
}

static long try_mkdir(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/folder", scratch);
    return syscall(SYS_mkdir, path, 0700);
}

static long try_rename(void)
{
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof from, "%s/precious", outside);
    (void)snprintf(to, sizeof to, "%s/taken", scratch);
    return syscall(SYS_rename, from, to);
}

static long try_symlink(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/link", scratch);
    return symlink("/etc/passwd", path);
}

static long try_link(void)
{
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof from, "%s/precious", outside);
    (void)snprintf(to, sizeof to, "%s/link", scratch);
    return link(from, to);
}

static long try_chmod(void)
{
    return syscall(SYS_chmod, scratch, 0777);
}

static long try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_exec(void)
{
    char *const argv[] = { (char *)(uintptr_t) "/bin/true", NULL };
    return execve(argv[0], argv, NULL);
}

static long try_fork(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, try_parent, NULL, NULL);
}

static long try_kill(void)
{
    return kill(try_parent, SIGUSR1);
}

static long try_memfd(void)
{
    return memfd_create("code", 0);
}

static long try_map_scratch_code(void)
{
    int fd = open_in(scratch, "code", O_RDWR | O_CREAT);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long try_more_memory(void)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };
    return setrlimit(RLIMIT_FSIZE, &limit);
}

static long try_pipe(void)
{
    int pair[2];
    return pipe2(pair, 0);
}

static long try_mount(void)
{
    return syscall(SYS_mount, "none", scratch, "tmpfs", 0, NULL);
}

/* clang-format off */
static const struct {
    const char *name;
    long (*attempt)(void);
    int denied;    /* errno; 0: death by SIGSYS */
    int sanitized; /* under a sanitizer, when that differs */
} escapes[] = {
    { "open a file of the machine",   try_passwd,           EACCES, EACCES },
    { "open one's environment",       try_environ,          EACCES, EACCES },
    { "list the root",                try_list_root,        EACCES, EACCES },
    { "list other workers' folders",  try_list_shm,         EACCES, EACCES },
    { "create a file outside",        try_create_outside,   EACCES, EACCES },
    { "read a file outside",          try_read_outside,     EACCES, EACCES },
    { "truncate a file outside",      try_truncate_outside, EACCES, EACCES },
    { "remove a file outside",        try_unlink_outside,   EACCES, EACCES },
    { "write among the resources",    try_write_resource,   EACCES, EACCES },
    { "open a device",                try_device,           EACCES, EACCES },
    { "make a folder",                try_mkdir,            EPERM,  EPERM },
    { "take a file away",             try_rename,           EPERM,  EPERM },
    { "make a symbolic link",         try_symlink,          0,      0 },
    { "make a hard link",             try_link,             0,      0 },
    { "chmod",                        try_chmod,            EPERM,  EPERM },
    { "TCP",                          try_socket,           0,      0 },
    { "a Unix socket",                try_unix,             0,      0 },
    { "execve",                       try_exec,             0,      0 },
    { "fork",                         try_fork,             0,      0 },
    { "ptrace",                       try_ptrace,           0,      0 },
    { "kill",                         try_kill,             0,      0 },
    { "a file of code in memory",     try_memfd,            0,      0 },
    { "map a file of one's own as code", try_map_scratch_code, 0,   0 },
    { "change a limit",               try_more_memory,      0,      TRY_SUCCEEDED },
    { "a pipe",                       try_pipe,             0,      0 },
    { "mount",                        try_mount,            0,      0 },
};
/* clang-format on */

static bool try_become_nobody(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                              setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static bool try_enter(void)
{
    struct pl_fault fault = { .status = PL_OK };
    struct pl_sandbox_report report;
    const struct pl_sandbox_limits limits = { .socket_fd = TRY_SOCKET,
                                              .memory_bytes = (uint64_t)1500 << 20,
                                              .cpu_ms = 10000,
                                              .file_bytes = 16 << 20,
                                              .scratch = scratch };
    if (pl_sandbox_enter(&limits, &report, &fault) == PL_OK)
        return true;
    (void)fprintf(stderr, "no sandbox: %s\n", fault.reason);
    return false;
}

/* As a worker of the launcher would be, up to the sandbox. */
static bool try_prepare(void)
{
    struct pl_fault fault = { .status = PL_OK };
    int pair[2];
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && dup2(pair[0], TRY_SOCKET) >= 0 &&
           try_become_nobody() && setenv("TMPDIR", scratch, 1) == 0 &&
           pl_sandbox_prepare(TRY_SOCKET + 1, &fault) == PL_OK;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void sandbox__taken_over__reaches_nothing(void **state)
{
    unsigned wrong = 0;
    (void)state;
    try_parent = getpid();
    for (size_t i = 0; i < PL_COUNT_OF(escapes); i++) {
        int denied = escapes[i].denied;
#ifdef PL_SANITIZED
        denied = escapes[i].sanitized;
#endif
        pid_t pid = fork();
        if (pid == 0) {
            if (!try_prepare() || !try_enter())
                _exit(TRY_NO_SANDBOX);
            errno = 0;
            _exit(escapes[i].attempt() >= 0 ? TRY_SUCCEEDED : errno);
        }
        int status = wait_for(pid);
        bool good = denied == 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
                                : WIFEXITED(status) && WEXITSTATUS(status) == denied;
        if (good)
            continue;
        wrong++;
        (void)printf("%s: status %x, errno wanted %d\n", escapes[i].name, (unsigned)status, denied);
    }
    assert_int_equal(wrong, 0);
}

static void sandbox__what_an_interpreter_needs__works(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        char text[8];
        if (!try_prepare() || !try_enter())
            _exit(TRY_NO_SANDBOX);
        int resource = open("/usr/share/color/icc/ghostscript/srgb.icc", O_RDONLY);
        int file = open_in(scratch, "gs_one", O_RDWR | O_CREAT | O_EXCL);
        bool good = resource >= 0 && read(resource, text, sizeof text) == (ssize_t)sizeof text &&
                    file >= 0 && write(file, "text", 4) == 4 && lseek(file, 0, SEEK_SET) == 0 &&
                    read(file, text, 4) == 4 && ftruncate(file, 0) == 0;
        char path[128];
        (void)snprintf(path, sizeof path, "%s/gs_one", scratch);
        _exit(good && syscall(SYS_unlink, path) == 0 ? TRY_SUCCEEDED : errno);
    }
    int status = wait_for(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), TRY_SUCCEEDED);
}

/* -- Ghostscript with SAFER off -- */

#ifdef PL_SANITIZED
const char *__asan_default_options(void);

/* The library copies the name of a pipe onto itself. */
const char *__asan_default_options(void)
{
    return "replace_str=0";
}
#endif

/* Each prints what it got when it got something. %1$s: the folder outside. */
static const char *const attacks[] = {
    "(/etc/passwd) (r) file 100 string readstring pop length 0 gt { (GOT) print } if",
    "(%1$s/escaped) (w) file dup (x) writestring closefile (GOT) print",
    "(%1$s/precious) (r+) file pop (GOT) print",
    "(%1$s/precious) deletefile (GOT) print",
    "(%1$s/precious) (%1$s/renamed) renamefile (GOT) print",
    "(/etc/p*) { pop (GOT) print } 100 string filenameforall",
    "(%%pipe%%id) (r) file 100 string readstring pop length 0 gt { (GOT) print } if",
    "(%%pipe%%cat > %1$s/piped) (w) file dup (x) writestring closefile (GOT) print",
    "<< /OutputDevice /pdfwrite /OutputFile (%1$s/device) >> setpagedevice showpage "
    "<< /OutputDevice /nullpage >> setpagedevice (GOT) print",
    "<< /OutputDevice /ppmraw /OutputFile (%%pipe%%cat > %1$s/printed) >> setpagedevice showpage "
    "<< /OutputDevice /nullpage >> setpagedevice (GOT) print",
};

static bool attack_got;

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is gsapi_set_stdio's. */
static int attack_on_in(void *handle, char *data, int size)
{
    (void)handle;
    (void)data;
    (void)size;
    return 0;
}

static int attack_on_out(void *handle, const char *data, int size)
{
    (void)handle;
    attack_got = attack_got || memmem(data, (size_t)size, "GOT", 3) != NULL;
    return size;
}

static int attack_on_error(void *handle, const char *data, int size)
{
    (void)handle;
    (void)data;
    return size;
}

static int attack_run(const char *code, bool sandboxed)
{
    struct pl_ghost_lib lib;
    struct pl_fault fault = { .status = PL_OK };
    char texts[][24] = { "gs", "-dNOSAFER", "-dNOPAUSE", "-q", "-sDEVICE=nullpage" };
    char *argv[PL_COUNT_OF(texts)];
    void *instance = NULL;
    int exit_code = 0;
    for (size_t i = 0; i < PL_COUNT_OF(texts); i++)
        argv[i] = texts[i];
    if (!try_prepare() || pl_ghost_lib_load(&lib, &fault) != PL_OK ||
        lib.new_instance(&instance, NULL) != 0 ||
        lib.set_stdio_with_handle(instance, attack_on_in, attack_on_out, attack_on_error, NULL) !=
            0 ||
        lib.init_with_args(instance, (int)PL_COUNT_OF(texts), argv) != 0 ||
        (sandboxed && !try_enter()))
        return TRY_NO_SANDBOX;
    char program[512];
    (void)snprintf(program, sizeof program, "{ %s } stopped pop flush\n", code);
    (void)lib.run_string(instance, program, (unsigned)strlen(program), 0, &exit_code);
    return attack_got ? TRY_SUCCEEDED : TRY_DENIED;
}

static void outside_make(void)
{
    int fd = open_in(outside, "precious", O_WRONLY | O_CREAT | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0666), 0);
    assert_int_equal(write(fd, "precious", 8), 8);
    (void)close(fd);
}

static void outside_forget(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", outside, name);
    (void)unlink(path);
}

static int attack_in_child(size_t n, bool sandboxed)
{
    char code[400];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(code, sizeof code, attacks[n], outside);
#pragma GCC diagnostic pop
    pid_t pid = fork();
    if (pid == 0)
        _exit(attack_run(code, sandboxed));
    return wait_for(pid);
}

static void sandbox__safer_off__holds_against_postscript(void **state)
{
    static const char *const left[] = { "escaped", "renamed", "piped", "device", "printed" };
    struct stat file;
    char path[128];
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(attacks); i++) {
        outside_make();
        int status = attack_in_child(i, false);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != TRY_SUCCEEDED) {
            (void)printf("outside the sandbox: attack %zu: status %x\n", i, (unsigned)status);
            wrong++;
        }
        for (size_t j = 0; j < PL_COUNT_OF(left); j++)
            outside_forget(left[j]);
    }
    outside_make();
    for (size_t i = 0; i < PL_COUNT_OF(attacks); i++) {
        int status = attack_in_child(i, true);
        bool held = (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
                    (WIFEXITED(status) && WEXITSTATUS(status) == TRY_DENIED);
        if (held)
            continue;
        (void)printf("attack %zu: status %x\n", i, (unsigned)status);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    (void)snprintf(path, sizeof path, "%s/precious", outside);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, 8);
}

static int interpreter_set_up(void **state)
{
    (void)state;
    (void)snprintf(outside, sizeof outside, "/tmp/platen-outside-XXXXXX");
    (void)snprintf(scratch, sizeof scratch, "/dev/shm/platen-test-XXXXXX");
    assert_non_null(mkdtemp(outside));
    assert_non_null(mkdtemp(scratch));
    assert_int_equal(chmod(outside, 0777), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(scratch, NOBODY, NOBODY), 0);
    outside_make();
    return 0;
}

/* What a killed process left, as the launcher does it. */
static void scratch_empty(void)
{
    DIR *folder = opendir(scratch);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
}

static int interpreter_tear_down(void **state)
{
    (void)state;
    outside_forget("precious");
    /* Fails when a try left something behind. */
    assert_int_equal(rmdir(outside), 0);
    scratch_empty();
    assert_int_equal(rmdir(scratch), 0);
    return 0;
}

int main(void)
{
    if (pl_sandbox_landlock() == 0) {
        (void)printf("skipped: this kernel has no Landlock, so nothing is interpreted on it\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sandbox__taken_over__reaches_nothing, interpreter_set_up,
                                        interpreter_tear_down),
        cmocka_unit_test_setup_teardown(sandbox__what_an_interpreter_needs__works,
                                        interpreter_set_up, interpreter_tear_down),
        cmocka_unit_test_setup_teardown(sandbox__safer_off__holds_against_postscript,
                                        interpreter_set_up, interpreter_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
