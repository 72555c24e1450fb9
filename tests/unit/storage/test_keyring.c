/* test_keyring: keys open what they were made for and nothing else; the root file is guarded.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "storage/keyring.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with a root key, and a ring over it with two tenants. */
struct fixture {
    char folder[64];
    char root[96];
    struct pl_keychain *chain;
    struct pl_keyring ring;
    struct pl_id a;
    struct pl_id b;
    uint8_t a_wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
};

static struct pl_span span_of(const void *data, size_t size)
{
    return (struct pl_span){ data, size };
}

static void tenant_add(struct pl_keychain *chain, const struct pl_id *tenant, uint32_t version,
                       uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES])
{
    assert_int_equal(pl_keyring_tenant_new(chain, tenant, version, wrapped), PL_OK);
    assert_int_equal(pl_keyring_tenant_load(chain, tenant, version,
                                            span_of(wrapped, PL_TENANT_KEY_WRAPPED_BYTES), NULL),
                     PL_OK);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct pl_id_maker maker = { 0 };
    struct pl_fault fault = { .status = PL_OK };
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    assert_non_null(fixture);
    (void)pl_text_format(fixture->folder, sizeof fixture->folder, "/tmp/pl_keyring_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)pl_text_format(fixture->root, sizeof fixture->root, "%s/root.key", fixture->folder);
    assert_int_equal(pl_keyring_root_make(fixture->root, &fault), PL_OK);
    assert_int_equal(pl_keyring_load(fixture->root, &fixture->chain, &fault), PL_OK);
    assert_int_equal(pl_id_make(&maker, 1000, &fixture->a), PL_OK);
    assert_int_equal(pl_id_make(&maker, 1000, &fixture->b), PL_OK);
    tenant_add(fixture->chain, &fixture->a, 1, fixture->a_wrapped);
    tenant_add(fixture->chain, &fixture->b, 1, wrapped);
    fixture->ring = pl_keyring_of(fixture->chain);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    pl_keyring_free(fixture->chain);
    (void)unlink(fixture->root);
    assert_int_equal(rmdir(fixture->folder), 0); /* nothing else was left behind */
    free(fixture);
    return 0;
}

/* --- the root file ----------------------------------------------------------------------- */

static void write_root(const struct fixture *fixture, const char *text, mode_t mode)
{
    (void)unlink(fixture->root);
    int fd = open(fixture->root, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void expect_root_refused(const struct fixture *fixture, pl_status wanted,
                                const char *sentence)
{
    struct pl_keychain *chain = NULL;
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_keyring_load(fixture->root, &chain, &fault), wanted);
    assert_null(chain);
    assert_int_equal(fault.status, wanted);
    if (strstr(fault.reason, sentence) == NULL)
        fail_msg("%s", fault.reason);
    assert_non_null(strstr(fault.reason, fixture->root));
}

static void root__made__is_64_digits_for_its_owner_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char text[80] = { 0 };
    assert_int_equal(stat(fixture->root, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, 65);
    FILE *file = fopen(fixture->root, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    assert_int_equal(strspn(text, "0123456789abcdef"), 64);
    assert_string_equal(text + 64, "\n");
}

static void root__there_already__is_never_overwritten(void **state)
{
    struct fixture *fixture = *state;
    struct pl_fault fault = { .status = PL_OK };
    struct stat before;
    struct stat after;
    assert_int_equal(stat(fixture->root, &before), 0);
    assert_int_equal(pl_keyring_root_make(fixture->root, &fault), PL_CONFLICT);
    assert_non_null(strstr(fault.reason, fixture->root));
    assert_int_equal(stat(fixture->root, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(after.st_size, 65);
}

static void root__disk_full__leaves_no_half_key(void **state)
{
    struct fixture *fixture = *state;
    struct pl_fault fault = { .status = PL_OK };
    struct rlimit before;
    assert_int_equal(unlink(fixture->root), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { .rlim_cur = 10, .rlim_max = before.rlim_max };
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pl_status status = pl_keyring_root_make(fixture->root, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, PL_NO_SPACE);
    assert_non_null(strstr(fault.reason, "no space left"));
    assert_int_not_equal(access(fixture->root, F_OK), 0);
}

static void root__no_folder__is_refused_with_its_name(void **state)
{
    (void)state;
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_keyring_root_make("/nonexistent/root.key", &fault), PL_NOT_FOUND);
    assert_string_equal(
        fault.reason, "cannot make the root key /nonexistent/root.key: No such file or directory");
}

static void root__others_may_touch_it__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keychain *chain = NULL;
    const mode_t bad[] = { 0640, 0620, 0604, 0644, 0601, 0660, 0610 };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        assert_int_equal(chmod(fixture->root, bad[i]), 0);
        expect_root_refused(fixture, PL_MISCONFIGURED, "lets others touch it; allowed 0600");
    }
    assert_int_equal(chmod(fixture->root, 0400), 0);
    assert_int_equal(pl_keyring_load(fixture->root, &chain, NULL), PL_OK);
    pl_keyring_free(chain);
}

#define HEX63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static void root__not_64_digits__is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *const bad[] = { "",           "\n",          HEX63 "\n",    HEX63 "g\n",
                                HEX63 "ff\n", HEX63 "f\n\n", HEX63 "f\r\n", HEX63 "f ",
                                " " HEX63 "f" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        write_root(fixture, bad[i], 0600);
        expect_root_refused(fixture, PL_MISCONFIGURED, "allowed is one line of 64 hex digits");
    }
    const char *const good[] = { HEX63 "f\n", HEX63 "f", HEX63 "F\n" };
    for (size_t i = 0; i < PL_COUNT_OF(good); i++) {
        struct pl_keychain *chain = NULL;
        write_root(fixture, good[i], 0600);
        assert_int_equal(pl_keyring_load(fixture->root, &chain, NULL), PL_OK);
        pl_keyring_free(chain);
    }
}

static void root__not_a_file__is_refused_without_waiting(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->root);
    expect_root_refused(fixture, PL_NOT_FOUND, "No such file");
    assert_int_equal(mkfifo(fixture->root, 0600), 0);
    expect_root_refused(fixture, PL_MISCONFIGURED, "this is not a file");
    assert_int_equal(unlink(fixture->root), 0);
    assert_int_equal(mkdir(fixture->root, 0700), 0);
    expect_root_refused(fixture, PL_MISCONFIGURED, "this is not a file");
    assert_int_equal(rmdir(fixture->root), 0);
}

