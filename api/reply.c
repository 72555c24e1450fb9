/* reply: written without allocation, so that "out of memory" can be said as well.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/reply.h"

#include "engine/base/text.h"

#include <string.h>

static const char *http_title(int http)
{
    static const struct {
        int http;
        const char *title;
    } titles[] = {
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 422, "Unprocessable Content" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(titles); i++)
        if (titles[i].http == http)
            return titles[i].title;
    return "Error";
}

/* A JSON string's inside. Returns what was written, which always fits. */
static size_t json_escape(const char *text, char *out, size_t size)
{
    char clean[PL_FAULT_CHARS];
    size_t used = 0;
    size_t length = pl_text_sanitize(pl_span_from(text), clean, sizeof clean);
    for (size_t i = 0; i < length && used + 3 < size; i++) {
        if (clean[i] == '"' || clean[i] == '\\')
            out[used++] = '\\';
        out[used++] = clean[i];
    }
    out[used] = '\0';
    return used;
}

size_t pl_problem_write(int http, pl_status status, const char *detail, char out[PL_PROBLEM_CHARS])
{
    char escaped[2 * PL_FAULT_CHARS];
    (void)json_escape(detail == NULL ? pl_status_text(status) : detail, escaped, sizeof escaped);
    (void)pl_text_format(out, PL_PROBLEM_CHARS,
                         "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                         "\"code\":\"%s\",\"detail\":\"%s\"}\n",
                         http_title(http), http, pl_status_name(status), escaped);
    return strlen(out);
}
