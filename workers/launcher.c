/* launcher: a fork before everything, a socket, a table of children.
 *
 * The child side uses only what is safe after fork, because nothing forbids a caller (a test) to
 * have threads, and _Fork, because a handler that a library registered for fork (libuv has one)
 * would open and close descriptors whose numbers mean something else here.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/launcher.h"

#include "workers/channel.h"
#include "workers/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER_CHILDREN_MOST 256
#define LAUNCHER_SOCKET 3
#define WORKER_SOCKET 3
#define LAUNCHER_ORPHANED SIGUSR1 /* from the kernel, when the engine is gone */

struct pl_launcher {
    int fd;
    pid_t pid;
};

enum launcher_verb { LAUNCHER_START, LAUNCHER_KILL };

/* Both processes are the same program: a struct is the format. No padding, which would carry old
 * memory along. */
struct launcher_request {
    uint64_t verb;
    uint64_t ticket;
    uint64_t class;
};

struct worker_identity {
    bool change;
    uid_t uid;
    gid_t gid;
};

struct launcher_child {
    pid_t pid; /* 0: free */
    enum pl_worker_class class;
    uint64_t ticket;
};

/* What the launcher process knows. */
struct launcher_side {
    const char *path;     /* of the program, or what it is called */
    pl_worker_fn *worker; /* instead of a program */
    struct worker_identity identity;
    int signals;
    pid_t parent;
    struct pl_scratch scratch;
    struct launcher_child children[LAUNCHER_CHILDREN_MOST];
};

/* -- the worker's first breath, between fork and exec -- */

static void child_say(const char *path, const char *what, int error)
{
    char line[512];
    if (!pl_text_format(line, sizeof line, "%s: %s: %s\n", path, what, strerror(error)))
        line[sizeof line - 2] = '\n';
    ssize_t put = write(STDERR_FILENO, line, strlen(line));
    (void)put;
}

static bool child_take_identity(const struct worker_identity *identity)
{
    return !identity->change ||
           (setgroups(0, NULL) == 0 &&
            setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
            setresuid(identity->uid, identity->uid, identity->uid) == 0 && setuid(0) != 0);
}

/* The descriptors passed are above 3: 0 to 3 are always taken in the launcher. */
static bool child_take_descriptors(int socket, int stderr_pipe)
{
    return dup2(stderr_pipe, STDERR_FILENO) >= 0 && dup2(socket, WORKER_SOCKET) >= 0 &&
           close_range(WORKER_SOCKET + 1, ~0u, 0) == 0;
}

