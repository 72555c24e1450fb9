/* check_files: `platen check`: what files are, and whether they are what they claim to be.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CHECK_FILES_H
#define PL_API_CHECK_FILES_H

int pl_check_main(int argc, char **argv);

#endif
