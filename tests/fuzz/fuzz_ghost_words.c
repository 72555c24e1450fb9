/* fuzz_ghost_words: any bytes as what Ghostscript says, in pieces: a verdict and a note that may be
 * shown, and the same ones however it is cut.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_words.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static pl_status hear(const uint8_t *data, size_t size, size_t piece, struct pl_interpreted *report,
                      struct pl_fault *fault)
{
    struct pl_ghost_words words = { .pages_in = UINT32_MAX };
    for (size_t at = 0; at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        pl_ghost_words_take(&words, 1, (struct pl_span){ (const char *)data + at, part });
    }
    pl_ghost_words_end(&words);
    pl_ghost_words_report(&words, report);
    return pl_ghost_words_judge(&words, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_interpreted whole = { .pages = 0 };
    struct pl_interpreted cut = { .pages = 0 };
    struct pl_fault fault = { .status = PL_OK };
    struct pl_fault again = { .status = PL_OK };
    pl_status status = hear(data, size, size + 1, &whole, &fault);
    PL_CHECK(hear(data, size, 7, &cut, &again) == status);
    PL_CHECK(strcmp(whole.note, cut.note) == 0 && whole.repaired == cut.repaired);
    PL_CHECK(pl_text_is_utf8(pl_span_from(whole.note)));
    PL_CHECK((status == PL_OK) == (fault.reason[0] == '\0'));
    PL_CHECK(pl_text_is_utf8(pl_span_from(fault.reason)));
    PL_CHECK(!whole.repaired || whole.note[0] != '\0');
    return 0;
}
