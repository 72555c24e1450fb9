/* reply: the body of a refusal: application/problem+json (RFC 9457).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_REPLY_H
#define PL_API_REPLY_H

#include "engine/base/status.h"

/* Room for any problem: the detail is at most a fault's sentence, each byte escaped. */
#define PL_PROBLEM_CHARS 2560

/* {"type":"about:blank","title":"Not Found","status":404,"code":"not_found","detail":"..."}.
 * `detail` NULL: the status's own sentence. Returns the size. */
size_t pl_problem_write(int http, pl_status status, const char *detail, char out[PL_PROBLEM_CHARS]);

#endif
