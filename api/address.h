/* address: "ADDRESS:PORT" as people write it, and the names under which others reach it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_ADDRESS_H
#define PL_API_ADDRESS_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_ADDRESS_HOST_CHARS 64

struct pl_address {
    char host[PL_ADDRESS_HOST_CHARS]; /* an IP address, without brackets */
    uint16_t port;
    bool is_ip6;
    bool is_any; /* 0.0.0.0 or :: */
};

/* "127.0.0.1:8443", "[::1]:0". PL_MISCONFIGURED with a sentence. */
pl_status pl_address_parse(const char *text, struct pl_address *out,
                           struct pl_fault *fault) PL_MUST_USE;

/* "https://HOST:PORT"; the address of any interface becomes `reachable`. Returns out. */
#define PL_ADDRESS_URL_CHARS (PL_ADDRESS_HOST_CHARS + 32)
const char *pl_address_url(const struct pl_address *address, const char *reachable,
                           char out[PL_ADDRESS_URL_CHARS]);

/* Names for a certificate: localhost, this machine's name, its addresses, and what is asked for.
 * NULL-terminated, no name twice. */
#define PL_ADDRESS_NAMES 24
struct pl_address_names {
    char text[PL_ADDRESS_NAMES][256];
    const char *names[PL_ADDRESS_NAMES + 1];
    size_t count;
};
void pl_address_names(const struct pl_address *addresses, size_t count,
                      struct pl_address_names *out);

/* This machine's first address that others can reach, else 127.0.0.1. Returns out. */
const char *pl_address_reachable(char out[PL_ADDRESS_HOST_CHARS]);

#endif
