/* fuzz_wire: any packet a worker may send; what is accepted must be writable to the same bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_wire_frame frame;
    struct pl_bytes again;
    if (pl_wire_parse(data, size, &frame) != PL_OK)
        return 0;
    pl_bytes_init(&again, PL_WIRE_FRAME_BYTES);
    PL_CHECK(pl_wire_write(&frame, &again) == PL_OK);
    /* What is a sentence may have been made fit to show. */
    bool is_shown = (frame.kind == PL_WIRE_REPORT && (frame.as.report.fault.reason[0] != '\0' ||
                                                      frame.as.report.summary.note[0] != '\0')) ||
                    (frame.kind == PL_WIRE_FILE && frame.as.place.fault.reason[0] != '\0');
    if (!is_shown)
        PL_CHECK(again.size == size && memcmp(again.data, data, size) == 0);
    pl_bytes_fini(&again);
    return 0;
}
