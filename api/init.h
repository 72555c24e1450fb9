/* init: `platen init DIR`: a new instance, whole or not at all.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_INIT_H
#define PL_API_INIT_H

/* argv[0] is "init". Returns the exit code. */
int pl_init_main(int argc, char **argv);

#endif
