/* tls: server contexts. What a profile offers is decided here and nowhere else.
 *
 * modern: TLS 1.3 alone. device: also TLS 1.2 with every suite that a device of the last ten years
 * needs and OpenSSL still holds for safe enough; forward-secret ones first, RSA key exchange last.
 * Both: no compression, no renegotiation, stateless tickets, no server-side session cache.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/tls.h"

#include "engine/base/text.h"
#include "engine/net/tls_priv.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

static const char *const tls_device_suites =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:"
    "!aNULL:!eNULL:!PSK:!SRP:!DSS:!AESCCM";

const char *pl_tls_reason(char *out, size_t size)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    (void)pl_text_format(out, size, "%s", reason != NULL ? reason : "no reason given");
    ERR_clear_error();
    return out;
}

static bool alpn_offers(const unsigned char *in, unsigned in_size, const char *name,
                        const unsigned char **out)
{
    size_t size = strlen(name);
    for (unsigned at = 0; at < in_size && in[at] < in_size - at; at += 1u + in[at]) {
        *out = in + at + 1;
        if (in[at] == size && memcmp(*out, name, size) == 0)
            return true;
    }
    return false;
}

/* RFC 7301 section 3.2: a client that speaks only something else must not be talked to, or one
 * protocol could be played against another. */
static int tls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                       const unsigned char *in, unsigned in_size, void *owner)
{
    (void)ssl;
    (void)owner;
    if (!alpn_offers(in, in_size, "http/1.1", out) && !alpn_offers(in, in_size, "http/1.0", out))
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out_size = (unsigned char)strlen("http/1.1");
    return SSL_TLSEXT_ERR_OK;
}

static bool tls_set_profile(SSL_CTX *ssl, enum pl_tls_profile profile)
{
    int least = profile == PL_TLS_DEVICE ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_alpn_select_cb(ssl, tls_on_alpn, NULL);
    return SSL_CTX_set_min_proto_version(ssl, least) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, tls_device_suites) == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384:P-521") == 1 &&
           SSL_CTX_set_dh_auto(ssl, 1) == 1 && SSL_CTX_set_num_tickets(ssl, 1) == 1;
}

static pl_status tls_load(SSL_CTX *ssl, const struct pl_tls_identity *identity,
                          struct pl_fault *fault)
{
    char reason[128];
    if (SSL_CTX_use_certificate_chain_file(ssl, identity->certificate_file) != 1)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: not a readable PEM certificate: %s",
                            identity->certificate_file, pl_tls_reason(reason, sizeof reason));
    /* A key of another type would load beside the certificate; the check sees that, too. */
    if (SSL_CTX_use_PrivateKey_file(ssl, identity->key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1)
        return pl_fault_set(
            fault, PL_MISCONFIGURED, "%s: not a readable PEM key, or not the key of %s: %s",
            identity->key_file, identity->certificate_file, pl_tls_reason(reason, sizeof reason));
    return PL_OK;
}

pl_status pl_tls_context_new(enum pl_tls_profile profile, const struct pl_tls_identity *identities,
                             size_t count, struct pl_tls_context **out, struct pl_fault *fault)
{
    char reason[128];
    pl_status status = PL_OK;
    struct pl_tls_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "out of memory for a TLS context");
    context->ssl = SSL_CTX_new(TLS_server_method());
    context->bio = pl_tls_bio_method_new();
    if (context->ssl == NULL || context->bio == NULL) {
        status = pl_fault_set(fault, PL_NO_MEMORY, "out of memory for a TLS context");
        goto done;
    }
    if (!tls_set_profile(context->ssl, profile)) {
        status = pl_fault_set(fault, PL_UNAVAILABLE, "OpenSSL refuses the TLS settings: %s",
                              pl_tls_reason(reason, sizeof reason));
        goto done;
    }
    if (count == 0)
        status = pl_fault_set(fault, PL_MISCONFIGURED, "a TLS listener needs a certificate");
    for (size_t i = 0; i < count && status == PL_OK; i++)
        status = tls_load(context->ssl, &identities[i], fault);

done:
    if (status == PL_OK)
        *out = context;
    else
        pl_tls_context_free(context);
    return status;
}

void pl_tls_context_free(struct pl_tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bio);
    free(context);
}
