/* fuzz_jpeg_in: any bytes as a JPEG document.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/fuzz/fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_reader(&pl_jpeg_reader, data, size);
    return 0;
}
