import CAllocationCount
import Graph
import Kernels
import Optimizers
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// LARS and LAMB over the two tensors of `goldenLayers`, 10,000 weights and three biases, with a gap between.
@Suite("Rates by the norms of whole tensors")
struct LayerwiseTests {
  static let lars = UpdateRule.lars(momentum: 0.9, trust: 0.3)
  static let lamb = UpdateRule.lamb(beta1: 0.8, beta2: 0.95, epsilon: 1e-2)

  private static let segments = [
    ParameterSegment(name: "weight", kind: .weight, offset: 0, count: 10_000),
    ParameterSegment(name: "bias", kind: .bias, offset: 10_016, count: 3),
  ]
  private static let count = 10_032

  /// An optimizer with its buffers, at the start of `goldenLayers`.
  struct Run<S: Scalar> {
    let weights = AlignedMemory<S>(count: LayerwiseTests.count)
    let gradient = AlignedMemory<S>(count: LayerwiseTests.count)
    let optimizer: Optimizer<S>

    init(_ rule: UpdateRule, adaptsAll: Bool = false) {
      var spec = OptimizerSpec(rule: rule, learningRate: 0.05)
      spec.weightDecay = 0.6
      spec.decaysBiasesAndNorms = adaptsAll
      spec.adaptsBiasesAndNorms = adaptsAll
      optimizer = Optimizer(
        spec: spec, segments: LayerwiseTests.segments, parameterCount: LayerwiseTests.count)
      for index in 0..<10_000 { weights.block[index] = S(0.1 * cos(Double(index))) }
      for index in 0..<3 { weights.block[10_016 + index] = S(-0.2 + 0.1 * Double(index)) }
    }

    func fillGradient(step: Int) {
      for segment in LayerwiseTests.segments {
        for index in 0..<segment.count {
          let place = segment.offset + index
          let wave = 2 * sin(1.3 * Double(step) + 0.7 * Double(index))
          gradient.block[place] = S(0.8 * Double(weights.block[place]) + wave)
        }
      }
    }

    func prepare(_ range: Range<Int>, step: Int) {
      optimizer.prepare(
        range, weights: weights.block[range], gradient: gradient.block[range], step: step)
    }

    func update(_ range: Range<Int>, step: Int) {
      optimizer.update(
        range, weights: weights.block[range], gradient: gradient.block[range], step: step,
        learningRate: 0.05 / Double(step))
    }

    func takeSteps(
      _ steps: ClosedRange<Int>, prepare first: [Range<Int>] = [0..<LayerwiseTests.count],
      update second: [Range<Int>] = [0..<LayerwiseTests.count]
    ) {
      for step in steps {
        fillGradient(step: step)
        for range in first { prepare(range, step: step) }
        optimizer.combineNorms(step: step)
        for range in second { update(range, step: step) }
      }
    }

    var values: [S] { weights.block.array }

    var state: [[S]] {
      [values] + optimizer.slotNames.indices.map { optimizer.slot($0).array }
    }
  }

