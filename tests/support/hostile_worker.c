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

static struct pl_wire_frame hostile_report(void)
{
    struct pl_wire_frame frame = { .kind = PL_WIRE_REPORT };
    frame.as.report.status = PL_OK;
    (void)pl_text_copy(frame.as.report.type, sizeof frame.as.report.type,
                       pl_span_from("application/pdf"));
    return frame;
}

static void hostile_receive(void)
{
    struct pl_channel_packet packet = { .data = room, .capacity = sizeof room, .fd_capacity = 65 };
    if (pl_channel_receive(SOCKET, &packet) != PL_OK)
        _exit(0);
}

static void hostile_ledgers(void)
{
    static const char piece[PL_WIRE_LEDGER_BYTES] = "x";
    const struct pl_wire_frame frame = { .kind = PL_WIRE_LEDGER,
                                         .as.ledger = { piece, sizeof piece } };
    for (;;)
        hostile_frame(&frame);
}

static void hostile_behave(enum hostile_way way)
{
    static uint8_t large[PL_WIRE_FRAME_BYTES + 1];
    struct pl_wire_frame report = hostile_report();
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
        report.as.report.bytes = 12345;
        hostile_frame(&report);
        return;
    case HOSTILE_LEDGER_SIZE:
        report.as.report.page_ledger.size = 5;
        hostile_frame(&report);
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
        frame = hostile_report();
        hostile_frame(&frame);
    }
    const struct pl_wire_frame hello = { .kind = PL_WIRE_HELLO,
                                         .as.hello.seccomp = way != HOSTILE_NO_SANDBOX };
    hostile_frame(&hello);
    hostile_receive();
    hostile_behave(way);
    for (;;)
        (void)pause();
}
