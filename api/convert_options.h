/* convert_options: the command line of `platen convert` as a definition that workers take.
 *
 * Every setting of the step `convert` is an option; one table says which member it is. The words
 * and ranges are judged by the compiler of definitions alone.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CONVERT_OPTIONS_H
#define PL_API_CONVERT_OPTIONS_H

#include "api/convert_plan.h"

#include <stdio.h>

struct pl_convert_options {
    struct pl_convert_wish wish; /* its format, inputs, output, force */
    uint64_t threads;            /* 0: by the processors */
    bool json;                   /* a report on stdout, one line of JSON a task */
    char *definition;            /* canonical JSON; owned */
};

enum pl_convert_verdict {
    PL_CONVERT_GO,
    PL_CONVERT_HELP,   /* asked for */
    PL_CONVERT_USAGE,  /* an option that is not there, or none that is needed */
    PL_CONVERT_REFUSE, /* a value: `fault` has the sentence */
};

/* argv[0] is "convert". `inputs` and `output` of the wish point into argv. To be fini'd whatever
 * the verdict. */
enum pl_convert_verdict pl_convert_options_read(int argc, char **argv,
                                                struct pl_convert_options *out,
                                                struct pl_fault *fault);
void pl_convert_options_fini(struct pl_convert_options *options);

void pl_convert_help(FILE *to);

#endif
