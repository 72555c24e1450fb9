/* test_object_local: objects appear whole or not at all, and no key leads out of the folder.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/object_local.h"

#include "tests/support/pl_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct local_fixture {
    struct pl_loop *loop;
    struct pl_object_store store;
    char folder[64];
    char root[96];
    unsigned waiting;
};

/* The calls know nothing of the fixture: one at a time, it stands here. */
struct local_put {
    struct pl_object_put put;
    struct local_fixture *fixture;
};
struct local_opening {
    struct pl_object_open open;
    struct local_fixture *fixture;
};
struct local_removal {
    struct pl_object_remove remove;
    struct local_fixture *fixture;
};

static void local_answered(struct local_fixture *fixture)
{
    if (--fixture->waiting == 0)
        pl_loop_stop(fixture->loop);
}

static void local_on_put(struct pl_object_put *put)
{
    local_answered(PL_CONTAINER_OF(put, struct local_put, put)->fixture);
}

static void local_on_open(struct pl_object_open *open)
{
    local_answered(PL_CONTAINER_OF(open, struct local_opening, open)->fixture);
}

static void local_on_remove(struct pl_object_remove *removal)
{
    local_answered(PL_CONTAINER_OF(removal, struct local_removal, remove)->fixture);
}

static int local_setup(void **state)
{
    struct pl_fault fault = { 0 };
    struct local_fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/pl_store_XXXXXX");
    if (mkdtemp(fixture->folder) == NULL || pl_loop_new(&fixture->loop) != PL_OK)
        return -1;
    (void)snprintf(fixture->root, sizeof fixture->root, "%s/store", fixture->folder);
    *state = fixture;
    return pl_object_local_open(fixture->loop, NULL, fixture->root, &fixture->store, &fault) ==
                   PL_OK
               ? 0
               : -1;
}

