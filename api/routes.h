/* routes: the rooms of the control API, who may enter them, and how.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_ROUTES_H
#define PL_API_ROUTES_H

#include "api/ask.h"

/* To hand to pl_http_server_new for the control listener. */
struct pl_http_handler pl_routes_handler(struct pl_api *api);

/* Which room a path leads to. */
enum pl_route {
    PL_ROUTE_NONE,
    PL_ROUTE_JOBS,
    PL_ROUTE_JOB,
    PL_ROUTE_ACTION,  /* *n: enum pl_job_action */
    PL_ROUTE_ACTIONS, /* on many */
    PL_ROUTE_DOCUMENT,
    PL_ROUTE_PAGES,
    PL_ROUTE_ORIGINAL,
    PL_ROUTE_HEALTH,
    PL_ROUTE_READY,
    PL_ROUTE_METRICS,
    PL_ROUTE_COUNT,
};

/* Reads a path; *job and *n are set where it names them. Strict: one spelling for each room. */
enum pl_route pl_route_find(struct pl_span path, struct pl_id *job, uint32_t *n);

#endif
