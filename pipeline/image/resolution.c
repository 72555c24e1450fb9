/* resolution: integers only, in thousandths of pixels per inch.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/resolution.h"

#define LEAST_MDPI 20000
#define MOST_MDPI 12000000
#define BARE_LEAST_MDPI 50000 /* values of no unit */
#define BARE_MOST_MDPI 2400000
#define SHEET_MILS 17400 /* thousandths of an inch */
#define UNITS_LEAST 3
#define UNITS_MOST 14400

/* Thousandths of pixels per inch; 0 when absent or not in the range that makes sense. */
static uint64_t axis_mdpi(uint32_t num, uint32_t den, bool per_cm)
{
    if (den == 0)
        return 0;
    uint64_t value = (uint64_t)num * (per_cm ? 2540 : 1000);
    value = (value + den / 2) / den;
    return value < LEAST_MDPI || value > MOST_MDPI ? 0 : value;
}

static bool bare_is_dpi(uint64_t mdpi)
{
    return mdpi >= BARE_LEAST_MDPI && mdpi <= BARE_MOST_MDPI;
}

/* Length of `px` pixels in thousandths of an inch. */
static uint64_t side_mils(uint32_t px, uint64_t mdpi)
{
    return (uint64_t)px * 1000000 / mdpi;
}

static bool side_is(uint32_t px, uint64_t mdpi, uint32_t mils)
{
    uint64_t side = side_mils(px, mdpi);
    return side * 100 >= (uint64_t)mils * 98 && side * 100 <= (uint64_t)mils * 102;
}

static uint64_t assumed_mdpi(const struct pl_page *page)
{
    static const uint32_t dpis[] = { 300, 200, 600, 400, 240, 150, 100 };
    static const uint32_t sheets[][2] = { { 8268, 11693 }, { 8500, 11000 }, { 8500, 14000 } };
    uint32_t small = page->width_px < page->height_px ? page->width_px : page->height_px;
    uint32_t large = page->width_px < page->height_px ? page->height_px : page->width_px;
    for (size_t i = 0; i < PL_COUNT_OF(dpis); i++)
        for (size_t n = 0; n < PL_COUNT_OF(sheets); n++)
            if (side_is(small, (uint64_t)dpis[i] * 1000, sheets[n][0]) &&
                side_is(large, (uint64_t)dpis[i] * 1000, sheets[n][1]))
                return (uint64_t)dpis[i] * 1000;
    return side_mils(large, 300000) > SHEET_MILS ? 600000 : 300000;
}

/* Rule 3: a default that some program wrote, on a page that it would make a poster. */
static bool is_unmeant(const struct pl_page *page, uint64_t x, uint64_t y)
{
    if (x != y || (x != 72000 && x != 96000))
        return false;
    return side_mils(page->width_px, x) > SHEET_MILS || side_mils(page->height_px, y) > SHEET_MILS;
}

/* Rule 5 for one axis. Rounding goes inwards. */
static uint64_t axis_bound(uint32_t px, uint64_t mdpi)
{
    uint64_t most_mdpi = (uint64_t)px * 72 * 1000 / UNITS_LEAST;
    uint64_t least_mdpi = ((uint64_t)px * 72 * 1000 + UNITS_MOST - 1) / UNITS_MOST;
    mdpi = mdpi > most_mdpi ? most_mdpi : mdpi;
    return mdpi < least_mdpi ? least_mdpi : mdpi;
}

/* num_a / den_a : num_b / den_b as thousandths, or 0 when it is not between 1/4 and 4. */
static uint64_t aspect_milli(const struct pl_resolution *said)
{
    if (said->x_den == 0 || said->y_den == 0 || said->x_num == 0 || said->y_num == 0)
        return 0;
    double aspect =
        (double)said->x_num / said->x_den / ((double)said->y_num / said->y_den) * 1000.0 + 0.5;
    return aspect >= 250 && aspect <= 4000 ? (uint64_t)aspect : 0;
}

static void assume(const struct pl_resolution *said, struct pl_page *page, const char *why,
                   uint64_t *x, uint64_t *y)
{
    uint64_t aspect = said->unit == PL_RESOLUTION_NONE ? aspect_milli(said) : 0;
    *x = *y = assumed_mdpi(page);
    if (aspect > 1000)
        *y = *y * 1000 / aspect;
    else if (aspect > 0)
        *x = *x * aspect / 1000;
    pl_page_note(page, "%s: %u dpi assumed", why, (unsigned)((*x > *y ? *x : *y) / 1000));
}

void pl_resolution_apply(const struct pl_resolution *said, struct pl_page *page)
{
    PL_CHECK(page->width_px > 0 && page->height_px > 0);
    bool per_cm = said->unit == PL_RESOLUTION_CM;
    uint64_t x = axis_mdpi(said->x_num, said->x_den, per_cm);
    uint64_t y = axis_mdpi(said->y_num, said->y_den, per_cm);
    if (said->unit == PL_RESOLUTION_NONE && (!bare_is_dpi(x) || !bare_is_dpi(y)))
        x = y = 0;
    if (x == 0 && y == 0) {
        bool nothing = (said->x_den == 0 && said->y_den == 0) || said->unit == PL_RESOLUTION_NONE;
        assume(said, page, nothing ? "no resolution" : "senseless resolution", &x, &y);
    } else if (x == 0 || y == 0) {
        x = x == 0 ? y : x;
        y = y == 0 ? x : y;
        pl_page_note(page, "resolution of one axis only: taken for both");
    } else if (is_unmeant(page, x, y)) {
        assume(said, page, x == 72000 ? "72 dpi not believed" : "96 dpi not believed", &x, &y);
    }
    uint64_t x_bound = axis_bound(page->width_px, x);
    uint64_t y_bound = axis_bound(page->height_px, y);
    if (x_bound != x || y_bound != y)
        pl_page_note(page, "side set to the bounds of PDF");
    page->x_mdpi = (uint32_t)x_bound;
    page->y_mdpi = (uint32_t)y_bound;
}
