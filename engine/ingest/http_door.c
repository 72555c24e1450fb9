/* http_door: one struct per request, alive until the request, the credential check and the upload
 * have all let go of it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/http_door.h"

#include "engine/ingest/resend.h"
#include "engine/ingest/upload.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DOOR_CREDENTIAL_BYTES 512
#define DOOR_RETRY_SECONDS "2"

struct pl_http_door {
    struct pl_core *core;
    struct pl_devices *devices;
};

struct door_request {
    struct pl_http_door *door;
    struct pl_http_request *request; /* NULL once it is answered or gone */
    struct pl_upload *upload;
    struct pl_device_check check;
    bool checking;
    bool has_digest;
    uint8_t digest[PL_SHA256_BYTES];
    char key[PL_RESEND_KEY_CHARS + 1]; /* Idempotency-Key; may be empty */
    char credential[DOOR_CREDENTIAL_BYTES];
    struct pl_span drop; /* in the request's arena */
    struct pl_span name;
};

static void door_release(struct door_request *door)
{
    if (door->request != NULL || door->upload != NULL || door->checking)
        return;
    pl_wipe(door->credential, sizeof door->credential);
    free(door);
}

/* -- replies -- */

static struct pl_http_field door_field(const char *name, const char *value)
{
    return (struct pl_http_field){ pl_span_from(name), pl_span_from(value) };
}

/* application/problem+json (RFC 9457); `extra` may be NULL. */
static void door_problem(struct door_request *door, int code, const char *title, const char *detail,
                         const struct pl_http_field *extra)
{
    struct pl_http_field fields[2] = { door_field("Content-Type", "application/problem+json") };
    size_t count = 1;
    if (extra != NULL)
        fields[count++] = *extra;
    json_t *problem =
        json_pack("{s:s, s:i, s:s}", "title", title, "status", code, "detail", detail);
    char *text = problem != NULL ? json_dumps(problem, JSON_COMPACT) : NULL;
    struct pl_http_request *request = door->request;
    door->request = NULL;
    pl_http_reply(request, code, fields, count, text, text != NULL ? strlen(text) : 0);
    free(text);
    json_decref(problem);
}

static void door_refuse(struct door_request *door, pl_status status, const char *detail)
{
    struct pl_http_field extra = door_field("Retry-After", DOOR_RETRY_SECONDS);
    int code = pl_status_http(status);
    bool later = code == 503;
    if (status == PL_UNAUTHENTICATED) {
        extra = door_field("WWW-Authenticate", "Basic realm=\"Platen\", charset=\"UTF-8\"");
        later = true;
    }
    door_problem(door, code, pl_status_text(status), detail, later ? &extra : NULL);
}

/* What became of it meanwhile, documents above all, is for the control API to tell. */
static json_t *door_describe(const struct door_request *door,
                             const struct pl_upload_receipt *receipt)
{
    char sha256[2 * PL_SHA256_BYTES + 1];
    char time[PL_CLOCK_TEXT_CHARS];
    json_t *job =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "id", receipt->job.text, "state",
                  pl_job_state_name(receipt->state), "pipeline", receipt->pipeline, "device",
                  door->check.device.text, "name", receipt->name, "received_at",
                  pl_clock_text(receipt->received_ms, time), "bytes", (json_int_t)receipt->bytes,
                  "sha256", pl_text_hex(receipt->sha256, PL_SHA256_BYTES, sha256));
    if (job == NULL || receipt->state != PL_JOB_QUEUED)
        return job;
    json_t *fresh = json_pack("{s:n, s:n, s:[]}", "finished_at", "error", "documents");
    if (fresh == NULL || json_object_update(job, fresh) != 0) {
        json_decref(job);
        job = NULL;
    }
    json_decref(fresh);
    return job;
}