/* --- tenants ----------------------------------------------------------------------------- */

static void tenant__wrapped_key__opens_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keychain *again = NULL;
    struct pl_seal_key key;
    struct pl_seal_key opened;
    uint8_t wrapped[PL_WRAPPED_KEY_BYTES];
    assert_int_equal(pl_seal_key_make(&key), PL_OK);
    assert_int_equal(
        fixture->ring.ops->wrap(fixture->ring.self, &fixture->a, "job", "original", &key, wrapped),
        PL_OK);
    assert_int_equal(pl_keyring_load(fixture->root, &again, NULL), PL_OK);
    struct pl_keyring ring = pl_keyring_of(again);
    struct pl_span span = span_of(wrapped, sizeof wrapped);
    assert_int_equal(ring.ops->unwrap(ring.self, &fixture->a, "job", "original", span, &opened),
                     PL_NOT_FOUND);
    assert_int_equal(pl_keyring_tenant_load(again, &fixture->a, 1,
                                            span_of(fixture->a_wrapped, sizeof fixture->a_wrapped),
                                            NULL),
                     PL_OK);
    assert_int_equal(ring.ops->unwrap(ring.self, &fixture->a, "job", "original", span, &opened),
                     PL_OK);
    assert_memory_equal(&opened, &key, sizeof key);
    pl_keyring_free(again);
}

