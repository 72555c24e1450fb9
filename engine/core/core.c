/* core: what the engine keeps between events: parts, definitions, jobs that have not ended.
 *
 * The start is one unit on the ledger: every job that had not ended is put back in line. A job
 * that was being worked on when the engine died keeps its attempt in the history; only attempts
 * beyond ten times the limit end it, so that an engine that is killed often loses no innocent job.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/core_priv.h"
#include "engine/core/definition.h"

#include <stdlib.h>
#include <string.h>

#define CORE_INTERRUPTED_FACTOR 10

const char *pl_role_document(uint32_t n, char out[PL_ROLE_CHARS])
{
    PL_CHECK(pl_text_format(out, PL_ROLE_CHARS, "document/%u", n));
    return out;
}

const char *pl_field_name(const char *what, const struct pl_id *id, uint32_t n,
                          char out[PL_FIELD_CHARS])
{
    bool fits = n > 0 ? pl_text_format(out, PL_FIELD_CHARS, "%s/%s/%u", what, id->text, n)
                      : pl_text_format(out, PL_FIELD_CHARS, "%s/%s", what, id->text);
    PL_CHECK(fits);
    return out;
}

/* -- definitions -- */

static void definition_free(struct core_definition *definition)
{
    if (definition == NULL)
        return;
    free(definition->name);
    pl_definition_free(definition->text);
    free(definition);
}

const struct core_definition *core_definition_peek(const struct pl_core *core,
                                                   const struct pl_id *tenant, const char *name,
                                                   uint32_t version)
{
    PL_LIST_FOR(node, &core->definitions)
    {
        struct core_definition *kept = PL_CONTAINER_OF(node, struct core_definition, node);
        if (kept->version == version && pl_id_equals(&kept->tenant, tenant) &&
            strcmp(kept->name, name) == 0)
            return kept;
    }
    return NULL;
}

const struct core_definition *core_definition_keep(struct pl_core *core, const struct pl_id *tenant,
                                                   const char *name, uint32_t version,
                                                   const char *text)
{
    const struct core_definition *kept = core_definition_peek(core, tenant, name, version);
    if (kept != NULL)
        return kept;
    struct core_definition *definition = calloc(1, sizeof *definition);
    if (definition == NULL)
        return NULL;
    definition->tenant = *tenant;
    definition->version = version;
    definition->name = strdup(name);
    pl_status status =
        pl_definition_open(&core->parts.keyring, tenant, version, text, &definition->text);
    if (status != PL_OK)
        PL_LOG(core->parts.log, PL_LOG_ERROR, "pipeline.unreadable", PL_F("pipeline", name),
               PL_F("status", pl_status_name(status)));
    if (definition->name == NULL || definition->text == NULL) {
        definition_free(definition);
        return NULL;
    }
    pl_list_append(&core->definitions, &definition->node);
    return definition;
}

/* -- the start -- */

struct core_start {
    struct pl_core *core;
    const struct pl_ledger *ledger;
    struct pl_list jobs; /* in the order of the ledger */
    pl_status status;
};

void core_job_free(struct core_job *job)
{
    if (job == NULL)
        return;
    PL_CHECK(job->attempt == NULL && job->wish == NULL);
    pl_list_remove(&job->peer);
    free(job->name);
    free(job);
}

static struct pl_list *index_list(struct pl_core *core, const struct pl_id *id)
{
    uint32_t hash = 2166136261u; /* FNV-1a: ids are not chosen by anybody */
    for (const char *at = id->text; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    return &core->index[hash & (CORE_INDEX_LISTS - 1)];
}

void core_job_index(struct core_job *job)
{
    pl_list_append(index_list(job->core, &job->id), &job->peer);
}

struct core_job *core_job_lookup(struct pl_core *core, const struct pl_id *tenant,
                                 const struct pl_id *id)
{
    const struct pl_list *list = index_list(core, id);
    PL_LIST_FOR(node, list)
    {
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, peer);
        if (pl_id_equals(&job->id, id) && pl_id_equals(&job->tenant, tenant))
            return job;
    }
    return NULL;
}

