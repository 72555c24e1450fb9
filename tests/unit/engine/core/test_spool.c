/* test_spool: what goes in comes out sealed, whole, or not at all.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/spool.h"
#include "tests/support/core_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/pl_test.h"

static int start(void **state)
{
    static struct core_rig rig;
    rig_start(&rig);
    *state = &rig;
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

struct sink {
    struct pl_spool_writer *writer;
    bool drained;
    bool ended;
    pl_status status;
    struct pl_spool_result result;
};

static void on_drain(void *owner)
{
    ((struct sink *)owner)->drained = true;
}

static void on_end(void *owner, pl_status status, const struct pl_spool_result *result)
{
    struct sink *sink = owner;
    sink->status = status;
    sink->result = *result;
    sink->ended = true;
}

static bool is_true(void *owner)
{
    return *(bool *)owner;
}

static const struct pl_seal_key key = { .secret = { 1, 2, 3 }, .id = { 9 } };

static void begin(struct core_rig *rig, struct pl_spool *spool, struct sink *sink,
                  struct pl_id *job)
{
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    struct pl_spool_watcher watcher = { on_drain, on_end, sink };
    *sink = (struct sink){ 0 };
    assert_int_equal(pl_core_make_id(rig->core, job), PL_OK);
    pl_seal_context("tenant", job->text, "original", context);
    assert_int_equal(pl_spool_begin(spool, job, &key, context, &watcher, &sink->writer), PL_OK);
}

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void feed(struct core_rig *rig, struct sink *sink, size_t size, size_t step)
{
    uint8_t buffer[16384];
    for (size_t at = 0; at < size;) {
        size_t take = size - at < step ? size - at : step;
        for (size_t i = 0; i < take; i++)
            buffer[i] = pattern(at + i);
        sink->drained = false;
        if (!pl_spool_write(sink->writer, buffer, take))
            rig_until(rig, is_true, &sink->drained);
        at += take;
    }
}

/* Opens the whole file chunk by chunk and compares it with the pattern. */
static void assert_spooled(struct core_rig *rig, const struct pl_id *job, uint64_t size)
{
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    uint8_t header[PL_SEAL_HEADER_BYTES];
    static uint8_t sealed[PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES];
    static uint8_t plain[PL_SEAL_CHUNK_BYTES];
    struct pl_opener *opener = NULL;
    struct stat stat;
    pl_status status = PL_OK;
    uint64_t left = 0;
    int fd = pl_spool_open_job(rig->spool, job, &status);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    assert_int_equal(stat.st_mode & 0777, 0600);
    assert_int_equal(stat.st_size, pl_seal_sealed_size(size));
    assert_int_equal(pl_seal_plain_size((uint64_t)stat.st_size, &left), PL_OK);
    assert_int_equal(left, size);
    assert_int_equal(read(fd, header, sizeof header), sizeof header);
    pl_seal_context("tenant", job->text, "original", context);
    assert_int_equal(pl_opener_new(header, &key, context, &opener), PL_OK);
    for (uint64_t chunk = 0, at = 0; chunk == 0 || left > 0; chunk++) {
        ssize_t got = read(fd, sealed, sizeof sealed);
        assert_true(got >= (ssize_t)PL_SEAL_TAG_BYTES);
        size_t opened = (size_t)got - PL_SEAL_TAG_BYTES;
        assert_int_equal(pl_opener_chunk(opener, chunk, sealed, (size_t)got, opened == left, plain),
                         PL_OK);
        for (size_t i = 0; i < opened; i++, at++)
            assert_int_equal(plain[i], pattern(at));
        left -= opened;
    }
    pl_opener_free(opener);
    (void)close(fd);
}

static void spool__any_size__comes_back_whole(void **state)
{
    struct core_rig *rig = *state;
    static const size_t sizes[] = { 0,     1,      16384,  65535,  65536,
                                    65537, 131071, 131072, 131073, 1000000 };
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        struct sink sink;
        struct pl_id job;
        begin(rig, rig->spool, &sink, &job);
        feed(rig, &sink, sizes[i], i % 2 ? 16384 : 777);
        pl_spool_end(sink.writer);
        rig_until(rig, is_true, &sink.ended);
        assert_int_equal(sink.status, PL_OK);
        assert_int_equal(sink.result.bytes, sizes[i]);
        assert_spooled(rig, &job, sizes[i]);
    }
}