static void tenant__wrong_tenant_version_root_or_bytes__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pl_fault fault = { .status = PL_OK };
    struct pl_span span = span_of(fixture->a_wrapped, sizeof fixture->a_wrapped);
    struct pl_keychain *chain = fixture->chain;
    assert_int_equal(pl_keyring_tenant_load(chain, &fixture->b, 1, span, &fault), PL_TAMPERED);
    assert_non_null(strstr(fault.reason, fixture->b.text));
    assert_non_null(strstr(fault.reason, "is this the root key that the instance was made with?"));
    assert_int_equal(pl_keyring_tenant_load(chain, &fixture->a, 2, span, NULL), PL_TAMPERED);
    assert_int_equal(pl_keyring_tenant_load(chain, &fixture->a, 0, span, NULL), PL_TAMPERED);
    assert_int_equal(pl_keyring_tenant_load(chain, &fixture->a, UINT32_MAX, span, NULL),
                     PL_TAMPERED);
    for (size_t size = 0; size < span.size; size++)
        assert_int_equal(
            pl_keyring_tenant_load(chain, &fixture->a, 1, span_of(span.data, size), NULL),
            PL_TAMPERED);
    for (size_t bit = 0; bit < span.size * 8; bit++) {
        fixture->a_wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(pl_keyring_tenant_load(chain, &fixture->a, 1, span, NULL), PL_TAMPERED);
        fixture->a_wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct pl_keychain *other = NULL;
    write_root(fixture, HEX63 "f\n", 0600);
    assert_int_equal(pl_keyring_load(fixture->root, &other, NULL), PL_OK);
    assert_int_equal(pl_keyring_tenant_load(other, &fixture->a, 1, span, NULL), PL_TAMPERED);
    pl_keyring_free(other);
}

static void tenant__loaded_twice__is_one_and_another_key_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct pl_fault fault = { .status = PL_OK };
    uint8_t other[PL_TENANT_KEY_WRAPPED_BYTES];
    struct pl_span span = span_of(fixture->a_wrapped, sizeof fixture->a_wrapped);
    assert_int_equal(pl_keyring_tenant_load(fixture->chain, &fixture->a, 1, span, NULL), PL_OK);
    assert_int_equal(pl_keyring_tenant_new(fixture->chain, &fixture->a, 1, other), PL_OK);
    assert_int_equal(pl_keyring_tenant_load(fixture->chain, &fixture->a, 1,
                                            span_of(other, sizeof other), &fault),
                     PL_CONFLICT);
    assert_int_equal(fault.status, PL_CONFLICT);
}

static void tenant__new_version__seals_while_the_old_still_opens(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    uint8_t old[3 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t new[3 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t out[3];
    struct pl_span plain = pl_span_from("abc");
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->a, "f", plain, old), PL_OK);
    tenant_add(fixture->chain, &fixture->a, 2, wrapped);
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->a, "f", plain, new), PL_OK);
    assert_int_equal(old[3], 1);
    assert_int_equal(new[3], 2);
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(old, sizeof old), out), PL_OK);
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(new, sizeof new), out), PL_OK);
    assert_memory_equal(out, "abc", 3);
    new[3] = 1; /* a version that is there, and not its own */
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(new, sizeof new), out),
        PL_TAMPERED);
    new[3] = 3;
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(new, sizeof new), out),
        PL_NOT_FOUND);
    new[3] = 0;
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(new, sizeof new), out),
        PL_TAMPERED);
}

