/* serve: `platen serve --config FILE`: the engine, from its first word to its last.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_SERVE_H
#define PL_API_SERVE_H

/* argv[0] is "serve". Returns the exit code. */
int pl_serve_main(int argc, char **argv);

#endif
