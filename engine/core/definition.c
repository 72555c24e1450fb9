/* definition: boxes in hex; the tenant and the version are bound in.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/definition.h"

#include "engine/base/digest.h"
#include "engine/core/core.h"

#include <stdlib.h>
#include <string.h>

static const char sealed_mark[] = "sealed:";
#define MARK_CHARS (sizeof sealed_mark - 1)

pl_status pl_definition_seal(const struct pl_keyring *keyring, const struct pl_id *tenant,
                             uint32_t version, const char *plain, char **out)
{
    char field[PL_FIELD_CHARS];
    struct pl_span span = pl_span_from(plain);
    size_t size = span.size + PL_SEALED_FIELD_OVERHEAD;
    char *text = malloc(MARK_CHARS + 2 * size + 1);
    uint8_t *box = malloc(size);
    pl_status status = text == NULL || box == NULL ? PL_NO_MEMORY : PL_OK;
    if (status == PL_OK)
        status = keyring->ops->field_seal(
            keyring->self, tenant, pl_field_name("pipeline.definition", tenant, version, field),
            span, box);
    if (status == PL_OK) {
        memcpy(text, sealed_mark, MARK_CHARS);
        (void)pl_text_hex(box, size, text + MARK_CHARS);
        *out = text;
        text = NULL;
    }
    free(box);
    free(text);
    return status;
}

pl_status pl_definition_open(const struct pl_keyring *keyring, const struct pl_id *tenant,
                             uint32_t version, const char *kept, char **out)
{
    char field[PL_FIELD_CHARS];
    size_t digits = strlen(kept);
    if (strncmp(kept, sealed_mark, MARK_CHARS) != 0) {
        *out = strdup(kept);
        return *out == NULL ? PL_NO_MEMORY : PL_OK;
    }
    digits -= MARK_CHARS;
    size_t size = digits / 2;
    if (digits % 2 != 0 || size < PL_SEALED_FIELD_OVERHEAD)
        return PL_TAMPERED;
    uint8_t *box = malloc(size);
    char *plain = calloc(1, size - PL_SEALED_FIELD_OVERHEAD + 1);
    pl_status status = box == NULL || plain == NULL ? PL_NO_MEMORY : PL_OK;
    if (status == PL_OK && !pl_text_unhex((struct pl_span){ kept + MARK_CHARS, digits }, box, size))
        status = PL_TAMPERED;
    if (status == PL_OK)
        status = keyring->ops->field_open(
            keyring->self, tenant, pl_field_name("pipeline.definition", tenant, version, field),
            (struct pl_span){ (const char *)box, size }, (uint8_t *)plain);
    if (status == PL_OK) {
        *out = plain;
        plain = NULL;
    }
    free(box);
    free(plain);
    return status;
}

void pl_definition_free(char *plain)
{
    if (plain == NULL)
        return;
    pl_wipe(plain, strlen(plain));
    free(plain);
}