/* A key of the sender's own gets the first answer again; a scan that was recognised, its own. */
static void door_reply_accepted(struct door_request *door, const struct pl_upload_receipt *receipt)
{
    char location[64];
    json_t *job = door_describe(door, receipt);
    char *text = job != NULL ? json_dumps(job, JSON_COMPACT) : NULL;
    PL_CHECK(pl_text_format(location, sizeof location, "/v1/jobs/%s", receipt->job.text));
    struct pl_http_field fields[3] = { door_field("Content-Type", "application/json"),
                                       door_field("Location", location),
                                       door_field("Platen-Duplicate-Of", receipt->job.text) };
    struct pl_http_request *request = door->request;
    int code = receipt->duplicate && door->key[0] == '\0' ? 200 : 201;
    door->request = NULL;
    pl_http_reply(request, code, fields, receipt->duplicate ? 3 : 2, text,
                  text != NULL ? strlen(text) : 0);
    free(text);
    json_decref(job);
}

/* -- the upload -- */

static void door_on_ready(void *owner)
{
    struct door_request *door = owner;
    pl_http_body_start(door->request);
}

static void door_on_drain(void *owner)
{
    struct door_request *door = owner;
    pl_http_body_resume(door->request);
}

static void door_on_accepted(void *owner, const struct pl_upload_receipt *receipt)
{
    struct door_request *door = owner;
    door->upload = NULL;
    door_reply_accepted(door, receipt);
    door_release(door);
}

static void door_on_refused(void *owner, const struct pl_fault *fault)
{
    struct door_request *door = owner;
    door->upload = NULL;
    door_refuse(door, fault->status, fault->reason);
    door_release(door);
}

static void door_on_body(void *owner, const uint8_t *data, size_t size)
{
    struct door_request *door = owner;
    if (door->upload == NULL)
        return;
    if (!pl_upload_write(door->upload, data, size))
        pl_http_body_pause(door->request);
    struct pl_fault verdict = { PL_OK, "" };
    if (pl_upload_verdict(door->upload, &verdict) != PL_OK) {
        pl_upload_abort(door->upload);
        door->upload = NULL;
        door_refuse(door, verdict.status, verdict.reason);
        door_release(door);
    }
}

static void door_on_body_end(void *owner)
{
    struct door_request *door = owner;
    if (door->upload != NULL)
        pl_upload_end(door->upload, door->has_digest ? door->digest : NULL);
}

static void door_on_gone(void *owner, pl_status why)
{
    struct door_request *door = owner;
    const struct pl_core_parts *parts = pl_core_parts(door->door->core);
    if (door->upload != NULL) {
        PL_LOG(parts->log, PL_LOG_INFO, "upload.broken_off",
               PL_F("tenant", door->check.tenant.text), PL_F("device", door->check.device.text),
               PL_F("status", pl_status_name(why)));
        pl_upload_abort(door->upload);
    }
    door->upload = NULL;
    door->request = NULL;
    door_release(door);
}

/* Finds `sha-256=:BASE64:` in Content-Digest (RFC 9530, a dictionary of RFC 8941). Other algorithms
 * are ignored, as section 2 allows; a sha-256 that cannot be read is refused. */
static bool door_read_digest(struct door_request *door, struct pl_span field)
{
    static const char key[] = "sha-256=";
    while (field.size > 0) {
        const char *comma = memchr(field.data, ',', field.size);
        size_t size = comma != NULL ? (size_t)(comma - field.data) : field.size;
        struct pl_span member = pl_span_trim((struct pl_span){ field.data, size });
        size_t step = comma != NULL ? size + 1 : size;
        field = (struct pl_span){ field.data + step, field.size - step };
        if (member.size < sizeof key - 1 || memcmp(member.data, key, sizeof key - 1) != 0)
            continue;
        size_t digest = PL_SHA256_BYTES;
        struct pl_span value = { member.data + sizeof key - 1, member.size - (sizeof key - 1) };
        bool is_bytes =
            value.size >= 2 && value.data[0] == ':' && value.data[value.size - 1] == ':';
        door->has_digest = is_bytes &&
                           pl_text_unbase64((struct pl_span){ value.data + 1, value.size - 2 },
                                            door->digest, &digest) &&
                           digest == PL_SHA256_BYTES;
        return door->has_digest;
    }
    return true;
}

