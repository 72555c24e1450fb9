/* dispatch: admission, the line of waiting jobs, and the clock that brings delayed ones back.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/core_priv.h"

#include <stdlib.h>
#include <string.h>

#define DISPATCH_MEMORY_MS 1000 /* until memory is asked for again */

/* -- the line -- */

/* Wakes up for the delayed job that is due first. */
static void dispatch_set_timer(struct pl_core *core)
{
    int64_t first = INT64_MAX;
    int64_t now = pl_loop_now_ms(core->parts.loop);
    PL_LIST_FOR(node, &core->delayed)
    {
        const struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        first = job->ready_at_ms < first ? job->ready_at_ms : first;
    }
    if (core->timer == NULL)
        return;
    if (first == INT64_MAX)
        pl_timer_stop(core->timer);
    else
        pl_timer_start(core->timer, first > now ? (uint64_t)(first - now) : 0, 0);
}

/* The job is in no list. */
void dispatch_delay(struct core_job *job, uint64_t delay_ms)
{
    job->is_delayed = true;
    job->ready_at_ms = pl_loop_now_ms(job->core->parts.loop) + (int64_t)delay_ms;
    pl_list_append(&job->core->delayed, &job->node);
    dispatch_set_timer(job->core);
}

/* A job takes its worker only after its lease is written: those on their way. */
static unsigned dispatch_starting(const struct pl_list *jobs)
{
    unsigned starting = 0;
    PL_LIST_FOR(node, jobs)
    {
        const struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        starting += job->attempt != NULL && job->state == PL_JOB_QUEUED;
    }
    return starting;
}

/* Results wait for a slow store in open files, which there are only so many of. */
static bool dispatch_is_full(const struct pl_core *core)
{
    uint64_t most = core->parts.settings.staged_files;
    return most > 0 && core->staged_files >= most;
}

/* Starts what can be started. */
static void dispatch_pump(struct pl_core *core)
{
    const struct pl_runner *runner = &core->parts.runner;
    if (!core->begun || core->draining || core->broken.status != PL_OK)
        return;
    if (dispatch_is_full(core)) /* an attempt that ends comes back here */
        return;
    unsigned starting = dispatch_starting(&core->active) + dispatch_starting(&core->delayed);
    for (unsigned idle = runner->ops->idle(runner->self); starting < idle; starting++) {
        struct pl_list *node = pl_queue_pop(core->queue);
        if (node == NULL)
            break;
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        if (!attempt_begin(job)) {
            dispatch_delay(job, DISPATCH_MEMORY_MS);
            break;
        }
    }
    dispatch_set_timer(core);
}

void dispatch_enqueue(struct core_job *job)
{
    if (pl_queue_push(job->core->queue, &job->tenant, &job->node) != PL_OK)
        dispatch_delay(job, DISPATCH_MEMORY_MS);
    dispatch_pump(job->core);
}

static void dispatch_on_attempt_ended(struct core_job *job, bool again, uint64_t delay_ms)
{
    struct pl_core *core = job->core;
    struct pl_job_act *wish = job->wish;
    bool is_over = !again || job->attempt == NULL; /* else it waits in the middle of its try */
    if (is_over || core->draining)
        job->wish = NULL;
    if (again)
        dispatch_delay(job, delay_ms);
    else
        core_job_free(job);
    if (wish != NULL && is_over)
        act_again(wish);
    else if (wish != NULL && core->draining)
        act_answer(wish, PL_STOPPING);
    core_check_drained(core);
    dispatch_pump(core);
}

/* The time of a delayed job has come. */
static void dispatch_end_delay(struct core_job *job)
{
    struct pl_core *core = job->core;
    bool done = true;
    if (job->state == PL_JOB_HELD && job->attempt == NULL) {
        done = act_release(job); /* which takes it off its list */
    } else {
        pl_list_remove(&job->node);
        job->is_delayed = false;
        if (job->attempt != NULL)
            attempt_resume(job);
        else
            done = pl_queue_push(core->queue, &job->tenant, &job->node) == PL_OK;
    }
    if (done)
        return;
    pl_list_remove(&job->node);
    dispatch_delay(job, DISPATCH_MEMORY_MS);
}

static void dispatch_on_timer(void *owner)
{
    struct pl_core *core = owner;
    int64_t now = pl_loop_now_ms(core->parts.loop);
    for (struct pl_list *node = core->delayed.next; node != &core->delayed;) {
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        node = node->next;
        if (job->ready_at_ms > now)
            continue;
        dispatch_end_delay(job);
    }
    dispatch_pump(core);
}

