/* test_convert_plan: which input goes where, and what is never overwritten.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_plan.h"

#include "api/files.h"
#include "tests/support/pl_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct desk {
    char folder[64];
    char paths[4][96];
    const char *inputs[4];
    struct pl_arena arena;
    struct pl_fault fault;
};

static int desk_begin(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    memcpy(desk->folder, "/tmp/platen-convert-XXXXXX", 27);
    assert_non_null(mkdtemp(desk->folder));
    pl_arena_init(&desk->arena, 1 << 20);
    *state = desk;
    return 0;
}

static int desk_end(void **state)
{
    struct desk *desk = *state;
    pl_folder_remove(desk->folder);
    pl_arena_fini(&desk->arena);
    free(desk);
    return 0;
}

static const char *desk_path(struct desk *desk, size_t i, const char *name)
{
    assert_true(pl_text_format(desk->paths[i], sizeof desk->paths[i], "%s/%s", desk->folder, name));
    return desk->paths[i];
}

static void desk_write(struct desk *desk, const char *path)
{
    assert_int_equal(pl_file_write(path, "x", 1, 0600, &desk->fault), PL_OK);
}

static pl_status desk_plan(struct desk *desk, size_t inputs, const char *output, bool force,
                           struct pl_convert_plan *plan)
{
    const struct pl_convert_wish wish = { .format = PL_FORMAT_PDFA_2B,
                                          .inputs = desk->inputs,
                                          .input_count = inputs,
                                          .output = output,
                                          .force = force };
    desk->fault = (struct pl_fault){ 0 };
    return pl_convert_plan_make(&wish, &desk->arena, plan, &desk->fault);
}

static void convert_plan__file__takes_all_inputs(void **state)
{
    struct desk *desk = *state;
    struct pl_convert_plan plan;
    desk->inputs[0] = "a.tif";
    desk->inputs[1] = "b.jpg";
    assert_int_equal(desk_plan(desk, 2, desk_path(desk, 3, "out.pdf"), false, &plan), PL_OK);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.tasks[0].input_count, 2);
    assert_string_equal(plan.tasks[0].output, desk->paths[3]);
}

static void convert_plan__folder__gets_one_each(void **state)
{
    struct desk *desk = *state;
    struct pl_convert_plan plan;
    desk->inputs[0] = "x/a.b.tif";
    desk->inputs[1] = ".hidden";
    desk->inputs[2] = "plain";
    assert_int_equal(desk_plan(desk, 3, desk_path(desk, 3, "new/"), false, &plan), PL_OK);
    assert_int_equal(access(desk->paths[3], F_OK), 0);
    assert_int_equal(plan.count, 3);
    assert_non_null(strstr(plan.tasks[0].output, "/new/a.b.pdf"));
    assert_non_null(strstr(plan.tasks[1].output, "/new/.hidden.pdf"));
    assert_non_null(strstr(plan.tasks[2].output, "/new/plain.pdf"));
}

static void convert_plan__two_inputs_of_one_name__are_refused(void **state)
{
    struct desk *desk = *state;
    struct pl_convert_plan plan;
    desk->inputs[0] = "x/a.tif";
    desk->inputs[1] = "y/a.jpg";
    assert_int_equal(desk_plan(desk, 2, desk->folder, false, &plan), PL_CONFLICT);
    assert_non_null(strstr(desk->fault.reason, "would both become"));
}

static void convert_plan__existing_output__needs_force(void **state)
{
    struct desk *desk = *state;
    struct pl_convert_plan plan;
    desk->inputs[0] = "a.tif";
    desk_write(desk, desk_path(desk, 3, "there.pdf"));
    assert_int_equal(desk_plan(desk, 1, desk->paths[3], false, &plan), PL_CONFLICT);
    assert_non_null(strstr(desk->fault.reason, "--force"));
    assert_int_equal(desk_plan(desk, 1, desk->paths[3], true, &plan), PL_OK);
}

static void convert_plan__an_input__is_never_the_output(void **state)
{
    struct desk *desk = *state;
    struct pl_convert_plan plan;
    desk->inputs[0] = desk_path(desk, 0, "scan.tif");
    desk_write(desk, desk->paths[0]);
    assert_int_equal(link(desk->paths[0], desk_path(desk, 1, "other-name.tif")), 0);
    assert_int_equal(desk_plan(desk, 1, desk->paths[0], true, &plan), PL_CONFLICT);
    assert_int_equal(desk_plan(desk, 1, desk->paths[1], true, &plan), PL_CONFLICT);
    assert_non_null(strstr(desk->fault.reason, "is an input"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convert_plan__file__takes_all_inputs),
        cmocka_unit_test(convert_plan__folder__gets_one_each),
        cmocka_unit_test(convert_plan__two_inputs_of_one_name__are_refused),
        cmocka_unit_test(convert_plan__existing_output__needs_force),
        cmocka_unit_test(convert_plan__an_input__is_never_the_output),
    };
    return cmocka_run_group_tests(tests, desk_begin, desk_end);
}
