/* pdf_file_priv: what the parts of the PDF reader share: where objects are, those that were read,
 * and how much work is left.
 *
 * Work is counted in bytes that are parsed, searched or decoded for structure. Opening has one
 * allowance, and so has each stretch between two releases: overlapping objects, streams that hold
 * each other and lengths that lie cost no more than that.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_FILE_PRIV_H
#define PL_PIPELINE_PDF_PDF_FILE_PRIV_H

#include "pipeline/pdf/pdf_crypt.h"
#include "pipeline/pdf/pdf_file.h"
#include "pipeline/pdf/pdf_parse.h"
#include "pipeline/pdf/pdf_window.h"

#include <stdatomic.h>

/* ISO 32000-1 annex C. Object streams and table share these ceilings: a slot packs both. */
#define PL_PDF_NUMBERS ((uint32_t)1 << 23)
#define PL_PDF_OBJECT_BYTES ((size_t)1 << 24) /* text of one object */
#define PL_PDF_PACK_BYTES ((size_t)1 << 25)   /* decoded object streams that are kept */
#define PL_PDF_PACKS 64
#define PL_PDF_TREE_DEPTH 256

enum pl_pdf_slot_kind {
    PL_PDF_SLOT_NONE,   /* no entry was read */
    PL_PDF_SLOT_FREE,   /* the entry says that there is no object */
    PL_PDF_SLOT_PLAIN,  /* at: offset in the file */
    PL_PDF_SLOT_PACKED, /* at: number of the object stream; index in it */
    PL_PDF_SLOT_KID,    /* at: number of a page tree node (0: the catalog), whose Kids hold the
                           object itself at index */
};

struct pl_pdf_slot {
    enum pl_pdf_slot_kind kind;
    uint32_t index;
    uint64_t at;
};

/* Eight bytes an object. */
struct pl_pdf_table {
    uint64_t *slots;
    uint32_t count; /* highest number + 1 */
    uint32_t capacity;
};

/* An inner node of the page tree. */
struct pl_pdf_branch {
    uint32_t number;
    uint32_t parent; /* index of a branch; its own: the root */
    uint16_t generation;
    uint16_t depth;
};

struct pl_pdf_leaf {
    uint32_t number;
    uint32_t parent; /* index of a branch */
    uint16_t generation;
};

/* Read-only once the file is open; clones share it. */
struct pl_pdf_shared {
    atomic_uint keepers;
    struct pl_limits limits;
    struct pl_arena arena; /* trailer and catalog */
    struct pl_pdf_table table;
    const struct pl_pdf_value *trailer;
    const struct pl_pdf_value *catalog;
    struct pl_pdf_leaf *leaves;
    uint32_t leaf_count;
    uint32_t leaf_capacity;
    struct pl_pdf_branch *branches;
    uint32_t branch_count;
    uint32_t branch_capacity;
    uint64_t shift; /* bytes before the header, which offsets do not count */
    bool encrypted;
    struct pl_pdf_crypt crypt;
};

/* Objects that were read, in the order of their arena, so that a release takes off the end. */
struct pl_pdf_loaded {
    uint32_t number;
    size_t mark;                      /* where the arena stood before */
    const struct pl_pdf_value *value; /* NULL: broken */
};

struct pl_pdf_cache {
    struct pl_pdf_loaded *loaded;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* open addressing: index into loaded + 1 */
    size_t slot_count;
};

struct pl_pdf_pack_entry {
    uint32_t number;
    uint32_t at; /* in data */
};

/* An object stream, decoded. */
struct pl_pdf_pack {
    uint32_t number;
    uint32_t count;
    uint64_t used; /* the clock of its last use; 0: the place is empty */
    struct pl_bytes data;
    struct pl_pdf_pack_entry *entries;
};

struct pl_pdf_file {
    struct pl_pdf_shared *shared;
    const struct pl_pdf_table *table; /* the shared one, or what a late repair found */
    struct pl_pdf_table own;
    struct pl_pdf_windows windows;
    struct pl_arena arena;
    struct pl_pdf_parser parser;
    struct pl_pdf_cache cache;
    struct pl_pdf_pack packs[PL_PDF_PACKS];
    size_t pack_bytes;
    uint64_t pack_clock;
    uint64_t work;      /* bytes left */
    uint64_t end_from;  /* the last search for the end of a stream: where it began */
    uint64_t end_found; /* and what it found */
    unsigned loading;   /* loads within loads */
    bool repaired;      /* its table is what a scan found */
    bool opening;       /* the shared part is still being made */
    bool may_repair;    /* an object that is not where it should be starts a repair */
};

/* --- pdf_table --- */

struct pl_pdf_slot pl_pdf_table_slot(const struct pl_pdf_table *table, uint32_t number);
/* Past PL_PDF_NUMBERS: PL_TOO_LARGE. PL_NO_MEMORY. */
pl_status pl_pdf_table_put(struct pl_pdf_table *table, uint32_t number,
                           struct pl_pdf_slot slot) PL_MUST_USE;
