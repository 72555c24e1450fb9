/* process: uv_poll over a packet socket and a pipe; libuv's only place above engine/net.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/process.h"

#include "workers/channel.h"

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_FRAMES_A_TURN 32 /* then others get theirs */
#define PROCESS_LINE_CHARS 400
#define PROCESS_LINES_A_SECOND 20
#define PROCESS_READS_A_TURN 16

struct pl_watch {
    uv_poll_t poll;
    pl_watch_fn *fn;
    void *owner;
};

static void watch_on_poll(uv_poll_t *poll, int status, int events)
{
    struct pl_watch *watch = poll->data;
    (void)status; /* an error shows again when the owner reads */
    (void)events;
    watch->fn(watch->owner);
}

static void watch_on_close(uv_handle_t *handle)
{
    free(handle->data);
}

pl_status pl_watch_new(struct pl_loop *loop, int fd, pl_watch_fn *fn, void *owner,
                       struct pl_watch **out)
{
    struct pl_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return PL_NO_MEMORY;
    watch->fn = fn;
    watch->owner = owner;
    watch->poll.data = watch;
    if (uv_poll_init(pl_loop_uv(loop), &watch->poll, fd) != 0) {
        free(watch);
        return PL_UNAVAILABLE;
    }
    if (uv_poll_start(&watch->poll, UV_READABLE, watch_on_poll) != 0) {
        pl_watch_free(watch);
        return PL_UNAVAILABLE;
    }
    *out = watch;
    return PL_OK;
}

void pl_watch_free(struct pl_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->poll, watch_on_close);
}

struct pl_process {
    struct pl_loop *loop;
    const struct pl_log *log;
    struct pl_process_hooks hooks;
    void *owner;
    int socket;
    int said; /* read end of its stderr */
    struct pl_watch *socket_watch;
    struct pl_watch *said_watch;
    pid_t pid;
    bool is_silent;  /* on_silent was called */
    bool is_freed;   /* by a hook, while we still work on it */
    unsigned inside; /* calls of ours on the stack */
    int64_t second;  /* in which lines are counted */
    unsigned lines;
    unsigned dropped;
    size_t line_size;
    char line[PROCESS_LINE_CHARS + 1];
    struct pl_bytes out;
    uint8_t room[PL_WIRE_FRAME_BYTES];
};

/* -- what it says on stderr -- */

static void process_log_line(struct pl_process *process)
{
    char shown[PROCESS_LINE_CHARS + 1];
    int64_t second = pl_loop_now_ms(process->loop) / 1000;
    struct pl_span line = { process->line, process->line_size };
    process->line_size = 0;
    if (second != process->second) {
        if (process->dropped > 0)
            PL_LOG(process->log, PL_LOG_WARN, "worker.said_more", PL_FN("pid", process->pid),
                   PL_FN("lines_dropped", process->dropped));
        process->second = second;
        process->lines = 0;
        process->dropped = 0;
    }
    if (line.size == 0)
        return;
    if (++process->lines > PROCESS_LINES_A_SECOND) {
        process->dropped++;
        return;
    }
    (void)pl_text_sanitize(line, shown, sizeof shown);
    PL_LOG(process->log, PL_LOG_WARN, "worker.said", PL_FN("pid", process->pid),
           PL_F("line", shown));
}

static void process_take_said(struct pl_process *process, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || process->line_size == PROCESS_LINE_CHARS)
            process_log_line(process);
        if (data[i] != '\n')
            process->line[process->line_size++] = data[i];
    }
}

static void process_close_said(struct pl_process *process)
{
    if (process->said < 0)
        return;
    process_log_line(process);
    pl_watch_free(process->said_watch);
    (void)close(process->said);
    process->said_watch = NULL;
    process->said = -1;
}

static void process_on_said(void *owner)
{
    struct pl_process *process = owner;
    char data[2048];
    for (int i = 0; i < PROCESS_READS_A_TURN && process->said >= 0; i++) {
        ssize_t took = read(process->said, data, sizeof data);
        if (took > 0)
            process_take_said(process, data, (size_t)took);
        else if (took == 0 || (errno != EAGAIN && errno != EINTR))
            process_close_said(process);
        else
            return;
    }
}

/* -- what it says on its socket -- */

static void process_release(struct pl_process *process)
{
    if (--process->inside > 0 || !process->is_freed)
        return;
    pl_bytes_fini(&process->out);
    free(process);
}

