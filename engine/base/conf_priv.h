/* conf_priv: one value of one row: read it, say what is allowed, find what was meant.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_CONF_PRIV_H
#define PL_ENGINE_BASE_CONF_PRIV_H

#include "engine/base/conf.h"

#define PL_CONF_NAME_CHARS ((size_t)64)
#define PL_CONF_ALLOWED_CHARS ((size_t)160)

/* True when `text` is a value of the row; it is then also written to its place in `target`, which
 * may be NULL. */
bool pl_conf_value_set(const struct pl_conf_row *row, struct pl_span text, void *target);

/* "1s to 10m", "none, gzip or zstd": ends any sentence that begins with "allowed". */
void pl_conf_value_allowed(const struct pl_conf_row *row, char out[PL_CONF_ALLOWED_CHARS]);

/* Edits (insert, drop, replace, swap of neighbours) from one name to the other; a large number when
 * either is longer than PL_CONF_NAME_CHARS. */
size_t pl_conf_distance(struct pl_span a, struct pl_span b);

#endif
