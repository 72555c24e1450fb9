/* fuzz_tiff_dir: any bytes as TIFF directories, followed as far as a reader would.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIRS_MOST 50

static void read_values(struct pl_source *source, const struct pl_tiff_head *head,
                        const struct pl_tiff_values *values)
{
    uint64_t out[16];
    uint64_t last = values->count > 0 ? values->count - 1 : 0;
    (void)!pl_tiff_values_read(source, head, values, 0, PL_COUNT_OF(out), out);
    (void)!pl_tiff_values_read(source, head, values, last, 1, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_source *source = NULL;
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    if (pl_source_memory_new(data, size, &source) != PL_OK)
        return 0;
    if (pl_tiff_head_read(source, &head) == PL_OK) {
        uint64_t at = head.first;
        for (int i = 0; i < DIRS_MOST && at != 0; i++, at = dir.next) {
            if (pl_tiff_dir_read(source, &head, at, &dir) != PL_OK)
                break;
            (void)pl_tiff_dir_pieces(&dir);
            read_values(source, &head, &dir.offsets);
            read_values(source, &head, &dir.sizes);
            read_values(source, &head, &dir.icc);
        }
    }
    source->ops->free(source);
    return 0;
}
