/* pdf_pack: object streams (ISO 32000-1 7.5.7), decoded when they are needed and kept while there
 * is room; the least recently used one makes room.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <stdlib.h>

static size_t pack_size(const struct pl_pdf_pack *pack)
{
    return pack->data.capacity + pack->count * sizeof *pack->entries;
}

static void pack_drop(struct pl_pdf_file *file, struct pl_pdf_pack *pack)
{
    if (pack->used == 0)
        return;
    file->pack_bytes -= pack_size(pack);
    pl_bytes_fini(&pack->data);
    free(pack->entries);
    *pack = (struct pl_pdf_pack){ 0 };
}

void pl_pdf_packs_fini(struct pl_pdf_file *file)
{
    for (size_t i = 0; i < PL_PDF_PACKS; i++)
        pack_drop(file, &file->packs[i]);
}

static struct pl_pdf_pack *pack_oldest(struct pl_pdf_file *file, bool filled)
{
    struct pl_pdf_pack *oldest = NULL;
    for (size_t i = 0; i < PL_PDF_PACKS; i++) {
        struct pl_pdf_pack *pack = &file->packs[i];
        if (filled && pack->used == 0)
            continue;
        if (oldest == NULL || pack->used < oldest->used)
            oldest = pack;
    }
    return oldest;
}

/* Takes the pack over; a place is always found. */
static const struct pl_pdf_pack *pack_keep(struct pl_pdf_file *file, struct pl_pdf_pack *made)
{
    while (file->pack_bytes > 0 && pack_size(made) + file->pack_bytes > PL_PDF_PACK_BYTES)
        pack_drop(file, pack_oldest(file, true));
    struct pl_pdf_pack *place = pack_oldest(file, false);
    pack_drop(file, place);
    *place = *made;
    place->used = ++file->pack_clock;
    file->pack_bytes += pack_size(place);
    return place;
}

/* Pairs of number and offset, /N of them, before /First. Fewer than it says: those that are there.
 */
static pl_status pack_index(struct pl_pdf_pack *pack, uint64_t first, uint64_t count)
{
    struct pl_pdf_lex lex = { .data = pack->data.data, .size = pack->data.size };
    if (first < lex.size)
        lex.size = (size_t)first;
    if (count > lex.size / 2) /* "1 0 2 3": four bytes at least, but for the last one */
        count = lex.size / 2;
    if (count == 0)
        return PL_OK;
    pack->entries = malloc((size_t)count * sizeof *pack->entries);
    if (pack->entries == NULL)
        return PL_NO_MEMORY;
    while (pack->count < count) {
        struct pl_pdf_token number;
        struct pl_pdf_token at;
        pl_pdf_lex_next(&lex, &number);
        pl_pdf_lex_next(&lex, &at);
        if (number.kind != PL_PDF_TOKEN_INT || at.kind != PL_PDF_TOKEN_INT)
            break;
        struct pl_pdf_pack_entry *entry = &pack->entries[pack->count++];
        bool fits = number.integer > 0 && number.integer < PL_PDF_NUMBERS && at.integer >= 0 &&
                    (uint64_t)at.integer <= pack->data.size &&
                    first <= pack->data.size - (uint64_t)at.integer;
        entry->number = fits ? (uint32_t)number.integer : 0;
        entry->at = fits ? (uint32_t)(first + (uint64_t)at.integer) : 0;
    }
    return PL_OK;
}

static pl_status pack_make(struct pl_pdf_file *file, uint32_t number,
                           const struct pl_pdf_value *stream, struct pl_pdf_pack *pack)
{
    const struct pl_pdf_value *first = NULL;
    const struct pl_pdf_value *count = NULL;
    pl_status status = pl_pdf_lookup(file, stream, "First", &first, NULL);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, stream, "N", &count, NULL);
    if (status != PL_OK)
        return status;
    if (stream->kind != PL_PDF_STREAM || first->kind != PL_PDF_INT || first->as.integer < 0 ||
        count->kind != PL_PDF_INT || count->as.integer < 0)
        return PL_BAD_DOCUMENT;
    pack->number = number;
    pl_bytes_init(&pack->data, PL_PDF_PACK_BYTES);
    status = pl_pdf_stream_salvage(file, stream, &pack->data);
    if (status == PL_OK)
        status = pl_pdf_work(file, pack->data.size);
    if (status == PL_OK)
        status = pack_index(pack, (uint64_t)first->as.integer, (uint64_t)count->as.integer);
    return status;
}

pl_status pl_pdf_pack_open(struct pl_pdf_file *file, uint32_t number,
                           const struct pl_pdf_pack **out)
{
    for (size_t i = 0; i < PL_PDF_PACKS; i++) {
        if (file->packs[i].used > 0 && file->packs[i].number == number) {
            file->packs[i].used = ++file->pack_clock;
            *out = &file->packs[i];
            return PL_OK;
        }
    }
    /* One within another would be encrypted by nobody, and could hold itself. */
    if (pl_pdf_table_slot(file->table, number).kind != PL_PDF_SLOT_PLAIN)
        return PL_BAD_DOCUMENT;
    const struct pl_pdf_value *stream = NULL;
    struct pl_pdf_pack made = { 0 };
    pl_status status = pl_pdf_load_object(file, (struct pl_pdf_ref){ number, 0 }, &stream, NULL);
    if (status == PL_OK)
        status = pack_make(file, number, stream, &made);
    if (status == PL_OK) {
        *out = pack_keep(file, &made);
        return PL_OK;
    }
    pl_bytes_fini(&made.data);
    free(made.entries);
    return status;
}

/* Where the index says, else anywhere in the stream. PL_NOT_FOUND. */
static pl_status pack_find(struct pl_pdf_file *file, const struct pl_pdf_pack *pack, uint32_t index,
                           uint32_t number, const struct pl_pdf_pack_entry **out)
{
    if (index < pack->count && pack->entries[index].number == number) {
        *out = &pack->entries[index];
        return PL_OK;
    }
    for (uint32_t i = 0; i < pack->count; i++) {
        if (pack->entries[i].number == number) {
            *out = &pack->entries[i];
            break;
        }
    }
    pl_status status = pl_pdf_work(file, pack->count);
    return status == PL_OK && *out == NULL ? PL_NOT_FOUND : status;
}

pl_status pl_pdf_pack_load(struct pl_pdf_file *file, uint32_t container, uint32_t index,
                           uint32_t number, const struct pl_pdf_value **out)
{
    const struct pl_pdf_pack *pack = NULL;
    pl_status status = pl_pdf_pack_open(file, container, &pack);
    if (status != PL_OK)
        return status;
    const struct pl_pdf_pack_entry *entry = NULL;
    status = pack_find(file, pack, index, number, &entry);
    if (status != PL_OK)
        return status;
    struct pl_pdf_lex lex = { .data = pack->data.data, .size = pack->data.size, .at = entry->at };
    bool found = false;
    size_t mark = pl_arena_mark(&file->arena);
    file->parser.arena = &file->arena;
    file->parser.references = true;
    file->parser.crypt = NULL; /* the stream as a whole was encrypted */
    status = pl_pdf_parse_value(&file->parser, &lex, out, &found);
    if (status == PL_OK && !found)
        *out = &pl_pdf_null;
    if (status == PL_OK)
        status = pl_pdf_work(file, lex.at - entry->at);
    if (status != PL_OK)
        pl_arena_release(&file->arena, mark);
    return status;
}
