/* test_sealed_file: what is written can be read at any place, and what was touched cannot.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/sealed_file.h"

#include "tests/support/pl_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK PL_SEAL_CHUNK_BYTES

struct sealed_object {
    int fd;
    struct pl_seal_key key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    uint64_t sealed_size;
    uint8_t sha256[PL_SHA256_BYTES];
};

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 31 + at / CHUNK);
}

static uint8_t *pattern_new(size_t size)
{
    uint8_t *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = pattern(i);
    return data;
}

static int temporary_file(void)
{
    char path[] = "/tmp/platen-sealed-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)unlink(path);
    return fd;
}

/* Written in pieces of `piece` bytes. */
static struct sealed_object object_make(size_t size, size_t piece, bool is_sealed)
{
    struct sealed_object object = { .fd = temporary_file() };
    struct pl_file_out *out = NULL;
    uint8_t *data = pattern_new(size);
    uint8_t sha256[PL_SHA256_BYTES];
    assert_int_equal(pl_seal_key_make(&object.key), PL_OK);
    pl_seal_context("tenant", "job", "original", object.context);
    assert_int_equal(
        pl_file_out_new(object.fd, size, is_sealed ? &object.key : NULL, object.context, &out),
        PL_OK);
    for (size_t at = 0; at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        assert_int_equal(pl_out_write(pl_file_out_base(out), data + at, part), PL_OK);
    }
    assert_int_equal(pl_file_out_base(out)->size, size);
    assert_int_equal(pl_file_out_end(out, object.sha256), PL_OK);
    pl_file_out_free(out);
    if (is_sealed)
        pl_sha256_of(data, size, sha256);
    else /* nobody asks for it */
        memset(sha256, 0, sizeof sha256);
    assert_memory_equal(sha256, object.sha256, sizeof sha256);
    object.sealed_size = (uint64_t)lseek(object.fd, 0, SEEK_END);
    assert_int_equal(object.sealed_size, is_sealed ? pl_seal_sealed_size(size) : size);
    free(data);
    return object;
}

static pl_status object_open(const struct sealed_object *object, struct pl_source **out)
{
    return pl_sealed_source_new(object->fd, object->sealed_size, &object->key, object->context,
                                out);
}

static void assert_reads(struct pl_source *source, uint64_t at, size_t size)
{
    uint8_t *got = malloc(size + 1);
    assert_int_equal(pl_source_read(source, at, got, size), PL_OK);
    for (size_t i = 0; i < size; i++)
        if (got[i] != pattern(at + i))
            fail_msg("byte %llu differs", (unsigned long long)(at + i));
    free(got);
}

static void sealed_file__any_size_in_any_pieces__comes_back(void **state)
{
    static const size_t sizes[] = { 0,         1,         4095,      CHUNK - 1,     CHUNK,
                                    CHUNK + 1, 2 * CHUNK, 3 * CHUNK, 5 * CHUNK + 77 };
    static const size_t pieces[] = { 1000, CHUNK, CHUNK + 1, 1 << 20 };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        for (size_t j = 0; j < PL_COUNT_OF(pieces); j++) {
            struct pl_source *source = NULL;
            struct sealed_object object = object_make(sizes[i], pieces[j], true);
            assert_int_equal(object_open(&object, &source), PL_OK);
            assert_int_equal(source->size, sizes[i]);
            assert_reads(source, 0, sizes[i]);
            source->ops->free(source);
            (void)close(object.fd);
        }
    }
}

static void sealed_file__reads_at_any_place__are_right(void **state)
{
    (void)state;
    const size_t size = 7 * CHUNK + 1234;
    struct pl_source *source = NULL;
    struct sealed_object object = object_make(size, 1 << 20, true);
    assert_int_equal(object_open(&object, &source), PL_OK);
    uint32_t random = 1;
    for (int i = 0; i < 500; i++) {
        random = random * 1664525 + 1013904223;
        uint64_t at = random % size;
        random = random * 1664525 + 1013904223;
        size_t part = random % (i % 2 == 0 ? 300 : 3 * CHUNK);
        assert_reads(source, at, part > size - at ? (size_t)(size - at) : part);
    }
    assert_reads(source, CHUNK, CHUNK); /* a whole chunk, straight into the reader's memory */
    uint8_t byte = 0;
    assert_int_equal(pl_source_read(source, size, &byte, 1), PL_BAD_DOCUMENT);
    source->ops->free(source);
    (void)close(object.fd);
}

static void sealed_file__a_clone__outlives_its_source(void **state)
{
    (void)state;
    struct pl_source *source = NULL;
    struct sealed_object object = object_make(3 * CHUNK, CHUNK, true);
    assert_int_equal(object_open(&object, &source), PL_OK);
    struct pl_source *clone = source->ops->clone(source);
    assert_non_null(clone);
    source->ops->free(source);
    assert_reads(clone, 100, 2 * CHUNK);
    clone->ops->free(clone);
    (void)close(object.fd);
}

static void *read_all(void *own)
{
    struct pl_source *source = own;
    static const size_t piece = 10007;
    uint8_t data[10007];
    bool good = true;
    for (uint64_t at = 0; at + piece <= source->size && good; at += piece)
        good = pl_source_read(source, at, data, piece) == PL_OK && data[5] == pattern(at + 5);
    return good ? own : NULL;
}

static void sealed_file__clones__are_read_by_threads_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct pl_source *sources[4] = { NULL };
    struct sealed_object object = object_make(20 * CHUNK, CHUNK, true);
    assert_int_equal(object_open(&object, &sources[0]), PL_OK);
    for (size_t i = 1; i < 4; i++)
        sources[i] = sources[0]->ops->clone(sources[0]);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, sources[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_ptr_equal(good, sources[i]);
        sources[i]->ops->free(sources[i]);
    }
    (void)close(object.fd);
}

