/* test_seal: what PLT1 and the box give back, and that nothing else than what was sealed opens.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/digest.h"
#include "engine/base/seal.h"
#include "engine/base/seal_priv.h"
#include "tests/support/plt1_object.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK PL_SEAL_CHUNK_BYTES
#define WHOLE (PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)
#define UNTOUCHED 0xA5

/* One sealed object, and room for what an opener releases of it. */
struct object {
    struct pl_seal_key key;
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    size_t plain_size;
    size_t sealed_size;
    uint8_t *plain;
    uint8_t *sealed;
    uint8_t *out;
};

static void object_init(struct object *object, size_t size)
{
    object->plain_size = size;
    object->sealed_size = (size_t)pl_seal_sealed_size(size);
    object->plain = malloc(size + 1);
    object->sealed = malloc(object->sealed_size + 2 * WHOLE);
    object->out = malloc(object->sealed_size + 2 * WHOLE);
    assert_non_null(object->plain);
    assert_non_null(object->sealed);
    assert_non_null(object->out);
    plt1_fill(object->plain, size);
    assert_int_equal(pl_seal_key_make(&object->key), PL_OK);
    pl_seal_context("tenant", "job", "original", object->ctx);
    assert_int_equal(
        plt1_seal(&object->key, object->ctx, NULL, object->plain, size, object->sealed), PL_OK);
}

static void object_fini(struct object *object)
{
    free(object->plain);
    free(object->sealed);
    free(object->out);
}

/* The object as it stands now, of `size` bytes, is refused; what was released before the refusal
 * is verified chunks, unchanged and in their places, and after them no byte of any plaintext. */
static void expect_refused(struct object *object, const struct pl_seal_key *key, const uint8_t *ctx,
                           size_t size)
{
    size_t released = 0;
    memset(object->out, UNTOUCHED, object->sealed_size + 2 * WHOLE);
    assert_int_equal(plt1_open(key, ctx, object->sealed, size, object->out, &released),
                     PL_TAMPERED);
    assert_true(released <= object->plain_size && released % CHUNK == 0);
    assert_memory_equal(object->out, object->plain, released);
    bool clean = true;
    for (size_t i = released; i < object->sealed_size + 2 * WHOLE; i++)
        clean = clean && (object->out[i] == UNTOUCHED || object->out[i] == 0);
    assert_true(clean);
}

static void expect_opens(struct object *object)
{
    size_t released = 0;
    assert_int_equal(plt1_open(&object->key, object->ctx, object->sealed, object->sealed_size,
                               object->out, &released),
                     PL_OK);
    assert_int_equal(released, object->plain_size);
    assert_memory_equal(object->out, object->plain, object->plain_size);
}

static void seal__every_edge_size__opens_to_the_same_bytes(void **state)
{
    (void)state;
    const size_t sizes[] = { 0,
                             1,
                             15,
                             16,
                             17,
                             4096,
                             CHUNK - 1,
                             CHUNK,
                             CHUNK + 1,
                             2 * CHUNK,
                             2 * CHUNK + 1,
                             3 * CHUNK,
                             300000,
                             CHUNK * 4 - 1 };
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        struct object object;
        uint64_t plain = 0;
        object_init(&object, sizes[i]);
        assert_int_equal(pl_seal_plain_size(object.sealed_size, &plain), PL_OK);
        assert_int_equal(plain, sizes[i]);
        expect_opens(&object);
        object_fini(&object);
    }
}

static void seal__in_place__equals_seal_aside(void **state)
{
    (void)state;
    struct object object;
    const uint8_t salt[PL_SEAL_SALT_BYTES] = { 1 };
    struct pl_sealer *sealer = NULL;
    struct pl_opener *opener = NULL;
    object_init(&object, 1000);
    assert_int_equal(plt1_seal(&object.key, object.ctx, salt, object.plain, 1000, object.sealed),
                     PL_OK);
    assert_int_equal(pl_sealer_new_salted(&object.key, object.ctx, salt, &sealer), PL_OK);
    memcpy(object.out, object.plain, 1000);
    assert_int_equal(pl_sealer_chunk(sealer, object.out, 1000, true, object.out), PL_OK);
    assert_memory_equal(object.out, object.sealed + PL_SEAL_HEADER_BYTES, 1016);
    assert_int_equal(pl_opener_new(pl_sealer_header(sealer), &object.key, object.ctx, &opener),
                     PL_OK);
    assert_int_equal(pl_opener_chunk(opener, 0, object.out, 1016, true, object.out), PL_OK);
    assert_memory_equal(object.out, object.plain, 1000);
    pl_sealer_free(sealer);
    pl_opener_free(opener);
    object_fini(&object);
}