static void process_silence(struct pl_process *process, const char *why)
{
    if (process->is_silent)
        return;
    process->is_silent = true;
    pl_watch_free(process->socket_watch);
    process->socket_watch = NULL;
    process->hooks.on_silent(process->owner, why);
}

/* False when nothing waits, or nothing more is wanted. */
static bool process_take_packet(struct pl_process *process)
{
    struct pl_wire_frame frame;
    struct pl_channel_packet packet = { .data = process->room, .capacity = sizeof process->room };
    if (process->is_freed || process->is_silent)
        return false;
    pl_status status = pl_channel_receive(process->socket, &packet);
    if (status == PL_BUSY)
        return false;
    if (status == PL_OK && pl_wire_parse(process->room, packet.size, &frame) == PL_OK) {
        process->hooks.on_frame(process->owner, &frame);
        return true;
    }
    if (status == PL_PEER_GONE)
        process_silence(process, NULL);
    else if (status == PL_OK)
        process_silence(process, "it sent a frame that no worker sends");
    else
        process_silence(process, "it sent a frame that is too large or carries descriptors");
    return false;
}

static void process_on_socket(void *owner)
{
    struct pl_process *process = owner;
    process->inside++;
    for (int i = 0; i < PROCESS_FRAMES_A_TURN && process_take_packet(process); i++)
        continue;
    process_release(process);
}

void pl_process_drain(struct pl_process *process)
{
    process->inside++;
    while (process_take_packet(process)) /* bounded by the socket's buffer: its writer is dead */
        continue;
    if (!process->is_freed)
        process_on_said(process);
    process_release(process);
}

pl_status pl_process_send(struct pl_process *process, const struct pl_wire_frame *frame,
                          const int *fds, size_t fd_count)
{
    pl_bytes_clear(&process->out);
    pl_status status = pl_wire_write(frame, &process->out);
    if (status == PL_OK) {
        struct pl_span packet = { (const char *)process->out.data, process->out.size };
        status = pl_channel_send(process->socket, packet, fds, fd_count);
    }
    if (process->out.data != NULL)
        pl_wipe(process->out.data, process->out.size); /* a RUN holds keys */
    return status;
}

static pl_status process_connect(struct pl_process *process, struct pl_launcher *launcher,
                                 enum pl_worker_class class, uint64_t ticket)
{
    int theirs = -1;
    int pipe_ends[2] = { -1, -1 };
    pl_status status = pl_channel_pair(&process->socket, &theirs);
    if (status == PL_OK && pipe2(pipe_ends, O_CLOEXEC) != 0)
        status = pl_status_from_errno(errno);
    process->said = pipe_ends[0];
    if (status == PL_OK && fcntl(process->said, F_SETFL, O_NONBLOCK) != 0)
        status = pl_status_from_errno(errno);
    if (status == PL_OK)
        status = pl_watch_new(process->loop, process->socket, process_on_socket, process,
                              &process->socket_watch);
    if (status == PL_OK)
        status = pl_watch_new(process->loop, process->said, process_on_said, process,
                              &process->said_watch);
    if (status == PL_OK)
        status = pl_launcher_start(launcher, ticket, class, theirs, pipe_ends[1]);
    if (theirs >= 0)
        (void)close(theirs);
    if (pipe_ends[1] >= 0)
        (void)close(pipe_ends[1]);
    return status;
}

pl_status pl_process_new(struct pl_loop *loop, const struct pl_log *log,
                         struct pl_launcher *launcher, enum pl_worker_class class, uint64_t ticket,
                         const struct pl_process_hooks *hooks, void *owner, struct pl_process **out)
{
    struct pl_process *process = calloc(1, sizeof *process);
    if (process == NULL)
        return PL_NO_MEMORY;
    process->loop = loop;
    process->log = log;
    process->hooks = *hooks;
    process->owner = owner;
    process->socket = -1;
    process->said = -1;
    pl_bytes_init(&process->out, PL_WIRE_FRAME_BYTES);
    pl_status status = process_connect(process, launcher, class, ticket);
    if (status == PL_OK)
        *out = process;
    else
        pl_process_free(process);
    return status;
}

void pl_process_free(struct pl_process *process)
{
    if (process == NULL || process->is_freed)
        return;
    process->inside++;
    process->is_freed = true;
    pl_watch_free(process->socket_watch);
    if (process->socket >= 0)
        (void)close(process->socket);
    process_close_said(process);
    process_release(process);
}

void pl_process_set_pid(struct pl_process *process, pid_t pid)
{
    process->pid = pid;
}
