/* disposition: the file name that a download is saved under (RFC 6266, RFC 8187).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_DISPOSITION_H
#define PL_API_DISPOSITION_H

#include "engine/base/text.h"

/* Room for any name of up to 255 bytes in both forms. */
#define PL_DISPOSITION_CHARS 1152

/* Writes `attachment; filename="..."`, and `filename*=UTF-8''...` behind it when the plain form
 * could not carry the name. What could leave a folder or a header is replaced: control characters,
 * quotes, slashes, backslashes, a leading dot. An empty name becomes `fallback`. Returns out. */
const char *pl_disposition(struct pl_span name, const char *fallback,
                           char out[PL_DISPOSITION_CHARS]);

#endif