static int local_unlink(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static int local_teardown(void **state)
{
    struct local_fixture *fixture = *state;
    fixture->store.ops->close(fixture->store.self);
    pl_loop_free(fixture->loop);
    int failed = nftw(fixture->folder, local_unlink, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return failed;
}

static int local_staged(struct local_fixture *fixture, const char *text)
{
    int fd = -1;
    assert_int_equal(fixture->store.ops->stage(fixture->store.self, &fd), PL_OK);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* Puts a descriptor under a key and waits; the sentence is left in `fault` when there is one. */
static pl_status local_put_fd(struct local_fixture *fixture, const char *key, int fd,
                              struct pl_fault *fault)
{
    struct local_put put = { { .key = key, .staged_fd = fd, .done = local_on_put }, fixture };
    fixture->waiting = 1;
    fixture->store.ops->put(fixture->store.self, &put.put);
    pl_loop_run(fixture->loop);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* the store closed it */
    if (fault != NULL)
        *fault = put.put.fault;
    return put.put.status;
}

static pl_status local_put_text(struct local_fixture *fixture, const char *key, const char *text)
{
    return local_put_fd(fixture, key, local_staged(fixture, text), NULL);
}

static pl_status local_read(struct local_fixture *fixture, const char *key, char *out, size_t size)
{
    struct local_opening opening = { { .key = key, .done = local_on_open }, fixture };
    fixture->waiting = 1;
    fixture->store.ops->open(fixture->store.self, &opening.open);
    pl_loop_run(fixture->loop);
    if (opening.open.status != PL_OK) {
        assert_int_equal(opening.open.fd, -1);
        return opening.open.status;
    }
    assert_true(opening.open.size < size);
    assert_int_equal(pread(opening.open.fd, out, size, 0), opening.open.size);
    out[opening.open.size] = '\0';
    assert_int_equal(close(opening.open.fd), 0);
    return PL_OK;
}

static pl_status local_drop(struct local_fixture *fixture, const char *key)
{
    struct local_removal removal = { { .key = key, .done = local_on_remove }, fixture };
    fixture->waiting = 1;
    fixture->store.ops->remove(fixture->store.self, &removal.remove);
    pl_loop_run(fixture->loop);
    return removal.remove.status;
}

/* Entries of a folder below the root, without dots. */
static unsigned local_entries(const struct local_fixture *fixture, const char *name)
{
    char command[160];
    unsigned count = 0;
    (void)snprintf(command, sizeof command, "%s/%s", fixture->root, name);
    struct dirent **entries = NULL;
    int found = scandir(command, &entries, NULL, NULL);
    assert_true(found >= 0);
    for (int i = 0; i < found; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            count++;
        free(entries[i]);
    }
    free((void *)entries);
    return count;
}

static void put__then_open__gives_the_same_bytes(void **state)
{
    struct local_fixture *fixture = *state;
    char text[64];
    struct stat info;
    char path[160];
    assert_int_equal(local_put_text(fixture, "t1/j1/1.pdf", "sealed bytes"), PL_OK);
    assert_int_equal(local_put_text(fixture, "t1/j1/2.pdf", ""), PL_OK);
    assert_int_equal(local_put_text(fixture, "top", "no folder"), PL_OK);
    assert_int_equal(local_read(fixture, "t1/j1/1.pdf", text, sizeof text), PL_OK);
    assert_string_equal(text, "sealed bytes");
    assert_int_equal(local_read(fixture, "t1/j1/2.pdf", text, sizeof text), PL_OK);
    assert_string_equal(text, "");
    assert_int_equal(local_read(fixture, "top", text, sizeof text), PL_OK);
    assert_string_equal(text, "no folder");
    (void)snprintf(path, sizeof path, "%s/t1/j1/1.pdf", fixture->root);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof path, "%s/t1", fixture->root);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(local_entries(fixture, ".staging"), 0);
}

static void put__of_the_same_size_again__is_ok_and_changes_nothing(void **state)
{
    struct local_fixture *fixture = *state;
    char text[64];
    struct pl_fault fault = { 0 };
    assert_int_equal(local_put_text(fixture, "a/b", "first"), PL_OK);
    assert_int_equal(local_put_text(fixture, "a/b", "again"), PL_OK);
    assert_int_equal(local_read(fixture, "a/b", text, sizeof text), PL_OK);
    assert_string_equal(text, "first");
    assert_int_equal(local_put_fd(fixture, "a/b", local_staged(fixture, "longer"), &fault),
                     PL_CONFLICT);
    assert_non_null(strstr(fault.reason, "another object"));
    assert_int_equal(local_read(fixture, "a/b", text, sizeof text), PL_OK);
    assert_string_equal(text, "first");
}

static void open__of_what_is_not_there__is_not_found(void **state)
{
    struct local_fixture *fixture = *state;
    char text[64];
    assert_int_equal(local_read(fixture, "a/b/c", text, sizeof text), PL_NOT_FOUND);
    assert_int_equal(local_put_text(fixture, "a/b/c", "x"), PL_OK);
    assert_int_equal(local_read(fixture, "a/b/d", text, sizeof text), PL_NOT_FOUND);
    assert_int_equal(local_read(fixture, "a/b", text, sizeof text), PL_NOT_FOUND); /* a folder */
}

static void remove__takes_the_object_and_empty_folders__and_is_ok_twice(void **state)
{
    struct local_fixture *fixture = *state;
    char text[64];
    assert_int_equal(local_put_text(fixture, "t1/j1/1", "x"), PL_OK);
    assert_int_equal(local_put_text(fixture, "t1/j2/1", "y"), PL_OK);
    assert_int_equal(local_drop(fixture, "t1/j1/1"), PL_OK);
    assert_int_equal(local_read(fixture, "t1/j1/1", text, sizeof text), PL_NOT_FOUND);
    assert_int_equal(local_entries(fixture, "t1"), 1);
    assert_int_equal(local_drop(fixture, "t1/j1/1"), PL_OK);
    assert_int_equal(local_drop(fixture, "t1/j2/1"), PL_OK);
    assert_int_equal(local_entries(fixture, ""), 1); /* .staging */
    assert_int_equal(local_put_text(fixture, "t1/j1/1", "back"), PL_OK);
}

static void key__that_is_odd__is_refused_and_makes_nothing(void **state)
{
    struct local_fixture *fixture = *state;
    char longest[PL_OBJECT_KEY_CHARS + 1];
    char text[64];
    static const char *const odd[] = {
        "",      "/",     "/a",    "a/", "a//b", ".",          "..",    "../a",     "a/../b",
        "a/./b", ".a",    "a/.b",  "A",  "a b",  "a\\b",       "a\nb",  "\xC3\xA4", "a/..",
        "a:b",   "a%2fb", "~root", "a*", "a?",   ".staging/x", "a\x01",
    };
    for (unsigned i = 0; i < PL_COUNT_OF(odd); i++) {
        struct pl_fault fault = { 0 };
        assert_int_equal(local_put_fd(fixture, odd[i], local_staged(fixture, "x"), &fault),
                         PL_BAD_REQUEST);
        assert_int_equal(local_read(fixture, odd[i], text, sizeof text), PL_NOT_FOUND);
        assert_int_equal(local_drop(fixture, odd[i]), PL_BAD_REQUEST);
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[PL_OBJECT_KEY_CHARS] = '\0';
    assert_int_equal(local_put_text(fixture, longest, "x"), PL_BAD_REQUEST);
    assert_int_equal(local_entries(fixture, ""), 1);
    longest[PL_OBJECT_KEY_CHARS - 1] = '\0';
    assert_int_equal(local_put_text(fixture, longest, "x"), PL_OK);
    assert_int_equal(local_put_text(fixture, "a-b_c/d..e/0.x", "x"), PL_OK);
}

static void link__planted_in_the_store__is_not_followed(void **state)
{
    struct local_fixture *fixture = *state;
    char path[160];
    char text[64];
    (void)snprintf(path, sizeof path, "%s/evil", fixture->root);
    assert_int_equal(symlink("/etc", path), 0);
    assert_int_not_equal(local_read(fixture, "evil/passwd", text, sizeof text), PL_OK);
    assert_int_not_equal(local_put_text(fixture, "evil/new", "x"), PL_OK);
    assert_int_equal(access("/etc/new", F_OK), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_not_equal(local_read(fixture, "evil", text, sizeof text), PL_OK);
}

static void put__where_a_file_stands_for_a_folder__is_refused(void **state)
{
    struct local_fixture *fixture = *state;
    assert_int_equal(local_put_text(fixture, "a", "x"), PL_OK);
    assert_int_not_equal(local_put_text(fixture, "a/b", "x"), PL_OK);
    assert_int_equal(local_put_text(fixture, "c/d", "x"), PL_OK);
    assert_int_equal(local_put_text(fixture, "c", "x"), PL_CONFLICT);
}

static void put__many_at_once_into_one_new_folder__all_appear(void **state)
{
    enum { MANY = 40 };
    struct local_fixture *fixture = *state;
    static char keys[MANY][32];
    static struct local_put puts[MANY];
    fixture->waiting = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "t%u/j/%u", i % 3, i);
        puts[i] = (struct local_put){
            { .key = keys[i], .staged_fd = local_staged(fixture, keys[i]), .done = local_on_put },
            fixture
        };
        fixture->store.ops->put(fixture->store.self, &puts[i].put);
    }
    pl_loop_run(fixture->loop);
    for (unsigned i = 0; i < MANY; i++) {
        char text[64];
        assert_int_equal(puts[i].put.status, PL_OK);
        assert_int_equal(local_read(fixture, keys[i], text, sizeof text), PL_OK);
        assert_string_equal(text, keys[i]);
    }
}

static void staged__but_never_put__is_gone(void **state)
{
    struct local_fixture *fixture = *state;
    int fd = local_staged(fixture, "half an object");
    assert_int_equal(close(fd), 0);
    assert_int_equal(local_entries(fixture, ".staging"), 0);
    assert_int_equal(local_entries(fixture, ""), 1);
}

static void staging__names_of_an_earlier_run__are_swept_on_open(void **state)
{
    struct local_fixture *fixture = *state;
    struct pl_object_store again;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/.staging/1234", fixture->root);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(local_entries(fixture, ".staging"), 1);
    assert_int_equal(pl_object_local_open(fixture->loop, NULL, fixture->root, &again, NULL), PL_OK);
    assert_int_equal(local_entries(fixture, ".staging"), 0);
    again.ops->close(again.self);
}

/* As stage leaves them where there are no unnamed files. */
static void staged__under_a_name__is_put_and_leaves_no_name_behind(void **state)
{
    struct local_fixture *fixture = *state;
    char path[160];
    char named[160];
    char text[64];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/.staging/new", fixture->root);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "named", 5), 5);
    assert_int_equal(fstat(fd, &info), 0);
    (void)snprintf(named, sizeof named, "%s/.staging/%llx", fixture->root,
                   (unsigned long long)info.st_ino);
    assert_int_equal(rename(path, named), 0);
    assert_int_equal(local_put_fd(fixture, "a/b", fd, NULL), PL_OK);
    assert_int_equal(local_read(fixture, "a/b", text, sizeof text), PL_OK);
    assert_string_equal(text, "named");
    assert_int_equal(local_entries(fixture, ".staging"), 0);
}

static void open__folder_that_cannot_be__is_refused_with_a_sentence(void **state)
{
    struct local_fixture *fixture = *state;
    struct pl_object_store store;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_object_local_open(fixture->loop, NULL, "/nowhere/at/all", &store, &fault),
                     PL_NOT_FOUND);
    assert_non_null(strstr(fault.reason, "cannot make the folder of the store"));
    fault = (struct pl_fault){ 0 };
    assert_int_not_equal(pl_object_local_open(fixture->loop, NULL, "/dev/null", &store, &fault),
                         PL_OK);
    assert_non_null(strstr(fault.reason, "/dev/null"));
}

static void disk_full__staging_or_naming__is_no_space_and_recovers(void **state)
{
    struct local_fixture *fixture = *state;
    struct pl_object_store small;
    struct pl_fault fault = { 0 };
    char folder[96];
    static char block[65536];
    int fd = -1;
    (void)snprintf(folder, sizeof folder, "%s/small", fixture->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=256k,nr_inodes=12") != 0) {
        print_message("skipped: only root may mount a small tmpfs\n");
        skip();
    }
    struct pl_object_store usual = fixture->store;
    assert_int_equal(pl_object_local_open(fixture->loop, NULL, folder, &small, &fault), PL_OK);
    fixture->store = small;
    assert_int_equal(small.ops->stage(small.self, &fd), PL_OK);
    while (write(fd, block, sizeof block) == (ssize_t)sizeof block)
        continue; /* the worker's side of a full disk */
    assert_int_equal(close(fd), 0);
    /* Folders that find no inode. */
    fd = local_staged(fixture, "x");
    assert_int_equal(local_put_fd(fixture, "a/b/c/d/e/f/g/h/i/j/k/l/m", fd, &fault), PL_NO_SPACE);
    assert_true(strlen(fault.reason) > 0);
    assert_int_equal(local_drop(fixture, "a/b/c/d/e/f/g/h/i/none"), PL_OK);
    assert_int_equal(local_put_text(fixture, "z", "fits"), PL_OK);
    small.ops->close(small.self);
    fixture->store = usual;
    assert_int_equal(umount(folder), 0);
}

/* Puts objects for ever; says each key's number once it was answered. */
static void local_put_until_killed(const char *root, int report, unsigned n)
{
    struct local_fixture fixture = { 0 };
    if (pl_loop_new(&fixture.loop) != PL_OK ||
        pl_object_local_open(fixture.loop, NULL, root, &fixture.store, NULL) != PL_OK)
        _exit(2);
    for (;; n++) {
        char key[32];
        (void)snprintf(key, sizeof key, "t%u/j%u/1", n % 7, n);
        if (local_put_text(&fixture, key, key) != PL_OK ||
            write(report, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(3);
    }
}

static void local_exec_putter(const char *root, int report, unsigned n)
{
    char report_text[16];
    char n_text[16];
    (void)snprintf(report_text, sizeof report_text, "%d", report);
    (void)snprintf(n_text, sizeof n_text, "%u", n);
    (void)execl("/proc/self/exe", "test_object_local", root, report_text, n_text, (char *)NULL);
    _exit(4);
}

static void crash__killed_at_any_moment__answered_objects_are_whole(void **state)
{
    struct local_fixture *fixture = *state;
    unsigned next = 0;
    srandom(20261122);
    for (unsigned round = 0; round < 8; round++) {
        int fds[2];
        unsigned said = 0;
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) /* afresh: a fork of a process with threads is half a process */
            local_exec_putter(fixture->root, fds[1], next);
        assert_int_equal(close(fds[1]), 0);
        assert_int_equal(read(fds[0], &said, sizeof said), sizeof said);
        unsigned last = said;
        (void)usleep((useconds_t)(random() % 40000));
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(fds[0], &said, sizeof said) == (ssize_t)sizeof said)
            last = said;
        assert_int_equal(close(fds[0]), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (unsigned n = next; n <= last + 1; n++) {
            char key[32];
            char text[64];
            (void)snprintf(key, sizeof key, "t%u/j%u/1", n % 7, n);
            pl_status status = local_read(fixture, key, text, sizeof text);
            if (status == PL_OK)
                assert_string_equal(text, key);
            else
                assert_true(status == PL_NOT_FOUND && n == last + 1);
        }
        next = last + 1; /* put again, whether it is there or not */
    }
}

#define LOCAL_TEST(test) cmocka_unit_test_setup_teardown(test, local_setup, local_teardown)

int main(int argc, char **argv)
{
    if (argc == 4)
        local_put_until_killed(argv[1], (int)strtol(argv[2], NULL, 10),
                               (unsigned)strtoul(argv[3], NULL, 10));
    const struct CMUnitTest tests[] = {
        LOCAL_TEST(put__then_open__gives_the_same_bytes),
        LOCAL_TEST(put__of_the_same_size_again__is_ok_and_changes_nothing),
        LOCAL_TEST(open__of_what_is_not_there__is_not_found),
        LOCAL_TEST(remove__takes_the_object_and_empty_folders__and_is_ok_twice),
        LOCAL_TEST(key__that_is_odd__is_refused_and_makes_nothing),
        LOCAL_TEST(link__planted_in_the_store__is_not_followed),
        LOCAL_TEST(put__where_a_file_stands_for_a_folder__is_refused),
        LOCAL_TEST(put__many_at_once_into_one_new_folder__all_appear),
        LOCAL_TEST(staged__but_never_put__is_gone),
        LOCAL_TEST(staging__names_of_an_earlier_run__are_swept_on_open),
        LOCAL_TEST(staged__under_a_name__is_put_and_leaves_no_name_behind),
        LOCAL_TEST(open__folder_that_cannot_be__is_refused_with_a_sentence),
        LOCAL_TEST(disk_full__staging_or_naming__is_no_space_and_recovers),
        LOCAL_TEST(crash__killed_at_any_moment__answered_objects_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
