/* test_startup: sockets that are handed over, and the service manager that is told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/startup.h"

#include "tests/support/pl_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void listen_set(const char *fds, const char *names)
{
    char pid[24];
    assert_true(pl_text_format(pid, sizeof pid, "%d", (int)getpid()));
    assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
    assert_int_equal(setenv("LISTEN_FDS", fds, 1), 0);
    assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
}

/* In a child, where descriptors 3 and 4 can be what they must be. */
static int inherited_in_child(const char *fds, const char *names, int devices, int control)
{
    pid_t child = fork();
    if (child == 0) {
        struct pl_inherited got;
        struct pl_fault fault = { 0 };
        if (dup2(0, 3) != 3 || dup2(0, 4) != 4)
            _exit(9);
        listen_set(fds, names);
        pl_status status = pl_inherited_take(&got, &fault);
        if (getenv("LISTEN_FDS") != NULL || getenv("LISTEN_PID") != NULL)
            _exit(8);
        if (status != PL_OK)
            _exit(fault.reason[0] != '\0' ? 1 : 7);
        bool closed_later = (devices < 0 || (fcntl(devices, F_GETFD) & FD_CLOEXEC)) &&
                            (control < 0 || (fcntl(control, F_GETFD) & FD_CLOEXEC));
        _exit(got.devices == devices && got.control == control && closed_later ? 0 : 6);
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    return WEXITSTATUS(ended);
}

static void startup__sockets_handed_over__are_taken_by_name(void **state)
{
    (void)state;
    assert_int_equal(inherited_in_child("2", "control:devices", 4, 3), 0);
    assert_int_equal(inherited_in_child("1", "devices", 3, -1), 0);
    assert_int_equal(inherited_in_child("0", "", -1, -1), 0);
}

static void startup__sockets_of_other_names__are_refused(void **state)
{
    (void)state;
    assert_int_equal(inherited_in_child("1", "web", -1, -1), 1);
    assert_int_equal(inherited_in_child("2", "devices", -1, -1), 1);
    assert_int_equal(inherited_in_child("2", "devices:devices", -1, -1), 1);
    assert_int_equal(inherited_in_child("x", "devices", -1, -1), 1);
}

static void startup__sockets_of_another_process__are_left_alone(void **state)
{
    struct pl_inherited got;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_int_equal(setenv("LISTEN_PID", "1", 1), 0);
    assert_int_equal(setenv("LISTEN_FDS", "1", 1), 0);
    assert_int_equal(pl_inherited_take(&got, &fault), PL_OK);
    assert_int_equal(got.devices, -1);
    assert_int_equal(got.control, -1);
}

static void startup__readiness__reaches_the_service_manager(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/platen-notify-XXXXXX";
    char heard[64] = "";
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(pl_text_format(address.sun_path, sizeof address.sun_path, "%s/s", folder));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    pl_notify("READY=1");
    assert_int_equal(recv(fd, heard, sizeof heard - 1, 0), 7);
    assert_string_equal(heard, "READY=1");
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
    pl_notify("READY=1"); /* nobody there any more */
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

static void startup__root__is_no_user_to_run_as(void **state)
{
    struct pl_user user;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_int_equal(pl_user_find("root", &user, &fault), PL_MISCONFIGURED);
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_user_find("0", &user, &fault), PL_MISCONFIGURED);
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_user_find("no-such-user-here", &user, &fault), PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "useradd --system"));
    assert_int_equal(pl_user_find("nobody", &user, &fault), PL_OK);
    assert_int_not_equal(user.uid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup__sockets_handed_over__are_taken_by_name),
        cmocka_unit_test(startup__sockets_of_other_names__are_refused),
        cmocka_unit_test(startup__sockets_of_another_process__are_left_alone),
        cmocka_unit_test(startup__readiness__reaches_the_service_manager),
        cmocka_unit_test(startup__root__is_no_user_to_run_as),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
