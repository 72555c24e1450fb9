/* fuzz_control: what the control API reads of a request, and what it writes of a name.
 *
 * The first byte chooses the reader; the rest is what it reads. Results are held to what callers
 * rely on.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/address.h"
#include "api/disposition.h"
#include "api/job_actions.h"
#include "api/page_query.h"
#include "api/range.h"
#include "api/routes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_range(struct pl_span text)
{
    static const uint64_t sizes[] = { 0, 1, 65536, UINT64_MAX };
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        uint64_t first = 0;
        uint64_t length = 0;
        enum pl_range_answer answer = pl_range_parse(text, sizes[i], &first, &length);
        if (answer == PL_RANGE_UNSATISFIABLE)
            continue;
        PL_CHECK(first <= sizes[i] && length <= sizes[i] - first);
        PL_CHECK(answer == PL_RANGE_WHOLE ? first == 0 && length == sizes[i] : length > 0);
    }
    (void)pl_range_may(text, "\"x\"");
    (void)pl_range_is_known(text, "\"x\"");
}

static void read_route(struct pl_span text)
{
    struct pl_id job = { "" };
    uint32_t n = 0;
    enum pl_route route = pl_route_find(text, &job, &n);
    if (route == PL_ROUTE_JOB || route == PL_ROUTE_ORIGINAL || route == PL_ROUTE_DOCUMENT)
        PL_CHECK(!pl_id_is_none(&job));
    PL_CHECK((route != PL_ROUTE_DOCUMENT && route != PL_ROUTE_PAGES) || n > 0);
}

static void read_query(struct pl_span text)
{
    struct pl_page_query page;
    struct pl_fault fault = { 0 };
    if (pl_page_query_parse(text, &page, &fault) == PL_OK)
        PL_CHECK(page.limit >= 1 && page.limit <= PL_PAGE_MOST);
}

static void write_disposition(struct pl_span text)
{
    char out[PL_DISPOSITION_CHARS];
    (void)pl_disposition(text, "document", out);
    PL_CHECK(memcmp(out, "attachment; filename=\"", 22) == 0 && out[22] != '"');
    const char *close = strchr(out + 22, '"');
    PL_CHECK(close != NULL && strchr(close + 1, '"') == NULL);
    for (const char *at = out; *at != '\0'; at++)
        PL_CHECK(*at >= 0x20 && *at < 0x7F && *at != '/' && *at != '\\');
}

static void read_token(struct pl_span text)
{
    char address[300];
    uint8_t hash[PL_SHA256_BYTES];
    struct pl_address parsed;
    struct pl_fault fault = { 0 };
    (void)pl_session_token_hash(text, hash);
    if (pl_text_copy(address, sizeof address, text) &&
        pl_address_parse(address, &parsed, &fault) == PL_OK)
        PL_CHECK(parsed.host[0] != '\0');
}

static void read_actions(struct pl_span text)
{
    struct pl_arena arena;
    struct pl_job_actions asked;
    struct pl_fault fault = { 0 };
    const char *why = NULL;
    bool has = false;
    uint64_t revision = 0;
    pl_arena_init(&arena, (size_t)1 << 20);
    if (pl_job_actions_parse(text, &arena, &asked, &fault) == PL_OK)
        PL_CHECK(asked.action != PL_JOB_ACTION_NONE && asked.limit >= 1 &&
                 asked.limit <= PL_JOB_ACTIONS_MOST && asked.job_count <= PL_JOB_ACTIONS_MOST);
    if (pl_job_action_parse_body(text, &arena, &why, &fault) == PL_OK)
        PL_CHECK(why != NULL);
    (void)!pl_job_match_parse(text, &has, &revision, &fault);
    pl_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct pl_span) = {
        read_range, read_route, read_query, write_disposition, read_token, read_actions
    };
    if (size == 0)
        return 0;
    readers[data[0] % PL_COUNT_OF(readers)]((struct pl_span){ (const char *)data + 1, size - 1 });
    return 0;
}