static void tenant__forgotten__opens_nothing_and_the_others_still_do(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    uint8_t a[3 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t b[3 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t out[3];
    struct pl_seal_key key = { .id = { 1 } };
    uint8_t wrapped_key[PL_WRAPPED_KEY_BYTES];
    struct pl_span plain = pl_span_from("abc");
    tenant_add(fixture->chain, &fixture->a, 2, wrapped);
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->a, "f", plain, a), PL_OK);
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->b, "f", plain, b), PL_OK);
    pl_keyring_tenant_forget(fixture->chain, &fixture->a);
    pl_keyring_tenant_forget(fixture->chain, &fixture->a);
    assert_int_equal(ring.ops->field_open(ring.self, &fixture->a, "f", span_of(a, sizeof a), out),
                     PL_NOT_FOUND);
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->a, "f", plain, a), PL_NOT_FOUND);
    assert_int_equal(ring.ops->wrap(ring.self, &fixture->a, "j", "r", &key, wrapped_key),
                     PL_NOT_FOUND);
    assert_int_equal(ring.ops->field_open(ring.self, &fixture->b, "f", span_of(b, sizeof b), out),
                     PL_OK);
}

static void tenant__many__are_all_found(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    struct pl_id ids[200];
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    uint8_t sealed[200][4 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t out[4];
    for (size_t i = 0; i < 200; i++) {
        struct pl_id_maker maker = { 0 }; /* anew, so that they come in no order */
        assert_int_equal(pl_id_make(&maker, 5000, &ids[i]), PL_OK);
        tenant_add(fixture->chain, &ids[i], 1, wrapped);
        assert_int_equal(
            ring.ops->field_seal(ring.self, &ids[i], "f", span_of(&ids[i], 4), sealed[i]), PL_OK);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(ring.ops->field_open(ring.self, &ids[i], "f",
                                              span_of(sealed[i], sizeof sealed[i]), out),
                         PL_OK);
        assert_memory_equal(out, &ids[i], 4);
    }
}

/* --- data keys, fields, names ------------------------------------------------------------ */

static void wrap__other_tenant_job_role_or_bytes__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    struct pl_seal_key key;
    struct pl_seal_key out;
    uint8_t wrapped[PL_WRAPPED_KEY_BYTES];
    struct pl_span span = span_of(wrapped, sizeof wrapped);
    assert_int_equal(pl_seal_key_make(&key), PL_OK);
    assert_int_equal(ring.ops->wrap(ring.self, &fixture->a, "job", "original", &key, wrapped),
                     PL_OK);
    memset(&out, 0xA5, sizeof out);
    const struct pl_seal_key untouched = out;
    const struct {
        const struct pl_id *tenant;
        const char *job;
        const char *role;
    } others[] = { { &fixture->b, "job", "original" },
                   { &fixture->a, "jo", "boriginal" },
                   { &fixture->a, "job2", "original" },
                   { &fixture->a, "job", "result" } };
    for (size_t i = 0; i < PL_COUNT_OF(others); i++)
        assert_int_equal(ring.ops->unwrap(ring.self, others[i].tenant, others[i].job,
                                          others[i].role, span, &out),
                         PL_TAMPERED);
    for (size_t size = 0; size < sizeof wrapped; size++)
        assert_int_equal(ring.ops->unwrap(ring.self, &fixture->a, "job", "original",
                                          span_of(wrapped, size), &out),
                         PL_TAMPERED);
    for (size_t bit = 0; bit < sizeof wrapped * 8; bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        pl_status status = ring.ops->unwrap(ring.self, &fixture->a, "job", "original", span, &out);
        /* A version that does not exist cannot be told from one that was erased. */
        assert_true(status == PL_TAMPERED || (bit < 32 && status == PL_NOT_FOUND));
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(&out, &untouched, sizeof out);
    assert_int_equal(ring.ops->unwrap(ring.self, &fixture->a, "job", "original", span, &out),
                     PL_OK);
    assert_memory_equal(&out, &key, sizeof key);
}

static void field__other_tenant_field_or_bytes__is_refused_and_wiped(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    const char *secret = "scan of a passport.tif";
    size_t size = strlen(secret);
    uint8_t sealed[64 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t out[64];
    struct pl_span span = span_of(sealed, size + PL_SEALED_FIELD_OVERHEAD);
    assert_int_equal(
        ring.ops->field_seal(ring.self, &fixture->a, "job.name/1", pl_span_from(secret), sealed),
        PL_OK);
    assert_null(memmem(sealed, span.size, "passport", 8));
    memset(out, 0, sizeof out);
    assert_int_equal(ring.ops->field_open(ring.self, &fixture->b, "job.name/1", span, out),
                     PL_TAMPERED);
    assert_int_equal(ring.ops->field_open(ring.self, &fixture->a, "job.name/2", span, out),
                     PL_TAMPERED);
    for (size_t cut = 0; cut < span.size; cut++)
        assert_int_equal(
            ring.ops->field_open(ring.self, &fixture->a, "job.name/1", span_of(sealed, cut), out),
            PL_TAMPERED);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(ring.ops->field_open(ring.self, &fixture->a, "job.name/1", span, out), PL_OK);
    assert_memory_equal(out, secret, size);
}

static void field__empty__is_sealed_like_any_other(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    uint8_t sealed[PL_SEALED_FIELD_OVERHEAD];
    uint8_t out[1] = { 7 };
    assert_int_equal(
        ring.ops->field_seal(ring.self, &fixture->a, "f", (struct pl_span){ NULL, 0 }, sealed),
        PL_OK);
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(sealed, sizeof sealed), out),
        PL_OK);
    assert_int_equal(out[0], 7);
}

