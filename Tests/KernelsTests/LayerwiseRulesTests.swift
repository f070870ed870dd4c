import Kernels
import Storage
import Testing

/// LARS and LAMB, each with a learning rate that stands for rate times ratio.
@Suite("Layerwise update rules")
struct LayerwiseRulesTests {
  private struct Blocks<S: Scalar> {
    let weights: AlignedMemory<S>
    let gradient: AlignedMemory<S>
    let first: AlignedMemory<S>
    let second: AlignedMemory<S>
    let direction: AlignedMemory<S>
    let constants = AdamConstants(beta1: 0.9, beta2: 0.99, epsilon: 1e-3, step: 3)
    var terms = UpdateTerms(learningRate: 0.0625)

    init(count: Int) {
      func filled(_ value: (Double) -> Double) -> AlignedMemory<S> {
        let memory = AlignedMemory<S>(count: count)
        for index in 0..<count { memory.block[index] = S(value(Double(index))) }
        return memory
      }
      weights = filled { ($0 * 37).truncatingRemainder(dividingBy: 11) / 5 - 1 }
      gradient = filled { ($0 * 17).truncatingRemainder(dividingBy: 13) / 4 - 1.5 }
      first = filled { ($0 * 5).truncatingRemainder(dividingBy: 7) / 8 - 0.25 }
      second = filled { ($0 * 3).truncatingRemainder(dividingBy: 5) / 8 + 0.125 }
      direction = AlignedMemory(count: count)
      terms.gradientScale = 0.75
      terms.clipValue = 1
      terms.l2 = 0.125
      terms.l1 = 0.0625
      terms.weightDecay = 0.25
    }

    func lars(_ range: Range<Int>) {
      prepareLARS(
        weights: weights.block[range], gradient: gradient.block[range], terms: terms,
        direction: direction.block[range])
      updateByLARS(
        weights: weights.block[range], gradient: gradient.block[range],
        velocity: first.block[range], momentum: 0.9, terms: terms)
    }

    func lamb(_ range: Range<Int>) {
      prepareLAMB(
        weights: weights.block[range], gradient: gradient.block[range],
        mean: first.block[range], square: second.block[range], constants: constants, terms: terms,
        direction: direction.block[range])
      updateByLAMB(
        weights: weights.block[range], mean: first.block[range], square: second.block[range],
        constants: constants, terms: terms)
    }

    var state: [[S]] {
      [weights, gradient, first, second, direction].map(\.block.array)
    }

    /// `g` of the weight at `index`, in Double.
    func prepared(_ index: Int) -> Double {
      let w = Double(weights.block[index])
      let clipped = min(max(Double(gradient.block[index]) * 0.75, -1), 1)
      return clipped + 0.125 * w + 0.0625 * (w == 0 ? 0 : w < 0 ? -1 : 1)
    }
  }

  // About ten roundings of the unit on numbers up to 3.
  @Test("each equals its textbook loop", arguments: [0, 1, 3, 17, 1000])
  func reference(count: Int) {
    expectReference(count, Float.self, tolerance: 4e-6)
    expectReference(count, Double.self, tolerance: 1e-14)
  }

  private func expectReference<S: Scalar>(_ count: Int, _: S.Type, tolerance: Double) {
    let (start, lars, lamb) = (
      Blocks<S>(count: count), Blocks<S>(count: count), Blocks<S>(count: count)
    )
    lars.lars(0..<count)
    lamb.lamb(0..<count)
    for index in 0..<count {
      let (w, g) = (Double(start.weights.block[index]), start.prepared(index))
      let velocity = 0.9 * Double(start.first.block[index]) + 0.0625 * (g + 0.25 * w)
      let mean = 0.9 * Double(start.first.block[index]) + 0.1 * g
      let square = 0.99 * Double(start.second.block[index]) + 0.01 * g * g
      let corrected = (square / (1 - 0.99 * 0.99 * 0.99)).squareRoot()
      let direction = mean / (1 - 0.9 * 0.9 * 0.9) / (corrected + 1e-3) + 0.25 * w
      let pairs = [
        (lars.direction, g), (lars.first, velocity), (lars.weights, w - velocity),
        (lamb.first, mean), (lamb.second, square), (lamb.direction, direction),
        (lamb.weights, w - 0.0625 * direction),
      ]
      for (number, pair) in pairs.enumerated() {
        let error = abs(Double(pair.0.block[index]) - pair.1)
        #expect(
          error < tolerance, "result \(number) of weight \(index) of \(count): off by \(error)")
      }
    }
  }

  @Test("a weight gets the same bits wherever a block is cut")
  func cuts() {
    for rule in [Blocks<Float>.lars, Blocks<Float>.lamb] {
      let (whole, cut) = (Blocks<Float>(count: 101), Blocks<Float>(count: 101))
      rule(whole)(0..<101)
      for range in [63..<101, 0..<1, 1..<6, 6..<29, 29..<30, 30..<63] { rule(cut)(range) }
      #expect(whole.state == cut.state)
    }
  }

  @Test("nothing beyond the block is written")
  func bounds() {
    for rule in [Blocks<Float>.lars, Blocks<Float>.lamb] {
      let (before, run) = (Blocks<Float>(count: 40).state, Blocks<Float>(count: 40))
      rule(run)(5..<22)
      for (old, new) in zip(before, run.state) {
        #expect(old[..<5] == new[..<5] && old[22...] == new[22...])
      }
      #expect(zip(before[0][5..<22], run.state[0][5..<22]).allSatisfy { $0 != $1 })
    }
  }
}