void pl_pdf_table_fini(struct pl_pdf_table *table);

/* --- pdf_cache --- */

const struct pl_pdf_loaded *pl_pdf_cache_lookup(const struct pl_pdf_cache *cache, uint32_t number);
pl_status pl_pdf_cache_add(struct pl_pdf_cache *cache, uint32_t number, size_t mark,
                           const struct pl_pdf_value *value) PL_MUST_USE;
/* Forgets what was added since the arena stood at `mark`. */
void pl_pdf_cache_release(struct pl_pdf_cache *cache, size_t mark);
void pl_pdf_cache_fini(struct pl_pdf_cache *cache);

/* --- pdf_load --- */

/* Takes from the allowance; PL_TOO_LARGE when it is used up. */
pl_status pl_pdf_work(struct pl_pdf_file *file, uint64_t bytes) PL_MUST_USE;
void pl_pdf_work_refill(struct pl_pdf_file *file);

/* Why an arena had nothing to give: PL_TOO_LARGE when little is left of it, else PL_NO_MEMORY. */
pl_status pl_pdf_arena_empty(const struct pl_arena *arena) PL_MUST_USE;

/* What a read of an object at an offset finds. */
struct pl_pdf_found {
    struct pl_pdf_ref self;
    const struct pl_pdf_value *value;
    uint64_t end; /* offset behind what was parsed; of a stream: behind its data */
};

/* Parses "n g obj ..." at `at`. PL_NOT_FOUND: there is no object. PL_BAD_DOCUMENT, PL_TOO_LARGE,
 * PL_NO_MEMORY and what the source answers. */
pl_status pl_pdf_read_object(struct pl_pdf_file *file, uint64_t at,
                             struct pl_pdf_found *out) PL_MUST_USE;
/* The bytes of a stream whose data begins at `at`, by its Length where "endstream" follows, else
 * by a search. */
pl_status pl_pdf_stream_extent(struct pl_pdf_file *file, uint64_t at,
                               const struct pl_pdf_value *dict, uint64_t *size) PL_MUST_USE;
/* A copy whose references are followed. PL_BAD_DOCUMENT when it is deeper than 16. */
pl_status pl_pdf_resolve_all(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                             const struct pl_pdf_value **out) PL_MUST_USE;

/* --- pdf_pack --- */

/* The object stream `number`, decoded; borrowed until the next call. */
pl_status pl_pdf_pack_open(struct pl_pdf_file *file, uint32_t number,
                           const struct pl_pdf_pack **out) PL_MUST_USE;
pl_status pl_pdf_pack_load(struct pl_pdf_file *file, uint32_t container, uint32_t index,
                           uint32_t number, const struct pl_pdf_value **out) PL_MUST_USE;
void pl_pdf_packs_fini(struct pl_pdf_file *file);

/* --- pdf_xref --- */

/* Tables and trailer as the file states them. PL_BAD_DOCUMENT when they do not hold together. */
pl_status pl_pdf_xref_load(struct pl_pdf_file *file) PL_MUST_USE;

/* --- pdf_repair --- */

/* Object streams found by a scan, to be entered once they can be decrypted. */
struct pl_pdf_scan {
    struct pl_pdf_table table;
    struct pl_arena *arena; /* of the trailer's values */
    const struct pl_pdf_value *root;
    const struct pl_pdf_value *info;
    const struct pl_pdf_value *encrypt;
    const struct pl_pdf_value *id;
    uint32_t catalog; /* number of the last object of that type; 0: none */
    uint32_t *packs;
    size_t pack_count;
    size_t pack_capacity;
};

/* Finds objects and trailers without any table. */
pl_status pl_pdf_scan_file(struct pl_pdf_file *file, struct pl_pdf_scan *scan) PL_MUST_USE;
/* Enters what the found object streams hold. */
pl_status pl_pdf_scan_packs(struct pl_pdf_file *file, struct pl_pdf_scan *scan) PL_MUST_USE;
void pl_pdf_scan_fini(struct pl_pdf_scan *scan);
/* Both, for a file that is unlocked: its table is replaced. */
pl_status pl_pdf_repair(struct pl_pdf_file *file) PL_MUST_USE;

/* --- pdf_pages --- */

/* Walks the tree from the catalog; fills leaves and branches. */
pl_status pl_pdf_pages_walk(struct pl_pdf_file *file, struct pl_fault *fault) PL_MUST_USE;
/* One more page, of a document whose tree is lost: it inherits nothing. */
pl_status pl_pdf_pages_add(struct pl_pdf_file *file, struct pl_pdf_ref page,
                           struct pl_fault *fault) PL_MUST_USE;

/* --- pdf_stream --- */

/* As pl_pdf_stream_decode, but what came before a damage is good enough. */
pl_status pl_pdf_stream_salvage(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                                struct pl_bytes *out) PL_MUST_USE;

/* --- pdf_unlock --- */

pl_status pl_pdf_unlock(struct pl_pdf_file *file, const char *password,
                        struct pl_fault *fault) PL_MUST_USE;

#endif
