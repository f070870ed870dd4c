import Storage

// A rounded message of n numbers is n + 1 words of 16 bits: an exponent s, then the codes of the numbers
// times 2^s. With float16 s brings the largest of them between 2^14 and 2^15, so that none overflows and those
// up to 2^29 times smaller keep all 11 bits; bfloat16 has the range of Float, and s is 0.
//
// None of these functions reads or writes past the end of a block.

/// Rounds `values + residual` for the way and keeps what was lost for the next message.
///
/// ```text
/// x = values + residual     q = round(x)     residual = x - q, exactly
/// ```
/// What is not finite arrives as not finite; the residual means nothing then.
///
/// Source: Seide, Fu, Droppo, Li and Yu, Interspeech 2014, "1-bit stochastic gradient descent", section 3;
/// Karimireddy, Rebjock, Stich and Jaggi, ICML 2019, "Error feedback fixes SignSGD", algorithm 1.
///
/// - Parameters:
///   - values: `[n]`, not changed.
///   - residual: `[n]`.
///   - format: Not `float32`.
///   - message: `[n + 1]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func packMessage<S: Scalar>(
  _ values: Block<S>, residual: Block<S>, as format: WireFormat, into message: Block<UInt16>
) {
  @inline(never) func run() {
    precondition(
      residual.count == values.count && message.count == values.count + 1,
      "\(values.count) numbers, \(residual.count) residuals, \(message.count) words")
    precondition(format.isRounded, "\(format) is not rounded")
    if format == .float16 {
      let exponent = scaleExponent(largest: largestMagnitude(values, residual))
      pack(Float16Code.self, values, residual, message, exponent: exponent)
    } else {
      pack(BFloat16Code.self, values, residual, message, exponent: 0)
    }
  }
  run()
}

/// The numbers of a message.
///
/// - Parameters:
///   - message: `[n + 1]`, from `packMessage` with the same format.
///   - target: `[n]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func unpackMessage<S: Scalar>(
  _ message: Block<UInt16>, as format: WireFormat, into target: Block<S>
) {
  @inline(never) func run() {
    if format == .float16 {
      unpack(Float16Code.self, message, target, adding: false)
    } else {
      unpack(BFloat16Code.self, message, target, adding: false)
    }
  }
  run()
}

/// `target[i] += ` number `i` of a message.
///
/// - Parameters:
///   - message: `[n + 1]`, from `packMessage` with the same format.
///   - target: `[n]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func accumulateMessage<S: Scalar>(
  _ message: Block<UInt16>, as format: WireFormat, into target: Block<S>
) {
  @inline(never) func run() {
    if format == .float16 {
      unpack(Float16Code.self, message, target, adding: true)
    } else {
      unpack(BFloat16Code.self, message, target, adding: true)
    }
  }
  run()
}

@inline(__always)
private func pack<S: Scalar, Code: WireCode>(
  _ code: Code.Type, _ values: Block<S>, _ residual: Block<S>, _ message: Block<UInt16>,
  exponent: Int
) {
  message.base[0] = UInt16(bitPattern: Int16(exponent))
  let codes = message.base + 1
  let (up, down) = (powerOfTwo(exponent), powerOfTwo(-exponent))
  for index in 0..<values.count {
    let x = values.base[index] + residual.base[index]
    let word = Code.code(Float(x) * up)
    codes[index] = word
    residual.base[index] = x - S(Code.number(word) * down)
  }
}

@inline(__always)
private func unpack<S: Scalar, Code: WireCode>(
  _ code: Code.Type, _ message: Block<UInt16>, _ target: Block<S>, adding: Bool
) {
  precondition(message.count == target.count + 1, "\(message.count) words for \(target.count)")
  let codes = message.base + 1
  let down = powerOfTwo(-Int(Int16(bitPattern: message.base[0])))
  for index in 0..<target.count {
    let number = S(Code.number(codes[index]) * down)
    target.base[index] = adding ? target.base[index] + number : number
  }
}

/// The bits of the largest `|values + residual|` as Float; beyond those of infinity if one is not a number.
@inline(__always)
private func largestMagnitude<S: Scalar>(_ values: Block<S>, _ residual: Block<S>) -> UInt32 {
  var largest: UInt32 = 0
  for index in 0..<values.count {
    let x = Float(values.base[index] + residual.base[index])
    largest = max(largest, x.bitPattern & 0x7FFF_FFFF)
  }
  return largest
}

/// s for numbers up to the one with these bits: `2^14 <= 2^s x < 2^15`, as far as 2^s and 2^-s are normal
/// numbers; 0 for nothing but zeros, or if one is not finite.
private func scaleExponent(largest bits: UInt32) -> Int {
  guard bits > 0, bits < Float.infinity.bitPattern else { return 0 }
  let exponent = max(Int(bits >> 23), 1) - 127
  return min(14 - exponent, 126)
}

@inline(__always)
private func powerOfTwo(_ exponent: Int) -> Float {
  Float(bitPattern: UInt32(truncatingIfNeeded: exponent + 127) << 23)
}
