/* worker_program: platen-worker, started by the launcher with one socket as descriptor 3 and no
 * environment; an interpreter with --class=interpreter and the path of its folder.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_main.h"

#include <stdio.h>
#include <string.h>

/* False for what the launcher never says. */
static bool program_read_arguments(int argc, char **argv, const char **scratch)
{
    static const char before[] = "--scratch=";
    *scratch = NULL;
    if (argc == 1)
        return true;
    if (argc != 3 || strcmp(argv[1], "--class=interpreter") != 0 ||
        strncmp(argv[2], before, sizeof before - 1) != 0)
        return false;
    *scratch = argv[2] + sizeof before - 1;
    return true;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("platen-worker %s\n", PL_VERSION);
        return PL_WORKER_DONE;
    }
    const char *scratch = NULL;
    if (!program_read_arguments(argc, argv, &scratch) || !pl_worker_has_socket()) {
        (void)fprintf(stderr, "platen-worker: started by the engine only (with its socket as "
                              "descriptor 3); to convert files by hand use: platen convert\n");
        return PL_WORKER_USAGE;
    }
    return pl_worker_main(scratch);
}
