/* worker_program: platen-worker, started by the launcher with one socket as descriptor 3 and no
 * environment.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_main.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("platen-worker %s\n", PL_VERSION);
        return PL_WORKER_DONE;
    }
    if (argc != 1 || !pl_worker_has_socket()) {
        (void)fprintf(stderr, "platen-worker: started by the engine only (with its socket as "
                              "descriptor 3); to convert files by hand use: platen convert\n");
        return PL_WORKER_USAGE;
    }
    return pl_worker_main();
}
