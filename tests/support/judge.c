/* judge: programs through a shell, their output in memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/judge.h"

#include "tests/support/pl_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JUDGE_SAID ((size_t)1 << 16)
#define JUDGE_NOT_FOUND 127 /* what a shell answers */

void judge_open(struct judge *judge, const struct pl_bytes *bytes)
{
    strcpy(judge->path, "/tmp/platen_judge_XXXXXX");
    int fd = mkstemp(judge->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->data, bytes->size), (ssize_t)bytes->size);
    assert_int_equal(close(fd), 0);
}

void judge_close(struct judge *judge)
{
    assert_int_equal(unlink(judge->path), 0);
}

void judge_keep(const struct judge *judge, const char *name)
{
    const char *folder = getenv("PLATEN_SAMPLES");
    char line[512];
    if (folder == NULL)
        return;
    assert_true(pl_text_format(line, sizeof line, "cp %s '%s/%s'", judge->path, folder, name));
    assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c): our own words, in a test */
}

/* The exit code. `said` gets both outputs, cut. */
static int judge_run(const struct judge *judge, const char *command, char *said)
{
    char line[512];
    int length = snprintf(line, sizeof line, "exec %s %s 2>&1", command, judge->path);
    assert_true(length > 0 && (size_t)length < sizeof line);
    FILE *pipe = popen(line, "r"); /* NOLINT(cert-env33-c): our own words, in a test */
    assert_non_null(pipe);
    size_t size = fread(said, 1, JUDGE_SAID - 1, pipe);
    said[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void judge_expect(const struct judge *judge, const char *command, const char *text)
{
    char *said = malloc(JUDGE_SAID);
    assert_non_null(said);
    int code = judge_run(judge, command, said);
    if (code == JUDGE_NOT_FOUND) {
        print_message("skipped: %s is not here\n", command);
    } else if (code != 0 || (text != NULL && strstr(said, text) == NULL)) {
        print_error("%s: %d\n%s\n", command, code, said);
        fail();
    }
    free(said);
}

void judge_last_word(const struct judge *judge, const char *command, char *out, size_t size)
{
    char *said = malloc(JUDGE_SAID);
    assert_non_null(said);
    int code = judge_run(judge, command, said);
    *out = '\0';
    if (code == JUDGE_NOT_FOUND) {
        print_message("skipped: %s is not here\n", command);
    } else {
        size_t end = strlen(said);
        while (end > 0 && strchr(" \t\n", said[end - 1]) != NULL)
            end--;
        size_t start = end;
        while (start > 0 && strchr(" \t\n", said[start - 1]) == NULL)
            start--;
        if (code != 0)
            print_error("%s: %d\n%s\n", command, code, said);
        assert_int_equal(code, 0);
        (void)pl_text_format(out, size, "%.*s", (int)(end - start), said + start);
    }
    free(said);
}

void judge_refuse(const struct judge *judge, const char *command)
{
    char *said = malloc(JUDGE_SAID);
    assert_non_null(said);
    assert_int_not_equal(judge_run(judge, command, said), 0);
    free(said);
}
