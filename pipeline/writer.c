/* writer: which writer makes which format.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/writer.h"

const struct pl_writer_ops *pl_writer_for(enum pl_format format)
{
    switch (format) {
    case PL_FORMAT_PDFA_2B:
    case PL_FORMAT_PDF:
    case PL_FORMAT_PDFA_1B:
    case PL_FORMAT_PDFA_3B:
        return &pl_pdf_writer_ops;
    case PL_FORMAT_TIFF_G4:
    case PL_FORMAT_TIFF:
        return &pl_tiff_writer_ops;
    case PL_FORMAT_PNG:
        return &pl_png_writer_ops;
    case PL_FORMAT_JPEG:
    case PL_FORMAT_THUMBNAIL:
        return &pl_jpeg_writer_ops;
    case PL_FORMAT_COUNT:
        break;
    }
    PL_CHECK(false);
    return NULL;
}
