/* address: parsing is pure; the names ask the kernel what this machine is called.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

pl_status pl_address_parse(const char *text, struct pl_address *out, struct pl_fault *fault)
{
    struct pl_address address = { 0 };
    struct in6_addr binary;
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    address.is_ip6 = size > 2 && text[0] == '[' && text[size - 1] == ']';
    struct pl_span host =
        address.is_ip6 ? (struct pl_span){ text + 1, size - 2 } : (struct pl_span){ text, size };
    if (colon == NULL || !pl_text_copy(address.host, sizeof address.host, host) ||
        inet_pton(address.is_ip6 ? AF_INET6 : AF_INET, address.host, &binary) != 1 ||
        !pl_text_parse_u64(pl_span_from(colon + 1), UINT16_MAX, &port))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s is not an address and a port: write 127.0.0.1:8443, 0.0.0.0:8443 "
                            "or [::1]:8443",
                            text);
    address.port = (uint16_t)port;
    address.is_any =
        strcmp(address.host, "0.0.0.0") == 0 || (address.is_ip6 && strcmp(address.host, "::") == 0);
    *out = address;
    return PL_OK;
}

const char *pl_address_url(const struct pl_address *address, const char *reachable,
                           char out[PL_ADDRESS_URL_CHARS])
{
    const char *host = address->is_any ? reachable : address->host;
    bool brackets = strchr(host, ':') != NULL;
    (void)pl_text_format(out, PL_ADDRESS_URL_CHARS, "https://%s%s%s:%u", brackets ? "[" : "", host,
                         brackets ? "]" : "", (unsigned)address->port);
    return out;
}

static void names_add(struct pl_address_names *names, const char *name)
{
    if (name[0] == '\0' || names->count == PL_ADDRESS_NAMES)
        return;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->text[i], name) == 0)
            return;
    if (!pl_text_format(names->text[names->count], sizeof names->text[0], "%s", name))
        return;
    names->names[names->count] = names->text[names->count];
    names->count++;
    names->names[names->count] = NULL;
}

/* The address of one interface as text; empty when others cannot reach it. */
static void interface_text(const struct ifaddrs *at, char out[PL_ADDRESS_HOST_CHARS])
{
    out[0] = '\0';
    if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 || (at->ifa_flags & IFF_LOOPBACK))
        return;
    if (at->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *ip4 = (const struct sockaddr_in *)(const void *)at->ifa_addr;
        (void)inet_ntop(AF_INET, &ip4->sin_addr, out, PL_ADDRESS_HOST_CHARS);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)at->ifa_addr;
        if (!IN6_IS_ADDR_LINKLOCAL(&ip6->sin6_addr))
            (void)inet_ntop(AF_INET6, &ip6->sin6_addr, out, PL_ADDRESS_HOST_CHARS);
    }
}

void pl_address_names(const struct pl_address *addresses, size_t count,
                      struct pl_address_names *out)
{
    char name[256];
    struct ifaddrs *interfaces = NULL;
    memset(out, 0, sizeof *out);
    names_add(out, "localhost");
    names_add(out, "127.0.0.1");
    names_add(out, "::1");
    if (gethostname(name, sizeof name) == 0 && memchr(name, '\0', sizeof name) != NULL)
        names_add(out, name);
    for (size_t i = 0; i < count; i++)
        if (!addresses[i].is_any)
            names_add(out, addresses[i].host);
    if (getifaddrs(&interfaces) != 0)
        return;
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        interface_text(at, name);
        names_add(out, name);
    }
    freeifaddrs(interfaces);
}

const char *pl_address_reachable(char out[PL_ADDRESS_HOST_CHARS])
{
    struct ifaddrs *interfaces = NULL;
    out[0] = '\0';
    if (getifaddrs(&interfaces) == 0) {
        for (const struct ifaddrs *at = interfaces; at != NULL && out[0] == '\0'; at = at->ifa_next)
            if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET)
                interface_text(at, out);
        freeifaddrs(interfaces);
    }
    if (out[0] == '\0')
        (void)pl_text_format(out, PL_ADDRESS_HOST_CHARS, "127.0.0.1");
    return out;
}
