/* pdf_stream: the data of streams: read, decrypted, decoded.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_chain_priv.h"
#include "pipeline/pdf/pdf_file_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* The items of an array resolved too: filters and their parameters may be references each. */
static pl_status stream_lookup(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                               const char *key, const struct pl_pdf_value **out)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_pdf_lookup(file, stream, key, &value, NULL);
    if (status == PL_OK && (value->kind == PL_PDF_ARRAY || value->kind == PL_PDF_DICT))
        status = pl_pdf_resolve_all(file, value, &value);
    if (status == PL_OK)
        *out = value;
    return status;
}

static pl_status stream_chain(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                              struct pl_pdf_chain *chain, struct pl_fault *fault)
{
    const struct pl_pdf_value *filter = NULL;
    const struct pl_pdf_value *parms = NULL;
    if (stream == NULL || stream->kind != PL_PDF_STREAM)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "the PDF has something else where a stream "
                            "should be");
    const struct pl_pdf_value *outside = pl_pdf_dict_peek(stream, "F");
    if (outside != NULL && (outside->kind == PL_PDF_STRING || outside->kind == PL_PDF_DICT ||
                            outside->kind == PL_PDF_REF))
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "the data of object %" PRIu32 " of the PDF is in another file",
                            stream->as.dict.self.number);
    pl_status status = stream_lookup(file, stream, "Filter", &filter);
    if (status == PL_OK)
        status = stream_lookup(file, stream, "DecodeParms", &parms);
    if (status == PL_OK && parms->kind == PL_PDF_NULL)
        status = stream_lookup(file, stream, "DP", &parms);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the filters of object %" PRIu32 " of the PDF: %s",
                            stream->as.dict.self.number, pl_status_text(status));
    return pl_pdf_chain_read(filter, parms, chain, fault);
}

/* Which cipher hides a stream (7.6.2): none for cross-references, none where the stream says so. */
static enum pl_pdf_cipher stream_cipher(const struct pl_pdf_file *file,
                                        const struct pl_pdf_value *stream,
                                        const struct pl_pdf_chain *chain)
{
    const struct pl_pdf_shared *shared = file->shared;
    if (!shared->encrypted)
        return PL_PDF_CIPHER_NONE;
    const struct pl_pdf_value *type = pl_pdf_dict_peek(stream, "Type");
    if (pl_pdf_name_is(type, "XRef"))
        return PL_PDF_CIPHER_NONE;
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->filters[i].kind != PL_PDF_FILTER_CRYPT)
            continue;
        const struct pl_pdf_value *name = pl_pdf_dict_peek(chain->filters[i].parms, "Name");
        return name == NULL || pl_pdf_name_is(name, "Identity") ? PL_PDF_CIPHER_NONE
                                                                : shared->crypt.streams;
    }
    if (pl_pdf_name_is(type, "Metadata") && !shared->crypt.metadata)
        return PL_PDF_CIPHER_NONE;
    return shared->crypt.streams;
}

/* Appends the bytes of the file, then takes the cipher off them. */
static pl_status stream_read(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                             enum pl_pdf_cipher cipher, struct pl_bytes *out,
                             struct pl_fault *fault)
{
    uint8_t *room = NULL;
    uint64_t size = stream->as.dict.size;
    uint32_t number = stream->as.dict.self.number;
    pl_status status = size > SIZE_MAX ? PL_TOO_LARGE : pl_bytes_reserve(out, (size_t)size, &room);
    if (status == PL_TOO_LARGE)
        return pl_fault_set(fault, status,
                            "object %" PRIu32 " of the PDF has %" PRIu64
                            " bytes; %zu are accepted there",
                            number, size, out->limit - out->size);
    if (status == PL_OK)
        status = pl_source_read(file->windows.source, stream->as.dict.at, room, (size_t)size);
    size_t plain = (size_t)size;
    if (status == PL_OK && cipher != PL_PDF_CIPHER_NONE)
        status =
            pl_pdf_crypt_decrypt(&file->shared->crypt, cipher, stream->as.dict.self, room, &plain);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the data of object %" PRIu32 " of the PDF: %s", number,
                            pl_status_text(status));
    out->size += plain;
    return PL_OK;
}

pl_status pl_pdf_stream_raw(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                            struct pl_bytes *out, struct pl_fault *fault)
{
    struct pl_pdf_chain chain = { .count = 0 };
    pl_status status = stream_chain(file, stream, &chain, fault);
    if (status != PL_OK)
        return status;
    return stream_read(file, stream, stream_cipher(file, stream, &chain), out, fault);
}

