/* pdf_unlock: the encryption of a document is found and its key is made.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

/* The first string of /ID; empty when there is none. */
static pl_status unlock_id(struct pl_pdf_file *file, struct pl_span *out)
{
    const struct pl_pdf_value *id = NULL;
    pl_status status = pl_pdf_lookup(file, file->shared->trailer, "ID", &id, NULL);
    *out = (struct pl_span){ "", 0 };
    if (status != PL_OK || id->kind != PL_PDF_ARRAY || id->as.array.count == 0)
        return status == PL_BAD_DOCUMENT ? PL_OK : status;
    status = pl_pdf_resolve(file, id->as.array.items[0], &id, NULL);
    if (status == PL_OK && id->kind == PL_PDF_STRING)
        *out = id->as.text;
    return status == PL_BAD_DOCUMENT ? PL_OK : status;
}

pl_status pl_pdf_unlock(struct pl_pdf_file *file, const char *password, struct pl_fault *fault)
{
    struct pl_pdf_shared *shared = file->shared;
    const struct pl_pdf_value *encrypt = NULL;
    struct pl_span id = { "", 0 };
    size_t mark = pl_pdf_file_mark(file);
    pl_status status = pl_pdf_lookup(file, shared->trailer, "Encrypt", &encrypt, NULL);
    if (status != PL_OK || encrypt->kind != PL_PDF_DICT)
        return status;
    status = pl_pdf_resolve_all(file, encrypt, &encrypt);
    if (status == PL_OK)
        status = unlock_id(file, &id);
    if (status == PL_OK)
        status = pl_pdf_crypt_open(encrypt, id, password, &shared->crypt, fault);
    if (status == PL_OK)
        shared->encrypted = true;
    /* What was read without the key is read again with it. */
    pl_pdf_file_release(file, mark);
    return status;
}
