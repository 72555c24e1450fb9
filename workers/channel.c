/* channel: sendmsg and recvmsg, with SCM_RIGHTS handled in one place.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_BYTES CMSG_SPACE(sizeof(int) * PL_CHANNEL_FDS_MOST)

union control_room {
    struct cmsghdr align;
    char bytes[CONTROL_BYTES];
};

pl_status pl_channel_pair(int *ours, int *theirs)
{
    int pair[2] = { -1, -1 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return pl_status_from_errno(errno);
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        pl_status status = pl_status_from_errno(errno);
        (void)close(pair[0]);
        (void)close(pair[1]);
        return status;
    }
    *ours = pair[0];
    *theirs = pair[1];
    return PL_OK;
}

static pl_status channel_errno(int error)
{
    switch (error) {
    case EAGAIN:
        return PL_BUSY;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return PL_PEER_GONE;
    default:
        return PL_IO_ERROR;
    }
}

pl_status pl_channel_send(int fd, struct pl_span packet, const int *fds, size_t fd_count)
{
    PL_CHECK(fd_count <= PL_CHANNEL_FDS_MOST && packet.size > 0);
    union control_room control;
    struct iovec part = { .iov_base = (void *)(uintptr_t)packet.data, .iov_len = packet.size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
    }
    ssize_t put = 0;
    do
        put = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return channel_errno(errno);
    return (size_t)put == packet.size ? PL_OK : PL_IO_ERROR;
}

static void packet_take_fds(struct pl_channel_packet *packet, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            if (packet->fd_count < packet->fd_capacity)
                packet->fds[packet->fd_count++] = fd;
            else
                (void)close(fd);
        }
    }
}

pl_status pl_channel_receive(int fd, struct pl_channel_packet *packet)
{
    PL_CHECK(packet->fd_capacity <= PL_CHANNEL_FDS_MOST);
    union control_room control;
    struct iovec part = { .iov_base = packet->data, .iov_len = packet->capacity };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (packet->fd_capacity > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * packet->fd_capacity);
    }
    packet->size = 0;
    packet->fd_count = 0;
    ssize_t took = 0;
    do
        took = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (took < 0 && errno == EINTR);
    if (took < 0)
        return channel_errno(errno);
    if (packet->fd_capacity > 0)
        packet_take_fds(packet, &message);
    if (took == 0)
        return PL_PEER_GONE;
    packet->size = (size_t)took;
    return (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? PL_TOO_LARGE : PL_OK;
}

void pl_channel_packet_close(struct pl_channel_packet *packet)
{
    for (size_t i = 0; i < packet->fd_count; i++)
        (void)close(packet->fds[i]);
    packet->fd_count = 0;
}