static void purposes__box_of_one__opens_as_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    struct pl_seal_key key = { .id = { 0 } };
    uint8_t wrapped[PL_WRAPPED_KEY_BYTES];
    uint8_t as_field[4 + 32 + PL_BOX_OVERHEAD_BYTES];
    uint8_t out[32];
    assert_int_equal(ring.ops->wrap(ring.self, &fixture->a, "", "f", &key, wrapped), PL_OK);
    memcpy(as_field, wrapped, 4);
    memcpy(as_field + 4, wrapped + 4 + PL_SEAL_KEY_ID_BYTES, sizeof as_field - 4);
    assert_int_equal(
        ring.ops->field_open(ring.self, &fixture->a, "f", span_of(as_field, sizeof as_field), out),
        PL_TAMPERED);
}

static void name_hash__same_kind_and_name__is_equal_and_only_then(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    struct pl_keychain *other = NULL;
    uint8_t first[PL_SHA256_BYTES];
    uint8_t second[PL_SHA256_BYTES];
    ring.ops->name_hash(ring.self, "device.login", pl_span_from("mfp-1"), first);
    ring.ops->name_hash(ring.self, "device.login", pl_span_from("mfp-1"), second);
    assert_memory_equal(first, second, sizeof first);
    ring.ops->name_hash(ring.self, "device.login", pl_span_from("mfp-2"), second);
    assert_memory_not_equal(first, second, sizeof first);
    ring.ops->name_hash(ring.self, "user.login", pl_span_from("mfp-1"), second);
    assert_memory_not_equal(first, second, sizeof first);
    ring.ops->name_hash(ring.self, "device.loginm", pl_span_from("fp-1"), second);
    assert_memory_not_equal(first, second, sizeof first);
    write_root(fixture, HEX63 "f\n", 0600);
    assert_int_equal(pl_keyring_load(fixture->root, &other, NULL), PL_OK);
    ring = pl_keyring_of(other);
    ring.ops->name_hash(ring.self, "device.login", pl_span_from("mfp-1"), second);
    assert_memory_not_equal(first, second, sizeof first);
    pl_keyring_free(other);
}

/* --- threads ----------------------------------------------------------------------------- */

struct reader {
    const struct fixture *fixture;
    const uint8_t *sealed;
    unsigned failed;
};

