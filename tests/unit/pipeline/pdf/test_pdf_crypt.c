/* test_pdf_crypt: files that qpdf encrypted are opened; wrong passwords and broken dictionaries are
 * told apart.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/cipher.h"
#include "pipeline/pdf/pdf_crypt.h"
#include "tests/unit/pipeline/pdf/crypt_vectors.h"

#include <string.h>

#define DICT_ENTRIES 16
#define DICT_VALUES 32

/* An /Encrypt dictionary as pdf_file.h hands it over. */
struct dict {
    struct pl_pdf_value values[DICT_VALUES];
    size_t value_count;
    struct pl_pdf_entry entries[DICT_ENTRIES];
    struct pl_pdf_entry filters[1];
    struct pl_pdf_entry filter[1];
    uint8_t strings[5][64];
    struct pl_pdf_value root;
};

static struct pl_pdf_value *dict_value(struct dict *dict, enum pl_pdf_kind kind)
{
    assert_true(dict->value_count < DICT_VALUES);
    struct pl_pdf_value *value = &dict->values[dict->value_count++];
    *value = (struct pl_pdf_value){ .kind = kind };
    return value;
}

static void dict_put(struct dict *dict, const char *key, const struct pl_pdf_value *value)
{
    size_t count = dict->root.as.dict.count;
    assert_true(count < DICT_ENTRIES);
    dict->entries[count] = (struct pl_pdf_entry){ pl_span_from(key), value };
    dict->root.as.dict.count++;
}

static void dict_integer(struct dict *dict, const char *key, int64_t number)
{
    struct pl_pdf_value *value = dict_value(dict, PL_PDF_INT);
    value->as.integer = number;
    dict_put(dict, key, value);
}

static const struct pl_pdf_value *dict_name(struct dict *dict, const char *name)
{
    struct pl_pdf_value *value = dict_value(dict, PL_PDF_NAME);
    value->as.text = pl_span_from(name);
    return value;
}

static void dict_string(struct dict *dict, const char *key, unsigned n, const char *hex)
{
    if (hex == NULL)
        return;
    struct pl_pdf_value *value = dict_value(dict, PL_PDF_STRING);
    size_t size = strlen(hex) / 2;
    assert_true(size <= sizeof dict->strings[n]);
    assert_true(pl_text_unhex(pl_span_from(hex), dict->strings[n], size));
    value->as.text = (struct pl_span){ (const char *)dict->strings[n], size };
    dict_put(dict, key, value);
}

static struct pl_pdf_value *dict_of(struct dict *dict, struct pl_pdf_entry *entry, const char *key,
                                    const struct pl_pdf_value *value)
{
    *entry = (struct pl_pdf_entry){ pl_span_from(key), value };
    struct pl_pdf_value *made = dict_value(dict, PL_PDF_DICT);
    made->as.dict.entries = entry;
    made->as.dict.count = 1;
    return made;
}

static const struct pl_pdf_value *dict_make(struct dict *dict, const struct crypt_vector *vector)
{
    *dict = (struct dict){ .root = { .kind = PL_PDF_DICT } };
    dict->root.as.dict.entries = dict->entries;
    dict_put(dict, "Filter", dict_name(dict, "Standard"));
    dict_integer(dict, "V", vector->version);
    dict_integer(dict, "R", vector->revision);
    dict_integer(dict, "P", vector->permissions);
    if (vector->length != 0)
        dict_integer(dict, "Length", vector->length);
    struct pl_pdf_value *metadata = dict_value(dict, PL_PDF_BOOL);
    metadata->as.boolean = vector->metadata;
    dict_put(dict, "EncryptMetadata", metadata);
    dict_string(dict, "O", 0, vector->o);
    dict_string(dict, "U", 1, vector->u);
    dict_string(dict, "OE", 2, vector->oe);
    dict_string(dict, "UE", 3, vector->ue);
    dict_string(dict, "Perms", 4, vector->perms);
    if (vector->method != NULL) {
        const struct pl_pdf_value *method = dict_name(dict, vector->method);
        const struct pl_pdf_value *filter = dict_of(dict, dict->filter, "CFM", method);
        dict_put(dict, "CF", dict_of(dict, dict->filters, "StdCF", filter));
        dict_put(dict, "StmF", dict_name(dict, "StdCF"));
        dict_put(dict, "StrF", dict_name(dict, "StdCF"));
    }
    return &dict->root;
}

