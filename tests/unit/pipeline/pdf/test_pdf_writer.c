/* test_pdf_writer: objects as text, and an encrypted file that qpdf opens with its passwords.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/convert_settings.h"
#include "pipeline/pdf/pdf_writer.h"
#include "tests/support/judge.h"
#include "tests/support/memory_out.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t seed[32] = { 1, 2, 3 };

static void string_write(struct pl_pdf_crypt *crypt, struct pl_span bytes, struct memory_out *out)
{
    struct pl_pdf_writer *writer = NULL;
    struct pl_span encrypt = crypt != NULL ? pl_span_from("<<>>") : (struct pl_span){ "", 0 };
    memory_out_init(out, 0);
    assert_int_equal(pl_pdf_writer_new(&out->out, 4, crypt, &writer), PL_OK);
    uint32_t root = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, root);
    pl_pdf_string(writer, bytes);
    pl_pdf_name(writer, bytes);
    pl_pdf_end(writer);
    const struct pl_pdf_ends ends = { .root = root, .encrypt = encrypt };
    assert_int_equal(pl_pdf_writer_finish(writer, &ends), PL_OK);
    pl_pdf_writer_free(writer);
}

static void expect_object(const char *bytes, size_t size, const char *expected)
{
    struct memory_out out;
    string_write(NULL, (struct pl_span){ bytes, size }, &out);
    assert_non_null(memmem(out.bytes.data, out.bytes.size, expected, strlen(expected)));
    pl_bytes_fini(&out.bytes);
}

static void pdf_writer__strings_and_names__escaped(void **state)
{
    (void)state;
    expect_object("plain", 5, "obj\n(plain)/plain\nendobj");
    expect_object("(\\)", 3, "obj\n(\\(\\\\\\))/#28\\#29\nendobj");
    expect_object("a b#", 4, "obj\n(a b#)/a#20b#23\nendobj");
    expect_object("\xfe\xff\0A", 4, "obj\n<feff0041>/#FE#FF#00A\nendobj");
    expect_object("", 0, "obj\n()/\nendobj");
}

/* A page, an Info with a title, a long stream in odd pieces. */
static void document_write(const char *user, const char *owner, unsigned permissions,
                           struct memory_out *out)
{
    struct pl_pdf_crypt crypt;
    struct pl_pdf_writer *writer = NULL;
    struct pl_bytes encrypt = { 0 };
    uint8_t piece[997];
    size_t left = 300001;
    pl_bytes_init(&encrypt, 4096);
    memory_out_init(out, 0);
    assert_int_equal(pl_pdf_crypt_make(user, owner, permissions, seed, &crypt, &encrypt), PL_OK);
    assert_int_equal(pl_pdf_writer_new(&out->out, 7, &crypt, &writer), PL_OK);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(pl_pdf_reserve(writer), i + 1);
    pl_pdf_begin(writer, 4);
    pl_pdf_format(writer, "<<");
    pl_pdf_begin_stream(writer, left);
    memset(piece, ' ', sizeof piece);
    memcpy(piece, "0 0 36 36 re f\n", 15);
    while (left > 0) {
        size_t size = left < sizeof piece ? left : sizeof piece;
        if (size < sizeof piece)
            piece[0] = '%';
        pl_pdf_stream_data(writer, piece, size);
        left -= size;
    }
    pl_pdf_close_stream(writer);
    pl_pdf_begin(writer, 1);
    pl_pdf_format(writer, "<</Type/Catalog/Pages 2 0 R>>");
    pl_pdf_end(writer);
    pl_pdf_begin(writer, 2);
    pl_pdf_format(writer, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
    pl_pdf_end(writer);
    pl_pdf_begin(writer, 3);
    pl_pdf_format(writer, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R"
                          "/Resources<<>>>>");
    pl_pdf_end(writer);
    pl_pdf_begin(writer, 5);
    pl_pdf_format(writer, "<</Title");
    pl_pdf_string(writer, pl_span_from("A secret title"));
    pl_pdf_format(writer, ">>");
    pl_pdf_end(writer);
    const struct pl_pdf_ends ends = { .root = 1,
                                      .info = 5,
                                      .encrypt = { (const char *)encrypt.data, encrypt.size } };
    assert_int_equal(pl_pdf_writer_finish(writer, &ends), PL_OK);
    pl_pdf_writer_free(writer);
    pl_bytes_fini(&encrypt);
}

static void pdf_writer__encrypted__qpdf_and_poppler_open_it(void **state)
{
    (void)state;
    struct memory_out out;
    struct judge judge;
    document_write("us\xc3\xa9r", "owner", PL_PERMIT_PRINT | PL_PERMIT_COPY, &out);
    assert_null(memmem(out.bytes.data, out.bytes.size, "secret", 6));
    assert_null(memmem(out.bytes.data, out.bytes.size, "re f", 4));
    judge_open(&judge, &out.bytes);
    judge_expect(&judge, "qpdf --password=owner --check", "No syntax or stream encoding errors");
    judge_expect(&judge, "qpdf --password=us\xc3\xa9r --check", "R = 6");
    judge_expect(&judge, "qpdf --password=us\xc3\xa9r --show-encryption",
                 "print high resolution: not allowed");
    judge_expect(&judge, "qpdf --password=us\xc3\xa9r --show-encryption",
                 "print low resolution: allowed");
    judge_expect(&judge, "qpdf --password=us\xc3\xa9r --show-encryption",
                 "extract for any purpose: allowed");
    judge_expect(&judge, "qpdf --password=us\xc3\xa9r --show-encryption",
                 "modify document assembly: not allowed");
    judge_expect(&judge, "qpdf --password=owner --show-encryption", "Supplied password is owner");
    judge_expect(&judge, "pdfinfo -upw us\xc3\xa9r", "A secret title");
    judge_expect(&judge, "pdfinfo -opw owner", "A secret title");
    judge_expect(&judge, "mutool info -p us\xc3\xa9r", "Pages: 1");
    judge_refuse(&judge, "qpdf --password=wrong --check");
    judge_refuse(&judge, "qpdf --check");
    judge_close(&judge);
    pl_bytes_fini(&out.bytes);
}

static void pdf_writer__one_password_only__the_other_gives_no_rights(void **state)
{
    (void)state;
    struct memory_out out;
    struct judge judge;
    document_write("user", "", PL_PERMIT_COPY, &out);
    judge_open(&judge, &out.bytes);
    judge_expect(&judge, "qpdf --password=user --show-encryption", "Supplied password is user");
    judge_refuse(&judge, "qpdf --check");
    judge_close(&judge);
    pl_bytes_fini(&out.bytes);
    document_write("", "owner", PL_PERMIT_COPY, &out);
    judge_open(&judge, &out.bytes);
    judge_expect(&judge, "qpdf --show-encryption", "Supplied password is user");
    judge_expect(&judge, "qpdf --password=owner --show-encryption", "Supplied password is owner");
    judge_close(&judge);
    pl_bytes_fini(&out.bytes);
}

static void pdf_writer__encrypted_twice__same_bytes(void **state)
{
    (void)state;
    struct memory_out a;
    struct memory_out b;
    document_write("user", "owner", 0, &a);
    document_write("user", "owner", 0, &b);
    assert_int_equal(a.bytes.size, b.bytes.size);
    assert_memory_equal(a.bytes.data, b.bytes.data, a.bytes.size);
    pl_bytes_fini(&a.bytes);
    pl_bytes_fini(&b.bytes);
}

static void pdf_writer__passwords_that_cannot_be__refused(void **state)
{
    (void)state;
    struct pl_pdf_crypt crypt;
    struct pl_bytes encrypt = { 0 };
    char longer[129];
    memset(longer, 'x', sizeof longer);
    longer[128] = '\0';
    pl_bytes_init(&encrypt, 4096);
    assert_int_equal(pl_pdf_crypt_make(longer, "", 0, seed, &crypt, &encrypt), PL_BAD_REQUEST);
    assert_int_equal(pl_pdf_crypt_make("", "\xff", 0, seed, &crypt, &encrypt), PL_BAD_REQUEST);
    longer[127] = '\0';
    assert_int_equal(pl_pdf_crypt_make(longer, "", 0, seed, &crypt, &encrypt), PL_OK);
    pl_bytes_fini(&encrypt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_writer__strings_and_names__escaped),
        cmocka_unit_test(pdf_writer__encrypted__qpdf_and_poppler_open_it),
        cmocka_unit_test(pdf_writer__one_password_only__the_other_gives_no_rights),
        cmocka_unit_test(pdf_writer__encrypted_twice__same_bytes),
        cmocka_unit_test(pdf_writer__passwords_that_cannot_be__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
