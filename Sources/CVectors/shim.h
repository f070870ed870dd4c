#pragma once

// Vector operations as single instructions.
//
// In the standard library selections, fused products, conversions and bit operations of SIMD types are
// loops over lanes. The optimiser turns many of them back into vectors, but not reliably: a polynomial
// may fall apart into quarter vectors. clang's vector types import as SIMD16<Float> and SIMD8<Double>,
// and each function here is one or two instructions on every processor.

typedef float Float16Lanes __attribute__((ext_vector_type(16)));
typedef double Double8Lanes __attribute__((ext_vector_type(8)));
typedef int Int16Lanes __attribute__((ext_vector_type(16)));
typedef long long Long8Lanes __attribute__((ext_vector_type(8)));
typedef unsigned Word16Lanes __attribute__((ext_vector_type(16)));
typedef unsigned long long Word8Lanes __attribute__((ext_vector_type(8)));

#define VECTOR_FUNCTION static inline __attribute__((always_inline, overloadable))

#define EVEN_LANES_16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES_16 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define EVEN_LANES_8 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES_8 1, 3, 5, 7, 9, 11, 13, 15

// Every other lane of a and b, one after the other.
#define VECTOR_PARTING(V, EVEN_LANES, ODD_LANES)                                                 \
  VECTOR_FUNCTION V vectorEvenLanes(V a, V b) { return __builtin_shufflevector(a, b, EVEN_LANES); } \
  VECTOR_FUNCTION V vectorOddLanes(V a, V b) { return __builtin_shufflevector(a, b, ODD_LANES); }

VECTOR_PARTING(Float16Lanes, EVEN_LANES_16, ODD_LANES_16)
VECTOR_PARTING(Double8Lanes, EVEN_LANES_8, ODD_LANES_8)

#define LANE_NUMBERS_16 {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
#define LANE_NUMBERS_8 {0, 1, 2, 3, 4, 5, 6, 7}

#define VECTOR_FUNCTIONS(V, I, E, LANE_NUMBERS)                                                  \
  /* a * b + c, rounded once. */                                                                 \
  VECTOR_FUNCTION V vectorMultiplyAdd(V a, V b, V c) { return __builtin_elementwise_fma(a, b, c); } \
  VECTOR_FUNCTION V vectorIfLess(V a, V b, V yes, V no) { return a < b ? yes : no; }             \
  VECTOR_FUNCTION V vectorIfAtMost(V a, V b, V yes, V no) { return a <= b ? yes : no; }          \
  VECTOR_FUNCTION V vectorIfEqual(V a, V b, V yes, V no) { return a == b ? yes : no; }           \
  /* The lanes 0..<count of yes, the others of no. */                                            \
  VECTOR_FUNCTION V vectorFirstLanes(E count, V yes, V no) {                                     \
    const I lanes = LANE_NUMBERS;                                                                \
    return lanes < (I)(count) ? yes : no;                                                        \
  }                                                                                              \
  VECTOR_FUNCTION V vectorMagnitude(V x) { return __builtin_elementwise_abs(x); }                \
  VECTOR_FUNCTION V vectorSquareRoot(V x) { return __builtin_elementwise_sqrt(x); }              \
  VECTOR_FUNCTION V vectorWithSign(V size, V sign) { return __builtin_elementwise_copysign(size, sign); }

VECTOR_FUNCTIONS(Float16Lanes, Int16Lanes, int, LANE_NUMBERS_16)
VECTOR_FUNCTIONS(Double8Lanes, Long8Lanes, long long, LANE_NUMBERS_8)

// 2^k for k in -126...128 (128 gives infinity); `shifted` is 1.5 * 2^23 + k, which has k in its low bits.
VECTOR_FUNCTION Float16Lanes vectorPowerOfTwo(Float16Lanes shifted) {
  return __builtin_bit_cast(
      Float16Lanes, (__builtin_bit_cast(Word16Lanes, shifted) + 127u) << 23);
}

// e and m of a normal positive x = 2^e m with m in [sqrt(1/2), sqrt(2)).
#define ROOT_OF_HALF 0x3F3504F3u
VECTOR_FUNCTION Float16Lanes vectorExponent(Float16Lanes x) {
  Word16Lanes shifted = __builtin_bit_cast(Word16Lanes, x) - ROOT_OF_HALF;
  return __builtin_convertvector(
      __builtin_bit_cast(Int16Lanes, shifted) >> 23, Float16Lanes);
}
VECTOR_FUNCTION Float16Lanes vectorMantissa(Float16Lanes x) {
  Word16Lanes shifted = __builtin_bit_cast(Word16Lanes, x) - ROOT_OF_HALF;
  return __builtin_bit_cast(Float16Lanes, (shifted & 0x007FFFFFu) + ROOT_OF_HALF);
}

VECTOR_FUNCTION Double8Lanes vectorLowDoubles(Float16Lanes x) {
  return __builtin_convertvector(x.lo, Double8Lanes);
}
VECTOR_FUNCTION Double8Lanes vectorHighDoubles(Float16Lanes x) {
  return __builtin_convertvector(x.hi, Double8Lanes);
}

// x, but 0 where the lane of `bits` is below `threshold`.
VECTOR_FUNCTION Float16Lanes vectorDrop(Float16Lanes x, Word16Lanes bits, unsigned threshold) {
  return bits < (Word16Lanes)(threshold) ? (Float16Lanes)(0) : x;
}

// The two halves of sixteen products of 32-bit words; each 64-bit lane holds two words.
VECTOR_FUNCTION Word8Lanes vectorHighProducts(Word8Lanes x, unsigned long long factor) {
  Word8Lanes even = (x & 0xFFFFFFFFull) * factor, odd = (x >> 32) * factor;
  return (even >> 32) | (odd & 0xFFFFFFFF00000000ull);
}
VECTOR_FUNCTION Word8Lanes vectorLowProducts(Word8Lanes x, unsigned long long factor) {
  Word8Lanes even = (x & 0xFFFFFFFFull) * factor, odd = (x >> 32) * factor;
  return (even & 0xFFFFFFFFull) | (odd << 32);
}
VECTOR_FUNCTION Word8Lanes vectorExclusiveOr(Word8Lanes a, Word8Lanes b, Word8Lanes c) {
  return a ^ b ^ c;
}
VECTOR_FUNCTION Word16Lanes vectorLowHalfWords(Word8Lanes words) {
  return __builtin_bit_cast(Word16Lanes, words) & 0xFFFFu;
}
VECTOR_FUNCTION Word16Lanes vectorHighHalfWords(Word8Lanes words) {
  return __builtin_bit_cast(Word16Lanes, words) >> 16;
}