static void seal__same_bytes_twice__share_nothing(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 64);
    memcpy(object.out, object.sealed, object.sealed_size);
    assert_int_equal(plt1_seal(&object.key, object.ctx, NULL, object.plain, 64, object.sealed),
                     PL_OK);
    assert_memory_not_equal(object.out + 12, object.sealed + 12, 32); /* salt */
    assert_memory_not_equal(object.out + 60, object.sealed + 60, 32); /* commitment */
    assert_memory_not_equal(object.out + 92, object.sealed + 92, 64);
    object_fini(&object);
}

static void open__chunks_in_any_order__each_stands_for_itself(void **state)
{
    (void)state;
    struct object object;
    struct pl_opener *opener = NULL;
    const uint64_t order[] = { 2, 0, 3, 1, 2 };
    object_init(&object, 3 * CHUNK + 5);
    assert_int_equal(pl_opener_new(object.sealed, &object.key, object.ctx, &opener), PL_OK);
    for (size_t i = 0; i < PL_COUNT_OF(order); i++) {
        uint64_t n = order[i];
        size_t size = n == 3 ? 5 + PL_SEAL_TAG_BYTES : WHOLE;
        const uint8_t *chunk = object.sealed + PL_SEAL_HEADER_BYTES + n * WHOLE;
        assert_int_equal(pl_opener_chunk(opener, n, chunk, size, n == 3, object.out), PL_OK);
        assert_memory_equal(object.out, object.plain + n * CHUNK, size - PL_SEAL_TAG_BYTES);
    }
    pl_opener_free(opener);
    object_fini(&object);
}

static void tamper__every_single_bit__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 37);
    for (size_t bit = 0; bit < object.sealed_size * 8; bit++) {
        object.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(&object, &object.key, object.ctx, object.sealed_size);
        object.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect_opens(&object);
    object_fini(&object);
}

static void tamper__every_bit_of_the_empty_object__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 0);
    for (size_t bit = 0; bit < object.sealed_size * 8; bit++) {
        object.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(&object, &object.key, object.ctx, object.sealed_size);
        object.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect_opens(&object);
    object_fini(&object);
}

static void tamper__cut_anywhere_in_a_small_object__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 37);
    for (size_t size = 0; size < object.sealed_size; size++)
        expect_refused(&object, &object.key, object.ctx, size);
    object_fini(&object);
}

static void tamper__cut_at_chunk_edges__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 3 * CHUNK + 100);
    for (size_t chunk = 0; chunk <= 3; chunk++) {
        size_t edge = PL_SEAL_HEADER_BYTES + chunk * WHOLE;
        expect_refused(&object, &object.key, object.ctx, edge - 1);
        expect_refused(&object, &object.key, object.ctx, edge);
        expect_refused(&object, &object.key, object.ctx, edge + 1);
        expect_refused(&object, &object.key, object.ctx, edge + PL_SEAL_TAG_BYTES);
        expect_refused(&object, &object.key, object.ctx, edge + PL_SEAL_TAG_BYTES + 1);
    }
    expect_refused(&object, &object.key, object.ctx, object.sealed_size - 1);
    object_fini(&object);
}

static void tamper__cut_of_an_object_of_whole_chunks__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 2 * CHUNK);
    expect_refused(&object, &object.key, object.ctx, PL_SEAL_HEADER_BYTES + WHOLE);
    /* An empty last chunk behind a full one is no form of PLT1, whatever its tag. */
    expect_refused(&object, &object.key, object.ctx,
                   PL_SEAL_HEADER_BYTES + WHOLE + PL_SEAL_TAG_BYTES);
    object_fini(&object);
}

