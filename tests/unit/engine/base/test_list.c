/* test_list: nodes go in last, come out first, and leave from anywhere.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/list.h"

struct item {
    int number;
    struct pl_list node;
};

static void items_init(struct item *items, int count)
{
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        pl_list_init(&items[i].node);
    }
}

static int number_of(struct pl_list *node)
{
    assert_non_null(node);
    if (node == NULL)
        return -1; /* what the line above has ended already, said to the compiler */
    return PL_CONTAINER_OF(node, struct item, node)->number;
}

/* The numbers in order, as decimal digits, seen from both ends. */
static int digits_of(struct pl_list *list)
{
    int forward = 0;
    int backward = 0;
    int place = 1;
    PL_LIST_FOR(node, list)
    {
        forward = forward * 10 + number_of(node);
    }
    for (struct pl_list *node = list->previous; node != list; node = node->previous, place *= 10)
        backward += number_of(node) * place;
    assert_int_equal(forward, backward);
    return forward;
}

static void list__appended__comes_out_first_in_first(void **state)
{
    (void)state;
    struct item items[4];
    struct pl_list list;
    pl_list_init(&list);
    items_init(items, 4);
    assert_true(pl_list_is_empty(&list));
    assert_null(pl_list_take_first(&list));
    for (int i = 1; i < 4; i++)
        pl_list_append(&list, &items[i].node);
    assert_int_equal(digits_of(&list), 123);
    assert_int_equal(number_of(pl_list_take_first(&list)), 1);
    assert_true(pl_list_is_empty(&items[1].node));
    assert_int_equal(digits_of(&list), 23);
}

static void list__removed_anywhere_and_twice__keeps_the_rest(void **state)
{
    (void)state;
    struct item items[4];
    struct pl_list list;
    pl_list_init(&list);
    items_init(items, 4);
    for (int i = 1; i < 4; i++)
        pl_list_append(&list, &items[i].node);
    pl_list_remove(&items[2].node);
    pl_list_remove(&items[2].node);
    assert_int_equal(digits_of(&list), 13);
    pl_list_remove(&items[3].node);
    pl_list_remove(&items[1].node);
    assert_true(pl_list_is_empty(&list));
    pl_list_append(&list, &items[2].node);
    assert_int_equal(digits_of(&list), 2);
}

static void list__all_taken__moves_in_order_and_empties_the_source(void **state)
{
    (void)state;
    struct item items[6];
    struct pl_list to;
    struct pl_list from;
    pl_list_init(&to);
    pl_list_init(&from);
    items_init(items, 6);
    pl_list_take_all(&to, &from);
    assert_true(pl_list_is_empty(&to));
    for (int i = 1; i < 4; i++)
        pl_list_append(&from, &items[i].node);
    pl_list_take_all(&to, &from);
    assert_int_equal(digits_of(&to), 123);
    assert_true(pl_list_is_empty(&from));
    pl_list_append(&from, &items[4].node);
    pl_list_append(&from, &items[5].node);
    pl_list_take_all(&to, &from);
    assert_int_equal(digits_of(&to), 12345);
    pl_list_take_all(&to, &from);
    assert_int_equal(digits_of(&to), 12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__appended__comes_out_first_in_first),
        cmocka_unit_test(list__removed_anywhere_and_twice__keeps_the_rest),
        cmocka_unit_test(list__all_taken__moves_in_order_and_empties_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
