#pragma once
#include <stddef.h>
#include <stdint.h>

// Linking this target replaces malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign
// and memalign of the whole process, libraries included, by ones that count and then call glibc's.
// Only tests and benchmarks link it.

/// Heap allocations of all threads since the process started.
uint64_t allocation_count(void);

/// Heap allocations of the calling thread since it started: what a test that runs beside others asks.
uint64_t allocation_count_of_thread(void);