static void tamper__bytes_appended__are_refused(void **state)
{
    (void)state;
    const size_t sizes[] = { 0, 1, 37, CHUNK - 1, CHUNK, CHUNK + 1 };
    const size_t more[] = { 1, 15, 16, 17, 100, WHOLE };
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        struct object object;
        object_init(&object, sizes[i]);
        for (size_t j = 0; j < PL_COUNT_OF(more); j++) {
            memset(object.sealed + object.sealed_size, 0, more[j]);
            expect_refused(&object, &object.key, object.ctx, object.sealed_size + more[j]);
        }
        /* Its own last chunk once more. */
        size_t first = PL_SEAL_HEADER_BYTES;
        size_t last = object.sealed_size - first < WHOLE ? object.sealed_size - first : WHOLE;
        memcpy(object.sealed + object.sealed_size, object.sealed + first, last);
        expect_refused(&object, &object.key, object.ctx, object.sealed_size + last);
        object_fini(&object);
    }
}

static void tamper__chunks_swapped_doubled_or_dropped__are_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 3 * CHUNK);
    uint8_t *chunks = object.sealed + PL_SEAL_HEADER_BYTES;
    uint8_t *kept = malloc(3 * WHOLE);
    assert_non_null(kept);
    memcpy(kept, chunks, 3 * WHOLE);
    for (size_t a = 0; a < 3; a++) {
        for (size_t b = 0; b < 3; b++) {
            if (a == b)
                continue;
            memcpy(chunks + a * WHOLE, kept + b * WHOLE, WHOLE); /* doubled */
            expect_refused(&object, &object.key, object.ctx, object.sealed_size);
            memcpy(chunks + b * WHOLE, kept + a * WHOLE, WHOLE); /* swapped */
            expect_refused(&object, &object.key, object.ctx, object.sealed_size);
            memcpy(chunks, kept, 3 * WHOLE);
        }
    }
    memcpy(chunks, kept + WHOLE, 2 * WHOLE); /* the first one dropped */
    expect_refused(&object, &object.key, object.ctx, object.sealed_size - WHOLE);
    free(kept);
    object_fini(&object);
}

static void tamper__last_flag_wrong__is_refused(void **state)
{
    (void)state;
    struct object object;
    struct pl_opener *opener = NULL;
    object_init(&object, 2 * CHUNK);
    const uint8_t *chunks = object.sealed + PL_SEAL_HEADER_BYTES;
    assert_int_equal(pl_opener_new(object.sealed, &object.key, object.ctx, &opener), PL_OK);
    for (uint64_t index = 0; index < 4; index++)
        for (size_t chunk = 0; chunk < 2; chunk++)
            for (int last = 0; last < 2; last++) {
                bool right = index == chunk && last == (chunk == 1);
                memset(object.out, UNTOUCHED, CHUNK);
                assert_int_equal(pl_opener_chunk(opener, index, chunks + chunk * WHOLE, WHOLE,
                                                 last == 1, object.out),
                                 right ? PL_OK : PL_TAMPERED);
                for (size_t i = 0; !right && i < CHUNK; i++)
                    assert_int_equal(object.out[i], 0);
            }
    pl_opener_free(opener);
    object_fini(&object);
}

static void tamper__sizes_no_chunk_can_have__are_refused_unread(void **state)
{
    (void)state;
    struct object object;
    struct pl_opener *opener = NULL;
    object_init(&object, CHUNK + 1);
    assert_int_equal(pl_opener_new(object.sealed, &object.key, object.ctx, &opener), PL_OK);
    object.out[0] = UNTOUCHED;
    const uint8_t *chunk = object.sealed + PL_SEAL_HEADER_BYTES;
    assert_int_equal(pl_opener_chunk(opener, 0, chunk, 0, true, object.out), PL_TAMPERED);
    assert_int_equal(pl_opener_chunk(opener, 0, chunk, 15, true, object.out), PL_TAMPERED);
    assert_int_equal(pl_opener_chunk(opener, 1, chunk, 16, true, object.out), PL_TAMPERED);
    assert_int_equal(pl_opener_chunk(opener, 0, chunk, WHOLE - 1, false, object.out), PL_TAMPERED);
    assert_int_equal(pl_opener_chunk(opener, 0, chunk, WHOLE + 1, true, object.out), PL_TAMPERED);
    assert_int_equal(pl_opener_chunk(opener, UINT64_MAX, chunk, WHOLE, false, object.out),
                     PL_TAMPERED);
    assert_int_equal(object.out[0], UNTOUCHED);
    pl_opener_free(opener);
    object_fini(&object);
}

