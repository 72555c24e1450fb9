/* status: the table of status.h, as a table.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/status.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum pl_blame blame;
    int http;
    const char *text;
} status_rows[PL_STATUS_COUNT] = {
#define ROW(row, name, blame, http, text) { #name, PL_BLAME_##blame, http, text },
    PL_STATUS_TABLE(ROW)
#undef ROW
};

const char *pl_status_name(pl_status status)
{
    PL_CHECK(status < PL_STATUS_COUNT);
    return status_rows[status].name;
}

const char *pl_status_text(pl_status status)
{
    PL_CHECK(status < PL_STATUS_COUNT);
    return status_rows[status].text;
}

enum pl_blame pl_status_blame(pl_status status)
{
    PL_CHECK(status < PL_STATUS_COUNT);
    return status_rows[status].blame;
}

int pl_status_http(pl_status status)
{
    PL_CHECK(status < PL_STATUS_COUNT);
    return status_rows[status].http;
}

bool pl_status_parse(const char *name, pl_status *out)
{
    for (unsigned i = 0; i < PL_STATUS_COUNT; i++) {
        if (strcmp(status_rows[i].name, name) == 0) {
            *out = (pl_status)i;
            return true;
        }
    }
    return false;
}

pl_status pl_status_from_errno(int error)
{
    switch (error) {
    case 0:
        return PL_OK;
    case ENOMEM:
        return PL_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return PL_NO_SPACE;
    case ENOENT:
        return PL_NOT_FOUND;
    case EEXIST:
        return PL_CONFLICT;
    case EACCES:
    case EPERM:
    case EROFS:
        return PL_MISCONFIGURED;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        return PL_BUSY;
    default:
        return PL_IO_ERROR;
    }
}

pl_status pl_fault_set(struct pl_fault *fault, pl_status status, const char *format, ...)
{
    if (fault == NULL || fault->status != PL_OK)
        return status;
    char raw[PL_FAULT_CHARS + 8]; /* a little more, so that the cut falls between characters */
    va_list args;
    va_start(args, format);
    int length = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    PL_CHECK(length >= 0);
    (void)pl_text_sanitize(pl_span_from(raw), fault->reason, sizeof fault->reason);
    fault->status = status;
    return status;
}
