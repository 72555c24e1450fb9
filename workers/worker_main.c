/* worker_main: the process that touches documents and nothing else.
 *
 * Loads and warms what it will need (memory, ciphers, threads), enters the sandbox, says HELLO,
 * then runs one job after another until the socket closes. It never runs as root and never sees two
 * tenants; the engine counts both its time and its jobs.
 *
 * With --class=interpreter it starts Ghostscript before it enters its sandbox, so that the library
 * is mapped and its own files are read while no document is there. A machine without Ghostscript
 * gets a worker that says so to every job.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_main.h"

#include "engine/base/clock.h"
#include "engine/base/digest.h"
#include "engine/base/seal.h"
#include "pipeline/codec/ghost.h"
#include "workers/channel.h"
#include "workers/sandbox.h"
#include "workers/wire.h"
#include "workers/worker_job.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKER_SOCKET 3
#define WORKER_PROGRESS_MS 100
#ifdef PL_SANITIZED
#define WORKER_STACK_BYTES ((size_t)8 << 20)
#else
#define WORKER_STACK_BYTES ((size_t)1 << 20)
#endif

struct worker {
    struct pl_wire_setup setup;
    bool is_plain;
    struct pl_channel_packet packet;
    struct pl_bytes out; /* the frame being sent */
    struct pl_clock clock;
    const char *scratch; /* of the interpreter class; else NULL */
    struct pl_interpreter *interpreter;
    struct pl_fault no_interpreter; /* why there is none */
    int64_t progress_ms;            /* when the last PROGRESS left */
    uint8_t room[PL_WIRE_FRAME_BYTES];
};

static void worker_say(const struct pl_fault *fault)
{
    (void)fprintf(stderr, "%s\n", fault->reason);
}

/* The next frame of the kind wanted. PL_PEER_GONE when the engine closed the socket. */
static pl_status worker_receive(struct worker *worker, enum pl_wire_kind kind,
                                struct pl_wire_frame *frame)
{
    worker->packet.data = worker->room;
    worker->packet.capacity = sizeof worker->room;
    worker->packet.fd_capacity = PL_CHANNEL_FDS_MOST;
    pl_status status = pl_channel_receive(WORKER_SOCKET, &worker->packet);
    if (status == PL_OK)
        status = pl_wire_parse(worker->room, worker->packet.size, frame);
    return status == PL_OK && frame->kind != kind ? PL_BAD_REQUEST : status;
}

static pl_status worker_send(struct worker *worker, const struct pl_wire_frame *frame)
{
    pl_bytes_clear(&worker->out);
    pl_status status = pl_wire_write(frame, &worker->out);
    if (status != PL_OK)
        return status;
    struct pl_span packet = { (const char *)worker->out.data, worker->out.size };
    return pl_channel_send(WORKER_SOCKET, packet, NULL, 0);
}

static void worker_on_page(void *owner, uint32_t done, uint32_t total)
{
    struct worker *worker = owner;
    int64_t now = pl_clock_monotonic_ms(&worker->clock);
    if (now - worker->progress_ms < WORKER_PROGRESS_MS || done > total)
        return;
    worker->progress_ms = now;
    const struct pl_wire_frame frame = { .kind = PL_WIRE_PROGRESS,
                                         .as.progress = { .done = done, .total = total } };
    if (worker_send(worker, &frame) != PL_OK)
        _exit(PL_WORKER_DONE); /* nobody waits for this job any more */
}

static pl_status worker_run_one(struct worker *worker)
{
    struct pl_wire_frame frame;
    struct pl_wire_frame answer = { .kind = PL_WIRE_REPORT };
    pl_status status = worker_receive(worker, PL_WIRE_RUN, &frame);
    if (status == PL_OK && worker->packet.fd_count != frame.as.run.input_count + 1)
        status = PL_BAD_REQUEST;
    if (status == PL_OK) {
        worker->progress_ms = pl_clock_monotonic_ms(&worker->clock);
        const struct pl_worker_job job = { .run = &frame.as.run,
                                           .fds = worker->packet.fds,
                                           .socket = WORKER_SOCKET,
                                           .frame = &worker->out,
                                           .threads = worker->setup.threads,
                                           .interpreter = worker->interpreter,
                                           .on_page = worker_on_page,
                                           .owner = worker };
        pl_worker_job_run(&job, &answer.as.report);
        if (answer.as.report.status == PL_NEEDS_INTERPRETER && worker->scratch != NULL &&
            worker->interpreter == NULL) {
            answer.as.report.status = worker->no_interpreter.status;
            answer.as.report.fault = worker->no_interpreter;
        }
    }
    pl_wipe(&frame, sizeof frame);
    pl_wipe(worker->room, worker->packet.size);
    pl_channel_packet_close(&worker->packet);
    return status == PL_OK ? worker_send(worker, &answer) : status;
}

