/* pdf_table: eight bytes an object: 3 bits of kind, then an offset of 61 bits, or 23 bits of index
 * and the number of the object that holds this one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <stdlib.h>
#include <string.h>

#define KIND_BITS 3
#define INDEX_BITS 23
#define TABLE_FIRST 256

struct pl_pdf_slot pl_pdf_table_slot(const struct pl_pdf_table *table, uint32_t number)
{
    struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_NONE };
    if (number >= table->count)
        return slot;
    uint64_t packed = table->slots[number];
    slot.kind = (enum pl_pdf_slot_kind)(packed & (((uint64_t)1 << KIND_BITS) - 1));
    packed >>= KIND_BITS;
    slot.at = packed;
    if (slot.kind == PL_PDF_SLOT_PACKED || slot.kind == PL_PDF_SLOT_KID) {
        slot.index = (uint32_t)(packed & (((uint64_t)1 << INDEX_BITS) - 1));
        slot.at = packed >> INDEX_BITS;
    }
    return slot;
}

/* calloc, so that a table with few entries far apart costs only the pages it touches. */
static pl_status table_grow(struct pl_pdf_table *table, uint32_t number)
{
    uint32_t capacity = table->capacity > 0 ? table->capacity : TABLE_FIRST;
    while (capacity <= number)
        capacity *= 2;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return PL_NO_MEMORY;
    if (table->count > 0)
        memcpy(slots, table->slots, table->count * sizeof *slots);
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return PL_OK;
}

pl_status pl_pdf_table_put(struct pl_pdf_table *table, uint32_t number, struct pl_pdf_slot slot)
{
    if (number >= PL_PDF_NUMBERS)
        return PL_TOO_LARGE;
    if (number >= table->capacity) {
        pl_status status = table_grow(table, number);
        if (status != PL_OK)
            return status;
    }
    uint64_t packed = slot.at;
    if (slot.kind == PL_PDF_SLOT_PACKED || slot.kind == PL_PDF_SLOT_KID) {
        PL_CHECK(slot.at < PL_PDF_NUMBERS && slot.index < PL_PDF_NUMBERS);
        packed = slot.at << INDEX_BITS | slot.index;
    }
    PL_CHECK(packed >> (64 - KIND_BITS) == 0);
    table->slots[number] = packed << KIND_BITS | (uint64_t)slot.kind;
    if (number >= table->count)
        table->count = number + 1;
    return PL_OK;
}

void pl_pdf_table_fini(struct pl_pdf_table *table)
{
    free(table->slots);
    *table = (struct pl_pdf_table){ 0 };
}
