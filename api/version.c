/* version: the program's own version and those of the libraries it runs with.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/version.h"

#include <jansson.h>
#include <openssl/crypto.h>

#include <stdio.h>

int pl_version_main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        (void)fputs("usage: platen version\n", stderr);
        return 2;
    }
    (void)printf("platen %s (%s)\n", PL_VERSION, PL_COMMIT);
    (void)printf("openssl %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
    (void)printf("jansson %s\n", jansson_version_str());
    (void)fputs(PL_BUILD_LIBRARIES, stdout);
    return 0;
}
