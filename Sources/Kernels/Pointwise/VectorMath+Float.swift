// Float: polynomials after argument reduction. The stated errors are measured against Double over
// dense samples of each function's range; VectorMathTests holds them.

extension Float {
  package typealias Lanes = SIMD16<Float>

  @inline(__always)
  package static func isLess(_ a: Lanes, than b: Lanes) -> SIMDMask<SIMD16<Int32>> { a .< b }

  @inline(__always)
  package static func isEqual(_ a: Lanes, to b: Lanes) -> SIMDMask<SIMD16<Int32>> { a .== b }

  @inline(__always)
  package static func firstLanes(_ count: Int) -> SIMDMask<SIMD16<Int32>> {
    SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      .< SIMD16(repeating: Int32(truncatingIfNeeded: count))
  }

  @inline(__always)
  package static func magnitude(_ x: Lanes) -> Lanes {
    numbers(bits(x) & SIMD16(repeating: 0x7FFF_FFFF))
  }

  @inline(__always)
  package static func squareRoot(_ x: Lanes) -> Lanes { x.squareRoot() }

  @inline(__always)
  package static func sum(_ x: Lanes) -> Float {
    let eight = x.lowHalf + x.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  @inline(__always)
  package static func largest(_ x: Lanes) -> Float {
    let eight = x.lowHalf.replacing(with: x.highHalf, where: x.lowHalf .< x.highHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.lowHalf .< eight.highHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
    return two.x < two.y ? two.y : two.x
  }

  @inline(__always)
  package static func store(
    _ x: Lanes, to target: UnsafeMutablePointer<Float>, count: Int
  ) {
    var rest = UnsafeMutableRawPointer(target)
    var eight = x.lowHalf
    if count & 8 != 0 {
      rest.storeBytes(of: eight, as: SIMD8<Float>.self)
      rest += 32
      eight = x.highHalf
    }
    var four = eight.lowHalf
    if count & 4 != 0 {
      rest.storeBytes(of: four, as: SIMD4<Float>.self)
      rest += 16
      four = eight.highHalf
    }
    var two = four.lowHalf
    if count & 2 != 0 {
      rest.storeBytes(of: two, as: SIMD2<Float>.self)
      rest += 8
      two = four.highHalf
    }
    if count & 1 != 0 { rest.storeBytes(of: two.x, as: Float.self) }
  }

  @inline(__always)
  package static func sixteenDoubles(
    at source: UnsafePointer<Float>
  ) -> (SIMD8<Double>, SIMD8<Double>) {
    let x = UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
    return (SIMD8<Double>(x.lowHalf), SIMD8<Double>(x.highHalf))
  }

  @inline(__always)
  package static func dropSixteen(
    _ source: UnsafePointer<Float>, bits: SIMD16<UInt32>, below threshold: UInt32, factor: Float,
    into target: UnsafeMutablePointer<Float>
  ) {
    let x = UnsafeRawPointer(source).loadUnaligned(as: Lanes.self) * factor
    UnsafeMutableRawPointer(target).storeBytes(
      of: x.replacing(with: Lanes(repeating: 0), where: bits .< SIMD16(repeating: threshold)),
      as: Lanes.self)
  }

  @inline(__always)
  static func bits(_ x: Lanes) -> SIMD16<UInt32> { unsafeBitCast(x, to: SIMD16<UInt32>.self) }

  @inline(__always)
  static func numbers(_ bits: SIMD16<UInt32>) -> Lanes { unsafeBitCast(bits, to: Lanes.self) }
}
