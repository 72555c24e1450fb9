/* hostile_worker: a worker that was taken over and speaks as it likes; the number of threads that
 * SETUP grants says how.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/hostile_worker.h"

#include "workers/channel.h"
#include "workers/wire.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET 3

static uint8_t room[PL_WIRE_FRAME_BYTES];

static void hostile_send(const void *data, size_t size, size_t fds)
{
    const int handed[1] = { STDERR_FILENO };
    struct pl_span packet = { data, size };
    if (pl_channel_send(SOCKET, packet, handed, fds) != PL_OK)
        _exit(0);
}

static void hostile_frame(const struct pl_wire_frame *frame)
{
    struct pl_bytes bytes;
    pl_bytes_init(&bytes, PL_WIRE_FRAME_BYTES);
    if (pl_wire_write(frame, &bytes) != PL_OK)
        _exit(1);
    hostile_send(bytes.data, bytes.size, 0);
    pl_bytes_fini(&bytes);
}

static struct pl_wire_frame hostile_report(uint32_t documents)
{
    return (struct pl_wire_frame){ .kind = PL_WIRE_REPORT,
                                   .as.report.summary.documents = documents };
}

static struct pl_wire_frame hostile_document(uint32_t n)
{
    struct pl_wire_frame frame = { .kind = PL_WIRE_DOCUMENT, .as.document.n = n };
    struct pl_run_output *output = &frame.as.document.output;
    (void)pl_text_copy(output->type, sizeof output->type, pl_span_from("application/pdf"));
    (void)pl_text_copy(output->extension, sizeof output->extension, pl_span_from("pdf"));
    return frame;
}

static void hostile_open(uint32_t n)
{
    hostile_frame(&(struct pl_wire_frame){ .kind = PL_WIRE_OPEN, .as.open = n });
}

/* The last descriptor that came along. */
static int hostile_receive(void)
{
    struct pl_channel_packet packet = { .data = room, .capacity = sizeof room, .fd_capacity = 65 };
    if (pl_channel_receive(SOCKET, &packet) != PL_OK || packet.fd_count == 0)
        _exit(0);
    return packet.fds[packet.fd_count - 1];
}

/* As long as a sealed document of no bytes, and told of. */
static void hostile_make(int fd, uint32_t n)
{
    const struct pl_wire_frame document = hostile_document(n);
    if (ftruncate(fd, (off_t)pl_seal_sealed_size(0)) != 0)
        _exit(1);
    hostile_frame(&document);
}

static void hostile_open_many(int fd)
{
    for (uint32_t n = 1;; n++) {
        hostile_make(fd, n);
        hostile_open(n + 1);
        (void)close(fd);
        fd = hostile_receive();
    }
}

static void hostile_ledgers(void)
{
    static const char piece[PL_WIRE_LEDGER_BYTES] = "x";
    const struct pl_wire_frame frame = { .kind = PL_WIRE_LEDGER,
                                         .as.ledger = { piece, sizeof piece } };
    for (;;)
        hostile_frame(&frame);
}

static void hostile_behave(enum hostile_way way, int fd)
{
    static uint8_t large[PL_WIRE_FRAME_BYTES + 1];
    struct pl_wire_frame document = hostile_document(1);
    const struct pl_wire_frame report = hostile_report(1);
    switch (way) {
    case HOSTILE_GARBAGE:
        hostile_send("GET / HTTP/1.1\r\n\r\n", 18, 0);
        return;
    case HOSTILE_LARGE:
        hostile_send(large, sizeof large, 0);
        return;
    case HOSTILE_DESCRIPTOR:
        hostile_send("PW", 2, 1);
        return;
    case HOSTILE_LENGTH:
        document.as.document.output.bytes = 12345;
        hostile_frame(&document);
        return;
    case HOSTILE_LEDGER_SIZE:
        document.as.document.output.page_ledger.size = 5;
        hostile_frame(&document);
        return;
    case HOSTILE_NO_DOCUMENT:
        hostile_frame(&report);
        return;
    case HOSTILE_OPEN_SECOND: /* the first is not whole */
        hostile_open(2);
        return;
    case HOSTILE_OPEN_FAR:
        hostile_open(3);
        return;
    case HOSTILE_OPEN_MANY:
        hostile_open_many(fd);
        return;
    case HOSTILE_GROWING:
        hostile_make(fd, 1);
        if (ftruncate(fd, 4096) == 0)
            hostile_frame(&report);
        return;
    case HOSTILE_OTHER_DOCUMENT:
        document.as.document.n = 2;
        hostile_frame(&document);
        return;
    case HOSTILE_LEDGER_FLOOD:
        hostile_ledgers();
        return;
    case HOSTILE_SECOND_HELLO:
        hostile_frame(&(struct pl_wire_frame){ .kind = PL_WIRE_HELLO, .as.hello.seccomp = true });
        return;
    case HOSTILE_HANG_UP:
        (void)close(SOCKET);
        return;
    case HOSTILE_NO_SANDBOX:
    case HOSTILE_EARLY:
        return;
    }
}

int main(void)
{
    struct pl_wire_frame frame;
    struct pl_channel_packet packet = { .data = room, .capacity = sizeof room };
    if (pl_channel_receive(SOCKET, &packet) != PL_OK ||
        pl_wire_parse(room, packet.size, &frame) != PL_OK)
        return 1;
    enum hostile_way way = (enum hostile_way)frame.as.setup.threads;
    if (way == HOSTILE_EARLY) {
        frame = hostile_report(1);
        hostile_frame(&frame);
    }
    const struct pl_wire_frame hello = { .kind = PL_WIRE_HELLO,
                                         .as.hello.seccomp = way != HOSTILE_NO_SANDBOX };
    hostile_frame(&hello);
    hostile_behave(way, hostile_receive());
    for (;;)
        (void)pause();
}
