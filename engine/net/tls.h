/* tls: server contexts (certificates, versions, ciphers) and one TLS session over memory BIOs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_TLS_H
#define PL_ENGINE_NET_TLS_H

#include "engine/base/status.h"

/* modern: TLS 1.3 only (control). device: TLS 1.2 and 1.3 with the suites old MFPs need
 * (protocols.md section 5). */
enum pl_tls_profile { PL_TLS_MODERN, PL_TLS_DEVICE };

struct pl_tls_context;

/* One certificate with its key, PEM files. Several of different key types may be given. */
struct pl_tls_identity {
    const char *certificate_file;
    const char *key_file;
};

/* Reads the files. PL_MISCONFIGURED with the file and OpenSSL's reason in `fault`. */
pl_status pl_tls_context_new(enum pl_tls_profile profile, const struct pl_tls_identity *identities,
                             size_t count, struct pl_tls_context **out,
                             struct pl_fault *fault) PL_MUST_USE;
void pl_tls_context_free(struct pl_tls_context *context);

/* Writes a self-signed certificate and its key (mode 0600) as PEM files, valid `days` from now, for
 * `host_names` (NULL-terminated; DNS names or IP addresses as subjectAltName). */
enum pl_tls_key_type { PL_TLS_KEY_P256, PL_TLS_KEY_RSA2048 };
pl_status pl_tls_self_signed(enum pl_tls_key_type type, const char *const *host_names,
                             unsigned days, const char *certificate_file, const char *key_file,
                             struct pl_fault *fault) PL_MUST_USE;

#endif