/* Another value under a key that is there. */
static void dict_change(struct dict *dict, const char *key, const struct pl_pdf_value *value)
{
    for (size_t i = 0; i < dict->root.as.dict.count; i++) {
        if (pl_span_equals(dict->entries[i].key, key)) {
            dict->entries[i].value = value;
            return;
        }
    }
    fail();
}

static struct pl_span document_id(void)
{
    static const char id[] = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    return (struct pl_span){ id, 16 };
}

static pl_status vector_open(const struct crypt_vector *vector, const char *password,
                             struct pl_pdf_crypt *crypt)
{
    struct dict dict;
    struct pl_fault fault = { 0 };
    pl_status status =
        pl_pdf_crypt_open(dict_make(&dict, vector), document_id(), password, crypt, &fault);
    assert_int_equal(fault.status, status);
    return status;
}

static void check_key(const struct crypt_vector *vector, const struct pl_pdf_crypt *crypt)
{
    char hex[65];
    assert_int_equal(crypt->key_size, strlen(vector->key) / 2);
    assert_string_equal(pl_text_hex(crypt->key, crypt->key_size, hex), vector->key);
    assert_int_equal(crypt->metadata, vector->metadata);
}

static void pdf_crypt__every_revision__both_passwords_give_the_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(crypt_vectors); i++) {
        const struct crypt_vector *vector = &crypt_vectors[i];
        struct pl_pdf_crypt crypt;
        assert_int_equal(vector_open(vector, vector->user, &crypt), PL_OK);
        check_key(vector, &crypt);
        assert_int_equal(vector_open(vector, vector->owner, &crypt), PL_OK);
        check_key(vector, &crypt);
    }
}

static void pdf_crypt__wrong_password__denied_unless_none_is_needed(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(crypt_vectors); i++) {
        const struct crypt_vector *vector = &crypt_vectors[i];
        struct pl_pdf_crypt crypt;
        pl_status expected = vector->user[0] == '\0' ? PL_OK : PL_DENIED;
        assert_int_equal(vector_open(vector, "wrong", &crypt), expected);
        assert_int_equal(vector_open(vector, "", &crypt), expected);
        assert_int_equal(vector_open(vector, NULL, &crypt), expected);
        if (expected == PL_OK)
            check_key(vector, &crypt);
    }
}

static void check_text(const struct pl_pdf_crypt *crypt, enum pl_pdf_cipher cipher, uint32_t object,
                       const char *hex, const char *expected)
{
    uint8_t data[128];
    size_t size = strlen(hex) / 2;
    assert_true(pl_text_unhex(pl_span_from(hex), data, size));
    const struct pl_pdf_ref ref = { object, 0 };
    assert_int_equal(pl_pdf_crypt_decrypt(crypt, cipher, ref, data, &size), PL_OK);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(data, expected, size);
}

static void pdf_crypt__every_revision__strings_and_streams_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(crypt_vectors); i++) {
        const struct crypt_vector *vector = &crypt_vectors[i];
        struct pl_pdf_crypt crypt;
        assert_int_equal(vector_open(vector, vector->user, &crypt), PL_OK);
        check_text(&crypt, crypt.strings, vector->title_object, vector->title, CRYPT_TITLE);
        check_text(&crypt, crypt.streams, vector->content_object, vector->content, CRYPT_CONTENT);
    }
}

static void pdf_crypt__identity_filter__nothing_is_decrypted(void **state)
{
    (void)state;
    struct dict dict;
    struct pl_pdf_crypt crypt;
    struct pl_fault fault = { 0 };
    const struct crypt_vector *vector = &crypt_vectors[PL_COUNT_OF(crypt_vectors) - 1];
    const struct pl_pdf_value *encrypt = dict_make(&dict, vector);
    dict_change(&dict, "StmF", dict_name(&dict, "Identity"));
    assert_int_equal(pl_pdf_crypt_open(encrypt, document_id(), vector->user, &crypt, &fault),
                     PL_OK);
    assert_int_equal(crypt.streams, PL_PDF_CIPHER_NONE);
    assert_int_equal(crypt.strings, PL_PDF_CIPHER_AES_256);
    uint8_t data[] = "as it is";
    size_t size = sizeof data;
    const struct pl_pdf_ref ref = { 1, 0 };
    assert_int_equal(pl_pdf_crypt_decrypt(&crypt, crypt.streams, ref, data, &size), PL_OK);
    assert_int_equal(size, sizeof data);
    assert_string_equal((char *)data, "as it is");
}