static void sealed_file__a_cut_at_a_chunk__is_refused_before_any_byte(void **state)
{
    (void)state;
    struct pl_source *source = NULL;
    struct sealed_object object = object_make(3 * CHUNK, CHUNK, true);
    const uint64_t whole = object.sealed_size;
    for (uint64_t chunks = 0; chunks < 3; chunks++) {
        object.sealed_size = PL_SEAL_HEADER_BYTES + chunks * (CHUNK + PL_SEAL_TAG_BYTES);
        assert_int_equal(object_open(&object, &source), PL_TAMPERED);
    }
    object.sealed_size = whole - 1;
    assert_int_equal(object_open(&object, &source), PL_TAMPERED);
    object.sealed_size = 10;
    assert_int_equal(object_open(&object, &source), PL_TAMPERED);
    object.sealed_size = whole + 100; /* the file does not have them */
    assert_int_not_equal(object_open(&object, &source), PL_OK);
    assert_null(source);
    (void)close(object.fd);
}

static void sealed_file__a_changed_byte__is_tampered_where_it_lies(void **state)
{
    (void)state;
    struct pl_source *source = NULL;
    uint8_t byte = 0;
    uint8_t out[16];
    struct sealed_object object = object_make(3 * CHUNK, CHUNK, true);
    const off_t at = (off_t)(PL_SEAL_HEADER_BYTES + CHUNK + PL_SEAL_TAG_BYTES + 5);
    assert_int_equal(pread(object.fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(object.fd, &byte, 1, at), 1);
    assert_int_equal(object_open(&object, &source), PL_OK);
    assert_reads(source, 0, 100);
    assert_int_equal(pl_source_read(source, CHUNK + 100, out, sizeof out), PL_TAMPERED);
    assert_int_equal(pl_source_read(source, CHUNK + 100, out, sizeof out), PL_TAMPERED);
    assert_reads(source, 2 * CHUNK, 100);
    source->ops->free(source);
    (void)close(object.fd);
}

static void sealed_file__another_key_or_context__opens_nothing(void **state)
{
    (void)state;
    struct pl_source *source = NULL;
    struct sealed_object object = object_make(10, 10, true);
    object.key.secret[5] ^= 1;
    assert_int_equal(object_open(&object, &source), PL_TAMPERED);
    object.key.secret[5] ^= 1;
    pl_seal_context("other tenant", "job", "original", object.context);
    assert_int_equal(object_open(&object, &source), PL_TAMPERED);
    (void)close(object.fd);
}

static void sealed_file__plain__is_the_bytes_themselves(void **state)
{
    (void)state;
    struct pl_source *source = NULL;
    struct sealed_object object = object_make(2 * CHUNK + 5, 777, false);
    assert_int_equal(pl_plain_source_new(object.fd, object.sealed_size, &source), PL_OK);
    assert_reads(source, 0, 2 * CHUNK + 5);
    struct pl_source *clone = source->ops->clone(source);
    assert_reads(clone, CHUNK - 3, 6);
    clone->ops->free(clone);
    source->ops->free(source);
    (void)close(object.fd);
}

static void sealed_file__past_the_limit__nothing_more_is_taken(void **state)
{
    (void)state;
    struct pl_file_out *out = NULL;
    uint8_t sha256[PL_SHA256_BYTES];
    uint8_t data[100] = { 0 };
    int fd = temporary_file();
    assert_int_equal(pl_file_out_new(fd, 150, NULL, NULL, &out), PL_OK);
    assert_int_equal(pl_out_write(pl_file_out_base(out), data, 100), PL_OK);
    assert_int_equal(pl_out_write(pl_file_out_base(out), data, 51), PL_TOO_LARGE);
    assert_int_equal(pl_out_write(pl_file_out_base(out), data, 1), PL_TOO_LARGE);
    assert_int_equal(pl_file_out_end(out, sha256), PL_TOO_LARGE);
    pl_file_out_free(out);
    (void)close(fd);
}

static void sealed_file__a_full_disk__is_no_space(void **state)
{
    (void)state;
    struct pl_file_out *out = NULL;
    uint8_t sha256[PL_SHA256_BYTES];
    uint8_t *data = pattern_new(5 * CHUNK);
    FILE *full = fopen("/dev/full", "wb");
    if (full == NULL) {
        (void)printf("skipped: this machine has no /dev/full\n");
        free(data);
        skip();
    }
    assert_int_equal(pl_file_out_new(fileno(full), UINT32_MAX, NULL, NULL, &out), PL_OK);
    assert_int_equal(pl_out_write(pl_file_out_base(out), data, 5 * CHUNK), PL_NO_SPACE);
    assert_int_equal(pl_file_out_end(out, sha256), PL_NO_SPACE);
    pl_file_out_free(out);
    (void)fclose(full);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_file__any_size_in_any_pieces__comes_back),
        cmocka_unit_test(sealed_file__reads_at_any_place__are_right),
        cmocka_unit_test(sealed_file__a_clone__outlives_its_source),
        cmocka_unit_test(sealed_file__clones__are_read_by_threads_at_once),
        cmocka_unit_test(sealed_file__a_cut_at_a_chunk__is_refused_before_any_byte),
        cmocka_unit_test(sealed_file__a_changed_byte__is_tampered_where_it_lies),
        cmocka_unit_test(sealed_file__another_key_or_context__opens_nothing),
        cmocka_unit_test(sealed_file__plain__is_the_bytes_themselves),
        cmocka_unit_test(sealed_file__past_the_limit__nothing_more_is_taken),
        cmocka_unit_test(sealed_file__a_full_disk__is_no_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
