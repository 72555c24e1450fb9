/* http_server: listeners, what all connections share, and the way out.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_server.h"

#include "engine/net/http_conn_priv.h"

#include <uv.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_BACKLOG 511

struct http_listener {
    uv_tcp_t tcp;
    struct pl_list node;
    struct pl_http_server *server;
};

pl_status pl_http_server_new(struct pl_loop *loop, const struct pl_log *log, const char *name,
                             struct pl_tls_context *context, const struct pl_http_limits *limits,
                             const struct pl_http_handler *handler, struct pl_http_server **out)
{
    struct pl_http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return PL_NO_MEMORY;
    server->loop = loop;
    server->log = log;
    server->context = context;
    server->limits = *limits;
    server->handler = *handler;
    (void)pl_text_copy(server->name, sizeof server->name, pl_span_from(name));
    pl_list_init(&server->listeners);
    pl_list_init(&server->conns);
    for (size_t i = 0; i < HTTP_PEER_BUCKETS; i++)
        pl_list_init(&server->peers[i]);
    pl_status status = pl_stream_hub_new(loop, limits->write_timeout_ms, &server->hub);
    if (status != PL_OK) {
        free(server);
        return status;
    }
    *out = server;
    return PL_OK;
}

void pl_http_server_free(struct pl_http_server *server)
{
    if (server == NULL)
        return;
    PL_CHECK(server->listeners_open == 0 && pl_list_is_empty(&server->conns));
    pl_stream_hub_free(server->hub);
    free(server);
}

void pl_http_server_stats(const struct pl_http_server *server, struct pl_http_stats *out)
{
    *out = server->stats;
    PL_LIST_FOR(node, &server->conns)
    {
        const struct http_conn *conn = PL_CONTAINER_OF(node, struct http_conn, node);
        out->bytes_in += pl_stream_bytes_in(conn->stream);
        out->bytes_out += pl_stream_bytes_out(conn->stream);
    }
}

/* -- listening -- */

static pl_status address_fault(const char *address, struct pl_fault *fault)
{
    return pl_fault_set(fault, PL_MISCONFIGURED,
                        "%.80s is not an address to listen on; write 127.0.0.1:8443, 0.0.0.0:443 "
                        "or [::1]:8443",
                        address);
}

/* "192.0.2.1:443" or "[2001:db8::1]:443"; numbers only, a name could mean several. */
static pl_status address_parse(const char *address, struct sockaddr_storage *out,
                               struct pl_fault *fault)
{
    char host[INET6_ADDRSTRLEN + 1];
    uint64_t port = 0;
    bool v6 = address[0] == '[';
    const char *end = strrchr(address, v6 ? ']' : ':');
    if (end == NULL)
        return address_fault(address, fault);
    const char *start = address + (v6 ? 1 : 0);
    const char *colon = end + (v6 ? 1 : 0);
    struct pl_span name = { .data = start, .size = (size_t)(end - start) };
    if (*colon != ':' || !pl_text_parse_u64(pl_span_from(colon + 1), 65535, &port) ||
        !pl_text_copy(host, sizeof host, name))
        return address_fault(address, fault);
    int bad = v6 ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)(void *)out)
                 : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)(void *)out);
    return bad != 0 ? address_fault(address, fault) : PL_OK;
}

/* The first listener's address, as the kernel bound it. */
static void server_note_address(struct pl_http_server *server, const uv_tcp_t *tcp)
{
    struct sockaddr_storage bound = { 0 };
    char host[INET6_ADDRSTRLEN] = "";
    int size = (int)sizeof bound;
    if (server->address[0] != '\0' ||
        uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &size) != 0)
        return;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&bound;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&bound;
    bool is_v6 = bound.ss_family == AF_INET6;
    (void)inet_ntop(bound.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
                    sizeof host);
    (void)pl_text_format(server->address, sizeof server->address, is_v6 ? "[%s]:%u" : "%s:%u", host,
                         ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

const char *pl_http_server_address(const struct pl_http_server *server)
{
    return server->address;
}

static void listener_on_closed(uv_handle_t *handle)
{
    struct http_listener *listener = PL_CONTAINER_OF(handle, struct http_listener, tcp);
    struct pl_http_server *server = listener->server;
    free(listener);
    server->listeners_open--;
    http_server_conn_closed(server);
}

static void listener_close(struct http_listener *listener)
{
    pl_list_remove(&listener->node); /* where it still is in it */
    uv_close((uv_handle_t *)&listener->tcp, listener_on_closed);
}

static void listener_on_connection(uv_stream_t *tcp, int result)
{
    struct http_listener *listener = PL_CONTAINER_OF(tcp, struct http_listener, tcp);
    if (result == 0) {
        http_conn_accept(listener->server, tcp);
        return;
    }
    struct pl_http_server *server = listener->server;
    int64_t now = pl_loop_now_ms(server->loop);
    server->stats.connections_refused++;
    if (server->accept_logged_ms != 0 && now - server->accept_logged_ms < HTTP_LOG_EVERY_MS)
        return; /* out of descriptors is no reason to fill the disk */
    server->accept_logged_ms = now;
    PL_LOG(server->log, PL_LOG_WARN, "http.accept_failed", PL_F("server", server->name),
           PL_F("reason", uv_strerror(result)));
}

/* NULL, with the fault set, when memory is out. */
static struct http_listener *listener_new(struct pl_http_server *server, struct pl_fault *fault)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL || uv_tcp_init(pl_loop_uv(server->loop), &listener->tcp) != 0) {
        free(listener);
        (void)pl_fault_set(fault, PL_NO_MEMORY, "out of memory for a listener");
        return NULL;
    }
    listener->server = server;
    server->listeners_open++;
    pl_list_append(&server->listeners, &listener->node);
    return listener;
}

