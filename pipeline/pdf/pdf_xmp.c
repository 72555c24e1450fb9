/* pdf_xmp: XMP (ISO 16684-1) as ISO 19005 wants it (part 1: 6.7, parts 2 and 3: 6.6): UTF-8, and
 * neither `bytes` nor `encoding` in the packet's head.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xmp.h"

#include "pipeline/pdf/pdf_text.h"
#include "pipeline/pdf/pdf_xmp_custom.h"

/* <name>before text after</name>, unless the text is empty. */
static pl_status xmp_element(const char *name, const char *before, const char *text,
                             const char *after, struct pl_bytes *out)
{
    if (text[0] == '\0')
        return PL_OK;
    pl_status status = pl_bytes_format(out, "<%s>%s", name, before);
    if (status == PL_OK)
        status = pl_pdf_text_xml(pl_span_from(text), out);
    return status == PL_OK ? pl_bytes_format(out, "%s</%s>\n", after, name) : status;
}

static pl_status xmp_settings(const struct pl_convert *convert, struct pl_bytes *out)
{
    static const char alt[] = "<rdf:Alt><rdf:li xml:lang=\"x-default\">";
    static const char alt_end[] = "</rdf:li></rdf:Alt>";
    pl_status status = xmp_element("dc:title", alt, convert->title, alt_end, out);
    if (status == PL_OK)
        status = xmp_element("dc:creator", "<rdf:Seq><rdf:li>", convert->author,
                             "</rdf:li></rdf:Seq>", out);
    if (status == PL_OK)
        status = xmp_element("dc:description", alt, convert->subject, alt_end, out);
    if (status == PL_OK)
        status = xmp_element("pdf:Keywords", "", convert->keywords, "", out);
    return status;
}

static pl_status xmp_packet(const struct pl_convert *convert, const struct pl_xmp_custom *custom,
                            struct pl_bytes *out)
{
    unsigned part = pl_format_pdfa_part(convert->to);
    pl_status status = pl_bytes_format(
        out, "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
             "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
             "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
             "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\""
             " xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\""
             " xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n");
    if (status == PL_OK && part != 0)
        status = pl_bytes_format(out,
                                 "<pdfaid:part>%u</pdfaid:part>\n"
                                 "<pdfaid:conformance>B</pdfaid:conformance>\n",
                                 part);
    if (status == PL_OK)
        status = pl_bytes_format(out, "<pdf:Producer>" PL_PDF_PRODUCER "</pdf:Producer>\n"
                                      "<dc:format>application/pdf</dc:format>\n");
    if (status == PL_OK)
        status = xmp_settings(convert, out);
    if (status == PL_OK)
        status = pl_bytes_format(out, "</rdf:Description>\n");
    if (status == PL_OK && custom != NULL)
        status = pl_xmp_custom_append(custom, out);
    if (status == PL_OK)
        status = pl_bytes_format(out, "</rdf:RDF>\n"
                                      "</x:xmpmeta>\n"
                                      "<?xpacket end=\"w\"?>");
    return status;
}

pl_status pl_pdf_xmp_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    struct pl_xmp_custom *custom = NULL;
    if (convert->xmp.size == 0)
        return PL_OK;
    pl_status status = pl_xmp_custom_new(convert, &custom, fault);
    pl_xmp_custom_free(custom);
    return status;
}

pl_status pl_pdf_xmp(const struct pl_convert *convert, struct pl_bytes *out, struct pl_fault *fault)
{
    struct pl_xmp_custom *custom = NULL;
    pl_status status = PL_OK;
    if (convert->xmp.size > 0)
        status = pl_xmp_custom_new(convert, &custom, fault);
    if (status == PL_OK)
        status = xmp_packet(convert, custom, out);
    pl_xmp_custom_free(custom);
    return status;
}
