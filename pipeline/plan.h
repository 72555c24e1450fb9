/* plan: what a worker is to do with a job, compiled from a pipeline's definition.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PLAN_H
#define PL_PIPELINE_PLAN_H

#include "engine/base/bytes.h"
#include "pipeline/convert_settings.h"

/* Kinds of document that `accept.types` may name; the names are those of the readers (codec.h). */
/* clang-format off */
/*    row   name */
#define PL_INPUT_TABLE(X) \
    X(TIFF, "tiff")       \
    X(JPEG, "jpeg")       \
    X(PNG, "png")         \
    X(PDF, "pdf")         \
    X(PS, "ps")
/* clang-format on */

#define PL_INPUT_ENUM(row, name) PL_INPUT_##row,
enum pl_input { PL_INPUT_TABLE(PL_INPUT_ENUM) PL_INPUT_COUNT };
#undef PL_INPUT_ENUM

struct pl_plan {
    struct pl_convert convert;
    uint32_t max_pages;         /* `accept.max_pages`, or 0: the limit of the engine */
    unsigned accept_types;      /* bits 1 << enum pl_input, or 0: every kind */
    uint64_t max_bytes;         /* `accept.max_bytes`, or 0 */
    uint32_t retain_original_s; /* `retain.original`, or 0: the default of the engine */
    uint32_t retain_results_s;  /* `retain.results`, or 0 */
    struct pl_bytes xmp;        /* what convert.xmp shows */
};

/* Whether a document of the reader of that name ("tiff") is accepted. */
bool pl_plan_accepts(const struct pl_plan *plan, const char *reader);

/* Compiles a definition in canonical JSON (DESIGN section 7). PL_MISCONFIGURED with a sentence that
 * names the member that is unknown, missing or out of range and what is allowed, or two that
 * exclude each other. To be fini'd after PL_OK. */
pl_status pl_plan_compile(struct pl_span definition, struct pl_plan *out,
                          struct pl_fault *fault) PL_MUST_USE;

/* Frees what it holds and wipes it: passwords may be in it. A zero plan is fine. */
void pl_plan_fini(struct pl_plan *plan);

/* The definition of a pipeline that only converts: what `platen init` writes for the drop `inbox`
 * and what `platen convert --to` runs. Returns out; at least 256 bytes. */
char *pl_plan_write_simple(const char *name, enum pl_format to, char *out, size_t size);

#endif
