/* tls_self_signed: a certificate that an instance makes for itself on its first day.
 *
 * It is marked as its own authority, so that a client can be given the one file to trust.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/tls.h"

#include "engine/base/bytes.h"
#include "engine/net/tls_priv.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_A_DAY 86400L
#define ALT_NAMES_BYTES 4096

static EVP_PKEY *key_new(enum pl_tls_key_type type)
{
    return type == PL_TLS_KEY_P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
}

/* A name may hold what stands in a DNS name or an address: nothing of OpenSSL's own syntax. */
static bool host_is_clean(const char *host)
{
    size_t size = strlen(host);
    for (size_t i = 0; i < size; i++) {
        char c = host[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == ':' || c == '*'))
            return false;
    }
    return size > 0 && size <= 253;
}

static bool host_is_address(const char *host)
{
    unsigned char scratch[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, scratch) == 1 || inet_pton(AF_INET6, host, scratch) == 1;
}

/* "DNS:localhost,IP:127.0.0.1" */
static pl_status alt_names(const char *const *hosts, struct pl_bytes *out, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    for (size_t i = 0; hosts[i] != NULL && status == PL_OK; i++) {
        if (!host_is_clean(hosts[i]))
            return pl_fault_set(fault, PL_MISCONFIGURED, "%.80s is not a host name or address",
                                hosts[i]);
        status = pl_bytes_format(out, "%s%s:%s", i > 0 ? "," : "",
                                 host_is_address(hosts[i]) ? "IP" : "DNS", hosts[i]);
    }
    if (status == PL_OK && out->size == 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "a certificate needs a host name");
    if (status == PL_OK)
        status = pl_bytes_append(out, "", 1);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "too many host names for a certificate");
    return PL_OK;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context = { 0 };
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate)
{
    unsigned char random[16];
    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    random[0] = (unsigned char)((random[0] & 0x7F) | 0x40); /* positive, and never short */
    BIGNUM *number = BN_bin2bn(random, sizeof random, NULL);
    bool set =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

static X509 *certificate_new(EVP_PKEY *key, enum pl_tls_key_type type, const char *common_name,
                             const char *names, unsigned days)
{
    X509 *certificate = X509_new();
    if (certificate == NULL)
        return NULL;
    X509_NAME *subject = X509_get_subject_name(certificate);
    const char *usage = type == PL_TLS_KEY_P256
                            ? "critical,digitalSignature,keyCertSign"
                            : "critical,digitalSignature,keyEncipherment,keyCertSign";
    /* The past hour forgives clients whose clock is a little slow. */
    if (X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * SECONDS_A_DAY) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)common_name,
                                   -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, subject) == 1 &&
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(certificate, NID_key_usage, usage) &&
        add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate, NID_subject_key_identifier, "hash") &&
        /* All ours have one subject: this tells them apart for who searches a bundle. */
        add_extension(certificate, NID_authority_key_identifier, "keyid:always") &&
        add_extension(certificate, NID_subject_alt_name, names) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Writes a new file; never follows or replaces one that is there. */
static pl_status file_write(const char *path, mode_t mode, X509 *certificate, EVP_PKEY *key,
                            struct pl_fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return pl_fault_set(fault, pl_status_from_errno(errno), "%s: %s", path, strerror(errno));
    FILE *file = fdopen(fd, "wb");
    if (file == NULL) {
        (void)close(fd);
        return pl_fault_set(fault, PL_NO_MEMORY, "%s: out of memory", path);
    }
    bool put = certificate != NULL
                   ? PEM_write_X509(file, certificate) == 1
                   : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    put = fflush(file) == 0 && put;
    put = fsync(fd) == 0 && put;
    put = fclose(file) == 0 && put;
    if (!put)
        return pl_fault_set(fault, PL_IO_ERROR, "%s: could not be written", path);
    return PL_OK;
}

pl_status pl_tls_self_signed(enum pl_tls_key_type type, const char *const *host_names,
                             unsigned days, const char *certificate_file, const char *key_file,
                             struct pl_fault *fault)
{
    char reason[128];
    struct pl_bytes names;
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    pl_bytes_init(&names, ALT_NAMES_BYTES);
    pl_status status = alt_names(host_names, &names, fault);
    if (status != PL_OK)
        goto done;
    key = key_new(type);
    if (key != NULL)
        certificate = certificate_new(key, type, "Platen", (const char *)names.data, days);
    if (certificate == NULL) {
        status = pl_fault_set(fault, PL_UNAVAILABLE, "OpenSSL could not make a certificate: %s",
                              pl_tls_reason(reason, sizeof reason));
        goto done;
    }
    status = file_write(key_file, 0600, NULL, key, fault);
    if (status == PL_OK)
        status = file_write(certificate_file, 0644, certificate, NULL, fault);

done:
    X509_free(certificate);
    EVP_PKEY_free(key);
    pl_bytes_fini(&names);
    return status;
}
