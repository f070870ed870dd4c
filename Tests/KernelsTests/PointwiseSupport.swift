import Kernels
import Randomness
import Storage
import Testing

/// A block between two guards of a known number, so that a write outside it is seen.
struct GuardedBlock<S: Scalar> {
  private let memory: AlignedMemory<S>
  private static var guardCount: Int { 48 }
  private static var sentinel: S { 12345 }

  let block: Block<S>

  init(count: Int) {
    memory = AlignedMemory(count: count + 2 * Self.guardCount)
    memory.block.fill(Self.sentinel)
    block = memory.block[Self.guardCount..<Self.guardCount + count]
    block.fill(-777)
  }

  init(_ numbers: [Double]) {
    self.init(count: numbers.count)
    block.copy(from: numbers.map { S($0) })
  }

  /// The numbers, after checking the guards.
  var numbers: [Double] {
    let all = memory.block.array
    let guards = all.prefix(Self.guardCount) + all.suffix(Self.guardCount)
    #expect(guards.allSatisfy { $0 == Self.sentinel }, "written outside the block")
    return block.array.map { Double($0) }
  }
}

/// Numbers on [low, high), the same in every run.
func testNumbers(_ count: Int, _ purpose: String, low: Double = -1, high: Double = 1) -> [Double] {
  var random = RandomNumbers(seed: 7, purpose: purpose)
  return (0..<count).map { _ in low + (high - low) * random.uniform() }
}

/// The numbers as S holds them, so that a reference sees what the kernel sees.
func rounded<S: Scalar>(_ numbers: [Double], as scalar: S.Type) -> [Double] {
  numbers.map { Double(S($0)) }
}

/// The unit of rounding of S.
func epsilon<S: Scalar>(_ scalar: S.Type) -> Double { Double(S.ulpOfOne) }

/// Expects `actual` within `tolerance * (scale + |expected|)`, and names the worst element.
func expectClose(
  _ actual: [Double], _ expected: [Double], tolerance: Double, scale: Double = 1,
  _ label: String = "", location: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, sourceLocation: location)
  let errors = zip(actual, expected).map { a, e in
    a == e ? 0 : abs(a - e) / (scale + abs(e))
  }
  guard let worst = errors.indices.max(by: { errors[$0] < errors[$1] }) else { return }
  let isGood = errors.allSatisfy { $0 <= tolerance }
  #expect(
    isGood,
    "\(label) element \(worst): \(actual[worst]), not \(expected[worst]); error \(errors[worst]) over \(tolerance)",
    sourceLocation: location)
}

/// `||approx - grad|| / (||approx|| + ||grad||)` with approx from central differences of `function`.
func differenceError(
  _ point: [Double], gradient: [Double], step: Double = 1e-5, _ function: ([Double]) -> Double
) -> Double {
  var (difference, approximateSize, size) = (0.0, 0.0, 0.0)
  for index in point.indices {
    var moved = point
    moved[index] = point[index] + step
    let above = function(moved)
    moved[index] = point[index] - step
    let approximate = (above - function(moved)) / (2 * step)
    difference += (approximate - gradient[index]) * (approximate - gradient[index])
    approximateSize += approximate * approximate
    size += gradient[index] * gradient[index]
  }
  let total = approximateSize.squareRoot() + size.squareRoot()
  return total == 0 ? 0 : difference.squareRoot() / total
}

/// `sum over i of a[i] * b[i]`
func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Row and channel counts around the vector's width, with primes, one and nothing.
let oddShapes: [(rows: Int, channels: Int)] = [
  (0, 5), (1, 1), (3, 1), (17, 3), (5, 8), (1, 16), (7, 17), (64, 16), (65, 24), (129, 31),
  (131, 32), (66, 48), (70, 64), (67, 67), (3, 101), (2, 257),
  (65, 1), (130, 6), (259, 5), (70, 12),
]
