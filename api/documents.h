/* documents: a job's results and its original, opened on the way to whoever asks for them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_DOCUMENTS_H
#define PL_API_DOCUMENTS_H

#include "api/ask.h"

/* GET and HEAD /v1/jobs/{id}/documents/{n} */
void pl_documents_send(struct pl_ask *ask);
/* GET and HEAD /v1/jobs/{id}/original */
void pl_documents_send_original(struct pl_ask *ask);

#endif