static void *reader_run(void *argument)
{
    struct reader *reader = argument;
    struct pl_keyring ring = reader->fixture->ring;
    uint8_t out[3];
    uint8_t hash[PL_SHA256_BYTES];
    for (int i = 0; i < 300; i++) {
        pl_status status =
            ring.ops->field_open(ring.self, &reader->fixture->a, "f",
                                 span_of(reader->sealed, 3 + PL_SEALED_FIELD_OVERHEAD), out);
        ring.ops->name_hash(ring.self, "k", pl_span_from("n"), hash);
        if (status != PL_OK || memcmp(out, "abc", 3) != 0)
            reader->failed++;
    }
    return NULL;
}

static void threads__read_while_tenants_come_and_go__see_whole_keys(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keyring ring = fixture->ring;
    uint8_t sealed[3 + PL_SEALED_FIELD_OVERHEAD];
    uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES];
    pthread_t threads[2];
    struct reader readers[2];
    assert_int_equal(ring.ops->field_seal(ring.self, &fixture->a, "f", pl_span_from("abc"), sealed),
                     PL_OK);
    for (size_t i = 0; i < 2; i++) {
        readers[i] = (struct reader){ fixture, sealed, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, reader_run, &readers[i]), 0);
    }
    for (size_t i = 0; i < 100; i++) {
        struct pl_id_maker maker = { 0 };
        struct pl_id id;
        assert_int_equal(pl_id_make(&maker, (int64_t)i % 2 * 9000, &id), PL_OK);
        tenant_add(fixture->chain, &id, 1, wrapped);
        if (i % 3 == 0)
            pl_keyring_tenant_forget(fixture->chain, &id);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].failed, 0);
    }
    (void)pl_keyring_is_locked(fixture->chain);
}

static void memory__lock_not_allowed__is_said_and_not_fatal(void **state)
{
    struct fixture *fixture = *state;
    struct pl_keychain *chain = NULL;
    struct rlimit before;
#ifdef PL_SANITIZED
    skip(); /* the sanitizers' mlock does nothing and answers yes */
#endif
    if (geteuid() == 0)
        skip(); /* root may lock whatever the limit says */
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    pl_status status = pl_keyring_load(fixture->root, &chain, NULL);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
    assert_int_equal(status, PL_OK);
    assert_false(pl_keyring_is_locked(chain));
    pl_keyring_free(chain);
}

#define KEYRING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYRING_TEST(root__made__is_64_digits_for_its_owner_alone),
        KEYRING_TEST(root__there_already__is_never_overwritten),
        KEYRING_TEST(root__disk_full__leaves_no_half_key),
        KEYRING_TEST(root__no_folder__is_refused_with_its_name),
        KEYRING_TEST(root__others_may_touch_it__is_refused),
        KEYRING_TEST(root__not_64_digits__is_refused),
        KEYRING_TEST(root__not_a_file__is_refused_without_waiting),
        KEYRING_TEST(tenant__wrapped_key__opens_after_a_restart),
        KEYRING_TEST(tenant__wrong_tenant_version_root_or_bytes__is_refused),
        KEYRING_TEST(tenant__loaded_twice__is_one_and_another_key_a_conflict),
        KEYRING_TEST(tenant__new_version__seals_while_the_old_still_opens),
        KEYRING_TEST(tenant__forgotten__opens_nothing_and_the_others_still_do),
        KEYRING_TEST(tenant__many__are_all_found),
        KEYRING_TEST(wrap__other_tenant_job_role_or_bytes__is_refused),
        KEYRING_TEST(field__other_tenant_field_or_bytes__is_refused_and_wiped),
        KEYRING_TEST(field__empty__is_sealed_like_any_other),
        KEYRING_TEST(purposes__box_of_one__opens_as_no_other),
        KEYRING_TEST(name_hash__same_kind_and_name__is_equal_and_only_then),
        KEYRING_TEST(threads__read_while_tenants_come_and_go__see_whole_keys),
        KEYRING_TEST(memory__lock_not_allowed__is_said_and_not_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
