/* channel: one packet over a Unix socket, with the descriptors that travel along.
 *
 * The sockets are SOCK_SEQPACKET: a frame arrives whole or not at all, and its descriptors with
 * it. A side that wants no descriptors offers no room for them, and the kernel drops what was
 * sent.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_CHANNEL_H
#define PL_WORKERS_CHANNEL_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_CHANNEL_FDS_MOST 65

/* A connected pair, close-on-exec; `ours` does not block. PL_BUSY (no descriptors), PL_NO_MEMORY.
 */
pl_status pl_channel_pair(int *ours, int *theirs) PL_MUST_USE;

/* PL_PEER_GONE; PL_BUSY when the socket does not block and is full; PL_IO_ERROR. */
pl_status pl_channel_send(int fd, struct pl_span packet, const int *fds,
                          size_t fd_count) PL_MUST_USE;

/* What one packet brought. The caller owns the descriptors, also when the status is not PL_OK. */
struct pl_channel_packet {
    uint8_t *data; /* the caller's room */
    size_t capacity;
    size_t size;
    size_t fd_capacity; /* 0..PL_CHANNEL_FDS_MOST */
    size_t fd_count;
    int fds[PL_CHANNEL_FDS_MOST];
};

/* PL_PEER_GONE at the end; PL_BUSY when nothing is there and the socket does not block;
 * PL_TOO_LARGE when the packet did not fit, in bytes or descriptors; PL_IO_ERROR. */
pl_status pl_channel_receive(int fd, struct pl_channel_packet *packet) PL_MUST_USE;
void pl_channel_packet_close(struct pl_channel_packet *packet);

#endif
