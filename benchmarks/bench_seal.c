/* bench_seal: how fast one core seals and opens PLT1 chunks, beside the bare cipher and memcpy.
 *
 * The rows are run in turn in each of five rounds, over the same buffers, so that a busy machine
 * slows them alike; the medians of CPU time are printed as one JSON line. The commit comes from the
 * environment (PLATEN_COMMIT).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/bytes.h"
#include "engine/base/digest.h"
#include "engine/base/seal.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define CHUNKS 16 /* 1 MiB: what a core keeps near */
#define PASSES 256
#define SEALED_CHUNK (PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)

struct bench {
    uint8_t *plain;
    uint8_t *sealed;
    uint8_t *out;
    struct pl_seal_key key;
    uint8_t ctx[PL_SEAL_CONTEXT_BYTES];
    uint8_t header[PL_SEAL_HEADER_BYTES];
};

typedef void bench_fn(struct bench *bench);

/* CPU time: what a core does, whoever else wants it meanwhile. */
static double now_s(void)
{
    struct timespec now;
    PL_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_seal(struct bench *bench)
{
    struct pl_sealer *sealer = NULL;
    PL_CHECK(pl_sealer_new(&bench->key, bench->ctx, &sealer) == PL_OK);
    memcpy(bench->header, pl_sealer_header(sealer), sizeof bench->header);
    for (size_t i = 0; i < (size_t)CHUNKS * PASSES; i++) {
        size_t at = i % CHUNKS;
        PL_CHECK(pl_sealer_chunk(sealer, bench->plain + at * PL_SEAL_CHUNK_BYTES,
                                 PL_SEAL_CHUNK_BYTES, false,
                                 bench->sealed + at * SEALED_CHUNK) == PL_OK);
    }
    pl_sealer_free(sealer);
}

/* Opens what run_seal left: the chunks of its last pass. */
static void run_open(struct bench *bench)
{
    struct pl_opener *opener = NULL;
    PL_CHECK(pl_opener_new(bench->header, &bench->key, bench->ctx, &opener) == PL_OK);
    for (size_t i = 0; i < (size_t)CHUNKS * PASSES; i++) {
        size_t at = i % CHUNKS;
        PL_CHECK(pl_opener_chunk(opener, (uint64_t)CHUNKS * (PASSES - 1) + at,
                                 bench->sealed + at * SEALED_CHUNK, SEALED_CHUNK, false,
                                 bench->out + at * PL_SEAL_CHUNK_BYTES) == PL_OK);
    }
    pl_opener_free(opener);
}

static void cipher_chunk(EVP_CIPHER_CTX *context, uint64_t index, const uint8_t *plain,
                         uint8_t *out)
{
    uint8_t nonce[12] = { 0 };
    uint8_t tag[PL_SEAL_TAG_BYTES];
    int moved = 0;
    pl_put_u64be(nonce, index);
    PL_CHECK(EVP_EncryptInit_ex2(context, NULL, NULL, nonce, NULL) == 1 &&
             EVP_EncryptUpdate(context, out, &moved, plain, (int)PL_SEAL_CHUNK_BYTES) == 1 &&
             EVP_EncryptFinal_ex(context, out, &moved) == 1 &&
             EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)sizeof tag, tag) == 1);
}

static void run_cipher(struct bench *bench)
{
    EVP_CIPHER *algorithm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    PL_CHECK(algorithm != NULL && context != NULL);
    PL_CHECK(EVP_EncryptInit_ex2(context, algorithm, bench->key.secret, NULL, NULL) == 1);
    for (size_t i = 0; i < (size_t)CHUNKS * PASSES; i++) {
        size_t at = i % CHUNKS * PL_SEAL_CHUNK_BYTES;
        cipher_chunk(context, i, bench->plain + at, bench->out + at);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(algorithm);
}

static void run_memcpy(struct bench *bench)
{
    for (size_t i = 0; i < (size_t)CHUNKS * PASSES; i++) {
        size_t at = i % CHUNKS * PL_SEAL_CHUNK_BYTES;
        memcpy(bench->out + at, bench->plain + at, PL_SEAL_CHUNK_BYTES);
        __asm__ volatile("" ::: "memory"); /* each copy counts */
    }
}

/* What a document of one small chunk costs: keys, header, one chunk, both ways. */
static void run_small(struct bench *bench)
{
    for (size_t i = 0; i < 1000; i++) {
        struct pl_sealer *sealer = NULL;
        struct pl_opener *opener = NULL;
        PL_CHECK(pl_sealer_new(&bench->key, bench->ctx, &sealer) == PL_OK);
        PL_CHECK(pl_sealer_chunk(sealer, bench->plain, 100, true, bench->out) == PL_OK);
        PL_CHECK(pl_opener_new(pl_sealer_header(sealer), &bench->key, bench->ctx, &opener) ==
                 PL_OK);
        PL_CHECK(pl_opener_chunk(opener, 0, bench->out, 100 + PL_SEAL_TAG_BYTES, true,
                                 bench->out) == PL_OK);
        pl_opener_free(opener);
        pl_sealer_free(sealer);
    }
}

static int double_order(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double seconds[ROUNDS])
{
    qsort(seconds, ROUNDS, sizeof seconds[0], double_order);
    return seconds[ROUNDS / 2];
}

static void print_machine(void)
{
    char line[256];
    char name[128] = "unknown";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "model name : %127[^\n\"\\]", name) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    (void)printf("\"machine\":\"%s\",", name);
}

int main(void)
{
    static bench_fn *const rows[] = { run_seal, run_open, run_cipher, run_memcpy, run_small };
    struct bench bench = { .plain = malloc(CHUNKS * PL_SEAL_CHUNK_BYTES),
                           .sealed = malloc(CHUNKS * SEALED_CHUNK),
                           .out = malloc(CHUNKS * PL_SEAL_CHUNK_BYTES) };
    double seconds[PL_COUNT_OF(rows)][ROUNDS];
    PL_CHECK(bench.plain != NULL && bench.sealed != NULL && bench.out != NULL);
    PL_CHECK(pl_seal_key_make(&bench.key) == PL_OK);
    pl_seal_context("tenant", "job", "original", bench.ctx);
    memset(bench.plain, 0x5A, CHUNKS * PL_SEAL_CHUNK_BYTES);
    memset(bench.out, 0, CHUNKS * PL_SEAL_CHUNK_BYTES);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
            double start = now_s();
            rows[i](&bench);
            seconds[i][round] = now_s() - start;
        }
    }
    const double gigabytes = (double)CHUNKS * PASSES * (double)PL_SEAL_CHUNK_BYTES / 1e9;
    const char *commit = getenv("PLATEN_COMMIT");
    (void)printf("{\"bench\":\"seal\",");
    print_machine();
    (void)printf("\"commit\":\"%s\",\"rounds\":%d,\"chunk_bytes\":%zu,\"bytes\":%.0f,"
                 "\"seal_gb_s\":%.2f,\"open_gb_s\":%.2f,\"aes_256_gcm_gb_s\":%.2f,"
                 "\"memcpy_gb_s\":%.2f,\"small_object_us\":%.1f}\n",
                 commit != NULL ? commit : "unknown", ROUNDS, PL_SEAL_CHUNK_BYTES, gigabytes * 1e9,
                 gigabytes / median(seconds[0]), gigabytes / median(seconds[1]),
                 gigabytes / median(seconds[2]), gigabytes / median(seconds[3]),
                 median(seconds[4]) * 1e6 / 1000);
    free(bench.plain);
    free(bench.sealed);
    free(bench.out);
    return EXIT_SUCCESS;
}
