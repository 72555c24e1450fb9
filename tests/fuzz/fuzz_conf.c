/* fuzz_conf: any bytes as a settings file; what is refused has a sentence, what is read fits.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/conf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
    bool enabled;
    uint64_t number;
    uint64_t bytes;
    uint64_t duration_ms;
    unsigned choice;
    char text[17];
};

static const char *const choices[] = { "one", "two", NULL };

static const struct pl_conf_row rows[] = {
    { "a.enabled", PL_CONF_BOOL, offsetof(struct settings, enabled), 0, 0, "true", NULL, "A." },
    { "a.number", PL_CONF_NUMBER, offsetof(struct settings, number), 1, 9, "2", NULL, "N." },
    { "a.bytes", PL_CONF_BYTES, offsetof(struct settings, bytes), 1, 4096, "1KiB", NULL, "B." },
    { "b.duration", PL_CONF_DURATION, offsetof(struct settings, duration_ms), 0, UINT64_MAX, "1s",
      NULL, "D." },
    { "b.choice", PL_CONF_CHOICE, offsetof(struct settings, choice), 0, 0, "one", choices, "C." },
    { "b.text", PL_CONF_TEXT, offsetof(struct settings, text), 0, 16, "x", NULL, "T." },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pl_conf_table table = { rows, PL_COUNT_OF(rows) };
    struct settings settings;
    struct pl_fault fault = { .status = PL_OK };
    pl_conf_defaults(&table, &settings);
    pl_status status = pl_conf_read(
        &table, "fuzz.yaml", (struct pl_span){ (const char *)data, size }, &settings, &fault);
    PL_CHECK(status == fault.status);
    if (status != PL_OK) {
        PL_CHECK(status == PL_MISCONFIGURED);
        PL_CHECK(strncmp(fault.reason, "fuzz.yaml", 9) == 0);
        PL_CHECK(pl_text_is_utf8(pl_span_from(fault.reason)));
        return 0;
    }
    PL_CHECK(settings.number >= 1 && settings.number <= 9);
    PL_CHECK(settings.bytes >= 1 && settings.bytes <= 4096);
    PL_CHECK(settings.choice < 2 && strlen(settings.text) <= 16);
    /* What was read can be written, and reads back the same. */
    const struct pl_conf_override text = { "b.text", settings.text };
    struct settings again = settings;
    struct pl_bytes out;
    pl_bytes_init(&out, 1 << 16);
    PL_CHECK(pl_conf_write(&table, &text, 1, &out) == PL_OK);
    PL_CHECK(pl_conf_read(&table, "again", (struct pl_span){ (const char *)out.data, out.size },
                          &again, NULL) == PL_OK);
    PL_CHECK(strcmp(again.text, settings.text) == 0);
    pl_bytes_fini(&out);
    return 0;
}
