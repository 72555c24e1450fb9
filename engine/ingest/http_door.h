/* http_door: PUT and POST /in/{drop}/{name}: a device's upload over HTTPS.
 *
 * Decodes, asks who it is, asks for admission, streams into the spool, replies. Knows nothing of
 * pipelines beyond that the drop has one. A scan that was taken before (resend.h) is answered 200
 * with Platen-Duplicate-Of, or 201 as the first time when it carries the same Idempotency-Key.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_INGEST_HTTP_DOOR_H
#define PL_ENGINE_INGEST_HTTP_DOOR_H

#include "engine/ingest/device.h"
#include "engine/net/http_server.h"

struct pl_http_door;

pl_status pl_http_door_new(struct pl_core *core, struct pl_devices *devices,
                           struct pl_http_door **out) PL_MUST_USE;
/* To hand to pl_http_server_new for the device listener. */
struct pl_http_handler pl_http_door_handler(struct pl_http_door *door);
/* After its server is drained. */
void pl_http_door_free(struct pl_http_door *door);

#endif
