#pragma once

// What the compiler was told about the processor: Swift cannot read these macros itself.
#if defined(__AVX512F__)
#define CPU_VECTOR_BYTES 64
#define CPU_VECTOR_REGISTERS 32
#define CPU_INSTRUCTION_SET "AVX-512"
#elif defined(__AVX2__) && defined(__FMA__)
#define CPU_VECTOR_BYTES 32
#define CPU_VECTOR_REGISTERS 16
#define CPU_INSTRUCTION_SET "AVX2"
#elif defined(__aarch64__)
#define CPU_VECTOR_BYTES 16
#define CPU_VECTOR_REGISTERS 32
#define CPU_INSTRUCTION_SET "NEON"
#else
#define CPU_VECTOR_BYTES 16
#define CPU_VECTOR_REGISTERS 16
#define CPU_INSTRUCTION_SET "baseline"
#endif

// Asks for a cache line that will be read and written soon; never faults.
static inline void cpu_prefetch(const void *_Nonnull address) { __builtin_prefetch(address, 1, 3); }

// Asks for a cache line that will be read soon; never faults.
static inline void cpu_prefetch_read(const void *_Nonnull address) { __builtin_prefetch(address, 0, 3); }

// Subnormal numbers count as zeros from now on, on this thread and on those that it starts.
static inline void cpu_flush_subnormals(void) {
#if defined(__SSE__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  __builtin_arm_wsr64("fpcr", __builtin_arm_rsr64("fpcr") | (1UL << 24));
#endif
}
