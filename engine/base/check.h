/* check: the one way to say "this cannot happen", and the attributes and helpers every file uses.
 *
 * PL_CHECK stays on in release builds. It guards our own invariants, never bytes that came from
 * outside: those are answered with a pl_status.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_CHECK_H
#define PL_ENGINE_BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_MUST_USE __attribute__((warn_unused_result))
#define PL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PL_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define PL_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define PL_CHECK(cond)                                                                             \
    do {                                                                                           \
        if (!(cond))                                                                               \
            pl_check_failed(#cond, __FILE__, __LINE__, __func__);                                  \
    } while (0)

/* Prints the place to stderr and aborts; the process manager restarts what died. */
_Noreturn void pl_check_failed(const char *cond, const char *file, int line, const char *func);

/* Checked size arithmetic: true when the result fits and *out was written. */
static inline bool PL_MUST_USE pl_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool PL_MUST_USE pl_size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