/* The name in the clear, for the names of its documents; one that does not open is replaced, since
 * the document matters more. */
static char *start_open_name(struct pl_core *core, const struct pl_ledger_job *row)
{
    char field[PL_FIELD_CHARS];
    size_t size = row->name_sealed.size;
    size = size > PL_SEALED_FIELD_OVERHEAD ? size - PL_SEALED_FIELD_OVERHEAD : 0;
    char *name = calloc(1, size + sizeof "scan");
    if (name == NULL)
        return NULL;
    const struct pl_keyring *keyring = &core->parts.keyring;
    pl_status status = size == 0
                           ? PL_NOT_FOUND
                           : keyring->ops->field_open(keyring->self, &row->tenant,
                                                      pl_field_name("job.name", &row->id, 0, field),
                                                      row->name_sealed, (uint8_t *)name);
    if (status != PL_OK) {
        memcpy(name, "scan", sizeof "scan");
        PL_LOG(core->parts.log, PL_LOG_WARN, "job.name_unreadable", PL_F("job", row->id.text),
               PL_F("status", pl_status_name(status)));
    }
    return name;
}

static pl_status start_load_definition(struct core_start *start, struct core_job *job,
                                       const struct pl_ledger_job *row)
{
    job->definition =
        core_definition_peek(start->core, &row->tenant, row->pipeline, row->pipeline_version);
    if (job->definition != NULL)
        return PL_OK;
    struct pl_arena arena;
    struct pl_ledger_pipeline pipeline;
    pl_arena_init(&arena, (size_t)1 << 22);
    pl_status status = start->ledger->ops->pipeline_load(
        start->ledger->self, &row->tenant, row->pipeline, row->pipeline_version, &arena, &pipeline);
    if (status == PL_OK) {
        job->definition = core_definition_keep(start->core, &row->tenant, row->pipeline,
                                               row->pipeline_version, pipeline.definition);
        status = job->definition != NULL ? PL_OK : PL_NO_MEMORY;
    }
    pl_arena_fini(&arena);
    return status;
}

struct core_job *core_job_make(struct pl_core *core, const struct pl_ledger_job *row)
{
    struct core_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->core = core;
    job->id = row->id;
    job->tenant = row->tenant;
    job->state = row->state;
    job->holder = row->holder;
    job->revision = row->revision;
    job->attempts = row->attempts;
    job->fence = row->fence;
    job->received_ms = row->received_ms;
    pl_list_init(&job->node);
    pl_list_init(&job->peer);
    core_job_index(job);
    PL_CHECK(row->original_key_wrapped.size <= PL_WRAPPED_KEY_BYTES &&
             row->result_key_wrapped.size <= PL_WRAPPED_KEY_BYTES);
    memcpy(job->original_key_wrapped, row->original_key_wrapped.data,
           row->original_key_wrapped.size);
    memcpy(job->result_key_wrapped, row->result_key_wrapped.data, row->result_key_wrapped.size);
    job->name = start_open_name(core, row);
    if (job->name == NULL) {
        core_job_free(job);
        return NULL;
    }
    return job;
}

static void start_on_job(void *owner, const struct pl_ledger_job *row)
{
    struct core_start *start = owner;
    if (start->status != PL_OK || row->holder == PL_JOB_HELD_BY_PERSON)
        return;
    struct core_job *job = core_job_make(start->core, row);
    start->status = job == NULL ? PL_NO_MEMORY : start_load_definition(start, job, row);
    if (start->status == PL_OK)
        pl_list_append(&start->jobs, &job->node);
    else
        core_job_free(job);
}

