import CVectors

// Float: polynomials after argument reduction. The stated errors are measured against Double over
// dense samples of each function's range; VectorMathTests holds them.

extension Float {
  package typealias Lanes = SIMD16<Float>

  @inline(__always)
  package static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
    vectorMultiplyAdd(a, b, c)
  }

  @inline(__always)
  package static func ifLess(
    _ a: Lanes, _ b: Lanes, then yes: Lanes, else no: Lanes
  ) -> Lanes {
    vectorIfLess(a, b, yes, no)
  }

  @inline(__always)
  package static func ifAtMost(
    _ a: Lanes, _ b: Lanes, then yes: Lanes, else no: Lanes
  ) -> Lanes {
    vectorIfAtMost(a, b, yes, no)
  }

  @inline(__always)
  package static func ifEqual(
    _ a: Lanes, _ b: Lanes, then yes: Lanes, else no: Lanes
  ) -> Lanes {
    vectorIfEqual(a, b, yes, no)
  }

  @inline(__always)
  package static func firstLanes(_ count: Int, of x: Lanes, else rest: Lanes) -> Lanes {
    vectorFirstLanes(Int32(truncatingIfNeeded: count), x, rest)
  }

  @inline(__always)
  package static func magnitude(_ x: Lanes) -> Lanes { vectorMagnitude(x) }

  @inline(__always)
  package static func squareRoot(_ x: Lanes) -> Lanes { vectorSquareRoot(x) }

  @inline(__always)
  package static func evenLanes(_ a: Lanes, _ b: Lanes) -> Lanes { vectorEvenLanes(a, b) }

  @inline(__always)
  package static func oddLanes(_ a: Lanes, _ b: Lanes) -> Lanes { vectorOddLanes(a, b) }

  @inline(__always)
  package static func storeEights(
    _ x: Lanes, to target: UnsafeMutablePointer<Float>, stride: Int, count: Int
  ) {
    if count > 0 {
      UnsafeMutableRawPointer(target).storeBytes(of: x.lowHalf, as: SIMD8<Float>.self)
    }
    if count > 1 {
      UnsafeMutableRawPointer(target + stride).storeBytes(of: x.highHalf, as: SIMD8<Float>.self)
    }
  }

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
    return (vectorLowDoubles(x), vectorHighDoubles(x))
  }

  @inline(__always)
  package static func dropSixteen(
    _ source: UnsafePointer<Float>, bits: SIMD16<UInt32>, below threshold: UInt32, factor: Float,
    into target: UnsafeMutablePointer<Float>
  ) {
    let x = UnsafeRawPointer(source).loadUnaligned(as: Lanes.self) * factor
    UnsafeMutableRawPointer(target).storeBytes(of: vectorDrop(x, bits, threshold), as: Lanes.self)
  }
}
