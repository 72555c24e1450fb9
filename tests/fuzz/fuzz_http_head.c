/* fuzz_http_head: any bytes as a head: no crash, and what is accepted obeys its own rules.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const struct pl_http_head *head, struct pl_arena *arena)
{
    PL_CHECK(pl_http_is_token(head->method));
    PL_CHECK(head->minor <= 1);
    PL_CHECK(head->path.size > 0 && (head->path.data[0] == '/' || head->path.data[0] == '*'));
    PL_CHECK(head->framing == PL_HTTP_LENGTH || head->content_length == 0);
    PL_CHECK(head->field_count <= PL_HTTP_FIELDS);
    for (size_t i = 0; i < head->field_count; i++) {
        struct pl_span value = head->fields[i].value;
        PL_CHECK(pl_http_is_token(head->fields[i].name));
        PL_CHECK(value.size == 0 || (memchr(value.data, '\r', value.size) == NULL &&
                                     memchr(value.data, '\n', value.size) == NULL &&
                                     memchr(value.data, '\0', value.size) == NULL));
    }
    (void)pl_http_head_field(head, arena, "Cookie");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_http_scan whole = { 0 };
    struct pl_http_scan pieces = { 0 };
    struct pl_http_refusal refusal = { 0 };
    struct pl_arena arena;
    struct pl_http_head head;
    size_t used = 0;
    enum pl_http_scan_result result = pl_http_scan(&whole, data, size, &used, &refusal);
    /* One byte at a time must end at the same place with the same verdict. */
    enum pl_http_scan_result again = PL_HTTP_SCAN_MORE;
    for (size_t i = 0; i < used && again == PL_HTTP_SCAN_MORE; i++) {
        size_t one = 0;
        again = pl_http_scan(&pieces, data + i, 1, &one, &refusal);
        PL_CHECK(again == PL_HTTP_SCAN_MORE || i + 1 == used);
    }
    PL_CHECK(again == result);
    pl_arena_init(&arena, (size_t)1 << 20);
    struct pl_span bytes = { .data = (const char *)data,
                             .size = result == PL_HTTP_SCAN_END ? used : size };
    /* The parser is asked about every input: its memory safety does not lean on the scan. */
    if (pl_http_parse_head(bytes, &arena, &head, &refusal) == PL_OK && result == PL_HTTP_SCAN_END)
        check_accepted(&head, &arena);
    pl_arena_fini(&arena);
    return 0;
}
