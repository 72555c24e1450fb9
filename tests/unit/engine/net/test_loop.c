/* test_loop: tasks from other threads, work on the pool, timers, signals, and a clean end.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/loop.h"
#include "engine/net/timer.h"

#include "tests/support/pl_test.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define POSTS 1000

struct post {
    struct pl_loop_task task;
    struct ring *ring;
    int n;
};

struct ring {
    struct pl_loop *loop;
    struct post posts[POSTS];
    int seen;
    bool in_order;
};

static void post_run(struct pl_loop_task *task)
{
    struct post *post = PL_CONTAINER_OF(task, struct post, task);
    struct ring *ring = post->ring;
    if (post->n != ring->seen)
        ring->in_order = false;
    if (++ring->seen == POSTS)
        pl_loop_stop(ring->loop);
}

static void *ring_thread(void *argument)
{
    struct ring *ring = argument;
    for (int i = 0; i < POSTS; i++)
        pl_loop_post(ring->loop, &ring->posts[i].task);
    return NULL;
}

static void loop__tasks_from_a_thread__run_in_order(void **state)
{
    (void)state;
    static struct ring ring;
    ring = (struct ring){ .in_order = true };
    assert_int_equal(pl_loop_new(&ring.loop), PL_OK);
    for (int i = 0; i < POSTS; i++)
        ring.posts[i] = (struct post){ .task = { .run = post_run }, .ring = &ring, .n = i };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ring_thread, &ring), 0);
    pl_loop_run(ring.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(ring.seen, POSTS);
    assert_true(ring.in_order);
    pl_loop_free(ring.loop);
}

struct errand {
    struct pl_loop_work work;
    struct pl_loop *loop;
    pthread_t ran_on;
    pthread_t done_on;
};

static void errand_run(struct pl_loop_work *work)
{
    PL_CONTAINER_OF(work, struct errand, work)->ran_on = pthread_self();
}

static void errand_done(struct pl_loop_work *work)
{
    struct errand *errand = PL_CONTAINER_OF(work, struct errand, work);
    errand->done_on = pthread_self();
    pl_loop_stop(errand->loop);
}

static void loop__work__leaves_the_thread_and_comes_back(void **state)
{
    (void)state;
    struct errand errand = { .work = { .run = errand_run, .done = errand_done } };
    assert_int_equal(pl_loop_new(&errand.loop), PL_OK);
    pl_loop_work(errand.loop, &errand.work);
    pl_loop_run(errand.loop);
    assert_false(pthread_equal(errand.ran_on, pthread_self()));
    assert_true(pthread_equal(errand.done_on, pthread_self()));
    pl_loop_free(errand.loop);
}

struct tick {
    struct pl_loop *loop;
    struct pl_timer *timer;
    int count;
    int last;
};

static void tick_on_fire(void *owner)
{
    struct tick *tick = owner;
    if (++tick->count < tick->last)
        return;
    pl_timer_free(tick->timer);
    pl_loop_stop(tick->loop);
}

static void timer__repeating__fires_until_freed(void **state)
{
    (void)state;
    struct tick tick = { .last = 3 };
    assert_int_equal(pl_loop_new(&tick.loop), PL_OK);
    assert_int_equal(pl_timer_new(tick.loop, tick_on_fire, &tick, &tick.timer), PL_OK);
    int64_t before = pl_loop_now_ms(tick.loop);
    pl_timer_start(tick.timer, 5, 5);
    pl_loop_run(tick.loop);
    assert_int_equal(tick.count, 3);
    assert_true(pl_loop_now_ms(tick.loop) - before >= 15);
    pl_loop_free(tick.loop);
}

static void timer__stopped__does_not_fire(void **state)
{
    (void)state;
    struct tick tick = { .last = 1 };
    struct tick never = { .last = 99 };
    assert_int_equal(pl_loop_new(&tick.loop), PL_OK);
    assert_int_equal(pl_timer_new(tick.loop, tick_on_fire, &never, &never.timer), PL_OK);
    assert_int_equal(pl_timer_new(tick.loop, tick_on_fire, &tick, &tick.timer), PL_OK);
    pl_timer_start(never.timer, 1, 0);
    pl_timer_stop(never.timer);
    pl_timer_start(tick.timer, 10, 0);
    pl_loop_run(tick.loop);
    assert_int_equal(never.count, 0);
    pl_timer_free(never.timer); /* after the run: pl_loop_free sees it closed */
    pl_loop_free(tick.loop);
}

static void count_signal(void *owner, int signum)
{
    struct tick *tick = owner;
    tick->last = signum;
    pl_loop_stop(tick->loop);
}

static void loop__sigterm__reaches_the_owner_and_sigpipe_kills_nobody(void **state)
{
    (void)state;
    struct tick tick = { 0 };
    assert_int_equal(pl_loop_new(&tick.loop), PL_OK);
    assert_int_equal(pl_loop_on_signal(tick.loop, count_signal, &tick), PL_OK);
    assert_int_equal(raise(SIGPIPE), 0);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    pl_loop_run(tick.loop);
    assert_int_equal(tick.last, SIGTERM);
    pl_loop_free(tick.loop);
}

static void loop__stopped_with_tasks_waiting__runs_them_first(void **state)
{
    (void)state;
    static struct ring ring;
    ring = (struct ring){ .in_order = true };
    assert_int_equal(pl_loop_new(&ring.loop), PL_OK);
    for (int i = 0; i < 3; i++) {
        ring.posts[i] = (struct post){ .task = { .run = post_run }, .ring = &ring, .n = i };
        pl_loop_post(ring.loop, &ring.posts[i].task);
    }
    pl_loop_stop(ring.loop);
    pl_loop_run(ring.loop);
    assert_int_equal(ring.seen, 3);
    pl_loop_free(ring.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop__tasks_from_a_thread__run_in_order),
        cmocka_unit_test(loop__work__leaves_the_thread_and_comes_back),
        cmocka_unit_test(timer__repeating__fires_until_freed),
        cmocka_unit_test(timer__stopped__does_not_fire),
        cmocka_unit_test(loop__sigterm__reaches_the_owner_and_sigpipe_kills_nobody),
        cmocka_unit_test(loop__stopped_with_tasks_waiting__runs_them_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
