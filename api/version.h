/* version: `platen version`: what this program is made of.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_VERSION_H
#define PL_API_VERSION_H

/* argv[0] is "version". Returns the exit code. */
int pl_version_main(int argc, char **argv);

#endif
