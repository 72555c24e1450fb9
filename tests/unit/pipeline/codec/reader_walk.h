/* reader_walk: opens a file through sniff and reader, loads every page, and checks what a writer
 * relies on.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_READER_WALK_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_READER_WALK_H

#include "pipeline/codec/codec.h"

struct walk_verdict {
    pl_status status;
    struct pl_fault fault;
    uint32_t pages; /* loaded */
    double seconds; /* of CPU */
    char how[64];   /* a letter a page: c copied, e exact */
};

typedef void walk_page_fn(void *owner, const struct pl_page *page);

/* `on_page` may be NULL. Aborts when a page breaks the contract of page.h. */
void walk_bytes(const void *data, size_t size, walk_page_fn *on_page, void *owner,
                struct walk_verdict *out);
/* Reads the file into *data (to be freed); false when it cannot be read. */
bool walk_read_file(const char *path, uint8_t **data, size_t *size);
/* Calls `visit` for each regular file below `folder` (two levels) whose name ends in one of the
 * endings (a NULL-terminated list; NULL: all). Returns how many. */
unsigned walk_folder(const char *folder, const char *const *endings,
                     void (*visit)(void *owner, const char *path), void *owner);

#endif
