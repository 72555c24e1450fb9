/* test_scratch: folders in memory, whose they are, and that none outlives its engine.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/scratch.h"

#include "tests/support/pl_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pl_scratch scratch_new(void)
{
    return (struct pl_scratch){ .root = -1, .give = geteuid() == 0, .uid = 65534, .gid = 65534 };
}

static void leave_file(const char *folder, const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "secret", 6), 6);
    (void)close(fd);
}

static void scratch__folder__is_the_workers_alone_and_goes_with_its_content(void **state)
{
    struct pl_scratch scratch = scratch_new();
    char path[PL_SCRATCH_PATH_CHARS];
    char other[PL_SCRATCH_PATH_CHARS];
    struct stat folder;
    (void)state;
    assert_true(pl_scratch_make(&scratch, 7, path));
    assert_true(pl_scratch_make(&scratch, 8, other));
    assert_int_equal(strncmp(path, "/dev/shm/", 9), 0);
    assert_int_equal(stat(path, &folder), 0);
    assert_int_equal(folder.st_mode & 07777, 0700);
    assert_int_equal(folder.st_uid, scratch.give ? 65534 : geteuid());
    assert_false(pl_scratch_make(&scratch, 7, path)); /* a ticket is used once */
    for (int i = 0; i < 300; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "gs_%d", i);
        leave_file(path, name);
    }
    pl_scratch_remove(&scratch, 7);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(other, F_OK), 0);
    pl_scratch_remove(&scratch, 99); /* there is none */
    leave_file(other, "in");
    pl_scratch_end(&scratch);
    assert_int_not_equal(access(scratch.path, F_OK), 0);
}

static void scratch__links_in_a_folder__are_not_followed(void **state)
{
    struct pl_scratch scratch = scratch_new();
    char path[PL_SCRATCH_PATH_CHARS];
    char link_path[160];
    char kept[] = "/tmp/platen-kept-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(kept));
    leave_file(kept, "file");
    assert_true(pl_scratch_make(&scratch, 1, path));
    (void)snprintf(link_path, sizeof link_path, "%s/link", path);
    assert_int_equal(symlink(kept, link_path), 0);
    pl_scratch_end(&scratch);
    assert_int_not_equal(access(scratch.path, F_OK), 0);
    (void)snprintf(link_path, sizeof link_path, "%s/file", kept);
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(rmdir(kept), 0);
}

/* A launcher that is killed: its lock goes, its folders stay. */
static void scratch__left_by_a_killed_engine__is_swept_and_a_living_one_is_not(void **state)
{
    struct pl_scratch living = scratch_new();
    char path[PL_SCRATCH_PATH_CHARS];
    char dead[PL_SCRATCH_PATH_CHARS] = "";
    int said[2];
    (void)state;
    assert_int_equal(pipe(said), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct pl_scratch scratch = scratch_new();
        char own[PL_SCRATCH_PATH_CHARS] = "";
        bool good = pl_scratch_make(&scratch, 1, own);
        if (good)
            leave_file(own, "in");
        (void)!write(said[1], own, sizeof own);
        (void)raise(SIGKILL);
    }
    assert_int_equal(read(said[0], dead, sizeof dead), (ssize_t)sizeof dead);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)close(said[0]);
    (void)close(said[1]);
    assert_int_equal(access(dead, F_OK), 0);
    assert_true(pl_scratch_make(&living, 1, path));
    leave_file(path, "in");
    pl_scratch_sweep();
    assert_int_not_equal(access(dead, F_OK), 0);
    *strrchr(dead, '/') = '\0';
    assert_int_not_equal(access(dead, F_OK), 0);
    assert_int_equal(access(path, F_OK), 0);
    pl_scratch_end(&living);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scratch__folder__is_the_workers_alone_and_goes_with_its_content),
        cmocka_unit_test(scratch__links_in_a_folder__are_not_followed),
        cmocka_unit_test(scratch__left_by_a_killed_engine__is_swept_and_a_living_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