static void open__another_tenant_job_role_or_key__is_refused(void **state)
{
    (void)state;
    struct object object;
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    object_init(&object, 100);
    const char *const others[][3] = {
        { "tenanu", "job", "original" },   { "tenant", "joc", "original" },
        { "tenant", "job", "document/1" }, { "tenantj", "ob", "original" },
        { "tenant", "jobo", "riginal" },   { "", "", "" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(others); i++) {
        pl_seal_context(others[i][0], others[i][1], others[i][2], ctx);
        expect_refused(&object, &object.key, ctx, object.sealed_size);
    }
    struct pl_seal_key other = object.key;
    other.id[15] ^= 1;
    expect_refused(&object, &other, object.ctx, object.sealed_size);
    other = object.key;
    other.secret[0] ^= 0x80;
    expect_refused(&object, &other, object.ctx, object.sealed_size);
    object_fini(&object);
}

static void open__header_of_another_object_under_the_same_key__is_refused(void **state)
{
    (void)state;
    struct object object;
    object_init(&object, 100);
    assert_int_equal(plt1_seal(&object.key, object.ctx, NULL, object.plain, 100, object.out),
                     PL_OK);
    memcpy(object.sealed, object.out, PL_SEAL_HEADER_BYTES);
    expect_refused(&object, &object.key, object.ctx, object.sealed_size);
    object_fini(&object);
}

static void sizes__no_plaintext_has_it__are_refused(void **state)
{
    (void)state;
    const uint64_t bad[] = { 0,
                             91,
                             92,
                             107,
                             92 + WHOLE + 1,
                             92 + WHOLE + 16,
                             92 + 2 * WHOLE + 7,
                             UINT64_MAX,
                             UINT64_MAX - 1 };
    uint64_t plain = 77;
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_int_equal(pl_seal_plain_size(bad[i], &plain), PL_TAMPERED);
    assert_int_equal(plain, 77);
}

static void sizes__the_largest_object__is_the_last_one(void **state)
{
    (void)state;
    uint64_t plain = 0;
    uint64_t largest = pl_seal_sealed_size(PL_SEAL_PLAIN_MAX_BYTES);
    assert_int_equal(pl_seal_plain_size(largest, &plain), PL_OK);
    assert_true(plain == PL_SEAL_PLAIN_MAX_BYTES);
    assert_int_equal(pl_seal_plain_size(largest + 17, &plain), PL_TAMPERED);
    assert_true(pl_seal_sealed_size(PL_SEAL_PLAIN_MAX_BYTES + 1) == UINT64_MAX);
    assert_true(pl_seal_sealed_size(UINT64_MAX) == UINT64_MAX);
}

static void context__parts_moved_over_their_edges__differ(void **state)
{
    (void)state;
    uint8_t a[PL_SEAL_CONTEXT_BYTES];
    uint8_t b[PL_SEAL_CONTEXT_BYTES];
    char hex[65];
    pl_seal_context("ab", "c", "d", a);
    pl_seal_context("a", "bc", "d", b);
    assert_memory_not_equal(a, b, sizeof a);
    pl_seal_context("t", "j", "r", a);
    /* SHA-256 of 00000001 't' 00000001 'j' 00000001 'r' */
    pl_sha256_of("\0\0\0\1t\0\0\0\1j\0\0\0\1r", 15, b);
    assert_string_equal(pl_text_hex(a, 32, hex), pl_text_hex(b, 32, (char[65]){ 0 }));
}

static void derive__labels_and_parents__give_keys_of_their_own(void **state)
{
    (void)state;
    struct pl_seal_key parent;
    struct pl_seal_key again;
    struct pl_seal_key one;
    struct pl_seal_key two;
    assert_int_equal(pl_seal_key_make(&parent), PL_OK);
    pl_seal_key_derive(&parent, "document/1", &one);
    pl_seal_key_derive(&parent, "document/2", &two);
    assert_memory_not_equal(one.secret, two.secret, 32);
    assert_memory_not_equal(one.id, two.id, 16);
    assert_memory_not_equal(one.secret, parent.secret, 32);
    pl_seal_key_derive(&parent, "document/1", &again);
    assert_memory_equal(&again, &one, sizeof one);
    again = parent;
    again.id[0] ^= 1;
    pl_seal_key_derive(&again, "document/1", &again);
    assert_memory_not_equal(again.secret, one.secret, 32);
}

static void box__round_trip_of_any_size__gives_the_bytes_back(void **state)
{
    (void)state;
    const uint8_t key[PL_SEAL_KEY_BYTES] = { 7 };
    uint8_t plain[300];
    uint8_t box[300 + PL_BOX_OVERHEAD_BYTES];
    uint8_t out[300];
    plt1_fill(plain, sizeof plain);
    for (size_t size = 0; size <= sizeof plain; size += 50) {
        assert_int_equal(pl_box_seal(key, pl_span_from("device.secret/1"), plain, size, box),
                         PL_OK);
        assert_int_equal(pl_box_open(key, pl_span_from("device.secret/1"), box,
                                     size + PL_BOX_OVERHEAD_BYTES, out),
                         PL_OK);
        assert_memory_equal(out, plain, size);
    }
}

static void box__changed_moved_or_cut__is_refused_and_wiped(void **state)
{
    (void)state;
    const uint8_t key[PL_SEAL_KEY_BYTES] = { 7 };
    const uint8_t other[PL_SEAL_KEY_BYTES] = { 8 };
    const struct pl_span aad = pl_span_from("job.name/1");
    uint8_t box[5 + PL_BOX_OVERHEAD_BYTES];
    uint8_t out[5];
    assert_int_equal(pl_box_seal(key, aad, "hello", 5, box), PL_OK);
    for (size_t bit = 0; bit < sizeof box * 8; bit++) {
        box[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(out, UNTOUCHED, sizeof out);
        assert_int_equal(pl_box_open(key, aad, box, sizeof box, out), PL_TAMPERED);
        assert_memory_equal(out, "\0\0\0\0\0", 5);
        box[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof box; size++)
        assert_int_equal(pl_box_open(key, aad, box, size, out), PL_TAMPERED);
    assert_int_equal(pl_box_open(other, aad, box, sizeof box, out), PL_TAMPERED);
    assert_int_equal(pl_box_open(key, pl_span_from("job.name/2"), box, sizeof box, out),
                     PL_TAMPERED);
    assert_int_equal(pl_box_open(key, aad, box, SIZE_MAX, out), PL_TAMPERED);
    assert_int_equal(pl_box_open(key, aad, box, sizeof box, out), PL_OK);
}

static void box__over_its_limit__is_refused_unread(void **state)
{
    (void)state;
    const uint8_t key[PL_SEAL_KEY_BYTES] = { 7 };
    uint8_t out[1];
    assert_int_equal(pl_box_seal(key, pl_span_from("a"), "b", PL_BOX_MAX_BYTES + 1, out),
                     PL_TOO_LARGE);
}

static void prepare__at_any_time__makes_the_library_ready(void **state)
{
    (void)state;
    assert_int_equal(pl_seal_prepare(), PL_OK);
    assert_int_equal(pl_seal_prepare(), PL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal__every_edge_size__opens_to_the_same_bytes),
        cmocka_unit_test(seal__in_place__equals_seal_aside),
        cmocka_unit_test(seal__same_bytes_twice__share_nothing),
        cmocka_unit_test(open__chunks_in_any_order__each_stands_for_itself),
        cmocka_unit_test(tamper__every_single_bit__is_refused),
        cmocka_unit_test(tamper__every_bit_of_the_empty_object__is_refused),
        cmocka_unit_test(tamper__cut_anywhere_in_a_small_object__is_refused),
        cmocka_unit_test(tamper__cut_at_chunk_edges__is_refused),
        cmocka_unit_test(tamper__cut_of_an_object_of_whole_chunks__is_refused),
        cmocka_unit_test(tamper__bytes_appended__are_refused),
        cmocka_unit_test(tamper__chunks_swapped_doubled_or_dropped__are_refused),
        cmocka_unit_test(tamper__last_flag_wrong__is_refused),
        cmocka_unit_test(tamper__sizes_no_chunk_can_have__are_refused_unread),
        cmocka_unit_test(open__another_tenant_job_role_or_key__is_refused),
        cmocka_unit_test(open__header_of_another_object_under_the_same_key__is_refused),
        cmocka_unit_test(sizes__no_plaintext_has_it__are_refused),
        cmocka_unit_test(sizes__the_largest_object__is_the_last_one),
        cmocka_unit_test(context__parts_moved_over_their_edges__differ),
        cmocka_unit_test(derive__labels_and_parents__give_keys_of_their_own),
        cmocka_unit_test(box__round_trip_of_any_size__gives_the_bytes_back),
        cmocka_unit_test(box__changed_moved_or_cut__is_refused_and_wiped),
        cmocka_unit_test(box__over_its_limit__is_refused_unread),
        cmocka_unit_test(prepare__at_any_time__makes_the_library_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
