/* profile: the header of an ICC profile.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/profile.h"

#include <string.h>

#define HEADER_BYTES 128
#define TAG_COUNT_BYTES 4
#define TAG_BYTES 12

static uint32_t number_at(const uint8_t *data, size_t at)
{
    return (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 | (uint32_t)data[at + 2] << 8 |
           data[at + 3];
}

static bool word_is_one_of(const uint8_t *word, const char *words)
{
    for (; *words != '\0'; words += 4)
        if (memcmp(word, words, 4) == 0)
            return true;
    return false;
}

/* Every tag lies inside the profile. */
static bool tags_fit(const uint8_t *data, size_t size)
{
    uint32_t count = number_at(data, HEADER_BYTES);
    if (count == 0 || count > (size - HEADER_BYTES - TAG_COUNT_BYTES) / TAG_BYTES)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        size_t entry = HEADER_BYTES + TAG_COUNT_BYTES + (size_t)i * TAG_BYTES;
        uint32_t at = number_at(data, entry + 4);
        uint32_t length = number_at(data, entry + 8);
        if (at > size || length > size - at)
            return false;
    }
    return true;
}

bool pl_profile_fits(const uint8_t *data, size_t size, enum pl_colour colour)
{
    static const char *const spaces[] = { [PL_COLOUR_BILEVEL] = "GRAY",
                                          [PL_COLOUR_GREY] = "GRAY",
                                          [PL_COLOUR_RGB] = "RGB ",
                                          [PL_COLOUR_CMYK] = "CMYK" };
    if (size < HEADER_BYTES + TAG_COUNT_BYTES || number_at(data, 0) != size)
        return false;
    return data[8] >= 2 && data[8] <= 4 && word_is_one_of(data + 12, "scnrmntrprtrspac") &&
           word_is_one_of(data + 16, spaces[colour]) && word_is_one_of(data + 20, "XYZ Lab ") &&
           memcmp(data + 36, "acsp", 4) == 0 && tags_fit(data, size);
}

void pl_profile_settle(struct pl_page *page)
{
    if (page->icc.size == 0)
        return;
    if (page->colour == PL_COLOUR_BILEVEL) {
        pl_bytes_fini(&page->icc);
    } else if (!pl_profile_fits(page->icc.data, page->icc.size, page->colour)) {
        pl_bytes_fini(&page->icc);
        pl_page_note(page, "unusable colour profile ignored");
    }
}