static void child_reset_signals(void)
{
    sigset_t none;
    struct sigaction initial;
    memset(&initial, 0, sizeof initial);
    initial.sa_handler = SIG_DFL;
    for (int signum = 1; signum < NSIG; signum++)
        (void)sigaction(signum, &initial, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* `scratch` is NULL but for an interpreter. */
static _Noreturn void child_exec(const struct launcher_side *side, const int fds[2],
                                 const char *scratch, pid_t parent)
{
    char class[] = "--class=interpreter";
    char folder[sizeof "--scratch=" + PL_SCRATCH_PATH_CHARS] = "";
    char *const argv[] = { (char *)(uintptr_t)side->path, scratch == NULL ? NULL : class, folder,
                           NULL };
    char *const environment[] = { NULL };
    if (!child_take_descriptors(fds[0], fds[1]))
        _exit(126);
    if (scratch != NULL)
        (void)pl_text_format(folder, sizeof folder, "--scratch=%s", scratch);
    child_reset_signals();
    /* After the change of user, which would clear the death signal. */
    if (!child_take_identity(&side->identity))
        child_say(side->path, "cannot become the worker's user", errno);
    else if (chdir("/") != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
             prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        child_say(side->path, "cannot prepare the process", errno);
    else if (getppid() == parent) {
        if (side->worker != NULL && clearenv() == 0)
            _exit(side->worker(scratch));
        (void)execve(side->path, argv, environment);
        child_say(side->path, "cannot be started", errno);
    }
    _exit(127);
}

/* -- the launcher process -- */

/* The engine is gone: nothing is left behind. */
static _Noreturn void side_end(struct launcher_side *side)
{
    for (size_t i = 0; i < LAUNCHER_CHILDREN_MOST; i++)
        if (side->children[i].pid != 0)
            (void)kill(side->children[i].pid, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    pl_scratch_end(&side->scratch);
    _exit(0);
}

static void side_answer(struct launcher_side *side, const struct pl_launcher_message *message)
{
    struct pl_span packet = { (const char *)message, sizeof *message };
    if (pl_channel_send(LAUNCHER_SOCKET, packet, NULL, 0) != PL_OK)
        side_end(side);
}

static struct launcher_child *side_free_child(struct launcher_side *side)
{
    for (size_t i = 0; i < LAUNCHER_CHILDREN_MOST; i++)
        if (side->children[i].pid == 0)
            return &side->children[i];
    return NULL;
}

static void side_start(struct launcher_side *side, const struct launcher_request *request,
                       const int fds[2])
{
    char scratch[PL_SCRATCH_PATH_CHARS];
    struct launcher_child *child = side_free_child(side);
    bool interprets = request->class == PL_CLASS_INTERPRETER;
    struct pl_launcher_message answer = { .ticket = request->ticket,
                                          .event = PL_LAUNCHER_FAILED,
                                          .error = EAGAIN };
    pid_t self = getpid();
    pid_t pid = -1;
    if (child == NULL)
        goto done;
    if (interprets && !pl_scratch_make(&side->scratch, request->ticket, scratch)) {
        answer.error = errno;
        goto done;
    }
    pid = _Fork();
    if (pid == 0)
        child_exec(side, fds, interprets ? scratch : NULL, self);
    answer.error = pid < 0 ? errno : 0;
    if (pid < 0 && interprets)
        pl_scratch_remove(&side->scratch, request->ticket);
done:
    if (pid > 0) {
        *child = (struct launcher_child){ .pid = pid,
                                          .class = (enum pl_worker_class)request->class,
                                          .ticket = request->ticket };
        answer.event = PL_LAUNCHER_STARTED;
        answer.pid = pid;
    }
    side_answer(side, &answer);
}

static void side_kill(struct launcher_side *side, uint64_t ticket)
{
    for (size_t i = 0; i < LAUNCHER_CHILDREN_MOST; i++)
        if (side->children[i].pid != 0 && side->children[i].ticket == ticket)
            (void)kill(side->children[i].pid, SIGKILL);
}

static void side_take_death(struct launcher_side *side, pid_t pid, int status)
{
    for (size_t i = 0; i < LAUNCHER_CHILDREN_MOST; i++) {
        struct launcher_child *child = &side->children[i];
        if (child->pid != pid)
            continue;
        child->pid = 0;
        if (child->class == PL_CLASS_INTERPRETER)
            pl_scratch_remove(&side->scratch, child->ticket);
        const struct pl_launcher_message answer = {
            .ticket = child->ticket, .event = PL_LAUNCHER_DIED, .pid = pid, .wait_status = status
        };
        side_answer(side, &answer);
    }
}

static void side_reap(struct launcher_side *side)
{
    struct signalfd_siginfo info;
    ssize_t took = read(side->signals, &info, sizeof info);
    (void)took; /* one signal may stand for several deaths */
    if (getppid() != side->parent)
        side_end(side);
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        side_take_death(side, pid, status);
    }
}

static void side_serve(struct launcher_side *side)
{
    struct launcher_request request;
    struct pl_channel_packet packet = { .data = (uint8_t *)&request,
                                        .capacity = sizeof request,
                                        .fd_capacity = 2 };
    pl_status status = pl_channel_receive(LAUNCHER_SOCKET, &packet);
    if (status == PL_PEER_GONE)
        side_end(side);
    if (status == PL_OK && packet.size == sizeof request) {
        if (request.verb == LAUNCHER_KILL)
            side_kill(side, request.ticket);
        else if (request.verb == LAUNCHER_START && packet.fd_count == 2 &&
                 request.class < PL_CLASS_COUNT)
            side_start(side, &request, packet.fds);
    }
    pl_channel_packet_close(&packet);
}

static bool side_prepare(struct launcher_side *side, int fd)
{
    sigset_t all;
    sigset_t heard;
    (void)sigfillset(&all);
    (void)sigemptyset(&heard);
    (void)sigaddset(&heard, SIGCHLD);
    (void)sigaddset(&heard, LAUNCHER_ORPHANED);
    int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        dup2(fd, LAUNCHER_SOCKET) < 0 || close_range(LAUNCHER_SOCKET + 1, ~0u, 0) != 0)
        return false;
    /* Signals meant for the engine's group do not end it: it ends with the engine. */
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 ||
        prctl(PR_SET_PDEATHSIG, LAUNCHER_ORPHANED, 0, 0, 0) != 0)
        return false;
    side->signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    pl_scratch_sweep();
    return side->signals >= 0 && getppid() == side->parent;
}

static _Noreturn void side_main(struct launcher_side *side, int fd)
{
    if (!side_prepare(side, fd))
        _exit(1);
    struct pollfd watched[2] = { { .fd = LAUNCHER_SOCKET, .events = POLLIN },
                                 { .fd = side->signals, .events = POLLIN } };
    for (;;) {
        if (poll(watched, PL_COUNT_OF(watched), -1) < 0 && errno != EINTR)
            _exit(1);
        if (watched[1].revents != 0)
            side_reap(side);
        if (watched[0].revents != 0)
            side_serve(side);
    }
}

/* -- the engine's side -- */

static pl_status identity_find(const char *user, struct worker_identity *out,
                               struct pl_fault *fault)
{
    uint64_t number = 0;
    const struct passwd *entry = NULL;
    *out = (struct worker_identity){ .change = geteuid() == 0 };
    if (!out->change)
        return PL_OK;
    if (user == NULL || user[0] == '\0')
        return pl_fault_set(
            fault, PL_MISCONFIGURED,
            "started as root, workers need a user of their own: set process.worker_user "
            "(to make one: useradd --system --no-create-home platen-worker)");
    if (pl_text_parse_u64(pl_span_from(user), INT32_MAX, &number)) {
        entry = getpwuid((uid_t)number);
        out->uid = (uid_t)number;
        out->gid = entry != NULL ? entry->pw_gid : (gid_t)number;
    } else {
        entry = getpwnam(user);
        if (entry == NULL)
            return pl_fault_set(
                fault, PL_MISCONFIGURED,
                "process.worker_user: there is no user %s on this machine (to make one: "
                "useradd --system --no-create-home %s)",
                user, user);
        out->uid = entry->pw_uid;
        out->gid = entry->pw_gid;
    }
    if (out->uid == 0 || out->gid == 0)
        return pl_fault_set(
            fault, PL_MISCONFIGURED,
            "process.worker_user: %s is root or in root's group; workers never run as root", user);
    return PL_OK;
}

/* Forks the process that `side` describes. */
static pl_status launcher_start(struct launcher_side *side, const char *worker_user,
                                struct pl_launcher **out, struct pl_fault *fault)
{
    int ours = -1;
    int theirs = -1;
    struct pl_launcher *launcher = NULL;
    pl_status status = identity_find(worker_user, &side->identity, fault);
    if (status != PL_OK)
        goto done;
    launcher = calloc(1, sizeof *launcher);
    status = launcher == NULL ? PL_NO_MEMORY : pl_channel_pair(&ours, &theirs);
    if (status != PL_OK)
        goto done;
    side->parent = getpid();
    side->scratch = (struct pl_scratch){ .root = -1,
                                         .give = side->identity.change,
                                         .uid = side->identity.uid,
                                         .gid = side->identity.gid };
    launcher->pid = _Fork();
    if (launcher->pid == 0)
        side_main(side, theirs);
    if (launcher->pid < 0) {
        status = pl_fault_set(fault, PL_UNAVAILABLE,
                              "the launcher of workers cannot be started: %s", strerror(errno));
        goto done;
    }
    launcher->fd = ours;
    ours = -1;
    *out = launcher;
    launcher = NULL;
done:
    if (ours >= 0)
        (void)close(ours);
    if (theirs >= 0)
        (void)close(theirs);
    free(launcher);
    return status;
}

pl_status pl_launcher_new(const char *worker_path, const char *worker_user,
                          struct pl_launcher **out, struct pl_fault *fault)
{
    struct launcher_side side = { .path = worker_path };
    if (worker_path[0] != '/' || access(worker_path, X_OK) != 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "the worker program %s cannot be run: %s",
                            worker_path,
                            worker_path[0] != '/' ? "not an absolute path" : strerror(errno));
    return launcher_start(&side, worker_user, out, fault);
}

pl_status pl_launcher_new_inside(pl_worker_fn *worker, const char *worker_user,
                                 struct pl_launcher **out, struct pl_fault *fault)
{
    struct launcher_side side = { .path = "the worker", .worker = worker };
    return launcher_start(&side, worker_user, out, fault);
}

void pl_launcher_free(struct pl_launcher *launcher)
{
    if (launcher == NULL)
        return;
    (void)close(launcher->fd);
    while (waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(launcher);
}

int pl_launcher_fd(const struct pl_launcher *launcher)
{
    return launcher->fd;
}

static pl_status launcher_send(struct pl_launcher *launcher, const struct launcher_request *request,
                               const int *fds, size_t fd_count)
{
    struct pl_span packet = { (const char *)request, sizeof *request };
    return pl_channel_send(launcher->fd, packet, fds, fd_count);
}

pl_status pl_launcher_start(struct pl_launcher *launcher, uint64_t ticket,
                            enum pl_worker_class class, int socket, int stderr_pipe)
{
    const int fds[2] = { socket, stderr_pipe };
    const struct launcher_request request = { .verb = LAUNCHER_START,
                                              .ticket = ticket,
                                              .class = class };
    return launcher_send(launcher, &request, fds, 2);
}

pl_status pl_launcher_kill(struct pl_launcher *launcher, uint64_t ticket)
{
    const struct launcher_request request = { .verb = LAUNCHER_KILL, .ticket = ticket };
    return launcher_send(launcher, &request, NULL, 0);
}

pl_status pl_launcher_receive(struct pl_launcher *launcher, struct pl_launcher_message *out)
{
    struct pl_channel_packet packet = { .data = (uint8_t *)out, .capacity = sizeof *out };
    pl_status status = pl_channel_receive(launcher->fd, &packet);
    return status == PL_OK && packet.size != sizeof *out ? PL_IO_ERROR : status;
}
