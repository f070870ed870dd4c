/// What is added up down the columns: one vector, or two at once.
protocol ColumnTerm {
  associatedtype Number: Scalar
  static var zero: Self { get }
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
}

struct OneTerm<S: Scalar>: ColumnTerm {
  typealias Number = S
  var value: S.Vector

  @inline(__always) init(_ value: S.Vector) { self.value = value }
  @inline(__always) static var zero: Self { Self(S.Vector(repeating: 0)) }
  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.value + b.value) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(a.value - b.value) }
}

struct TwoTerms<S: Scalar>: ColumnTerm {
  typealias Number = S
  var first: S.Vector
  var second: S.Vector

  @inline(__always)
  init(_ first: S.Vector, _ second: S.Vector) {
    self.first = first
    self.second = second
  }

  @inline(__always)
  static var zero: Self { Self(S.Vector(repeating: 0), S.Vector(repeating: 0)) }

  @inline(__always)
  static func + (a: Self, b: Self) -> Self { Self(a.first + b.first, a.second + b.second) }

  @inline(__always)
  static func - (a: Self, b: Self) -> Self { Self(a.first - b.first, a.second - b.second) }
}

/// A sum that carries along what rounding took away from it.
///
/// Source: Knuth, "The art of computer programming" volume 2, section 4.2.2, theorem B.
struct CompensatedSum<T: ColumnTerm> {
  private var sum = T.zero
  private var lost = T.zero

  @inline(__always) init() {}

  @inline(__always) var value: T { sum + lost }

  @inline(__always)
  mutating func add(_ term: T) {
    let next = sum + term
    let added = next - sum
    lost = lost + ((sum - (next - added)) + (term - added))
    sum = next
  }
}

/// Rows that are added up plainly before the result goes into a compensated sum: the rounding of a
/// column sum is that of 64 numbers, however many rows there are.
let rowsPerPartialSum = 64