static pl_status stream_run(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                            const struct pl_pdf_chain *chain, struct pl_bytes *out,
                            const struct pl_pdf_filter **image, struct pl_fault *fault)
{
    struct pl_bytes plain;
    struct pl_pdf_encoded in = { .source = file->windows.source };
    enum pl_pdf_cipher cipher = stream_cipher(file, stream, chain);
    pl_status status = PL_OK;
    pl_bytes_init(&plain, out->limit);
    if (cipher == PL_PDF_CIPHER_NONE) {
        in.at = stream->as.dict.at;
        in.end = in.at + stream->as.dict.size;
        in.buffer = malloc(PL_PDF_ENCODED_STEP);
        if (in.buffer == NULL)
            status = pl_fault_set(fault, PL_NO_MEMORY, "no memory for a stream of the PDF");
    } else {
        status = stream_read(file, stream, cipher, &plain, fault);
        in = (struct pl_pdf_encoded){ .memory = { plain.data, plain.size, 0 } };
    }
    uint8_t *buffer = in.buffer;
    if (status == PL_OK)
        status = pl_pdf_chain_run(chain, &in, file->shared->limits.expansion, out, image, fault);
    free(buffer);
    pl_bytes_fini(&plain);
    return status;
}

pl_status pl_pdf_stream_image(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                              struct pl_bytes *out, struct pl_span *filter,
                              const struct pl_pdf_value **parms, struct pl_fault *fault)
{
    struct pl_pdf_chain chain = { .count = 0 };
    const struct pl_pdf_filter *image = NULL;
    pl_status status = stream_chain(file, stream, &chain, fault);
    if (status == PL_OK)
        status = stream_run(file, stream, &chain, out, &image, fault);
    if (status != PL_OK)
        return status;
    *filter = image != NULL ? image->name : (struct pl_span){ "", 0 };
    *parms = image != NULL && image->parms != NULL ? image->parms : &pl_pdf_null;
    return PL_OK;
}

pl_status pl_pdf_stream_decode(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                               struct pl_bytes *out, struct pl_fault *fault)
{
    struct pl_pdf_chain chain = { .count = 0 };
    const struct pl_pdf_filter *image = NULL;
    pl_status status = stream_chain(file, stream, &chain, fault);
    if (status == PL_OK && chain.count > 0 &&
        chain.filters[chain.count - 1].kind == PL_PDF_FILTER_IMAGE)
        return pl_fault_set(fault, PL_UNSUPPORTED, "object %" PRIu32 " of the PDF is an image",
                            stream->as.dict.self.number);
    if (status == PL_OK)
        status = stream_run(file, stream, &chain, out, &image, fault);
    return status;
}

pl_status pl_pdf_stream_salvage(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                                struct pl_bytes *out)
{
    pl_status status = pl_pdf_stream_decode(file, stream, out, NULL);
    return status == PL_BAD_DOCUMENT && out->size > 0 ? PL_OK : status;
}

pl_status pl_pdf_inline_image(const struct pl_pdf_value *dict, struct pl_span data,
                              struct pl_bytes *out, struct pl_span *filter,
                              const struct pl_pdf_value **parms, struct pl_fault *fault)
{
    const struct pl_pdf_value *names = pl_pdf_dict_peek(dict, "F");
    const struct pl_pdf_value *settings = pl_pdf_dict_peek(dict, "DP");
    struct pl_pdf_chain chain = { .count = 0 };
    const struct pl_pdf_filter *image = NULL;
    struct pl_pdf_encoded in = { .memory = { (const uint8_t *)data.data, data.size, 0 } };
    if (names == NULL)
        names = pl_pdf_dict_peek(dict, "Filter");
    if (settings == NULL)
        settings = pl_pdf_dict_peek(dict, "DecodeParms");
    pl_status status = pl_pdf_chain_read(names, settings, &chain, fault);
    if (status == PL_OK)
        status = pl_pdf_chain_run(&chain, &in, pl_limits_default.expansion, out, &image, fault);
    if (status != PL_OK)
        return status;
    *filter = image != NULL ? image->name : (struct pl_span){ "", 0 };
    *parms = image != NULL && image->parms != NULL ? image->parms : &pl_pdf_null;
    return PL_OK;
}
