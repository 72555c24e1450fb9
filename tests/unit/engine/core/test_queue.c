/* test_queue: turns between tenants.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/queue.h"
#include "tests/support/pl_test.h"

struct item {
    struct pl_list node;
    char tenant;
    int n;
};

static struct pl_id tenant_id(char letter)
{
    struct pl_id id = { "" };
    id.text[0] = letter;
    return id;
}

static void push(struct pl_queue *queue, struct item *item, char tenant, int n)
{
    struct pl_id id = tenant_id(tenant);
    *item = (struct item){ .tenant = tenant, .n = n };
    pl_list_init(&item->node);
    assert_int_equal(pl_queue_push(queue, &id, &item->node), PL_OK);
}

static const struct item *pop(struct pl_queue *queue)
{
    struct pl_list *node = pl_queue_pop(queue);
    return node == NULL ? NULL : PL_CONTAINER_OF(node, struct item, node);
}

static void queue__one_tenant_floods__other_goes_second(void **state)
{
    (void)state;
    struct pl_queue *queue = NULL;
    struct item items[104];
    assert_int_equal(pl_queue_new(&queue), PL_OK);
    for (int i = 0; i < 100; i++)
        push(queue, &items[i], 'a', i);
    push(queue, &items[100], 'b', 0);
    push(queue, &items[101], 'b', 1);
    assert_int_equal(pl_queue_size(queue), 102);
    const char expected[] = "ababaaa";
    for (size_t i = 0; expected[i] != '\0'; i++)
        assert_int_equal(pop(queue)->tenant, expected[i]);
    pl_queue_free(queue);
}

static void queue__within_a_tenant__first_in_first_out(void **state)
{
    (void)state;
    struct pl_queue *queue = NULL;
    struct item items[10];
    assert_int_equal(pl_queue_new(&queue), PL_OK);
    for (int i = 0; i < 10; i++)
        push(queue, &items[i], 'a', i);
    for (int i = 0; i < 10; i++)
        assert_int_equal(pop(queue)->n, i);
    assert_null(pop(queue));
    assert_int_equal(pl_queue_size(queue), 0);
    pl_queue_free(queue);
}

static void queue__tenant_comes_back__goes_to_the_end_of_the_ring(void **state)
{
    (void)state;
    struct pl_queue *queue = NULL;
    struct item items[4];
    assert_int_equal(pl_queue_new(&queue), PL_OK);
    push(queue, &items[0], 'a', 0);
    push(queue, &items[1], 'b', 0);
    assert_int_equal(pop(queue)->tenant, 'a');
    push(queue, &items[2], 'a', 1);
    push(queue, &items[3], 'c', 0);
    assert_int_equal(pop(queue)->tenant, 'b');
    assert_int_equal(pop(queue)->tenant, 'a');
    assert_int_equal(pop(queue)->tenant, 'c');
    pl_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue__one_tenant_floods__other_goes_second),
        cmocka_unit_test(queue__within_a_tenant__first_in_first_out),
        cmocka_unit_test(queue__tenant_comes_back__goes_to_the_end_of_the_ring),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
