/* ledger: the law of moves and leases, and copies of rows; no database decides these.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/ledger.h"

pl_status pl_ledger_job_apply_move(struct pl_ledger_job *job, const struct pl_ledger_move *move)
{
    bool has_lease = job->lease_until_ms != 0;
    if (move->fence != job->fence && (move->fence != 0 || has_lease))
        return PL_LEASE_LOST;
    if (job->state != move->from)
        return PL_CONFLICT;
    PL_CHECK(pl_job_state_may(move->from, move->to) && move->to != PL_JOB_RUNNING);
    bool was_end = pl_job_state_is_end(job->state);
    job->state = move->to;
    job->revision++;
    job->holder = PL_JOB_HELD_BY_NOBODY;
    if (move->to == PL_JOB_HELD)
        job->holder = pl_id_is_none(&move->by) ? PL_JOB_HELD_BY_ENGINE : PL_JOB_HELD_BY_PERSON;
    if (move->to == PL_JOB_QUEUED)
        job->finished_ms = 0;
    else if (pl_job_state_is_end(move->to) && !was_end)
        job->finished_ms = move->at_ms;
    if (move->to != PL_JOB_DELIVERING)
        job->lease_until_ms = 0;
    if (move->report_sealed.size > 0)
        job->report_sealed = move->report_sealed;
    if (move->to == PL_JOB_DONE) {
        job->error = PL_OK;
        job->reason_sealed = (struct pl_span){ "", 0 };
    } else if (move->error != PL_OK) {
        job->error = move->error;
        job->reason_sealed = move->reason_sealed;
    }
    return PL_OK;
}

pl_status pl_ledger_job_apply_lease(struct pl_ledger_job *job, const struct pl_ledger_lease *lease)
{
    PL_CHECK(lease->until_ms != 0);
    if (job->state != PL_JOB_QUEUED)
        return PL_CONFLICT;
    job->state = PL_JOB_RUNNING;
    job->revision++;
    job->attempts++;
    job->fence++;
    job->lease_until_ms = lease->until_ms;
    return PL_OK;
}

static pl_status ledger_copy_span(struct pl_span *span, struct pl_arena *arena)
{
    char *copy = pl_arena_text(arena, *span);
    if (copy == NULL)
        return PL_NO_MEMORY;
    span->data = copy;
    return PL_OK;
}

static pl_status ledger_copy_text(const char **text, struct pl_arena *arena)
{
    char *copy = pl_arena_text(arena, pl_span_from(*text == NULL ? "" : *text));
    if (copy == NULL)
        return PL_NO_MEMORY;
    *text = copy;
    return PL_OK;
}

pl_status pl_ledger_tenant_copy(const struct pl_ledger_tenant *from, struct pl_arena *arena,
                                struct pl_ledger_tenant *out)
{
    struct pl_ledger_tenant row = *from;
    if (ledger_copy_span(&row.key_wrapped, arena) != PL_OK ||
        ledger_copy_span(&row.name_sealed, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_device_copy(const struct pl_ledger_device *from, struct pl_arena *arena,
                                struct pl_ledger_device *out)
{
    struct pl_ledger_device row = *from;
    if (ledger_copy_span(&row.secret_sealed, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_token_copy(const struct pl_ledger_token *from, struct pl_arena *arena,
                               struct pl_ledger_token *out)
{
    struct pl_ledger_token row = *from;
    if (ledger_copy_text(&row.role, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_drop_copy(const struct pl_ledger_drop *from, struct pl_arena *arena,
                              struct pl_ledger_drop *out)
{
    struct pl_ledger_drop row = *from;
    if (ledger_copy_text(&row.name, arena) != PL_OK ||
        ledger_copy_text(&row.pipeline, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_pipeline_copy(const struct pl_ledger_pipeline *from, struct pl_arena *arena,
                                  struct pl_ledger_pipeline *out)
{
    struct pl_ledger_pipeline row = *from;
    if (ledger_copy_text(&row.name, arena) != PL_OK ||
        ledger_copy_text(&row.definition, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_job_copy(const struct pl_ledger_job *from, struct pl_arena *arena,
                             struct pl_ledger_job *out)
{
    struct pl_ledger_job row = *from;
    if (ledger_copy_text(&row.drop, arena) != PL_OK ||
        ledger_copy_text(&row.pipeline, arena) != PL_OK ||
        ledger_copy_span(&row.name_sealed, arena) != PL_OK ||
        ledger_copy_span(&row.original_key_wrapped, arena) != PL_OK ||
        ledger_copy_span(&row.result_key_wrapped, arena) != PL_OK ||
        ledger_copy_span(&row.reason_sealed, arena) != PL_OK ||
        ledger_copy_span(&row.report_sealed, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}

pl_status pl_ledger_document_copy(const struct pl_ledger_document *from, struct pl_arena *arena,
                                  struct pl_ledger_document *out)
{
    struct pl_ledger_document row = *from;
    if (ledger_copy_span(&row.name_sealed, arena) != PL_OK ||
        ledger_copy_text(&row.type, arena) != PL_OK ||
        ledger_copy_text(&row.object_key, arena) != PL_OK ||
        ledger_copy_span(&row.page_ledger_sealed, arena) != PL_OK)
        return PL_NO_MEMORY;
    *out = row;
    return PL_OK;
}
