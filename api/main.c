/* main: the table of subcommands.
 *
 * Exit codes: 0 done; 1 refused or failed, with one clear line on stderr; 2 wrong usage.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/check_files.h"
#include "api/convert.h"
#include "api/init.h"
#include "api/serve.h"
#include "api/version.h"
#include "engine/base/check.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

static const struct command commands[] = {
    { "init", pl_init_main, "make a new instance in a folder" },
    { "serve", pl_serve_main, "run an instance" },
    { "convert", pl_convert_main, "convert scans without a server" },
    { "check", pl_check_main, "say what files are, and whether they are what they claim" },
    { "version", pl_version_main, "say what this program is made of" },
};

static int help(FILE *to)
{
    (void)fputs("usage: platen COMMAND ...\n\n", to);
    for (size_t i = 0; i < PL_COUNT_OF(commands); i++)
        (void)fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
    (void)fputs("\nplaten COMMAND --help says more.\n", to);
    return to == stderr ? 2 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(stdout);
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (size_t i = 0; i < PL_COUNT_OF(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    (void)fprintf(stderr, "platen: there is no command %s\n\n", argv[1]);
    return help(stderr);
}