static pl_status listener_begin(struct http_listener *listener, int failed, const char *what,
                                struct pl_fault *fault)
{
    if (failed == 0)
        failed = uv_listen((uv_stream_t *)&listener->tcp, HTTP_BACKLOG, listener_on_connection);
    if (failed != 0) {
        listener_close(listener);
        return pl_fault_set(fault, PL_MISCONFIGURED, "cannot listen on %.80s: %s", what,
                            uv_strerror(failed));
    }
    server_note_address(listener->server, &listener->tcp);
    return PL_OK;
}

pl_status pl_http_server_listen(struct pl_http_server *server, const char *address,
                                struct pl_fault *fault)
{
    struct sockaddr_storage where = { 0 };
    pl_status status = address_parse(address, &where, fault);
    if (status != PL_OK)
        return status;
    struct http_listener *listener = listener_new(server, fault);
    if (listener == NULL)
        return PL_NO_MEMORY;
    int failed = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&where, 0);
    return listener_begin(listener, failed, address, fault);
}

pl_status pl_http_server_adopt(struct pl_http_server *server, int fd, struct pl_fault *fault)
{
    char what[40];
    int type = 0;
    int listens = 0;
    socklen_t size = sizeof type;
    (void)pl_text_format(what, sizeof what, "file descriptor %d", fd);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a listening TCP socket", what);
    struct http_listener *listener = listener_new(server, fault);
    if (listener == NULL)
        return PL_NO_MEMORY;
    return listener_begin(listener, uv_tcp_open(&listener->tcp, fd), what, fault);
}

/* -- the way out -- */

void http_server_conn_closed(struct pl_http_server *server)
{
    if (!server->draining || server->listeners_open > 0 || !pl_list_is_empty(&server->conns) ||
        server->drained == NULL)
        return;
    pl_http_drained_fn *drained = server->drained;
    server->drained = NULL;
    pl_timer_free(server->grace);
    server->grace = NULL;
    drained(server->drained_owner);
}

/* Also runs at once when nothing was open, so that `drained` is never called from within drain. */
static void server_on_grace(void *owner)
{
    struct pl_http_server *server = owner;
    PL_LIST_FOR(node, &server->conns)
    {
        struct http_conn *conn = PL_CONTAINER_OF(node, struct http_conn, node);
        http_conn_cut(conn, PL_STOPPING);
    }
    http_server_conn_closed(server);
}

void pl_http_server_drain(struct pl_http_server *server, uint64_t grace_ms,
                          pl_http_drained_fn *done, void *owner)
{
    PL_CHECK(!server->draining);
    server->draining = true;
    server->drained = done;
    server->drained_owner = owner;
    for (struct pl_list *node; (node = pl_list_take_first(&server->listeners)) != NULL;)
        listener_close(PL_CONTAINER_OF(node, struct http_listener, node));
    PL_LIST_FOR(node, &server->conns)
    {
        struct http_conn *conn = PL_CONTAINER_OF(node, struct http_conn, node);
        http_conn_drain(conn);
    }
    bool empty = server->listeners_open == 0 && pl_list_is_empty(&server->conns);
    if (pl_timer_new(server->loop, server_on_grace, server, &server->grace) == PL_OK)
        pl_timer_start(server->grace, empty ? 0 : grace_ms, 0);
    else
        server_on_grace(server);
}