  @Test(
    "several blocks and spared biases end where float64 ends",
    arguments: [("lars", lars), ("lamb", lamb)])
  func golden(name: String, rule: UpdateRule) throws {
    for adaptsAll in [false, true] {
      let title = adaptsAll ? "\(name) all" : name
      let expected = try #require(goldenLayers[title])
      let run = Run<Double>(rule, adaptsAll: adaptsAll)
      run.takeSteps(1...5)
      let found = run.values
      let places = Array(stride(from: 0, to: 10_000, by: 999)) + [10_016, 10_017, 10_018]
      for (place, value) in zip(places, expected) {
        let error = abs(found[place] - value)
        #expect(
          error < 1e-13, "\(title), weight \(place): \(found[place]), not \(value)")
      }
      #expect(places.count == expected.count)
    }
  }

  @Test("any cut into ranges gives the bits of one pass", arguments: [lars, lamb])
  func cuts(rule: UpdateRule) throws {
    let whole = Run<Float>(rule)
    whole.takeSteps(1...3)
    let blocks = try #require(whole.optimizer.normBlocks)
    // Prepared in slices that end at borders of blocks, updated in slices that end anywhere.
    for wanted in [[5000], [1, 4097, 9999], [8192, 10_010], [10_017]] {
      let borders = [0] + wanted.map { blocks.border(atOrBefore: $0) } + [Self.count]
      let slices = zip(borders, borders.dropFirst()).map { $0..<$1 }
      let odd = [0] + wanted + [Self.count]
      let pieces = zip(odd, odd.dropFirst()).map { $0..<$1 }
      let cut = Run<Float>(rule)
      cut.takeSteps(1...3, prepare: slices.reversed(), update: pieces.reversed())
      #expect(cut.state == whole.state, "cut at \(wanted)")
    }
  }

  @Test(
    "owners of slices who exchange their sums get the bits of one pass", arguments: [lars, lamb])
  func owners(rule: UpdateRule) throws {
    let whole = Run<Float>(rule)
    whole.takeSteps(1...3)
    let owners = [Run<Float>(rule), Run<Float>(rule)]
    let border = try #require(whole.optimizer.normBlocks).border(atOrBefore: 5000)
    let slices = [0..<border, border..<Self.count]
    for step in 1...3 {
      for (owner, slice) in zip(owners, slices) {
        owner.fillGradient(step: step)
        owner.prepare(slice, step: step)
      }
      for (from, to) in [(0, 1), (1, 0)] {
        try exchange(slices[from], of: owners[from], to: owners[to])
      }
      for (owner, slice) in zip(owners, slices) {
        owner.optimizer.combineNorms(step: step)
        owner.update(slice, step: step)
      }
      for (from, to) in [(0, 1), (1, 0)] {
        owners[to].weights.block[slices[from]].copy(from: owners[from].weights.block[slices[from]])
      }
    }
    #expect(owners[0].values == whole.values)
    #expect(owners[1].values == whole.values)
  }

  /// Gives one owner's sums to another.
  private func exchange(_ slice: Range<Int>, of owner: Run<Float>, to other: Run<Float>) throws {
    let blocks = try #require(owner.optimizer.normBlocks).blocks(in: slice)
    let part = 2 * blocks.lowerBound..<2 * blocks.upperBound
    let (source, target) = (owner.optimizer.normSums, other.optimizer.normSums)
    try #require(target)[part].copy(from: try #require(source)[part])
  }

  @Test("a step is as long as the tensor's norm times the rate", arguments: [lars, lamb])
  func length(rule: UpdateRule) {
    let run = Run<Double>(rule)
    let before = run.values[..<10_000]
    run.takeSteps(1...1)
    let after = run.values[..<10_000]
    let moved = zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let norm = before.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if rule == Self.lamb {
      #expect(abs(moved / norm - 0.05) < 1e-12)
    } else {
      // ||g + decay w|| <= ||g|| + decay ||w||
      #expect(moved / norm <= 0.05 * 0.3 && moved / norm > 0.05 * 0.3 * 0.9)
    }
  }

  @Test("a tensor whose norm is zero takes plain steps", arguments: [lars, lamb])
  func zeroNorm(rule: UpdateRule) {
    let run = Run<Double>(rule)
    run.weights.block[0..<10_000].fill(0)
    run.takeSteps(1...1)
    #expect(run.values.allSatisfy { $0.isFinite })
    let slope = 2 * sin(1.3)
    let step = rule == Self.lamb ? slope / (abs(slope) + 1e-2) : slope
    #expect(abs(run.values[0] + 0.05 * step) < 1e-15)
  }

  @Test("three phases allocate nothing", arguments: [lars, lamb])
  func allocations(rule: UpdateRule) {
    let run = Run<Float>(rule)
    run.takeSteps(1...1)
    run.fillGradient(step: 2)
    let before = allocation_count_of_thread()
    for step in 2...4 {
      run.prepare(0..<Self.count, step: step)
      run.optimizer.combineNorms(step: step)
      run.update(0..<Self.count, step: step)
    }
    #expect(allocation_count_of_thread() == before)
  }

  @Test("the slots are all the state there is", arguments: [lars, lamb])
  func resume(rule: UpdateRule) {
    let (straight, before, after) = (Run<Float>(rule), Run<Float>(rule), Run<Float>(rule))
    straight.takeSteps(1...4)
    before.takeSteps(1...2)
    after.weights.block.copy(from: before.weights.block)
    for slot in 0..<rule.slotCount {
      after.optimizer.slot(slot).copy(from: before.optimizer.slot(slot))
    }
    after.takeSteps(3...4)
    #expect(after.state == straight.state)
  }

  @Test("rules without norms pass through the first two phases untouched")
  func otherRules() {
    let run = Run<Float>(.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
    #expect(!run.optimizer.needsNorms && run.optimizer.normBlocks == nil)
    run.fillGradient(step: 1)
    let before = run.state
    run.prepare(3..<77, step: 1)
    run.optimizer.combineNorms(step: 1)
    #expect(run.state == before)
  }
}

@Suite("Blocks of norms")
struct NormBlocksTests {
  private let blocks = NormBlocks([
    ParameterSegment(name: "a", kind: .weight, offset: 0, count: 5000),
    ParameterSegment(name: "b", kind: .weight, offset: 5008, count: 4096),
    ParameterSegment(name: "c", kind: .bias, offset: 9104, count: 3),
  ])

  @Test("blocks are counted from each tensor's first element")
  func ranges() {
    #expect(blocks.ranges == [0..<4096, 4096..<5000, 5008..<9104, 9104..<9107])
    #expect(blocks.tensors == [0..<2, 2..<3, 3..<4])
  }

  @Test(
    "a slice ends where it is wanted, unless that is inside a block",
    arguments: [
      (0, 0), (1, 0), (4095, 0), (4096, 4096), (4999, 4096), (5000, 5000), (5003, 5003),
      (5008, 5008), (5009, 5008), (9104, 9104), (9106, 9104), (9107, 9107), (9120, 9120),
    ])
  func borders(wanted: Int, border: Int) {
    #expect(blocks.border(atOrBefore: wanted) == border)
  }

  @Test(
    "slices that follow each other hold blocks that follow each other",
    arguments: [
      (0..<4096, 0..<1), (4096..<5003, 1..<2), (5003..<9120, 2..<4), (5000..<5008, 2..<2),
      (9107..<9120, 4..<4), (0..<0, 0..<0),
    ])
  func inside(range: Range<Int>, expected: Range<Int>) {
    #expect(blocks.blocks(in: range) == expected)
  }
}
