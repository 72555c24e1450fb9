/* http_echo_handler: one HTTP handler that shows every way a request can go; for tests.
 *
 *   any method on /...        reads the body, answers "METHOD PATH?QUERY bytes=N sum=S\n"
 *   /early/CODE               answers CODE at once, without looking at the body
 *   /big/N                    answers N bytes with Content-Length, as fast as the peer reads
 *   /chunks/N                 the same, chunked
 *   /short                    promises 100 bytes, sends 10, gives up
 *   /slow                     pauses after every piece of body for 2 ms
 *   /never                    reads the body and never answers
 *   /nothing                  204
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_HTTP_ECHO_HANDLER_H
#define PL_TESTS_SUPPORT_HTTP_ECHO_HANDLER_H

#include "engine/net/http_server.h"

struct echo {
    struct pl_loop *loop;
    unsigned gone;
    pl_status gone_why;
    unsigned ended;
};

/* `owner` is a struct echo. */
void echo_on_request(void *owner, struct pl_http_request *request);

#endif
