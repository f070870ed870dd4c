import Kernels
import Storage
import Testing

/// Messages against the definition of the formats, computed in Double.
@Suite("Rounded messages")
struct RoundedMessageTests {
  static let formats = [WireFormat.bfloat16, .float16]

  @Test("all 65,536 codes mean what the format says", arguments: formats, [-3, 0, 7])
  func allCodes(format: WireFormat, exponent: Int) {
    let scale = format == .float16 ? exponent : 0
    let message = AlignedMemory<UInt16>(
      copying: [UInt16(bitPattern: Int16(scale))] + (0...UInt16.max))
    let target = AlignedMemory<Float>(count: 1 << 16)
    unpackMessage(message.block, as: format, into: target.block)
    let bad = target.array.indices.filter { code in
      let expected =
        Format(format).number(UInt16(code)) * Double(sign: .plus, exponent: -scale, significand: 1)
      return !Self.agree(Double(target.array[code]), expected)
    }
    #expect(bad.isEmpty, "\(bad.prefix(5))")
    accumulateMessage(message.block, as: format, into: target.block)
    let twice = target.array
    #expect(
      twice[0x3F00] == 2 * Float(Format(format).number(0x3F00))
        * Float(sign: .plus, exponent: -scale, significand: 1))
  }

  @Test("every number that a code means travels unchanged", arguments: formats)
  func representable(format: WireFormat) {
    // One message each: a common scale would push the smallest below the format's last bit.
    let wrong = (0...UInt16.max).filter { code in
      let number = Float(Format(format).number(code))
      let (sent, residual) = Self.send([number], format)
      return !Self.agree(Double(sent[0]), Double(number)) || (number.isFinite && residual[0] != 0)
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test(
    "numbers are rounded to the nearest, ties to even, and the error is kept", arguments: formats,
    [0, 1, 15, 16, 17, 1000])
  func nearest(format: WireFormat, count: Int) {
    for spread in [0, 8, 40] {
      let numbers = Self.numbers(count, spread: spread)
      let (sent, residual) = Self.send(numbers, format)
      let expected = Format(format).rounded(numbers.map(Double.init))
      #expect(sent.map(Double.init) == expected, "spread \(spread)")
      #expect(zip(numbers, sent).map { $0 - $1 } == residual, "spread \(spread)")
    }
  }

  @Test("halves go to the even neighbour", arguments: formats)
  func ties(format: WireFormat) {
    let bits = Format(format).significantBits
    let step = Double(sign: .plus, exponent: 1 - bits, significand: 1)
    let numbers = (0..<8).map { Float(1 + (Double($0) + 0.5) * step) }
    let expected = (0..<8).map { 1 + Double(($0 + 1) / 2 * 2) * step }
    #expect(Self.send(numbers, format).sent.map(Double.init) == expected)
    #expect(Self.send(numbers.map { -$0 }, format).sent.map { -Double($0) } == expected)
  }

  @Test("float16 takes gradients of any size", arguments: [-140, -100, -30, 0, 30, 100, 126])
  func scales(exponent: Int) {
    let unit = Float(sign: .plus, exponent: exponent, significand: 1)
    let (sent, residual) = Self.send([unit * 1.25, unit * -1.5, unit], .float16)
    #expect(sent == [unit * 1.25, unit * -1.5, unit] && residual == [0, 0, 0])
  }

  @Test("what is not finite arrives as not finite", arguments: formats)
  func notFinite(format: WireFormat) {
    let quiet = Float(bitPattern: 0x7F80_0001)
    for bad in [Float.nan, -.nan, quiet, .infinity, -.infinity, Float(bitPattern: 0x7FFF_FFFF)] {
      for place in [0, 5, 19] {
        var numbers = Self.numbers(20, spread: 3)
        numbers[place] = bad
        let sent = Self.send(numbers, format).sent
        #expect(bad.isNaN ? sent[place].isNaN : sent[place] == bad, "\(bad) at \(place)")
      }
    }
  }

  @Test("the residual of before travels along", arguments: formats)
  func feedback(format: WireFormat) {
    let numbers = Self.numbers(33, spread: 4)
    let first = Self.send(numbers, format)
    let second = Self.send(numbers, format, residual: first.residual)
    let sums = zip(numbers, first.residual).map { $0 + $1 }
    #expect(second.sent.map(Double.init) == Format(format).rounded(sums.map(Double.init)))
    #expect(zip(sums, second.sent).map { $0 - $1 } == second.residual)
  }

  @Test("Doubles travel like Floats", arguments: formats)
  func doubles(format: WireFormat) {
    let numbers = Self.numbers(50, spread: 5)
    let values = AlignedMemory<Double>(copying: numbers.map(Double.init))
    let residual = AlignedMemory<Double>(count: 50)
    let message = AlignedMemory<UInt16>(count: 51)
    packMessage(values.block, residual: residual.block, as: format, into: message.block)
    let target = AlignedMemory<Double>(count: 50)
    unpackMessage(message.block, as: format, into: target.block)
    #expect(target.array == Self.send(numbers, format).sent.map(Double.init))
    #expect(zip(target.array, residual.array).map { $0 + $1 } == values.array)
  }

  // MARK: The reference

  /// A binary format, by its definition.
  struct Format {
    let significantBits: Int
    let leastExponent: Int
    let bias: Int
    let exponentBits: Int
    let isScaled: Bool

    init(_ format: WireFormat) {
      isScaled = format == .float16
      (significantBits, leastExponent, bias, exponentBits) =
        isScaled ? (11, -14, 15, 5) : (8, -126, 127, 8)
    }

    func number(_ code: UInt16) -> Double {
      let sign = code >> 15 == 0 ? 1.0 : -1.0
      let fractionBits = significantBits - 1
      let fraction = Double(Int(code) & (1 << fractionBits - 1))
      let exponent = Int(code >> fractionBits) & (1 << exponentBits - 1)
      let unit = Double(sign: .plus, exponent: -fractionBits, significand: 1)
      if exponent == 1 << exponentBits - 1 { return fraction == 0 ? sign * .infinity : .nan }
      if exponent == 0 {
        return sign * fraction * unit * Double(sign: .plus, exponent: leastExponent, significand: 1)
      }
      return sign * (1 + fraction * unit)
        * Double(sign: .plus, exponent: exponent - bias, significand: 1)
    }

    /// The numbers of one message after their way.
    func rounded(_ numbers: [Double]) -> [Double] {
      let largest = numbers.map { abs($0) }.max() ?? 0
      let scale = isScaled && largest > 0 ? min(14 - Int(largest.exponent), 126) : 0
      let factor = Double(sign: .plus, exponent: scale, significand: 1)
      return numbers.map { number in
        guard number != 0 else { return 0 }
        let scaled = number * factor
        let exponent = max(Int(scaled.exponent), leastExponent)
        let unit = Double(sign: .plus, exponent: exponent - significantBits + 1, significand: 1)
        return (scaled / unit).rounded(.toNearestOrEven) * unit / factor
      }
    }
  }

  private static func agree(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }

  private static func send(
    _ numbers: [Float], _ format: WireFormat, residual: [Float]? = nil
  ) -> (sent: [Float], residual: [Float]) {
    let values = GuardedBlock<Float>(numbers.map(Double.init))
    let rest = GuardedBlock<Float>((residual ?? numbers.map { _ in 0 }).map(Double.init))
    let target = GuardedBlock<Float>(count: numbers.count)
    let message = AlignedMemory<UInt16>(count: numbers.count + 1)
    packMessage(values.block, residual: rest.block, as: format, into: message.block)
    unpackMessage(message.block, as: format, into: target.block)
    return (target.numbers.map { Float($0) }, rest.numbers.map { Float($0) })
  }

  /// Numbers whose sizes lie up to `2^spread` apart.
  private static func numbers(_ count: Int, spread: Int) -> [Float] {
    let (sizes, parts) = (testNumbers(count, "sizes", low: 0), testNumbers(count, "parts"))
    return zip(sizes, parts).map {
      Float($1) * Float(sign: .plus, exponent: Int($0 * Double(spread)) - spread, significand: 1)
    }
  }
}
