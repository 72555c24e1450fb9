/* resend: see resend.h; the ledger sees keyed hashes of parts that are set apart by their lengths.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/resend.h"

#include <string.h>

/* Two ids, a drop's name, two digests; or two ids and a key. */
#define RESEND_BYTES 768

struct resend_text {
    size_t size;
    char data[RESEND_BYTES];
};

static void resend_put(struct resend_text *text, const void *data, size_t size)
{
    PL_CHECK(size <= UINT16_MAX && size + 2 <= sizeof text->data - text->size);
    text->data[text->size++] = (char)(size >> 8);
    text->data[text->size++] = (char)(size & 0xFF);
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

static void resend_hash(const struct pl_keyring *keyring, const char *kind,
                        const struct resend_text *text, uint8_t out[PL_SHA256_BYTES])
{
    struct pl_span span = { text->data, text->size };
    keyring->ops->name_hash(keyring->self, kind, span, out);
}

void pl_resend_init(const struct pl_keyring *keyring, const struct pl_resend_subject *subject,
                    int64_t now_ms, int64_t window_ms, struct pl_resend *out)
{
    struct resend_text sender = { .size = 0 };
    bool has_key = subject->key[0] != '\0';
    *out = (struct pl_resend){ .wanted = has_key || window_ms > 0 };
    if (!out->wanted)
        return;
    struct pl_ledger_receipt *receipt = &out->receipt;
    resend_put(&sender, subject->tenant.text, PL_ID_CHARS);
    resend_put(&sender, subject->device.text, PL_ID_CHARS);
    struct resend_text whole = sender;
    resend_put(&whole, subject->drop, strlen(subject->drop));
    resend_put(&whole, subject->name_sha256, PL_SHA256_BYTES);
    resend_put(&whole, subject->sha256, PL_SHA256_BYTES);
    resend_hash(keyring, "upload.whole", &whole, receipt->print);
    memcpy(receipt->hash, receipt->print, PL_SHA256_BYTES);
    if (has_key) {
        resend_put(&sender, subject->key, strlen(subject->key));
        resend_hash(keyring, "upload.key", &sender, receipt->hash);
        window_ms = PL_RESEND_KEY_MS;
    }
    receipt->tenant = subject->tenant;
    receipt->until_ms = window_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + window_ms;
}

pl_status pl_resend_find(const struct pl_resend *resend, const struct pl_ledger *ledger,
                         int64_t now_ms, struct pl_arena *arena, struct pl_ledger_job *out)
{
    struct pl_ledger_receipt found = { .until_ms = 0 };
    struct pl_ledger_job job = { .state = PL_JOB_ACCEPTED };
    const struct pl_id *tenant = &resend->receipt.tenant;
    if (!resend->wanted)
        return PL_NOT_FOUND;
    pl_status status =
        ledger->ops->receipt_load(ledger->self, tenant, resend->receipt.hash, now_ms, &found);
    if (status != PL_OK)
        return status;
    if (memcmp(found.print, resend->receipt.print, PL_SHA256_BYTES) != 0)
        return PL_KEY_REUSED;
    status = ledger->ops->job_load(ledger->self, tenant, &found.job, arena, &job);
    if (status != PL_OK)
        return status;
    if (job.state == PL_JOB_CANCELLED || job.state == PL_JOB_ERASED)
        return PL_NOT_FOUND;
    *out = job;
    return PL_OK;
}

pl_status pl_resend_remember(const struct pl_resend *resend, const struct pl_ledger *ledger,
                             int64_t now_ms, const struct pl_id *job)
{
    if (!resend->wanted)
        return PL_OK;
    struct pl_ledger_receipt receipt = resend->receipt;
    receipt.job = *job;
    return ledger->ops->receipt_put(ledger->self, &receipt, now_ms);
}

bool pl_resend_read_key(struct pl_span field, char out[PL_RESEND_KEY_CHARS + 1])
{
    bool quoted = field.size >= 2 && field.data[0] == '"' && field.data[field.size - 1] == '"';
    size_t used = 0;
    if (quoted)
        field = (struct pl_span){ field.data + 1, field.size - 2 };
    for (size_t i = 0; i < field.size; i++) {
        char c = field.data[i];
        if (quoted && c == '\\') { /* RFC 8941 section 3.3.3: before a quote or itself only */
            if (++i == field.size || (field.data[i] != '"' && field.data[i] != '\\'))
                return false;
            c = field.data[i];
        } else if (c == '"' || (!quoted && (c == ' ' || c == ','))) {
            return false;
        }
        if (c < ' ' || c > '~' || used == PL_RESEND_KEY_CHARS)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return used > 0;
}
