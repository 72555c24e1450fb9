/* pdf_chain_priv: the filters of one stream, one after the other.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CHAIN_PRIV_H
#define PL_PIPELINE_PDF_PDF_CHAIN_PRIV_H

#include "engine/base/status.h"
#include "pipeline/pdf/pdf_filter.h"

struct pl_pdf_chain {
    struct pl_pdf_filter filters[PL_PDF_FILTERS];
    size_t count;
};

/* `filter` is a name or an array, `parms` a dictionary, an array or nothing; both resolved, with
 * their items. PL_BAD_DOCUMENT with a sentence. */
pl_status pl_pdf_chain_read(const struct pl_pdf_value *filter, const struct pl_pdf_value *parms,
                            struct pl_pdf_chain *out, struct pl_fault *fault) PL_MUST_USE;

/* Undoes all but a last image filter, which *image is set to (NULL: there is none). At most
 * `expansion` times the encoded size once 64 MiB are decoded. PL_BAD_DOCUMENT with what was decoded
 * before the damage, PL_TOO_LARGE, PL_UNSUPPORTED, PL_NO_MEMORY, what the source answers. */
pl_status pl_pdf_chain_run(const struct pl_pdf_chain *chain, struct pl_pdf_encoded *in,
                           uint64_t expansion, struct pl_bytes *out,
                           const struct pl_pdf_filter **image, struct pl_fault *fault) PL_MUST_USE;

#endif