/* What can be refused from the head alone. False: it was answered. */
static bool door_check_head(struct door_request *door)
{
    struct pl_http_request *request = door->request;
    struct pl_span type = pl_http_header(request, "Content-Type");
    struct pl_span coding = pl_http_header(request, "Content-Encoding");
    struct pl_span key = pl_http_header(request, "Idempotency-Key");
    static const char multipart[] = "multipart/";
    if (coding.size > 0 && !pl_span_equals_nocase(coding, "identity")) {
        door_refuse(door, PL_UNSUPPORTED,
                    "a body with a Content-Encoding is not taken: send the file as it is");
    } else if (pl_http_header(request, "Content-Range").size > 0) {
        door_refuse(door, PL_BAD_REQUEST,
                    "a part of a file is not taken (RFC 9110 section 14.5): send all of it");
    } else if (type.size >= sizeof multipart - 1 &&
               pl_span_equals_nocase((struct pl_span){ type.data, sizeof multipart - 1 },
                                     multipart)) {
        door_refuse(door, PL_UNSUPPORTED,
                    "a multipart form is not taken: send the file itself as the body");
    } else if (!door_read_digest(door, pl_http_header(request, "Content-Digest"))) {
        door_refuse(door, PL_BAD_REQUEST,
                    "Content-Digest: sha-256 must be 32 bytes in base64 between colons");
    } else if (key.data != NULL && !pl_resend_read_key(key, door->key)) {
        door_refuse(door, PL_BAD_REQUEST,
                    "Idempotency-Key must be a string of 1 to 255 printable characters");
    } else {
        return true;
    }
    return false;
}

static void door_begin_upload(struct door_request *door)
{
    struct pl_upload_origin origin = { .tenant = door->check.tenant,
                                       .device = door->check.device,
                                       .drop = door->drop,
                                       .name = door->name,
                                       .bytes = pl_http_content_length(door->request),
                                       .key = door->key };
    struct pl_upload_watcher watcher = { .on_ready = door_on_ready,
                                         .on_drain = door_on_drain,
                                         .on_accepted = door_on_accepted,
                                         .on_refused = door_on_refused,
                                         .owner = door };
    if (!door_check_head(door))
        return;
    door->upload = pl_upload_begin(door->door->core, &origin, &watcher);
    if (door->upload == NULL)
        door_refuse(door, PL_NO_MEMORY, "the server is out of memory: try again shortly");
}

/* -- who and what -- */

static bool door_is_reading(const struct door_request *door)
{
    struct pl_span method = pl_http_method(door->request);
    return pl_span_equals(method, "GET") || pl_span_equals(method, "HEAD");
}

/* Some devices look at the folder before they write (protocols: Epson's GET of the collection). */
static void door_show(struct door_request *door)
{
    static const char text[] = "<!doctype html><title>Platen</title><p>Scans go here.\n";
    struct pl_http_field type = door_field("Content-Type", "text/html; charset=utf-8");
    struct pl_http_request *request = door->request;
    if (door->name.size > 0) {
        door_refuse(door, PL_NOT_FOUND, "there is no such file: scans are handed on, not kept");
        return;
    }
    door->request = NULL;
    pl_http_reply(request, 200, &type, 1, text, sizeof text - 1);
}

static void door_on_checked(struct pl_device_check *check)
{
    struct door_request *door = PL_CONTAINER_OF(check, struct door_request, check);
    door->checking = false;
    pl_wipe(door->credential, sizeof door->credential);
    if (door->request == NULL) {
        door_release(door);
        return;
    }
    if (check->status == PL_UNAUTHENTICATED)
        door_refuse(door, PL_UNAUTHENTICATED, "login or password is wrong");
    else if (check->status != PL_OK)
        door_refuse(door, check->status == PL_BUSY ? PL_BUSY : PL_UNAVAILABLE,
                    "the login could not be checked: try again shortly");
    else if (door_is_reading(door))
        door_show(door);
    else if (door->name.size == 0)
        door_refuse(door, PL_BAD_REQUEST, "the file needs a name: PUT /in/{drop}/{name}");
    else
        door_begin_upload(door);
    door_release(door);
}

