/* Compiler attributes, assertion levels and the few helpers that every file uses. */
#ifndef POLYGIL_BASE_H
#define POLYGIL_BASE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((cold, noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
/* Thread-local variables of the executable itself: one instruction to reach. */
#define TLS_FAST __attribute__((tls_model("local-exec")))
#define CACHE_LINE 64
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, field) ((type *)((char *)(p) - offsetof(type, field)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Three levels (POLYGIL_ASSERT = 0, 1, 2): ASSERT states a local invariant, ASSERT_FULL validates a whole structure.
 * fatal() is for a broken invariant alone, never for bad input. */
#ifndef POLYGIL_ASSERT
#define POLYGIL_ASSERT 0
#endif

NORETURN COLD void fatal_at(const char *file, int line, const char *what);
#define fatal(what) fatal_at(__FILE__, __LINE__, what)
#define ASSERT_AT(level, c)                                        \
    do {                                                           \
        if (POLYGIL_ASSERT >= (level) && UNLIKELY(!(c)))           \
            fatal_at(__FILE__, __LINE__, "assertion failed: " #c); \
    } while (0)
#define ASSERT(c) ASSERT_AT(1, c)
#define ASSERT_FULL(c) ASSERT_AT(2, c)
#define UNREACHABLE() fatal("unreachable")

/* Relaxed accesses: readable words that other threads may write are at least these. */
#define LOAD_RELAXED(p) atomic_load_explicit((p), memory_order_relaxed)
#define STORE_RELAXED(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define LOAD_ACQUIRE(p) atomic_load_explicit((p), memory_order_acquire)
#define STORE_RELEASE(p, v) atomic_store_explicit((p), (v), memory_order_release)

/* *p += n and *p -= n by the only thread that writes it; sub_by_writer tells whether it came to 0. A relaxed load and
 * store; and *p & mask, a relaxed load: in the one instruction that compilers make of neither. A sanitizer must see
 * them. */
#if defined(__x86_64__) && !POLYGIL_SANITIZED
static ALWAYS_INLINE void add_by_writer(_Atomic(uint32_t) *p, uint32_t n) {
    __asm__("addl %1, %0" : "+m"(*(uint32_t *)(uintptr_t)p) : "ri"(n) : "cc");
}
static ALWAYS_INLINE bool sub_by_writer(_Atomic(uint32_t) *p, uint32_t n) {
    bool zero;
    __asm__("subl %2, %0" : "+m"(*(uint32_t *)(uintptr_t)p), "=@ccz"(zero) : "ri"(n));
    return zero;
}
static ALWAYS_INLINE bool test_bits(const _Atomic(uint8_t) *p, uint8_t mask) {
    bool any;
    __asm__ volatile("testb %2, %1" : "=@ccnz"(any) : "m"(*(const uint8_t *)(uintptr_t)p), "ri"(mask));
    return any;
}
#else
static ALWAYS_INLINE void add_by_writer(_Atomic(uint32_t) *p, uint32_t n) {
    STORE_RELAXED(p, LOAD_RELAXED(p) + n);
}
static ALWAYS_INLINE bool sub_by_writer(_Atomic(uint32_t) *p, uint32_t n) {
    uint32_t left = LOAD_RELAXED(p) - n;
    STORE_RELAXED(p, left);
    return left == 0;
}
static ALWAYS_INLINE bool test_bits(const _Atomic(uint8_t) *p, uint8_t mask) {
    return LOAD_RELAXED((_Atomic(uint8_t) *)(uintptr_t)p) & mask;
}
#endif

#endif