/* Page threads hold no large arrays on their stacks, and 64 of glibc's 8 MiB would use up the
 * limit. */
static pl_status worker_warm(const struct worker *worker, struct pl_fault *fault)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    bool good = pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES) == 0 &&
                pthread_setattr_default_np(&attributes) == 0;
    (void)pthread_attr_destroy(&attributes);
    return good ? pl_worker_job_warm(worker->is_plain, fault)
                : pl_fault_set(fault, PL_UNAVAILABLE, "the worker cannot set up its threads");
}

/* Not the start of the worker fails, but every job that needs one. */
static void worker_start_interpreter(struct worker *worker)
{
    struct pl_fault *fault = &worker->no_interpreter;
    pl_status status = PL_OK;
    if (worker->scratch == NULL)
        return;
    if (pl_sandbox_landlock() == 0)
        status = pl_fault_set(fault, PL_UNAVAILABLE,
                              "this document needs Ghostscript, which only runs on a kernel with "
                              "Landlock (5.13 or newer)");
    if (status == PL_OK)
        status = pl_ghost_new(worker->scratch, &worker->interpreter, fault);
    if (status != PL_OK)
        worker_say(fault);
}

static pl_status worker_start(struct worker *worker, struct pl_fault *fault)
{
    struct pl_wire_frame frame;
    struct pl_sandbox_report sandbox;
    pl_status status = pl_sandbox_prepare(WORKER_SOCKET + 1, fault);
    if (status != PL_OK)
        return status;
    status = worker_receive(worker, PL_WIRE_SETUP, &frame);
    pl_channel_packet_close(&worker->packet);
    if (status != PL_OK)
        return status == PL_PEER_GONE
                   ? status
                   : pl_fault_set(fault, status, "the engine did not say what a worker may use");
    worker->setup = frame.as.setup;
    status = worker_warm(worker, fault);
    if (status != PL_OK)
        return status;
    worker_start_interpreter(worker);
    const struct pl_sandbox_limits limits = {
        .socket_fd = WORKER_SOCKET,
        .memory_bytes = worker->setup.memory_bytes,
        .cpu_ms = worker->setup.cpu_ms,
        .file_bytes = pl_seal_sealed_size(worker->setup.output_bytes),
        .scratch = worker->interpreter == NULL ? NULL : worker->scratch,
    };
    status = pl_sandbox_enter(&limits, &sandbox, fault);
    if (status != PL_OK)
        return status;
    const struct pl_wire_frame hello = {
        .kind = PL_WIRE_HELLO,
        .as.hello = { .landlock_abi = (uint8_t)sandbox.landlock_abi,
                      .seccomp = true,
                      .mdwe = sandbox.mdwe,
                      .widened = sandbox.widened },
    };
    return worker_send(worker, &hello);
}

bool pl_worker_has_socket(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(WORKER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_SEQPACKET;
}

static int worker_live(const char *scratch, bool is_plain)
{
    struct pl_fault fault = { .status = PL_OK };
    if (geteuid() == 0 || getegid() == 0) {
        (void)fprintf(stderr, "platen-worker: refuses to run as root; start the engine with "
                              "process.worker_user set to a user of its own\n");
        return PL_WORKER_USAGE;
    }
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return PL_WORKER_FAILED;
    worker->clock = PL_CLOCK_SYSTEM;
    worker->scratch = scratch;
    worker->is_plain = is_plain;
    pl_bytes_init(&worker->out, PL_WIRE_FRAME_BYTES);
    pl_status status = worker_start(worker, &fault);
    if (fault.status != PL_OK)
        worker_say(&fault);
    while (status == PL_OK)
        status = worker_run_one(worker);
    _exit(status == PL_PEER_GONE ? PL_WORKER_DONE : PL_WORKER_FAILED);
}

int pl_worker_main(const char *scratch)
{
    return worker_live(scratch, false);
}

int pl_worker_main_plain(const char *scratch)
{
    return worker_live(scratch, true);
}