static void pdf_crypt__aes_data_of_odd_sizes__refused_or_trimmed(void **state)
{
    (void)state;
    const struct crypt_vector *vector = &crypt_vectors[PL_COUNT_OF(crypt_vectors) - 1];
    const struct pl_pdf_ref ref = { 1, 0 };
    struct pl_pdf_crypt crypt;
    uint8_t data[130];
    size_t size = strlen(vector->content) / 2;
    assert_int_equal(vector_open(vector, vector->user, &crypt), PL_OK);
    assert_true(pl_text_unhex(pl_span_from(vector->content), data, size));
    data[size] = '\r';
    data[size + 1] = '\n';
    size += 2;
    assert_int_equal(pl_pdf_crypt_decrypt(&crypt, crypt.streams, ref, data, &size), PL_OK);
    assert_int_equal(size, strlen(CRYPT_CONTENT));
    size = 37;
    assert_int_equal(pl_pdf_crypt_decrypt(&crypt, crypt.streams, ref, data, &size),
                     PL_BAD_DOCUMENT);
    size = 16;
    assert_int_equal(pl_pdf_crypt_decrypt(&crypt, crypt.streams, ref, data, &size), PL_OK);
    assert_int_equal(size, 0);
    assert_int_equal(pl_pdf_crypt_decrypt(&crypt, crypt.streams, ref, data, &size), PL_OK);
    assert_int_equal(size, 0);
}

static void expect_refusal(struct dict *dict, pl_status expected, const char *sentence)
{
    struct pl_pdf_crypt crypt;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_pdf_crypt_open(&dict->root, document_id(), "user", &crypt, &fault),
                     expected);
    assert_non_null(strstr(fault.reason, sentence));
}

static void pdf_crypt__what_is_not_supported__is_named(void **state)
{
    (void)state;
    struct dict dict;
    const struct crypt_vector *vector = &crypt_vectors[PL_COUNT_OF(crypt_vectors) - 2];
    (void)dict_make(&dict, vector);
    dict_change(&dict, "Filter", dict_name(&dict, "Adobe.PubSec"));
    expect_refusal(&dict, PL_UNSUPPORTED, "security handler Adobe.PubSec");
    (void)dict_make(&dict, vector);
    dict_change(&dict, "R", dict_name(&dict, "six"));
    expect_refusal(&dict, PL_UNSUPPORTED, "version 5, revision 0");
    (void)dict_make(&dict, vector);
    dict.filter[0].value = dict_name(&dict, "None");
    expect_refusal(&dict, PL_UNSUPPORTED, "crypt filter method None");
    (void)dict_make(&dict, vector);
    dict.filter[0].value = dict_name(&dict, "AESV2");
    expect_refusal(&dict, PL_BAD_DOCUMENT, "crypt filter");
    (void)dict_make(&dict, vector);
    dict_change(&dict, "StmF", dict_name(&dict, "Missing"));
    expect_refusal(&dict, PL_BAD_DOCUMENT, "crypt filter");
    (void)dict_make(&dict, vector);
    dict_change(&dict, "OE", dict_name(&dict, "x"));
    expect_refusal(&dict, PL_BAD_DOCUMENT, "OE");
    (void)dict_make(&dict, &crypt_vectors[2]);
    dict_integer(&dict, "Length", 44); /* the last of equal keys counts */
    expect_refusal(&dict, PL_BAD_DOCUMENT, "Length");
    (void)dict_make(&dict, &crypt_vectors[2]);
    dict_change(&dict, "U", dict_name(&dict, "x"));
    expect_refusal(&dict, PL_BAD_DOCUMENT, "U");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_crypt__every_revision__both_passwords_give_the_key),
        cmocka_unit_test(pdf_crypt__wrong_password__denied_unless_none_is_needed),
        cmocka_unit_test(pdf_crypt__every_revision__strings_and_streams_are_read),
        cmocka_unit_test(pdf_crypt__identity_filter__nothing_is_decrypted),
        cmocka_unit_test(pdf_crypt__aes_data_of_odd_sizes__refused_or_trimmed),
        cmocka_unit_test(pdf_crypt__what_is_not_supported__is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
