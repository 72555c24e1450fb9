/* pdf_info: four texts and a producer. No dates: the same pages give the same file.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_info.h"

#include "pipeline/pdf/pdf_text.h"
#include "pipeline/pdf/pdf_xmp.h"

#define INFO_COUNT 4

struct info_text {
    const char *setting;
    const char *key;
    const char *text;
};

static void info_texts(const struct pl_convert *convert, struct info_text texts[INFO_COUNT])
{
    texts[0] = (struct info_text){ "title", "Title", convert->title };
    texts[1] = (struct info_text){ "author", "Author", convert->author };
    texts[2] = (struct info_text){ "subject", "Subject", convert->subject };
    texts[3] = (struct info_text){ "keywords", "Keywords", convert->keywords };
}

/* Control characters, and U+FFFE and U+FFFF (XML 1.0 section 2.2). */
static bool info_is_plain(struct pl_span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte < 0x20 || byte == 0x7f)
            return false;
        if (byte == 0xef && i + 2 < text.size && (uint8_t)text.data[i + 1] == 0xbf &&
            (uint8_t)text.data[i + 2] >= 0xbe)
            return false;
    }
    return true;
}

pl_status pl_pdf_info_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    struct info_text texts[INFO_COUNT];
    info_texts(convert, texts);
    for (size_t i = 0; i < INFO_COUNT; i++) {
        struct pl_span text = pl_span_from(texts[i].text);
        if (!pl_text_is_utf8(text))
            return pl_fault_set(fault, PL_MISCONFIGURED, "the %s is not UTF-8", texts[i].setting);
        if (!info_is_plain(text))
            return pl_fault_set(fault, PL_MISCONFIGURED, "the %s has a control character",
                                texts[i].setting);
    }
    return PL_OK;
}

static pl_status info_put(struct pl_pdf_writer *writer, const char *key, const char *text)
{
    struct pl_bytes string = { 0 };
    pl_bytes_init(&string, 2 * PL_META_CHARS + 2);
    pl_status status = pl_pdf_text_string(pl_span_from(text), &string);
    if (status == PL_OK) {
        pl_pdf_format(writer, "/%s", key);
        pl_pdf_string(writer, (struct pl_span){ (const char *)string.data, string.size });
    }
    pl_bytes_fini(&string);
    return status;
}

pl_status pl_pdf_info_write(const struct pl_convert *convert, struct pl_pdf_writer *writer,
                            uint32_t *number)
{
    struct info_text texts[INFO_COUNT];
    pl_status status = PL_OK;
    *number = 0;
    info_texts(convert, texts);
    for (size_t i = 0; i < INFO_COUNT && status == PL_OK; i++) {
        if (texts[i].text[0] == '\0')
            continue;
        if (*number == 0) {
            *number = pl_pdf_reserve(writer);
            pl_pdf_begin(writer, *number);
            pl_pdf_format(writer, "<<");
        }
        status = info_put(writer, texts[i].key, texts[i].text);
    }
    if (status != PL_OK || *number == 0)
        return status;
    status = info_put(writer, "Producer", PL_PDF_PRODUCER);
    pl_pdf_format(writer, ">>");
    pl_pdf_end(writer);
    return status == PL_OK ? pl_pdf_status(writer) : status;
}
