/* scan_maker: turns drawn pages (binary PGM or PPM on standard input) into the scan of a device.
 *
 *   gs ... -sDEVICE=pgmraw -sOutputFile=- pages.ps | scan_maker --as g4 --seed 7 letter.tif
 *
 * The same input and options give the same bytes on every machine. scripts/make-scans draws a whole
 * set; tests and benchmarks call either.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/scan_maker/scan_page.h"
#include "tests/support/scan_maker/scan_write.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

struct order {
    struct scan_target target;
    struct scan_look look;
    bool duplex;
};

static const char usage[] =
    "usage: scan_maker [options] OUT < pages.pnm\n"
    "  --as FORMAT        g4 (default), g3, g3-2d, bw-lzw, packbits: one bit a pixel;\n"
    "                     lzw, deflate, raw, jpeg-tiff, jpeg: grey or colour, as it comes\n"
    "  --dpi X[xY]        resolution that the file states (300)\n"
    "  --seed N           what the noise, skew and dust come from (1)\n"
    "  --skew DEGREES     the most that a page is turned, either way (0.6)\n"
    "  --noise N          0 none, 8 a good scanner (default), 20 a poor one\n"
    "  --specks N         specks of dust a page (12)\n"
    "  --strips N         strips a page (1)\n"
    "  --quality N        of JPEG (75)\n"
    "  --duplex           every second page is the back of the one before\n"
    "  --min-is-black     one bit a pixel with 1 for white\n"
    "  --low-bit-first    FillOrder 2, as fax boards write it\n";

/* The whole text must be a number between the two. */
static bool number_parse(const char *text, double low, double high, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high))
        return false;
    *out = value;
    return true;
}

static bool dpi_parse(const char *text, struct scan_target *target)
{
    char *end = NULL;
    target->dpi_x = target->dpi_y = strtod(text, &end);
    if (*end == 'x')
        target->dpi_y = strtod(end + 1, &end);
    return *end == '\0' && target->dpi_x >= 1 && target->dpi_y >= 1;
}

static bool option_take(struct order *order, int option, const char *value)
{
    double number = 0;
    switch (option) {
    case 'a':
        order->target.format = scan_format_find(value);
        return order->target.format != NULL;
    case 'd':
        return dpi_parse(value, &order->target);
    case 's':
        if (!number_parse(value, 0, 1e15, &number))
            return false;
        order->look.seed = (uint64_t)number;
        return true;
    case 'w':
        return number_parse(value, 0, 45, &order->look.skew_degrees);
    case 'n':
        if (!number_parse(value, 0, 64, &number))
            return false;
        order->look.noise = (unsigned)number;
        return true;
    case 'k':
        if (!number_parse(value, 0, 100000, &number))
            return false;
        order->look.specks = (unsigned)number;
        return true;
    case 't':
        if (!number_parse(value, 1, 4096, &number))
            return false;
        order->target.strips = (uint32_t)number;
        return true;
    case 'q':
        if (!number_parse(value, 1, 100, &number))
            return false;
        order->target.quality = (int)number;
        return true;
    case '2':
        order->duplex = true;
        return true;
    case 'b':
        order->target.min_is_black = true;
        return true;
    case 'l':
        order->target.low_bit_first = true;
        return true;
    default:
        return false;
    }
}

/* 0 to go on, otherwise the code to leave with. */
static int order_parse(int argc, char **argv, struct order *order)
{
    static const struct option options[] = {
        { "as", required_argument, NULL, 'a' },
        { "dpi", required_argument, NULL, 'd' },
        { "seed", required_argument, NULL, 's' },
        { "skew", required_argument, NULL, 'w' },
        { "noise", required_argument, NULL, 'n' },
        { "specks", required_argument, NULL, 'k' },
        { "strips", required_argument, NULL, 't' },
        { "quality", required_argument, NULL, 'q' },
        { "duplex", no_argument, NULL, '2' },
        { "min-is-black", no_argument, NULL, 'b' },
        { "low-bit-first", no_argument, NULL, 'l' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        }
        if (!option_take(order, option, optarg)) {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind + 1 != argc) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    order->target.path = argv[optind];
    return 0;
}

/* Each page has its own turn, within what was asked for. */
static struct scan_look look_of_page(const struct order *order, unsigned page)
{
    struct scan_look look = order->look;
    look.seed = order->look.seed * 1000003 + page;
    uint64_t mixed = (look.seed + 1) * 0x9E3779B97F4A7C15U;
    int thousandths = (int)(mixed >> 40) % 2001 - 1000;
    look.skew_degrees = order->look.skew_degrees * thousandths / 1000;
    return look;
}

static bool pages_make(const struct order *order, FILE *in, unsigned *made)
{
    struct scan_page page = { 0 };
    struct scan_page front = { 0 };
    struct scan_page next = { 0 };
    bool ok = false;
    struct scan_writer *writer = scan_writer_new(&order->target);
    if (writer == NULL)
        return false;
    int got = scan_page_read(in, &page);
    while (got == 1) {
        /* The back of a sheet shines through to its front and the front to its back; the drawing
         * of the front is kept, since ageing changes the page itself. */
        got = scan_page_read(in, &next);
        const struct scan_page *other = NULL;
        if (order->duplex && *made % 2 == 0 && got == 1) {
            size_t bytes = (size_t)page.width * page.height * page.channels;
            front = page;
            front.pixels = malloc(bytes);
            if (front.pixels == NULL)
                goto done;
            memcpy(front.pixels, page.pixels, bytes);
            other = &next;
        } else if (order->duplex && front.pixels != NULL) {
            other = &front;
        }
        struct scan_look look = look_of_page(order, *made);
        if (!scan_page_age(&page, other, &look) || !scan_writer_page(writer, &page))
            goto done;
        if (*made % 2 == 1)
            scan_page_fini(&front);
        scan_page_fini(&page);
        page = next;
        next = (struct scan_page){ 0 };
        (*made)++;
    }
    ok = got == 0 && *made > 0;
done:
    scan_page_fini(&page);
    scan_page_fini(&front);
    scan_page_fini(&next);
    return scan_writer_close(writer) && ok;
}

int main(int argc, char **argv)
{
    struct order order = {
        .target = { .format = scan_format_find("g4"),
                    .dpi_x = 300,
                    .dpi_y = 300,
                    .strips = 1,
                    .quality = 75 },
        .look = { .seed = 1, .skew_degrees = 0.6, .noise = 8, .specks = 12 },
    };
    int refused = order_parse(argc, argv, &order);
    if (refused != 0)
        return refused;
    unsigned made = 0;
    if (!pages_make(&order, stdin, &made)) {
        (void)fprintf(stderr, "scan_maker: %s: stopped after %u pages\n", order.target.path, made);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
