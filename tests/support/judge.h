/* judge: a file for an independent program, and what the program says of it.
 *
 * A program that is not installed judges nothing: the check is skipped with a line that says so.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_JUDGE_H
#define PL_TESTS_SUPPORT_JUDGE_H

#include "engine/base/bytes.h"

struct judge {
    char path[64];
};

/* Writes the bytes into a temporary file. */
void judge_open(struct judge *judge, const struct pl_bytes *bytes);
void judge_close(struct judge *judge);

/* Keeps a copy under `name` in the folder that PLATEN_SAMPLES names, if it names one. */
void judge_keep(const struct judge *judge, const char *name);

/* Runs "command PATH"; it must end with 0 and say `text` (NULL: anything). */
void judge_expect(const struct judge *judge, const char *command, const char *text);
/* The last word that the command says, cut to `size`; empty where the program is not installed. */
void judge_last_word(const struct judge *judge, const char *command, char *out, size_t size);
/* It must end with another code than 0. */
void judge_refuse(const struct judge *judge, const char *command);

#endif