static void spool__hash__is_of_the_plaintext(void **state)
{
    struct core_rig *rig = *state;
    struct sink sink;
    struct pl_id job;
    uint8_t expected[PL_SHA256_BYTES];
    static uint8_t data[200000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = pattern(i);
    pl_sha256_of(data, sizeof data, expected);
    begin(rig, rig->spool, &sink, &job);
    feed(rig, &sink, sizeof data, 16384);
    pl_spool_end(sink.writer);
    rig_until(rig, is_true, &sink.ended);
    assert_memory_equal(sink.result.sha256, expected, PL_SHA256_BYTES);
}

static bool folder_is_empty(void *owner)
{
    return rig_spool_files(owner) == 0;
}

static void spool__aborted_anywhere__leaves_nothing(void **state)
{
    struct core_rig *rig = *state;
    static const size_t sizes[] = { 0, 10, 65536, 70000, 300000 };
    for (size_t i = 0; i < 2 * PL_COUNT_OF(sizes); i++) {
        struct sink sink;
        struct pl_id job;
        begin(rig, rig->spool, &sink, &job);
        feed(rig, &sink, sizes[i / 2], 16384);
        if (i % 2)
            pl_spool_end(sink.writer);
        pl_spool_abort(sink.writer);
        rig_until(rig, folder_is_empty, rig);
        assert_false(sink.ended);
    }
}

static void spool__sender_is_faster_than_disk__is_asked_to_pause(void **state)
{
    struct core_rig *rig = *state;
    struct sink sink;
    struct pl_id job;
    uint8_t buffer[16384] = { 0 };
    unsigned written = 0;
    begin(rig, rig->spool, &sink, &job);
    while (pl_spool_write(sink.writer, buffer, sizeof buffer))
        assert_true(++written < 64); /* the loop does not run: nothing comes back */
    rig_until(rig, is_true, &sink.drained);
    pl_spool_end(sink.writer);
    rig_until(rig, is_true, &sink.ended);
    assert_int_equal(sink.result.bytes, (written + 1) * sizeof buffer);
}

static void spool__disk_is_full__is_told_and_nothing_is_left(void **state)
{
    struct core_rig *rig = *state;
    char folder[96];
    struct pl_spool *spool = NULL;
    struct pl_fault fault = { PL_OK, "" };
    struct sink sink;
    struct pl_id job;
    uint8_t buffer[16384] = { 0 };
    (void)pl_text_format(folder, sizeof folder, "%s-full", rig->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=128k") != 0) {
        (void)rmdir(folder);
        print_message("skipped: a small file system can only be mounted by root\n");
        skip();
    }
    assert_int_equal(pl_spool_new(rig->loop, NULL, folder, &spool, &fault), PL_OK);
    begin(rig, spool, &sink, &job);
    while (pl_spool_write(sink.writer, buffer, sizeof buffer))
        ;
    rig_until(rig, is_true, &sink.drained);
    while (!sink.ended && pl_spool_write(sink.writer, buffer, sizeof buffer))
        ;
    rig_until(rig, is_true, &sink.ended); /* the sender need not come to its end first */
    assert_int_equal(sink.status, PL_NO_SPACE);
    int fd = pl_spool_open_job(spool, &job, &sink.status);
    assert_int_equal(fd, -1);
    assert_int_equal(sink.status, PL_NOT_FOUND);
    assert_int_equal(pl_spool_has_room(spool, 1 << 20, 0), PL_NO_SPACE);
    assert_int_equal(pl_spool_has_room(spool, 1000, 0), PL_OK);
    pl_spool_free(spool);
    assert_int_equal(umount(folder), 0);
    (void)rmdir(folder);
}

static void spool__folder_is_missing__says_so(void **state)
{
    struct core_rig *rig = *state;
    struct pl_spool *spool = NULL;
    struct pl_fault fault = { PL_OK, "" };
    assert_int_equal(pl_spool_new(rig->loop, NULL, "/nonexistent", &spool, &fault),
                     PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "/nonexistent"));
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(spool__any_size__comes_back_whole),
        RIGGED(spool__hash__is_of_the_plaintext),
        RIGGED(spool__aborted_anywhere__leaves_nothing),
        RIGGED(spool__sender_is_faster_than_disk__is_asked_to_pause),
        RIGGED(spool__disk_is_full__is_told_and_nothing_is_left),
        RIGGED(spool__folder_is_missing__says_so),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
