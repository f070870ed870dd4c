import Kernels
import Storage
import Testing

/// Numbers between -1 and 1 that depend on the seed alone.
func samples<S: Scalar>(_ count: Int, seed: UInt64, of type: S.Type = S.self) -> [S] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0xD1B5_4A32_D192_ED03
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return S(Double(Int64(bitPattern: state) >> 40) / Double(1 << 23))
  }
}

/// A block between two fences: what writes outside it is found out.
struct FencedBlock<S: Scalar> {
  private static var fence: Int { 64 }
  private let memory: AlignedMemory<S>
  let block: Block<S>

  init(_ values: [S]) {
    memory = AlignedMemory(count: values.count + 2 * Self.fence)
    memory.block.fill(-123)
    block = memory.block[Self.fence..<(Self.fence + values.count)]
    block.copy(from: values)
  }

  init(count: Int) {
    self.init([S](repeating: 7, count: count))
  }

  var fencesStand: Bool {
    let all = memory.block.array
    return all.prefix(Self.fence).allSatisfy { $0 == -123 }
      && all.suffix(Self.fence).allSatisfy { $0 == -123 }
  }
}

/// What plain loops in Double found, and the sum of the magnitudes that went into each element.
struct Expectation {
  var values: [Double]
  var magnitudes: [Double]

  /// Fails with the worst element where one differs by more than `depth` roundings of its magnitude.
  func expect<S: Scalar>(
    _ actual: [S], depth: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(actual.count == values.count, sourceLocation: sourceLocation)
    let rounding = Double(S.ulpOfOne) / 2
    var worst = (index: 0, excess: 0.0)
    for index in actual.indices {
      let error = abs(Double(actual[index]) - values[index])
      let allowed = Double(depth + 2) * rounding * magnitudes[index] + 1e-300
      let excess = error.isNaN ? .infinity : error / allowed
      if excess > worst.excess { worst = (index, excess) }
    }
    #expect(
      worst.excess <= 1,
      "element \(worst.index) is \(actual[worst.index]) instead of \(values[worst.index])",
      sourceLocation: sourceLocation)
  }
}