/* "Basic " and base64 of login:password (RFC 7617). */
static bool door_read_credential(struct door_request *door)
{
    static const char scheme[] = "Basic ";
    struct pl_span field = pl_http_header(door->request, "Authorization");
    size_t size = sizeof door->credential;
    if (field.size < sizeof scheme ||
        !pl_span_equals_nocase((struct pl_span){ field.data, sizeof scheme - 1 }, scheme))
        return false;
    struct pl_span base64 = { field.data + sizeof scheme - 1, field.size - (sizeof scheme - 1) };
    if (!pl_text_unbase64(pl_span_trim(base64), door->credential, &size))
        return false;
    const char *colon = memchr(door->credential, ':', size);
    if (colon == NULL)
        return false;
    size_t login = (size_t)(colon - door->credential);
    door->check.login = (struct pl_span){ door->credential, login };
    door->check.password = (struct pl_span){ colon + 1, size - login - 1 };
    return true;
}

/* Splits /in/{drop}/{name}; the name is all that follows, decoded: data, never a path. NOT_FOUND
 * for another path, BAD_REQUEST for an escape that stands for nothing, or for a NUL. */
static pl_status door_read_path(struct door_request *door)
{
    static const char root[] = "/in/";
    struct pl_span path = pl_http_path(door->request);
    struct pl_arena *arena = pl_http_arena(door->request);
    if (path.size <= sizeof root - 1 || memcmp(path.data, root, sizeof root - 1) != 0)
        return PL_NOT_FOUND;
    struct pl_span drop = { path.data + sizeof root - 1, path.size - (sizeof root - 1) };
    const char *slash = memchr(drop.data, '/', drop.size);
    struct pl_span name = { NULL, 0 };
    if (slash != NULL) {
        size_t size = (size_t)(slash - drop.data);
        name = (struct pl_span){ slash + 1, drop.size - size - 1 };
        drop.size = size;
    }
    if (drop.size == 0)
        return PL_NOT_FOUND;
    return pl_http_percent_decode(drop, arena, &door->drop) &&
                   pl_http_percent_decode(name, arena, &door->name)
               ? PL_OK
               : PL_BAD_REQUEST;
}

static void door_route(struct door_request *door)
{
    static const char allowed[] = "PUT, POST, GET, HEAD, OPTIONS";
    struct pl_span method = pl_http_method(door->request);
    struct pl_http_field allow = door_field("Allow", allowed);
    pl_status path = door_read_path(door);
    if (pl_span_equals(method, "OPTIONS")) {
        /* Konica Minolta's connection check asks this of any path, without credentials. */
        struct pl_http_request *request = door->request;
        door->request = NULL;
        pl_http_reply(request, 200, &allow, 1, NULL, 0);
    } else if (!pl_span_equals(method, "PUT") && !pl_span_equals(method, "POST") &&
               !door_is_reading(door)) {
        door_problem(door, 405, "method not allowed", "scans are sent with PUT or POST", &allow);
    } else if (path != PL_OK) {
        door_refuse(door, path,
                    path == PL_NOT_FOUND ? "scans go to /in/{drop}/{name}"
                                         : "the name holds a NUL byte or a % that no two hex "
                                           "digits follow");
    } else if (!door_read_credential(door)) {
        door_refuse(door, PL_UNAUTHENTICATED, "a login and a password are needed (Basic)");
    } else {
        door->checking = true;
        door->check.done = door_on_checked;
        pl_device_check(door->door->devices, &door->check);
        return; /* answered, or even freed, by now or later */
    }
    door_release(door);
}

static void door_on_request(void *owner, struct pl_http_request *request)
{
    struct door_request *door = calloc(1, sizeof *door);
    struct pl_http_watcher watcher = { .on_body = door_on_body,
                                       .on_body_end = door_on_body_end,
                                       .on_gone = door_on_gone,
                                       .owner = door };
    if (door == NULL) {
        pl_http_reply(request, 503, NULL, 0, NULL, 0);
        return;
    }
    door->door = owner;
    door->request = request;
    pl_http_watch(request, &watcher);
    door_route(door);
}

pl_status pl_http_door_new(struct pl_core *core, struct pl_devices *devices,
                           struct pl_http_door **out)
{
    struct pl_http_door *door = calloc(1, sizeof *door);
    if (door == NULL)
        return PL_NO_MEMORY;
    door->core = core;
    door->devices = devices;
    *out = door;
    return PL_OK;
}

struct pl_http_handler pl_http_door_handler(struct pl_http_door *door)
{
    return (struct pl_http_handler){ .on_request = door_on_request, .owner = door };
}

void pl_http_door_free(struct pl_http_door *door)
{
    free(door);
}
