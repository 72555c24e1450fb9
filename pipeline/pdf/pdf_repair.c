/* pdf_repair: a PDF without its cross-reference: one pass over the file finds "n g obj" and
 * "trailer".
 *
 * Objects that parse are stepped over together with their stream data, so that a PDF within a PDF
 * is not taken for a part of it. Of objects with the same number the last one counts, as it does
 * after updates. The pass itself is linear; what parsing costs more than the allowance is left
 * out, and only where objects begin is noted then.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_BYTES ((size_t)1 << 16)
#define SCAN_BACK 32 /* "n g " before "obj" */

static void file_undo(struct pl_pdf_file *file, size_t mark)
{
    pl_pdf_cache_release(&file->cache, mark);
    pl_arena_release(&file->arena, mark);
}

/* --- what is found --------------------------------------------------------------------------- */

static void scan_keep(struct pl_pdf_scan *scan, const struct pl_pdf_value *dict, const char *key,
                      const struct pl_pdf_value **out)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    if (value == NULL || value->kind == PL_PDF_NULL || scan->arena == NULL)
        return;
    const struct pl_pdf_value *copy = pl_pdf_value_copy(scan->arena, value);
    if (copy != NULL)
        *out = copy;
}

static void scan_trailer(struct pl_pdf_scan *scan, const struct pl_pdf_value *dict)
{
    scan_keep(scan, dict, "Root", &scan->root);
    scan_keep(scan, dict, "Info", &scan->info);
    scan_keep(scan, dict, "Encrypt", &scan->encrypt);
    scan_keep(scan, dict, "ID", &scan->id);
}

static pl_status scan_pack(struct pl_pdf_scan *scan, uint32_t number)
{
    if (scan->pack_count == scan->pack_capacity) {
        size_t capacity = scan->pack_capacity > 0 ? scan->pack_capacity * 2 : 64;
        uint32_t *packs = realloc(scan->packs, capacity * sizeof *packs);
        if (packs == NULL)
            return PL_NO_MEMORY;
        scan->packs = packs;
        scan->pack_capacity = capacity;
    }
    scan->packs[scan->pack_count++] = number;
    return PL_OK;
}

static pl_status scan_look(struct pl_pdf_scan *scan, const struct pl_pdf_found *found)
{
    const struct pl_pdf_value *type = pl_pdf_dict_peek(found->value, "Type");
    if (pl_pdf_name_is(type, "Catalog"))
        scan->catalog = found->self.number;
    if (found->value->kind != PL_PDF_STREAM)
        return PL_OK;
    if (pl_pdf_name_is(type, "XRef"))
        scan_trailer(scan, found->value);
    return pl_pdf_name_is(type, "ObjStm") ? scan_pack(scan, found->self.number) : PL_OK;
}

/* An object's head stands at `at`; *next becomes where to go on. */
static pl_status scan_object(struct pl_pdf_file *file, struct pl_pdf_scan *scan, uint64_t at,
                             uint32_t number, uint64_t *next)
{
    struct pl_pdf_found found;
    size_t mark = pl_arena_mark(&file->arena);
    pl_status status = pl_pdf_read_object(file, at, &found);
    bool parsed = status == PL_OK && found.self.number == number;
    if (parsed) {
        if (found.end > *next)
            *next = found.end;
        status = scan_look(scan, &found);
        file_undo(file, mark);
    } else if (status == PL_BAD_DOCUMENT || status == PL_TOO_LARGE || status == PL_NOT_FOUND) {
        status = PL_OK;
    }
    bool known = pl_pdf_table_slot(&scan->table, number).kind != PL_PDF_SLOT_NONE;
    if (status != PL_OK || (known && !parsed && file->work > 0))
        return status;
    struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_PLAIN, .at = at };
    return pl_pdf_table_put(&scan->table, number, slot);
}

