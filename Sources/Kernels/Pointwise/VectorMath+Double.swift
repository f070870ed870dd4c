import CVectors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// Double certifies gradients: the functions come from the C library, lane by lane, accuracy first.

extension Double {
  package typealias Lanes = SIMD8<Double>

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
    vectorFirstLanes(Int64(count), x, rest)
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
    _ x: Lanes, to target: UnsafeMutablePointer<Double>, stride: Int, count: Int
  ) {
    if count > 0 { UnsafeMutableRawPointer(target).storeBytes(of: x, as: Lanes.self) }
  }

  @inline(__always)
  package static func sum(_ x: Lanes) -> Double {
    let four = x.lowHalf + x.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  @inline(__always)
  package static func largest(_ x: Lanes) -> Double {
    let four = x.lowHalf.replacing(with: x.highHalf, where: x.lowHalf .< x.highHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
    return two.x < two.y ? two.y : two.x
  }

  @inline(__always)
  package static func store(
    _ x: Lanes, to target: UnsafeMutablePointer<Double>, count: Int
  ) {
    var rest = UnsafeMutableRawPointer(target)
    var four = x.lowHalf
    if count & 4 != 0 {
      rest.storeBytes(of: four, as: SIMD4<Double>.self)
      rest += 32
      four = x.highHalf
    }
    var two = four.lowHalf
    if count & 2 != 0 {
      rest.storeBytes(of: two, as: SIMD2<Double>.self)
      rest += 16
      two = four.highHalf
    }
    if count & 1 != 0 { rest.storeBytes(of: two.x, as: Double.self) }
  }

  @inline(__always)
  package static func sixteenDoubles(
    at source: UnsafePointer<Double>
  ) -> (SIMD8<Double>, SIMD8<Double>) {
    let raw = UnsafeRawPointer(source)
    return (
      raw.loadUnaligned(as: Lanes.self), raw.loadUnaligned(fromByteOffset: 64, as: Lanes.self)
    )
  }

  @inline(__always)
  package static func dropSixteen(
    _ source: UnsafePointer<Double>, bits: SIMD16<UInt32>, below threshold: UInt32, factor: Double,
    into target: UnsafeMutablePointer<Double>
  ) {
    for lane in 0..<16 {
      target[lane] = bits[lane] < threshold ? 0 : source[lane] * factor
    }
  }

  @inline(__always)
  package static func exponential(_ x: Lanes) -> Lanes { eachLane(x) { exp($0) } }
  @inline(__always)
  package static func exponentialMinusOne(_ x: Lanes) -> Lanes { eachLane(x) { expm1($0) } }
  @inline(__always)
  package static func logarithm(_ x: Lanes) -> Lanes { eachLane(x) { log($0) } }
  @inline(__always)
  package static func hyperbolicTangent(_ x: Lanes) -> Lanes { eachLane(x) { tanh($0) } }
  @inline(__always)
  package static func errorFunction(_ x: Lanes) -> Lanes { eachLane(x) { erf($0) } }

  @inline(__always)
  private static func eachLane(_ x: Lanes, _ function: (Double) -> Double) -> Lanes {
    var result = x
    for lane in 0..<8 { result[lane] = function(x[lane]) }
    return result
  }
}
