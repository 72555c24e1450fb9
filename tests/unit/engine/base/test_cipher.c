/* test_cipher: MD5, SHA-2, RC4 and AES against the vectors of their standards.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/cipher.h"
#include "engine/base/text.h"

#include <string.h>

static void expect_hex(const void *data, size_t size, const char *hex)
{
    char text[256];
    assert_true(size * 2 < sizeof text);
    assert_string_equal(pl_text_hex(data, size, text), hex);
}

static void unhex(const char *hex, uint8_t *out, size_t size)
{
    assert_true(pl_text_unhex(pl_span_from(hex), out, size));
}

static void md5__rfc_1321_suite__matches_in_pieces(void **state)
{
    (void)state;
    uint8_t out[PL_MD5_BYTES];
    pl_md5_of(NULL, 0, out);
    expect_hex(out, sizeof out, "d41d8cd98f00b204e9800998ecf8427e");
    const struct pl_piece pieces[] = { { "message", 7 }, { NULL, 0 }, { " digest", 7 } };
    pl_md5_of(pieces, PL_COUNT_OF(pieces), out);
    expect_hex(out, sizeof out, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void sha2__fips_180_4_examples__match(void **state)
{
    (void)state;
    const struct pl_piece abc[] = { { "ab", 2 }, { "c", 1 } };
    uint8_t out[64];
    pl_sha2_of(256, abc, 2, out);
    expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pl_sha2_of(384, abc, 2, out);
    expect_hex(out, 48,
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc23"
               "58baeca134c825a7");
    pl_sha2_of(512, abc, 2, out);
    expect_hex(out, 64,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
               "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* RFC 6229, at offset 0. */
static void rc4__rfc_6229_streams__match(void **state)
{
    (void)state;
    uint8_t key[16];
    uint8_t data[32] = { 0 };
    unhex("0102030405060708090a0b0c0d0e0f10", key, sizeof key);
    pl_rc4(key, 5, data, sizeof data);
    expect_hex(data, 32, "b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919");
    memset(data, 0, sizeof data);
    pl_rc4(key, 16, data, sizeof data);
    expect_hex(data, 32, "9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c");
    pl_rc4(key, 16, data, sizeof data);
    expect_hex(data, 4, "00000000");
}

/* NIST SP 800-38A, F.2.1, F.2.5 and F.1.5. */
static void aes__sp_800_38a_examples__both_ways(void **state)
{
    (void)state;
    static const char plain[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
    uint8_t key[32];
    uint8_t iv[PL_AES_BLOCK];
    uint8_t data[32];
    unhex("000102030405060708090a0b0c0d0e0f", iv, sizeof iv);
    unhex("2b7e151628aed2a6abf7158809cf4f3c", key, 16);
    unhex(plain, data, sizeof data);
    assert_int_equal(pl_aes_cbc(true, key, 16, iv, data, sizeof data), PL_OK);
    expect_hex(data, 32, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
    assert_int_equal(pl_aes_cbc(false, key, 16, iv, data, sizeof data), PL_OK);
    expect_hex(data, 32, plain);
    unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key, 32);
    assert_int_equal(pl_aes_cbc(true, key, 32, iv, data, sizeof data), PL_OK);
    expect_hex(data, 32, "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d");
    assert_int_equal(pl_aes_cbc(false, key, 32, iv, data, sizeof data), PL_OK);
    assert_int_equal(pl_aes_block(true, key, data), PL_OK);
    expect_hex(data, 16, "f3eed1bdb5d2a03c064b5a7e3db181f8");
    assert_int_equal(pl_aes_block(false, key, data), PL_OK);
    expect_hex(data, 32, plain);
    assert_int_equal(pl_aes_cbc(true, key, 32, iv, data, 0), PL_OK);
}

static void cipher__warmed__every_algorithm_is_there(void **state)
{
    (void)state;
    assert_int_equal(pl_cipher_warm(), PL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(md5__rfc_1321_suite__matches_in_pieces),
        cmocka_unit_test(sha2__fips_180_4_examples__match),
        cmocka_unit_test(rc4__rfc_6229_streams__match),
        cmocka_unit_test(aes__sp_800_38a_examples__both_ways),
        cmocka_unit_test(cipher__warmed__every_algorithm_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
