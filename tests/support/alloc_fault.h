/* alloc_fault: makes the n-th allocation of a piece of work fail, in builds without sanitizers
 * (they have an allocator of their own).
 *
 * To be included by one source of a test program: it defines malloc, calloc, realloc and free over
 * those of glibc, for the whole program and its libraries. Of one thread.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_ALLOC_FAULT_H
#define PL_TESTS_SUPPORT_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

static unsigned alloc_fault_left; /* allocations until one fails; 0: none does */
static bool alloc_fault_hit;
static long alloc_fault_live; /* allocations that were not freed yet */

#if defined(PL_SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define ALLOC_FAULT_WORKS false
#else
#define ALLOC_FAULT_WORKS true

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *data, size_t size);
void __libc_free(void *data);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *data, size_t size);
void free(void *data);

static inline bool alloc_fault_now(void)
{
    if (alloc_fault_left == 0 || --alloc_fault_left > 0)
        return false;
    alloc_fault_hit = true;
    return true;
}

static inline void *alloc_fault_count(void *made)
{
    alloc_fault_live += made != NULL;
    return made;
}

void *malloc(size_t size)
{
    return alloc_fault_now() ? NULL : alloc_fault_count(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return alloc_fault_now() ? NULL : alloc_fault_count(__libc_calloc(count, size));
}

void *realloc(void *data, size_t size)
{
    if (alloc_fault_now())
        return NULL;
    return data == NULL ? alloc_fault_count(__libc_malloc(size)) : __libc_realloc(data, size);
}

void free(void *data)
{
    alloc_fault_live -= data != NULL;
    __libc_free(data);
}
#endif

/* The n-th allocation from now on fails, once. */
static inline void alloc_fault_at(unsigned n)
{
    alloc_fault_left = n;
    alloc_fault_hit = false;
}

/* Ends it; whether one failed. */
static inline bool alloc_fault_end(void)
{
    alloc_fault_left = 0;
    return alloc_fault_hit;
}

#endif