static pl_status scan_trailer_at(struct pl_pdf_file *file, struct pl_pdf_scan *scan, uint64_t at)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    bool found = false;
    const struct pl_pdf_value *dict = NULL;
    size_t mark = pl_arena_mark(&file->arena);
    pl_status status = pl_pdf_windows_peek(&file->windows, at, 4096, &data, &size);
    if (status != PL_OK || pl_pdf_work(file, size) != PL_OK)
        return status;
    struct pl_pdf_lex lex = { .data = data, .size = size };
    file->parser.arena = &file->arena;
    file->parser.references = true;
    file->parser.crypt = NULL;
    status = pl_pdf_parse_value(&file->parser, &lex, &dict, &found);
    if (status == PL_OK && found)
        scan_trailer(scan, dict);
    file_undo(file, mark);
    return status == PL_NO_MEMORY ? status : PL_OK;
}

/* --- the pass -------------------------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits that end before data[*at], with the white space behind them; *at moves before them. */
static bool number_before(const uint8_t *data, size_t *at, uint64_t *out)
{
    size_t end = *at;
    while (end > 0 && pl_pdf_is_space(data[end - 1]))
        end--;
    size_t first = end;
    while (first > 0 && end - first < 10 && is_digit(data[first - 1]))
        first--;
    if (end == *at || first == end)
        return false;
    uint64_t value = 0;
    for (size_t i = first; i < end; i++)
        value = value * 10 + (uint64_t)(data[i] - '0');
    *at = first;
    *out = value;
    return true;
}

/* Whether "obj" at data[hit] ends an object's head; *first is where that begins. */
static bool scan_head(const uint8_t *data, size_t hit, size_t *first, uint32_t *number)
{
    uint64_t generation = 0;
    uint64_t n = 0;
    size_t at = hit;
    if (!number_before(data, &at, &generation) || generation > UINT16_MAX ||
        !number_before(data, &at, &n) || n == 0 || n >= PL_PDF_NUMBERS)
        return false;
    *first = at;
    *number = (uint32_t)n;
    return true;
}

static size_t find(const uint8_t *data, size_t from, size_t size, const char *word)
{
    if (from >= size)
        return size;
    const uint8_t *hit = memmem(data + from, size - from, word, strlen(word));
    return hit == NULL ? size : (size_t)(hit - data);
}

/* data[0..size) lies at `at` in the file; hits that begin before `*next` are passed over. */
static pl_status scan_block(struct pl_pdf_file *file, struct pl_pdf_scan *scan, const uint8_t *data,
                            size_t size, uint64_t at, uint64_t *next)
{
    pl_status status = PL_OK;
    size_t from = *next > at ? (size_t)(*next - at) : 0;
    size_t trailer = find(data, from, size, "trailer");
    while (status == PL_OK && from < size) {
        size_t object = find(data, from, size, "obj");
        if (trailer < from)
            trailer = find(data, from, size, "trailer");
        size_t hit = object < trailer ? object : trailer;
        if (hit == size)
            break;
        size_t first = 0;
        uint32_t number = 0;
        *next = at + hit + (hit == object ? 3 : 7);
        if (hit == trailer)
            status = scan_trailer_at(file, scan, *next);
        else if (scan_head(data, hit, &first, &number))
            status = scan_object(file, scan, at + first, number, next);
        from = *next - at < size ? (size_t)(*next - at) : size;
    }
    return status;
}

pl_status pl_pdf_scan_file(struct pl_pdf_file *file, struct pl_pdf_scan *scan)
{
    uint64_t end = file->windows.source->size;
    uint64_t next = 0;
    pl_status status = PL_OK;
    const struct pl_pdf_table *before = file->table;
    uint8_t *data = malloc(SCAN_BYTES);
    if (data == NULL)
        return PL_NO_MEMORY;
    file->table = &scan->table; /* lengths that are objects: what was found so far */
    for (uint64_t at = 0; at < end && status == PL_OK;) {
        size_t size = end - at < SCAN_BYTES ? (size_t)(end - at) : SCAN_BYTES;
        status = pl_source_read(file->windows.source, at, data, size);
        if (status == PL_OK)
            status = scan_block(file, scan, data, size, at, &next);
        if (at + size == end)
            break;
        at += size - SCAN_BACK;
        if (next > at + SCAN_BACK)
            at = next - SCAN_BACK;
    }
    free(data);
    file->table = before;
    if (status == PL_OK && scan->table.count == 0)
        status = PL_BAD_DOCUMENT;
    return status;
}

