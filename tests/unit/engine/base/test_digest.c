/* test_digest: SHA-256, HMAC and HKDF against the vectors of their standards.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/digest.h"

#include <string.h>

static void expect_hex(const void *data, size_t size, const char *hex)
{
    char text[256];
    assert_true(size * 2 < sizeof text);
    assert_string_equal(pl_text_hex(data, size, text), hex);
}

static void sha256__fips_180_4_examples__match(void **state)
{
    (void)state;
    uint8_t out[PL_SHA256_BYTES];
    pl_sha256_of("abc", 3, out);
    expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pl_sha256_of(NULL, 0, out);
    expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    pl_sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
    expect_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256__fed_in_pieces__equals_the_whole_and_starts_anew(void **state)
{
    (void)state;
    struct pl_sha256 *hash = NULL;
    uint8_t whole[PL_SHA256_BYTES];
    uint8_t pieces[PL_SHA256_BYTES];
    char data[1000];
    memset(data, 'a', sizeof data);
    pl_sha256_of(data, sizeof data, whole);
    assert_int_equal(pl_sha256_new(&hash), PL_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t at = 0, step = 0; at < sizeof data; at += step) {
            step = at % 67 + 1 < sizeof data - at ? at % 67 + 1 : sizeof data - at;
            pl_sha256_update(hash, data + at, step);
            pl_sha256_update(hash, NULL, 0);
        }
        pl_sha256_final(hash, pieces);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
    pl_sha256_free(hash);
    pl_sha256_free(NULL);
}

static void hmac__rfc_4231_cases__match(void **state)
{
    (void)state;
    uint8_t out[PL_SHA256_BYTES];
    uint8_t key[131];
    memset(key, 0x0b, sizeof key);
    pl_hmac_sha256(key, 20, "Hi There", 8, out);
    expect_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    pl_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    pl_hmac_sha256(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac__empty_key_and_message__is_defined(void **state)
{
    (void)state;
    uint8_t out[PL_SHA256_BYTES];
    pl_hmac_sha256(NULL, 0, NULL, 0, out);
    expect_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hkdf__rfc_5869_case_1__matches(void **state)
{
    (void)state;
    uint8_t ikm[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t prk[PL_SHA256_BYTES];
    uint8_t okm[42];
    memset(ikm, 0x0b, sizeof ikm);
    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof info; i++)
        info[i] = (uint8_t)(0xf0 + i);
    pl_hkdf_extract(salt, sizeof salt, ikm, sizeof ikm, prk);
    expect_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    pl_hkdf_expand(prk, info, sizeof info, okm, sizeof okm);
    expect_hex(
        okm, 42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

static void hkdf__rfc_5869_case_2__several_blocks_match(void **state)
{
    (void)state;
    uint8_t ikm[80];
    uint8_t salt[80];
    uint8_t info[80];
    uint8_t prk[PL_SHA256_BYTES];
    uint8_t okm[82];
    for (size_t i = 0; i < 80; i++) {
        ikm[i] = (uint8_t)i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    pl_hkdf_extract(salt, sizeof salt, ikm, sizeof ikm, prk);
    expect_hex(prk, 32, "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244");
    pl_hkdf_expand(prk, info, sizeof info, okm, sizeof okm);
    expect_hex(okm, 82,
               "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
               "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
               "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

static void hkdf__rfc_5869_case_3__no_salt_no_info_matches(void **state)
{
    (void)state;
    uint8_t ikm[22];
    uint8_t prk[PL_SHA256_BYTES];
    uint8_t okm[42];
    memset(ikm, 0x0b, sizeof ikm);
    pl_hkdf_extract(NULL, 0, ikm, sizeof ikm, prk);
    expect_hex(prk, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    pl_hkdf_expand(prk, NULL, 0, okm, sizeof okm);
    expect_hex(
        okm, 42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void wipe__any_bytes__leaves_zeros_and_touches_nothing_else(void **state)
{
    (void)state;
    char data[8] = "secrets";
    pl_wipe(data + 1, 4);
    pl_wipe(NULL, 0);
    assert_memory_equal(data, "s\0\0\0\0ts", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256__fips_180_4_examples__match),
        cmocka_unit_test(sha256__fed_in_pieces__equals_the_whole_and_starts_anew),
        cmocka_unit_test(hmac__rfc_4231_cases__match),
        cmocka_unit_test(hmac__empty_key_and_message__is_defined),
        cmocka_unit_test(hkdf__rfc_5869_case_1__matches),
        cmocka_unit_test(hkdf__rfc_5869_case_2__several_blocks_match),
        cmocka_unit_test(hkdf__rfc_5869_case_3__no_salt_no_info_matches),
        cmocka_unit_test(wipe__any_bytes__leaves_zeros_and_touches_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