void pl_core_begin(struct pl_core *core)
{
    core->begun = true;
    core->attempt_ended = dispatch_on_attempt_ended;
    if (core->timer == NULL &&
        pl_timer_new(core->parts.loop, dispatch_on_timer, core, &core->timer) != PL_OK)
        core_break(core, PL_NO_MEMORY, "the dispatcher's timer");
    dispatch_pump(core);
}

/* -- jobs in -- */

static pl_status submit_copy(struct core_job *copy, const struct pl_dispatch_job *job)
{
    const struct pl_ledger_job *row = job->row;
    copy->id = row->id;
    copy->tenant = row->tenant;
    core_job_index(copy);
    copy->state = row->state;
    copy->revision = row->revision;
    copy->received_ms = row->received_ms;
    memcpy(copy->original_key_wrapped, row->original_key_wrapped.data, PL_WRAPPED_KEY_BYTES);
    memcpy(copy->result_key_wrapped, row->result_key_wrapped.data, PL_WRAPPED_KEY_BYTES);
    copy->name = strdup(job->name);
    copy->definition = core_definition_keep(copy->core, &row->tenant, row->pipeline,
                                            row->pipeline_version, job->definition);
    return copy->name == NULL || copy->definition == NULL ? PL_NO_MEMORY : PL_OK;
}

pl_status pl_dispatch_submit(struct pl_core *core, const struct pl_dispatch_job *job)
{
    PL_CHECK(job->row->state == PL_JOB_QUEUED &&
             job->row->original_key_wrapped.size == PL_WRAPPED_KEY_BYTES &&
             job->row->result_key_wrapped.size == PL_WRAPPED_KEY_BYTES);
    struct core_job *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        return PL_NO_MEMORY;
    copy->core = core;
    pl_list_init(&copy->node);
    pl_list_init(&copy->peer);
    pl_status status = submit_copy(copy, job);
    if (status != PL_OK) {
        core_job_free(copy);
        return status;
    }
    core->stats.accepted_total++;
    dispatch_enqueue(copy);
    return PL_OK;
}

/* -- admission -- */

/* What others were promised is reserved too. */
pl_status pl_dispatch_has_room(const struct pl_core *core, uint64_t bytes, struct pl_fault *fault)
{
    uint64_t promised = core->stats.upload_bytes_reserved + core->parts.settings.reserve_bytes;
    pl_status status = pl_spool_has_room(core->parts.spool, bytes, promised);
    if (status == PL_OK)
        return PL_OK;
    return pl_fault_set(fault, status, "there is no room for this scan on the server's disk");
}

pl_status pl_dispatch_admit(struct pl_core *core, uint64_t bytes, struct pl_fault *fault)
{
    const struct pl_core_settings *settings = &core->parts.settings;
    pl_status status = PL_OK;
    struct pl_fault why = { PL_OK, "" };
    if (bytes != UINT64_MAX && bytes > settings->upload_bytes) {
        status =
            pl_fault_set(fault, PL_TOO_LARGE, "the upload has %llu bytes, at most %llu are taken",
                         (unsigned long long)bytes, (unsigned long long)settings->upload_bytes);
    } else if (core->stats.uploads_open >= settings->uploads) {
        status = pl_fault_set(fault, PL_BUSY,
                              "%llu uploads are under way, which is the limit: try again shortly",
                              (unsigned long long)settings->uploads);
    } else if (!pl_core_is_ready(core, &why)) {
        status = pl_fault_set(fault, why.status, "%s", why.reason);
    } else {
        status = pl_dispatch_has_room(core, bytes, fault);
    }
    if (status != PL_OK) {
        core->stats.uploads_refused++;
        return status;
    }
    core->stats.uploads_open++;
    core->stats.uploads_total++;
    if (bytes != UINT64_MAX)
        core->stats.upload_bytes_reserved += bytes;
    return PL_OK;
}

void pl_dispatch_upload_written(struct pl_core *core, uint64_t bytes)
{
    PL_CHECK(bytes <= core->stats.upload_bytes_reserved);
    core->stats.upload_bytes_reserved -= bytes;
}

void pl_dispatch_upload_ended(struct pl_core *core, uint64_t bytes, uint64_t taken)
{
    PL_CHECK(core->stats.uploads_open > 0);
    core->stats.uploads_open--;
    core->stats.upload_bytes_total += taken;
    if (bytes != UINT64_MAX)
        core->stats.upload_bytes_reserved -= bytes;
    core_check_drained(core);
}

void pl_dispatch_disk_failed(struct pl_core *core, pl_status status, const char *what)
{
    core_break(core, status, what);
}
