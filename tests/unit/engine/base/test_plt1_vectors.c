/* test_plt1_vectors: the C code against tests/vectors/plt1/vectors.json, which the second
 * implementation (tests/integration/plt1_second.py) made.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/digest.h"
#include "engine/base/seal_priv.h"
#include "tests/support/plt1_object.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    if (text == NULL)
        fail_msg("no %s", name);
    return text;
}

static void unhex(const json_t *row, const char *name, void *out, size_t size)
{
    assert_true(pl_text_unhex(pl_span_from(text_of(row, name)), out, size));
}

static void expect_sha256(const void *data, size_t size, const char *hex)
{
    uint8_t hash[PL_SHA256_BYTES];
    char text[65];
    pl_sha256_of(data, size, hash);
    assert_string_equal(pl_text_hex(hash, sizeof hash, text), hex);
}

static void key_of(const json_t *row, struct pl_seal_key *key, uint8_t ctx[PL_SEAL_CONTEXT_BYTES])
{
    unhex(row, "key", key->secret, sizeof key->secret);
    unhex(row, "key_id", key->id, sizeof key->id);
    pl_seal_context(text_of(row, "tenant"), text_of(row, "job"), text_of(row, "role"), ctx);
}

static void check_object(const json_t *row)
{
    struct pl_seal_key key;
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    uint8_t wanted_ctx[PL_SEAL_CONTEXT_BYTES];
    uint8_t salt[PL_SEAL_SALT_BYTES];
    size_t size = (size_t)json_integer_value(json_object_get(row, "plain_bytes"));
    size_t sealed_size = (size_t)json_integer_value(json_object_get(row, "sealed_bytes"));
    size_t released = 0;
    key_of(row, &key, ctx);
    unhex(row, "context", wanted_ctx, sizeof wanted_ctx);
    unhex(row, "salt", salt, sizeof salt);
    assert_memory_equal(ctx, wanted_ctx, sizeof ctx);
    assert_int_equal(pl_seal_sealed_size(size), sealed_size);
    uint8_t *plain = malloc(size + 1);
    uint8_t *sealed = malloc(sealed_size);
    assert_non_null(plain);
    assert_non_null(sealed);
    plt1_fill(plain, size);
    expect_sha256(plain, size, text_of(row, "plain_sha256"));
    assert_int_equal(plt1_seal(&key, ctx, salt, plain, size, sealed), PL_OK);
    expect_sha256(sealed, sealed_size, text_of(row, "sealed_sha256"));
    memset(plain, 0, size);
    assert_int_equal(plt1_open(&key, ctx, sealed, sealed_size, plain, &released), PL_OK);
    expect_sha256(plain, released, text_of(row, "plain_sha256"));
    free(plain);
    free(sealed);
}

static void vectors__objects__seal_and_open_to_the_same_bytes(void **state)
{
    const json_t *rows = json_object_get(*state, "objects");
    size_t i = 0;
    const json_t *row = NULL;
    assert_true(json_array_size(rows) >= 17);
    json_array_foreach(rows, i, row) check_object(row);
}

static const json_t *object_named(const json_t *vectors, const char *name)
{
    const json_t *rows = json_object_get(vectors, "objects");
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(rows, i, row) if (strcmp(text_of(row, "name"), name) == 0) return row;
    fail_msg("no object %s", name);
    return NULL;
}

static void vectors__refused_objects__are_refused(void **state)
{
    const json_t *rows = json_object_get(*state, "refused");
    size_t i = 0;
    const json_t *row = NULL;
    assert_true(json_array_size(rows) >= 28);
    json_array_foreach(rows, i, row)
    {
        struct pl_seal_key key;
        uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
        uint8_t sealed[1024];
        uint8_t out[1024] = { 0 };
        size_t released = 0;
        const char *hex = json_string_value(json_object_get(row, "sealed"));
        if (hex == NULL)
            continue; /* too large to print: the second implementation makes it */
        size_t size = strlen(hex) / 2;
        assert_true(size <= sizeof sealed);
        unhex(row, "sealed", sealed, size);
        key_of(object_named(*state, text_of(row, "of")), &key, ctx);
        if (plt1_open(&key, ctx, sealed, size, out, &released) != PL_TAMPERED)
            fail_msg("opened: %s", text_of(row, "why"));
        assert_int_equal(released, 0);
        for (size_t at = 0; at < sizeof out; at++)
            assert_int_equal(out[at], 0);
    }
}

static void vectors__refused_chunks__are_refused_for_their_shape(void **state)
{
    const json_t *rows = json_object_get(*state, "refused_chunks");
    size_t i = 0;
    const json_t *row = NULL;
    assert_true(json_array_size(rows) >= 4);
    json_array_foreach(rows, i, row)
    {
        const json_t *object = object_named(*state, text_of(row, "of"));
        struct pl_seal_key key;
        struct pl_opener *opener = NULL;
        uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
        uint8_t whole[1024];
        uint8_t chunk[64];
        uint8_t out[64];
        size_t size = strlen(text_of(row, "sealed")) / 2;
        assert_true(size <= sizeof chunk);
        unhex(row, "sealed", chunk, size);
        unhex(object, "sealed", whole, strlen(text_of(object, "sealed")) / 2);
        key_of(object, &key, ctx);
        assert_int_equal(pl_opener_new(whole, &key, ctx, &opener), PL_OK);
        if (pl_opener_chunk(opener, (uint64_t)json_integer_value(json_object_get(row, "index")),
                            chunk, size, json_is_true(json_object_get(row, "last")),
                            out) != PL_TAMPERED)
            fail_msg("opened: %s", text_of(row, "why"));
        pl_opener_free(opener);
    }
}

static void vectors__derived_keys__match(void **state)
{
    const json_t *rows = json_object_get(*state, "derived_keys");
    size_t i = 0;
    const json_t *row = NULL;
    assert_true(json_array_size(rows) >= 4);
    json_array_foreach(rows, i, row)
    {
        struct pl_seal_key parent;
        struct pl_seal_key wanted;
        struct pl_seal_key key;
        unhex(row, "key", parent.secret, sizeof parent.secret);
        unhex(row, "key_id", parent.id, sizeof parent.id);
        unhex(row, "derived_key", wanted.secret, sizeof wanted.secret);
        unhex(row, "derived_key_id", wanted.id, sizeof wanted.id);
        pl_seal_key_derive(&parent, text_of(row, "label"), &key);
        assert_memory_equal(&key, &wanted, sizeof key);
    }
}

static int setup(void **state)
{
    json_error_t error;
    *state = json_load_file(PL_PLT1_VECTORS, JSON_REJECT_DUPLICATES, &error);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    json_decref(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors__objects__seal_and_open_to_the_same_bytes),
        cmocka_unit_test(vectors__refused_objects__are_refused),
        cmocka_unit_test(vectors__refused_chunks__are_refused_for_their_shape),
        cmocka_unit_test(vectors__derived_keys__match),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
