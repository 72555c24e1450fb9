/* pdf_xmp: XMP (ISO 16684-1) as ISO 19005-2 section 6.6 wants it: UTF-8, and neither `bytes` nor
 * `encoding` in the packet's head.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xmp.h"

pl_status pl_pdf_xmp(unsigned part, char conformance, struct pl_bytes *out)
{
    return pl_bytes_format(
        out,
        "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
        "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\""
        " xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\""
        " xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n"
        "<pdfaid:part>%u</pdfaid:part>\n"
        "<pdfaid:conformance>%c</pdfaid:conformance>\n"
        "<pdf:Producer>Platen</pdf:Producer>\n"
        "<dc:format>application/pdf</dc:format>\n"
        "</rdf:Description>\n"
        "</rdf:RDF>\n"
        "</x:xmpmeta>\n"
        "<?xpacket end=\"w\"?>",
        part, conformance);
}