/* Moves one job to where its next attempt, or nobody, takes it up. */
static pl_status start_requeue(struct core_start *start, struct core_job *job)
{
    const struct pl_core_parts *parts = &start->core->parts;
    struct pl_ledger_move move = { .job = job->id,
                                   .from = job->state,
                                   .to = PL_JOB_QUEUED,
                                   .fence = job->fence,
                                   .at_ms = pl_clock_wall_ms(parts->clock) };
    bool interrupted = job->state == PL_JOB_RUNNING || job->state == PL_JOB_DELIVERING;
    uint32_t most = parts->settings.attempts * CORE_INTERRUPTED_FACTOR;
    if (job->state == PL_JOB_QUEUED)
        return PL_OK;
    if (interrupted)
        move.error = PL_STOPPING;
    if (interrupted && job->attempts >= most) {
        move.to = PL_JOB_DEAD;
        PL_LOG(parts->log, PL_LOG_ERROR, "job.dead", PL_F("job", job->id.text),
               PL_FN("attempts", job->attempts),
               PL_F("reason", "the engine stopped in each of its attempts"));
    }
    pl_status status = start->ledger->ops->job_move(start->ledger->self, &move);
    if (status == PL_OK) {
        job->state = move.to;
        job->holder = PL_JOB_HELD_BY_NOBODY;
        job->revision++;
    }
    return status;
}

static pl_status start_take_up(struct core_start *start)
{
    const struct pl_ledger_ops *ops = start->ledger->ops;
    void *self = start->ledger->self;
    pl_status status = ops->begin(self);
    if (status != PL_OK)
        return status;
    status = ops->job_each_open(self, start_on_job, start);
    if (status == PL_OK)
        status = start->status;
    for (struct pl_list *node = start->jobs.next; status == PL_OK && node != &start->jobs;
         node = node->next)
        status = start_requeue(start, PL_CONTAINER_OF(node, struct core_job, node));
    if (status == PL_OK)
        return ops->commit(self);
    ops->rollback(self);
    return status;
}

static pl_status start_fill_queue(struct core_start *start)
{
    struct pl_core *core = start->core;
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(&start->jobs)) != NULL) {
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        pl_status status = PL_OK;
        if (job->state == PL_JOB_QUEUED)
            status = pl_queue_push(core->queue, &job->tenant, &job->node);
        if (job->state != PL_JOB_QUEUED || status != PL_OK)
            core_job_free(job);
        if (status != PL_OK)
            return status;
    }
    return PL_OK;
}

struct start_events {
    bool any;
    enum pl_job_state last;
};

static void start_on_event(void *owner, const struct pl_ledger_event *event)
{
    struct start_events *events = owner;
    events->any = true;
    events->last = event->state;
}

/* The spool keeps what the ledger knows: originals live until retention, or until their job is
 * DONE, where the settings say so and the engine may have ended before it came to that. Each job in
 * the ledger has at least the event of its acceptance. */
static bool start_keep_original(void *owner, const struct pl_id *job)
{
    const struct core_start *start = owner;
    struct start_events events = { .any = false };
    pl_status status =
        start->ledger->ops->job_events(start->ledger->self, job, start_on_event, &events);
    if (status != PL_OK && status != PL_NOT_FOUND)
        return true; /* when in doubt it stays */
    bool done = events.last == PL_JOB_DONE && start->core->parts.settings.remove_done_originals;
    return events.any && !done;
}

pl_status pl_core_new(const struct pl_core_parts *parts, const struct pl_ledger *ledger,
                      struct pl_core **out, struct pl_fault *fault)
{
    struct pl_core *core = calloc(1, sizeof *core);
    if (core == NULL)
        return PL_NO_MEMORY;
    core->parts = *parts;
    pl_list_init(&core->delayed);
    pl_list_init(&core->active);
    pl_list_init(&core->definitions);
    for (unsigned i = 0; i < CORE_INDEX_LISTS; i++)
        pl_list_init(&core->index[i]);
    struct core_start start = { .core = core, .ledger = ledger };
    pl_list_init(&start.jobs);
    pl_status status = pl_queue_new(&core->queue);
    if (status == PL_OK)
        status = start_take_up(&start);
    if (status == PL_OK)
        status = start_fill_queue(&start);
    if (status != PL_OK) {
        struct pl_list *node = NULL;
        while ((node = pl_list_take_first(&start.jobs)) != NULL)
            core_job_free(PL_CONTAINER_OF(node, struct core_job, node));
        pl_core_free(core);
        return pl_fault_set(fault, status, "the ledger's open jobs cannot be taken up: %s",
                            pl_status_text(status));
    }
    unsigned swept = pl_spool_sweep(parts->spool, start_keep_original, &start);
    PL_LOG(parts->log, PL_LOG_INFO, "core.ready", PL_FN("jobs_waiting", pl_queue_size(core->queue)),
           PL_FN("unacknowledged_uploads_removed", swept));
    *out = core;
    return PL_OK;
}

