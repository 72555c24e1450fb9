/* sniff: tells kinds of documents apart by their first bytes, and says what a refused one is.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"

#include <inttypes.h>
#include <string.h>

#define SNIFF_BYTES 1024
#define SNIFF_TAKES "pipelines here take PDF, TIFF, JPEG, PNG and PostScript"

/* A kind that is known by bytes at a place. The first row that fits wins. */
struct kind {
    uint16_t at;
    uint16_t size;
    const char *bytes;
    const char *name;
};

#define KIND(at, bytes, name)                                                                      \
    {                                                                                              \
        at, sizeof(bytes) - 1, bytes, name                                                         \
    }

static const struct kind kinds[] = {
    KIND(0, "GIF8", "a GIF picture"),
    KIND(0, "BM", "a Windows bitmap"),
    KIND(8, "WEBP", "a WebP picture"),
    KIND(4, "ftypheic", "a HEIC picture"),
    KIND(4, "ftypheix", "a HEIC picture"),
    KIND(4, "ftypmif1", "a HEIF picture"),
    KIND(4, "ftypavif", "an AVIF picture"),
    KIND(4, "ftyp", "a video or another ISO media file"),
    KIND(0, "\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    KIND(0, "\xff\x4f\xff\x51", "a JPEG 2000 code stream"),
    KIND(0, "\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    KIND(0, "\xff\x0a", "a JPEG XL picture"),
    KIND(0, "\x97JB2\r\n\x1a\n", "a JBIG2 file"),
    KIND(0, "8BPS", "a Photoshop document"),
    KIND(0, "AT&TFORM", "a DjVu document"),
    KIND(0, "EP*\0", "a Microsoft Document Imaging file"),
    KIND(0, "\x0a\x05\x01", "a PCX picture"),
    KIND(0, "II\xbc\x01", "a JPEG XR picture"),
    KIND(0, "\x1b%-12345X", "a print job"),
    KIND(0,
         "\x1b"
         "E",
         "a PCL print job"),
    KIND(0, ") HP-PCL XL", "a PCL XL print job"),
    KIND(0, "UNIRAST", "an AirPrint raster"),
    KIND(0, "RaS2", "a PWG raster"),
    KIND(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document"),
    KIND(0, "{\\rtf", "an RTF document"),
    KIND(0, "\x1f\x8b", "gzip-compressed data"),
    KIND(0, "BZh", "bzip2-compressed data"),
    KIND(0,
         "\xfd"
         "7zXZ",
         "xz-compressed data"),
    KIND(0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    KIND(0, "Rar!\x1a\x07", "a RAR archive"),
    KIND(257, "ustar", "a tar archive"),
    KIND(0, "MZ", "a Windows program"),
    KIND(0,
         "\x7f"
         "ELF",
         "a program"),
    KIND(0, "<?xml", "an XML document"),
    KIND(0, "<!DOCTYPE html", "an HTML page"),
    KIND(0, "<html", "an HTML page"),
};

/* What a ZIP archive is inside, by the names in its first bytes. */
static const char *zip_name(const uint8_t *data, size_t size)
{
    static const struct {
        const char *mark;
        const char *name;
    } marks[] = {
        { "mimetypeapplication/vnd.oasis.opendocument", "an OpenDocument file" },
        { "mimetypeapplication/epub", "an EPUB book" },
        { "FixedDocSeq", "an XPS document" },
        { "Documents/1/", "an XPS document" },
        { "word/", "a Word document" },
        { "xl/", "an Excel workbook" },
        { "ppt/", "a PowerPoint presentation" },
        { "[Content_Types].xml", "an Office or XPS document" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(marks); i++)
        if (memmem(data, size, marks[i].mark, strlen(marks[i].mark)) != NULL)
            return marks[i].name;
    return "a ZIP archive";
}

static bool all_bytes_are(const uint8_t *data, size_t size, uint8_t byte)
{
    return size > 0 && data[0] == byte && memcmp(data, data + 1, size - 1) == 0;
}

static bool looks_like_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((data[i] < 0x20 && data[i] != '\n' && data[i] != '\r' && data[i] != '\t' &&
             data[i] != '\f') ||
            data[i] == 0x7f)
            return false;
    return true;
}

static const char *kind_name(const uint8_t *data, size_t size)
{
    if (size >= 4 && memcmp(data, "PK\3\4", 4) == 0)
        return zip_name(data, size);
    for (size_t i = 0; i < PL_COUNT_OF(kinds); i++) {
        const struct kind *kind = &kinds[i];
        if (size >= (size_t)kind->at + kind->size &&
            memcmp(data + kind->at, kind->bytes, kind->size) == 0)
            return kind->name;
    }
    return looks_like_text(data, size) ? "text" : NULL;
}

/* No reader of ours takes it: say why. */
static pl_status sniff_refuse(const struct pl_source *source, const uint8_t *data, size_t size,
                              struct pl_fault *fault)
{
    if (size < 8)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "the file has only %" PRIu64 " bytes: no document is that small",
                            source->size);
    const char *name = kind_name(data, size);
    if (name != NULL)
        return pl_fault_set(fault, PL_UNSUPPORTED, "this is %s; %s", name, SNIFF_TAKES);
    if (all_bytes_are(data, size, 0))
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "the file begins with %zu zero bytes: its content was lost before it "
                            "came here",
                            size);
    return pl_fault_set(fault, PL_UNSUPPORTED,
                        "this is no kind of document that is known here (it begins with %02x %02x "
                        "%02x %02x); %s",
                        data[0], data[1], data[2], data[3], SNIFF_TAKES);
}

static bool is_tiff(const uint8_t *data, size_t size)
{
    return size >= 4 && (memcmp(data, "II*\0", 4) == 0 || memcmp(data, "MM\0*", 4) == 0 ||
                         memcmp(data, "II+\0", 4) == 0 || memcmp(data, "MM\0+", 4) == 0);
}

static bool starts_with(const uint8_t *data, size_t size, const char *bytes)
{
    size_t length = strlen(bytes);
    return size >= length && memcmp(data, bytes, length) == 0;
}

/* PostScript, EPS with a preview for DOS, and either behind the words of a print job. */
static bool is_ps(const uint8_t *data, size_t size)
{
    if (starts_with(data, size, "\xc5\xd0\xd3\xc6"))
        return true;
    if (starts_with(data, size, "\x1b%-12345X"))
        return memmem(data, size, "%!PS", 4) != NULL;
    size_t skip = 0;
    while (skip < size && (data[skip] == 4 || data[skip] == ' ' || data[skip] == '\r' ||
                           data[skip] == '\n' || data[skip] == '\t'))
        skip++;
    return starts_with(data + skip, size - skip, "%!");
}

/* Anywhere in the first 1,024 bytes, as every reader has it; but not what an archive begins with.
 */
static bool is_pdf(const uint8_t *data, size_t size)
{
    return !starts_with(data, size, "PK\3\4") && memmem(data, size, "%PDF-", 5) != NULL;
}

pl_status pl_sniff(struct pl_source *source, const struct pl_reader_ops **out,
                   struct pl_fault *fault)
{
    uint8_t data[SNIFF_BYTES];
    size_t size = source->size < sizeof data ? (size_t)source->size : sizeof data;
    if (size == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the file is empty");
    pl_status status = pl_source_read(source, 0, data, size);
    if (status != PL_OK)
        return status;
    if (is_tiff(data, size))
        *out = &pl_tiff_reader;
    else if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        *out = &pl_jpeg_reader;
    else if (size >= 4 &&
             memcmp(data, "\x89PNG", 4) == 0) /* the reader says what became of the rest */
        *out = &pl_png_reader;
    else if (is_ps(data, size))
        *out = &pl_ps_reader;
    else if (is_pdf(data, size))
        *out = &pl_pdf_reader;
    else
        return sniff_refuse(source, data, size, fault);
    return PL_OK;
}