/* --- object streams -------------------------------------------------------------------------- */

/* Where in the file the object's text is, itself or the stream it is in. */
static uint64_t scan_place(const struct pl_pdf_scan *scan, uint32_t number)
{
    struct pl_pdf_slot slot = pl_pdf_table_slot(&scan->table, number);
    if (slot.kind == PL_PDF_SLOT_PACKED)
        slot = pl_pdf_table_slot(&scan->table, (uint32_t)slot.at);
    return slot.kind == PL_PDF_SLOT_PLAIN ? slot.at : 0;
}

static pl_status scan_enter_pack(struct pl_pdf_file *file, struct pl_pdf_scan *scan,
                                 uint32_t container)
{
    const struct pl_pdf_pack *pack = NULL;
    size_t mark = pl_arena_mark(&file->arena);
    pl_status status = pl_pdf_pack_open(file, container, &pack);
    uint64_t place = scan_place(scan, container);
    for (uint32_t i = 0; status == PL_OK && i < pack->count; i++) {
        uint32_t number = pack->entries[i].number;
        if (number == 0 || number == container || scan_place(scan, number) > place)
            continue;
        struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_PACKED, .index = i, .at = container };
        status = pl_pdf_table_put(&scan->table, number, slot);
    }
    file_undo(file, mark);
    return status;
}

pl_status pl_pdf_scan_packs(struct pl_pdf_file *file, struct pl_pdf_scan *scan)
{
    const struct pl_pdf_table *before = file->table;
    file->table = &scan->table;
    pl_status status = PL_OK;
    for (size_t i = 0; i < scan->pack_count && status == PL_OK; i++) {
        status = scan_enter_pack(file, scan, scan->packs[i]);
        if (status != PL_NO_MEMORY) /* one that cannot be read hides what it holds, no more */
            status = PL_OK;
    }
    file->table = before;
    return status;
}

void pl_pdf_scan_fini(struct pl_pdf_scan *scan)
{
    pl_pdf_table_fini(&scan->table);
    free(scan->packs);
    scan->packs = NULL;
}

/* Nodes that stand in their parents themselves have numbers of ours, which pages refer to. */
static pl_status repair_keep_kids(const struct pl_pdf_table *from, struct pl_pdf_table *to)
{
    pl_status status = PL_OK;
    for (uint32_t n = 0; n < from->count && status == PL_OK; n++) {
        struct pl_pdf_slot slot = pl_pdf_table_slot(from, n);
        if (slot.kind == PL_PDF_SLOT_KID)
            status = pl_pdf_table_put(to, n, slot);
    }
    return status;
}

pl_status pl_pdf_repair(struct pl_pdf_file *file)
{
    struct pl_pdf_scan scan = { .arena = NULL };
    struct pl_pdf_shared *shared = file->shared;
    file->may_repair = false;
    pl_pdf_packs_fini(file);
    pl_status status = pl_pdf_scan_file(file, &scan);
    if (status == PL_OK)
        status = pl_pdf_scan_packs(file, &scan);
    if (status == PL_OK && !file->opening)
        status = repair_keep_kids(file->table, &scan.table);
    pl_pdf_packs_fini(file);
    if (status == PL_OK) {
        struct pl_pdf_table *place = file->opening ? &shared->table : &file->own;
        pl_pdf_table_fini(place);
        *place = scan.table;
        scan.table = (struct pl_pdf_table){ 0 };
        file->table = place;
        file->repaired = true;
    }
    pl_pdf_scan_fini(&scan);
    return status;
}
