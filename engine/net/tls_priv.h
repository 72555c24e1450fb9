/* tls_priv: what the files of the TLS layer share.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_TLS_PRIV_H
#define PL_ENGINE_NET_TLS_PRIV_H

#include "engine/net/tls.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

struct pl_tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *bio; /* of tls_session.c: reads and writes the caller's memory */
};

/* NULL when memory is out. */
BIO_METHOD *pl_tls_bio_method_new(void);

/* OpenSSL's oldest queued reason, "no reason given" when there is none; empties the queue. */
const char *pl_tls_reason(char *out, size_t size);

#endif