const struct pl_core_parts *pl_core_parts(const struct pl_core *core)
{
    return &core->parts;
}

pl_status pl_core_make_id(struct pl_core *core, struct pl_id *out)
{
    return pl_id_make(&core->ids, pl_clock_wall_ms(core->parts.clock), out);
}

/* -- the end -- */

void core_check_drained(struct pl_core *core)
{
    if (!core->draining || core->drained == NULL || !pl_list_is_empty(&core->active) ||
        core->stats.uploads_open > 0 || core->acts > 0)
        return;
    void (*drained)(void *owner) = core->drained;
    core->drained = NULL;
    drained(core->drained_owner);
}

/* A try that waits for room in the ledger may not end before the engine does. */
static void core_drop_wishes(struct pl_core *core)
{
    PL_LIST_FOR(node, &core->delayed)
    {
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        struct pl_job_act *wish = job->wish;
        job->wish = NULL;
        if (wish != NULL)
            act_answer(wish, PL_STOPPING);
    }
}

void pl_core_drain(struct pl_core *core, void (*done)(void *owner), void *owner)
{
    core->draining = true;
    core->drained = done;
    core->drained_owner = owner;
    pl_timer_free(core->timer);
    core->timer = NULL;
    core_drop_wishes(core);
    core_check_drained(core);
}

void pl_core_free(struct pl_core *core)
{
    if (core == NULL)
        return;
    PL_CHECK(pl_list_is_empty(&core->active));
    struct pl_list *node = NULL;
    while (core->queue != NULL && (node = pl_queue_pop(core->queue)) != NULL)
        core_job_free(PL_CONTAINER_OF(node, struct core_job, node));
    while ((node = pl_list_take_first(&core->delayed)) != NULL) {
        struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        attempt_forget(job);
        core_job_free(job);
    }
    while ((node = pl_list_take_first(&core->definitions)) != NULL)
        definition_free(PL_CONTAINER_OF(node, struct core_definition, node));
    PL_CHECK(core->staged_files == 0);
    pl_queue_free(core->queue);
    pl_timer_free(core->timer);
    free(core);
}

void core_break(struct pl_core *core, pl_status status, const char *what)
{
    if (core->broken.status != PL_OK)
        return;
    (void)pl_fault_set(&core->broken, status,
                       "%s: %s; the engine takes no scans until it is "
                       "started again",
                       what, pl_status_text(status));
    PL_LOG(core->parts.log, PL_LOG_ERROR, "core.broken", PL_F("reason", core->broken.reason));
}

bool pl_core_is_broken(const struct pl_core *core, struct pl_fault *why)
{
    if (core->broken.status != PL_OK)
        *why = core->broken;
    return core->broken.status != PL_OK;
}

bool pl_core_is_ready(const struct pl_core *core, struct pl_fault *why)
{
    if (pl_core_is_broken(core, why))
        return false;
    if (core->draining) {
        (void)pl_fault_set(why, PL_STOPPING, "the engine is stopping");
        return false;
    }
    if (pl_spool_has_room(core->parts.spool, UINT64_MAX, core->parts.settings.reserve_bytes) !=
        PL_OK) {
        (void)pl_fault_set(why, PL_NO_SPACE,
                           "the disk of the spool is full: free some space, or add some");
        return false;
    }
    return true;
}

void pl_core_stats(const struct pl_core *core, struct pl_core_stats *out)
{
    *out = core->stats;
    out->waiting = pl_queue_size(core->queue);
    PL_LIST_FOR(node, &core->delayed)
    {
        out->waiting++;
    }
    PL_LIST_FOR(node, &core->active)
    {
        const struct core_job *job = PL_CONTAINER_OF(node, struct core_job, node);
        out->running += job->state == PL_JOB_RUNNING;
        out->delivering += job->state == PL_JOB_DELIVERING;
    }
}
