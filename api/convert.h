/* convert: `platen convert --to FORMAT IN... -o OUT`: the workers without the server.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CONVERT_H
#define PL_API_CONVERT_H

/* argv[0] is "convert". Returns the exit code. */
int pl_convert_main(int argc, char **argv);

#endif
