/* run_measured: runs a command and writes down what it cost.
 *
 * run_measured RESULT COMMAND...: RESULT gets one line, "exit wall_us cpu_us largest_kb":
 * nanosecond clock from before the fork to after the wait, CPU time of the command and of all
 * children that it waited for, and the resident size of the largest of these processes. A harness
 * in Python cannot ask that of itself: Linux passes the size of the process that forked on through
 * exec, so that a small program would look as large as the harness. Its own size, 1 MB, is the
 * floor here.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t time_us(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int ended = 0;
    if (argc < 3) {
        (void)fputs("usage: run_measured RESULT COMMAND...\n", stderr);
        return 2;
    }
    FILE *result = fopen(argv[1], "we");
    if (result == NULL) {
        perror(argv[1]);
        return 2;
    }
    int64_t began = now_us();
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &ended, 0, &usage) != child) {
        perror("run_measured");
        (void)fclose(result);
        return 2;
    }
    int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    (void)fprintf(result, "%d %lld %lld %ld\n", code, (long long)(now_us() - began),
                  (long long)(time_us(usage.ru_utime) + time_us(usage.ru_stime)), usage.ru_maxrss);
    return fclose(result) == 0 ? EXIT_SUCCESS : 2;
}
