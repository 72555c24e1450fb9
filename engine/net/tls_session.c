/* tls_session: an SSL object over a BIO that reads the caller's memory in place and appends to the
 * caller's buffer; OpenSSL's own memory BIOs would copy every record once more and keep their size.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/tls_session.h"

#include "engine/net/tls_priv.h"

#include <openssl/err.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct pl_tls_session {
    SSL *ssl;
    struct pl_bytes *out;
    const uint8_t *in;
    size_t in_size;
    bool opened;
    bool failed;
    bool no_memory;
    char reason[80];
};

static int bio_on_read(BIO *bio, char *data, size_t size, size_t *got)
{
    struct pl_tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (session->in_size == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t taken = size < session->in_size ? size : session->in_size;
    memcpy(data, session->in, taken);
    session->in += taken;
    session->in_size -= taken;
    *got = taken;
    return 1;
}

static int bio_on_write(BIO *bio, const char *data, size_t size, size_t *put)
{
    struct pl_tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (pl_bytes_append(session->out, data, size) != PL_OK) {
        session->no_memory = true;
        return 0;
    }
    *put = size;
    return 1;
}

static long bio_on_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *pl_tls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "platen memory");
    if (method != NULL && BIO_meth_set_read_ex(method, bio_on_read) == 1 &&
        BIO_meth_set_write_ex(method, bio_on_write) == 1 &&
        BIO_meth_set_ctrl(method, bio_on_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

pl_status pl_tls_session_new(struct pl_tls_context *context, struct pl_bytes *out,
                             struct pl_tls_session **session)
{
    struct pl_tls_session *made = calloc(1, sizeof *made);
    BIO *bio = BIO_new(context->bio);
    SSL *ssl = SSL_new(context->ssl);
    if (made == NULL || bio == NULL || ssl == NULL) {
        (void)BIO_free(bio);
        SSL_free(ssl);
        free(made);
        ERR_clear_error();
        return PL_NO_MEMORY;
    }
    made->ssl = ssl;
    made->out = out;
    BIO_set_data(bio, made);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio); /* owned by the SSL from here on */
    SSL_set_accept_state(ssl);
    *session = made;
    return PL_OK;
}

void pl_tls_session_free(struct pl_tls_session *session)
{
    if (session == NULL)
        return;
    SSL_free(session->ssl);
    free(session);
}

void pl_tls_session_feed(struct pl_tls_session *session, const void *data, size_t size)
{
    session->in = data;
    session->in_size = size;
}

const uint8_t *pl_tls_session_unread(const struct pl_tls_session *session, size_t *size)
{
    *size = session->in_size;
    return session->in;
}

static enum pl_tls_event session_fail(struct pl_tls_session *session)
{
    session->failed = true;
    (void)pl_tls_reason(session->reason, sizeof session->reason);
    if (session->no_memory)
        (void)pl_text_format(session->reason, sizeof session->reason, "out of memory");
    return PL_TLS_FAILED;
}

static enum pl_tls_event session_event(struct pl_tls_session *session, int result)
{
    int error = SSL_get_error(session->ssl, result);
    if (error == SSL_ERROR_WANT_READ && session->in_size == 0)
        return PL_TLS_HUNGRY;
    if (error == SSL_ERROR_ZERO_RETURN)
        return PL_TLS_ENDED;
    return session_fail(session);
}

enum pl_tls_event pl_tls_session_read(struct pl_tls_session *session, void *plain, size_t size,
                                      size_t *got)
{
    *got = 0;
    if (session->failed)
        return PL_TLS_FAILED;
    ERR_clear_error();
    if (!session->opened) {
        int result = SSL_do_handshake(session->ssl);
        if (result != 1)
            return session_event(session, result);
        session->opened = true;
        return PL_TLS_OPENED;
    }
    int result = SSL_read_ex(session->ssl, plain, size, got);
    return result == 1 ? PL_TLS_DATA : session_event(session, result);
}

pl_status pl_tls_session_write(struct pl_tls_session *session, const void *data, size_t size)
{
    size_t put = 0;
    if (size == 0)
        return PL_OK;
    if (session->failed || !session->opened)
        return PL_PEER_GONE;
    ERR_clear_error();
    if (SSL_write_ex(session->ssl, data, size, &put) == 1)
        return PL_OK;
    (void)session_fail(session);
    return session->no_memory ? PL_NO_MEMORY : PL_PEER_GONE;
}

void pl_tls_session_close(struct pl_tls_session *session)
{
    if (session->failed || !session->opened)
        return;
    (void)SSL_shutdown(session->ssl);
    ERR_clear_error();
}

const char *pl_tls_session_reason(const struct pl_tls_session *session)
{
    return session->reason;
}

const char *pl_tls_session_version(const struct pl_tls_session *session)
{
    return SSL_get_version(session->ssl);
}
