/* test_pdf_xmp: what may be put into a packet, and what is said of it in PDF/A.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/pdf_xmp.h"
#include "pipeline/pdf/pdf_xmp_rules.h"

#include <stdlib.h>
#include <string.h>

#define DESCRIPTION(attributes, content)                                                           \
    "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\""                \
    " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:ex=\"urn:example&amp;co:\" " attributes     \
    ">" content "</rdf:Description>"

static void packet_expect(enum pl_format to, const char *xmp, const char *expected)
{
    struct pl_convert convert;
    struct pl_bytes out = { 0 };
    struct pl_fault fault = { 0 };
    pl_bytes_init(&out, 1 << 16);
    pl_convert_defaults(&convert, to);
    convert.xmp = pl_span_from(xmp);
    pl_status status = pl_pdf_xmp(&convert, &out, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    if (expected != NULL)
        assert_non_null(memmem(out.data, out.size, expected, strlen(expected)));
    assert_non_null(memmem(out.data, out.size, xmp, strlen(xmp)));
    assert_int_equal(pl_pdf_xmp_check(&convert, &fault), PL_OK);
    pl_bytes_fini(&out);
}

static void packet_refuse(enum pl_format to, const char *xmp, const char *sentence)
{
    struct pl_convert convert;
    struct pl_fault fault = { 0 };
    pl_convert_defaults(&convert, to);
    (void)strcpy(convert.title, "A title");
    convert.xmp = pl_span_from(xmp);
    assert_int_equal(pl_pdf_xmp_check(&convert, &fault), PL_MISCONFIGURED);
    if (strstr(fault.reason, sentence) == NULL)
        print_error("%s\n", fault.reason);
    assert_non_null(strstr(fault.reason, sentence));
}

static void xmp__texts_of_the_settings__escaped(void **state)
{
    (void)state;
    static const char expected[] =
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Tom &amp; &lt;Jerry&gt;</rdf:li>"
        "</rdf:Alt></dc:title>\n"
        "<dc:creator><rdf:Seq><rdf:li>\xc3\xa4</rdf:li></rdf:Seq></dc:creator>\n"
        "<pdf:Keywords>a, b</pdf:Keywords>\n</rdf:Description>";
    struct pl_convert convert;
    struct pl_bytes out = { 0 };
    struct pl_fault fault = { 0 };
    pl_bytes_init(&out, 1 << 16);
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_1B);
    (void)strcpy(convert.title, "Tom & <Jerry>");
    (void)strcpy(convert.author, "\xc3\xa4");
    (void)strcpy(convert.keywords, "a, b");
    assert_int_equal(pl_pdf_xmp(&convert, &out, &fault), PL_OK);
    assert_non_null(memmem(out.data, out.size, expected, strlen(expected)));
    assert_non_null(memmem(out.data, out.size, "<pdfaid:part>1</pdfaid:part>", 28));
    pl_bytes_fini(&out);
}

static void xmp__well_formed_descriptions__taken_as_they_are(void **state)
{
    (void)state;
    packet_expect(PL_FORMAT_PDF, DESCRIPTION("ex:a='1'", "<ex:b>2</ex:b>"), NULL);
    packet_expect(PL_FORMAT_PDF, DESCRIPTION("", "<dc:source><ex:c/></dc:source>"), NULL);
    packet_expect(PL_FORMAT_PDF,
                  DESCRIPTION("", "") "\n<!-- two -->\n" DESCRIPTION("", "<dc:type>x</dc:type>"),
                  NULL);
    packet_expect(
        PL_FORMAT_PDFA_2B,
        DESCRIPTION("xmp:CreateDate='2026-11-22T10:00:00Z'",
                    "<dc:subject><rdf:Bag><rdf:li>a</rdf:li><rdf:li>b</rdf:li></rdf:Bag>"
                    "</dc:subject><dc:rights><rdf:Alt><rdf:li xml:lang='de'>c</rdf:li></rdf:Alt>"
                    "</dc:rights><dc:date><rdf:Seq><rdf:li>2026</rdf:li></rdf:Seq></dc:date>"),
        NULL);
}

static void xmp__unknown_namespace_in_pdfa__described(void **state)
{
    (void)state;
    packet_expect(PL_FORMAT_PDFA_2B,
                  DESCRIPTION("ex:number='17'", "<ex:list><rdf:Seq><rdf:li>a</rdf:li></rdf:Seq>"
                                                "</ex:list><xmp:Nickname>n</xmp:Nickname>"),
                  "<pdfaSchema:schema>ex</pdfaSchema:schema>"
                  "<pdfaSchema:namespaceURI>urn:example&amp;co:</pdfaSchema:namespaceURI>"
                  "<pdfaSchema:prefix>ex</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>\n"
                  "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>number</pdfaProperty:name>"
                  "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
                  "<pdfaProperty:category>external</pdfaProperty:category>"
                  "<pdfaProperty:description>number</pdfaProperty:description></rdf:li>\n"
                  "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>list</pdfaProperty:name>"
                  "<pdfaProperty:valueType>seq Text</pdfaProperty:valueType>");
}

static void xmp__not_well_formed__refused(void **state)
{
    (void)state;
    packet_refuse(PL_FORMAT_PDF, "<rdf:Description>", "line 1 is not well-formed: mismatched tag");
    packet_refuse(PL_FORMAT_PDF, "</rdf:RDF>", "not well-formed");
    packet_refuse(PL_FORMAT_PDF, "</rdf:RDF><rdf:RDF>", "not well-formed");
    packet_refuse(PL_FORMAT_PDF, "<!DOCTYPE x [<!ENTITY a 'b'>]>", "not well-formed");
    packet_refuse(PL_FORMAT_PDF, "<!DOCTYPE x>" DESCRIPTION("", ""), "not well-formed");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<ex:a>&b;</ex:a>"), "undefined entity");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<zz:a/>"), "unbound prefix");
    packet_refuse(PL_FORMAT_PDF, "<?xml version='1.0'?>" DESCRIPTION("", ""), "instruction");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<ex:a><!-- <?xpacket end='w'?> --></ex:a>"),
                  "instruction");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<ex:a>\xff</ex:a>"), "UTF-8");
}

static void xmp__other_than_descriptions__refused(void **state)
{
    (void)state;
    packet_refuse(PL_FORMAT_PDF, "<x xmlns='urn:y'/>", "rdf:Description elements");
    packet_refuse(PL_FORMAT_PDF, "<rdf:RDF/>", "it has a rdf:RDF");
    packet_refuse(PL_FORMAT_PDF, "text", "text outside");
    packet_refuse(PL_FORMAT_PDF, "<rdf:Description rdf:about='uuid:1'/>", "rdf:about");
    packet_refuse(PL_FORMAT_PDF, "<rdf:Description rdf:nodeID='a'/>", "cannot have rdf:nodeID");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<rdf:li/>"), "rdf:li is no property");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<a/>"), "no namespace");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<ex:a/><ex:a/>"), "ex:a stands there twice");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("ex:a=''", "<ex:a/>"), "ex:a stands there twice");
}

static void xmp__what_the_engine_writes__refused(void **state)
{
    (void)state;
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<dc:title>x</dc:title>"), "by title too");
    packet_refuse(PL_FORMAT_PDF, DESCRIPTION("", "<dc:format>x</dc:format>"), "by the engine");
    packet_refuse(PL_FORMAT_PDF,
                  "<rdf:Description xmlns:a='http://www.aiim.org/pdfa/ns/id/' a:part='3'/>",
                  "claims a standard");
    packet_expect(PL_FORMAT_PDF,
                  DESCRIPTION("", "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>x</rdf:li>"
                                  "</rdf:Alt></dc:title>"),
                  NULL);
}

static void xmp__rules_of_pdfa__kept(void **state)
{
    (void)state;
    static const char extension[] = "<rdf:Description rdf:about='' xmlns:ex='urn:e'"
                                    " xmlns:pdfaExtension='" PL_XMP_EXTENSION "'>"
                                    "<pdfaExtension:schemas><rdf:Bag/></pdfaExtension:schemas>"
                                    "<ex:a rdf:parseType='Resource'><ex:b>c</ex:b></ex:a>"
                                    "</rdf:Description>";
    static const enum pl_format to = PL_FORMAT_PDFA_3B;
    packet_refuse(to, DESCRIPTION("", "<dc:subject>x</dc:subject>"), "kind of value");
    packet_refuse(to, DESCRIPTION("", "<dc:subject>x<rdf:Bag/></dc:subject>"), "kind of value");
    packet_refuse(to, DESCRIPTION("", "<dc:subject><rdf:Bag/>x</dc:subject>"), "kind of value");
    packet_refuse(to, DESCRIPTION("", "<dc:subject><rdf:Bag>x</rdf:Bag></dc:subject>"), "kind of");
    packet_refuse(to,
                  DESCRIPTION("", "<dc:rights><rdf:Alt><rdf:li>x</rdf:li></rdf:Alt>"
                                  "</dc:rights>"),
                  "kind of value");
    packet_refuse(to, DESCRIPTION("xmp:CreateDate='yesterday'", ""), "kind of value");
    packet_refuse(to, DESCRIPTION("xmp:Rating='1'", ""), "not among");
    packet_refuse(to, DESCRIPTION("", "<ex:a rdf:parseType='Resource'><ex:b/></ex:a>"),
                  "structure");
    packet_refuse(to, DESCRIPTION("", "<ex:a><ex:b/></ex:a>"), "structure");
    packet_refuse(to, DESCRIPTION("", "<a xmlns='urn:d'>x</a>"), "prefix");
    packet_expect(to, extension, NULL);
}

static void xmp__deep_or_many__refused(void **state)
{
    (void)state;
    struct pl_bytes text = { 0 };
    pl_bytes_init(&text, 1 << 16);
    assert_int_equal(pl_bytes_format(&text, "<rdf:Description xmlns:e='urn:e'>"), PL_OK);
    for (unsigned i = 0; i < 70; i++)
        assert_int_equal(pl_bytes_format(&text, "<e:a>"), PL_OK);
    assert_int_equal(pl_bytes_append(&text, "", 1), PL_OK);
    packet_refuse(PL_FORMAT_PDF, (const char *)text.data, "more than 64 deep");
    pl_bytes_clear(&text);
    assert_int_equal(pl_bytes_format(&text, "<rdf:Description xmlns:e='urn:e'>"), PL_OK);
    for (unsigned i = 0; i < 129; i++)
        assert_int_equal(pl_bytes_format(&text, "<e:a%u/>", i), PL_OK);
    assert_int_equal(pl_bytes_format(&text, "</rdf:Description>"), PL_OK);
    assert_int_equal(pl_bytes_append(&text, "", 1), PL_OK);
    packet_refuse(PL_FORMAT_PDF, (const char *)text.data, "more than 128 properties");
    pl_bytes_clear(&text);
    while (text.size <= PL_XMP_MOST)
        assert_int_equal(pl_bytes_append(&text, "                ", 16), PL_OK);
    assert_int_equal(pl_bytes_append(&text, "", 1), PL_OK);
    packet_refuse(PL_FORMAT_PDF, (const char *)text.data, "the limit is 16384");
    pl_bytes_fini(&text);
}

static void xmp__dates__as_the_standard_writes_them(void **state)
{
    (void)state;
    static const char *const good[] = { "2026",
                                        "2026-11",
                                        "2026-11-22",
                                        "2026-11-22T10:00Z",
                                        "2026-11-22T10:00+01:00",
                                        "2026-11-22T10:00:01Z",
                                        "2026-11-22T10:00:01.25-08:00" };
    static const char *const bad[] = { "",
                                       "26",
                                       "2026-1",
                                       "2026/11",
                                       "2026-11-22T10:00",
                                       "2026-11-22T10:00:01.Z",
                                       "2026-11-22T10:00:01+0100",
                                       "2026-11-22 10:00Z" };
    for (size_t i = 0; i < PL_COUNT_OF(good); i++)
        assert_true(pl_xmp_is_date(pl_span_from(good[i])));
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_false(pl_xmp_is_date(pl_span_from(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xmp__texts_of_the_settings__escaped),
        cmocka_unit_test(xmp__well_formed_descriptions__taken_as_they_are),
        cmocka_unit_test(xmp__unknown_namespace_in_pdfa__described),
        cmocka_unit_test(xmp__not_well_formed__refused),
        cmocka_unit_test(xmp__other_than_descriptions__refused),
        cmocka_unit_test(xmp__what_the_engine_writes__refused),
        cmocka_unit_test(xmp__rules_of_pdfa__kept),
        cmocka_unit_test(xmp__deep_or_many__refused),
        cmocka_unit_test(xmp__dates__as_the_standard_writes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
