/* pdf_hints: least values in the heads, differences in as many bits as the greatest needs.
 *
 * As other writers do, and as readers expect (implementation note 127 of the PDF reference 1.7):
 * the content of a page begins where the page begins and is as long as it; a shared object is a
 * group by itself; positions within pages are told with no bits.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_hints.h"

struct hint_bits {
    struct pl_bytes *out;
    uint8_t byte;
    unsigned used;
    pl_status status; /* the first failure sticks */
};

static void bits_put(struct hint_bits *bits, uint64_t value, unsigned width)
{
    while (width-- > 0 && bits->status == PL_OK) {
        bits->byte = (uint8_t)((unsigned)bits->byte << 1 | (unsigned)(value >> width & 1));
        if (++bits->used == 8) {
            bits->status = pl_bytes_append(bits->out, &bits->byte, 1);
            bits->used = 0;
        }
    }
}

/* Each item of a table begins with a byte. */
static void bits_align(struct hint_bits *bits)
{
    while (bits->used != 0)
        bits_put(bits, 0, 1);
}

static void bits_u16(struct hint_bits *bits, uint32_t value)
{
    bits_put(bits, value, 16);
}

static void bits_u32(struct hint_bits *bits, uint64_t value)
{
    if (value > UINT32_MAX && bits->status == PL_OK)
        bits->status = PL_TOO_LARGE;
    bits_put(bits, value, 32);
}

static unsigned width_of(uint64_t greatest)
{
    unsigned width = 0;
    for (; greatest > 0; greatest >>= 1)
        width++;
    return width;
}

/* Least value, and the bits that the greatest difference from it takes. */
struct hint_range {
    uint64_t least;
    uint64_t greatest;
};

static void range_add(struct hint_range *range, uint64_t value)
{
    range->least = value < range->least ? value : range->least;
    range->greatest = value > range->greatest ? value : range->greatest;
}

static unsigned range_width(const struct hint_range *range)
{
    return width_of(range->greatest - range->least);
}

/* F.4.1, table F.3 and F.4. */
static void hints_pages(const struct pl_pdf_hints *hints, struct hint_bits *bits)
{
    struct hint_range objects = { UINT64_MAX, 0 };
    struct hint_range bytes = { UINT64_MAX, 0 };
    uint32_t shared_most = 0;
    for (uint32_t n = 0; n < hints->page_count; n++) {
        const struct pl_pdf_hint_page *page = &hints->pages[n];
        range_add(&objects, page->objects);
        range_add(&bytes, page->bytes);
        shared_most = page->shared_count > shared_most ? page->shared_count : shared_most;
    }
    unsigned identifier = width_of(hints->shared_total);
    bits_u32(bits, objects.least);
    bits_u32(bits, hints->first_page_at);
    bits_u16(bits, range_width(&objects));
    bits_u32(bits, bytes.least);
    bits_u16(bits, range_width(&bytes));
    bits_u32(bits, 0); /* content: offset */
    bits_u16(bits, 0);
    bits_u32(bits, bytes.least); /* content: length */
    bits_u16(bits, range_width(&bytes));
    bits_u16(bits, width_of(shared_most));
    bits_u16(bits, identifier);
    bits_u16(bits, 0); /* positions: numerator, denominator */
    bits_u16(bits, 4);
    for (uint32_t n = 0; n < hints->page_count; n++)
        bits_put(bits, hints->pages[n].objects - objects.least, range_width(&objects));
    bits_align(bits);
    for (uint32_t n = 0; n < hints->page_count; n++)
        bits_put(bits, hints->pages[n].bytes - bytes.least, range_width(&bytes));
    bits_align(bits);
    for (uint32_t n = 0; n < hints->page_count; n++)
        bits_put(bits, hints->pages[n].shared_count, width_of(shared_most));
    bits_align(bits);
    for (uint32_t n = 0; n < hints->page_count; n++) {
        const struct pl_pdf_hint_page *page = &hints->pages[n];
        for (uint32_t i = 0; i < page->shared_count; i++)
            bits_put(bits, hints->shared[page->shared_from + i], identifier);
    }
    bits_align(bits);
    for (uint32_t n = 0; n < hints->page_count; n++) /* length of the content */
        bits_put(bits, hints->pages[n].bytes - bytes.least, range_width(&bytes));
    bits_align(bits);
}

/* F.4.2, tables F.5 and F.6. */
static void hints_shared(const struct pl_pdf_hints *hints, struct hint_bits *bits)
{
    struct hint_range bytes = { UINT64_MAX, 0 };
    for (uint32_t i = 0; i < hints->shared_total; i++)
        range_add(&bytes, hints->shared_bytes[i]);
    bits_u32(bits, hints->shared_object);
    bits_u32(bits, hints->shared_at);
    bits_u32(bits, hints->shared_first);
    bits_u32(bits, hints->shared_total);
    bits_u16(bits, 0); /* objects of a group but the first */
    bits_u32(bits, bytes.least);
    bits_u16(bits, range_width(&bytes));
    for (uint32_t i = 0; i < hints->shared_total; i++)
        bits_put(bits, hints->shared_bytes[i] - bytes.least, range_width(&bytes));
    bits_align(bits);
    for (uint32_t i = 0; i < hints->shared_total; i++) /* no signatures */
        bits_put(bits, 0, 1);
    bits_align(bits);
}

pl_status pl_pdf_hints_write(const struct pl_pdf_hints *hints, struct pl_bytes *out,
                             size_t *shared_table)
{
    struct hint_bits bits = { .out = out };
    size_t start = out->size;
    PL_CHECK(hints->page_count > 0 && hints->shared_total > 0);
    hints_pages(hints, &bits);
    *shared_table = out->size - start;
    hints_shared(hints, &bits);
    return bits.status;
}
