/* metrics: the engine's figures as Prometheus text; no tenant's data among them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_METRICS_H
#define PL_API_METRICS_H

#include "api/ask.h"

/* GET /metrics */
void pl_metrics_send(struct pl_ask *ask);

/* What the text is made of; gathered on the loop's thread. */
struct pl_metrics {
    const char *instance;
    struct pl_http_stats devices;
    struct pl_http_stats control;
    struct pl_core_stats core;
    struct pl_pool_stats pool;
    struct pl_ledger_thread_stats ledger;
    uint64_t replies[6];
    bool ready;
    uint64_t resident_bytes;
    uint64_t open_fds;
    double cpu_seconds;
    double started_seconds;
};

/* Appends the text (format 0.0.4). PL_NO_MEMORY. */
pl_status pl_metrics_write(const struct pl_metrics *metrics, struct pl_bytes *out) PL_MUST_USE;

#endif
