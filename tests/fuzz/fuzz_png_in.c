/* fuzz_png_in: any bytes as a PNG document, as they are and with their checksums made right, which
 * lets what was changed get past them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/fuzz/fuzz_reader.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t number_of(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static void mend(uint8_t *data, size_t size)
{
    size_t at = 8;
    while (size >= 12 && at <= size - 12 && number_of(data + at) <= size - 12 - at) {
        uint32_t length = number_of(data + at);
        uint32_t crc = (uint32_t)crc32(0, data + at + 4, length + 4);
        for (unsigned i = 0; i < 4; i++)
            data[at + 8 + length + i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_reader(&pl_png_reader, data, size);
    uint8_t *mended = malloc(size + 1);
    if (mended == NULL)
        return 0;
    memcpy(mended, data, size);
    mend(mended, size);
    fuzz_reader(&pl_png_reader, mended, size);
    free(mended);
    return 0;
}
