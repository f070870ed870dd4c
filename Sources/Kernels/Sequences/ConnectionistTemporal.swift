import Graph
import Storage

// Shapes: N samples of T steps, C classes of which class 0 is the blank, L places for labels. A sample of l labels has
// S = 2 l + 1 states: its labels with a blank before, between and behind them. A sample's bits do not depend on the others.

/// Connectionist temporal classification: `losses[n] = -ln P(labels | logits)`, the probability of all ways to spread the
/// labels over the steps, each of any number of steps, with blanks between them where one likes and between equal ones.
///
/// All sums are sums of logarithms. Labels that no way spreads over the steps give loss 0 and gradient 0 (PyTorch's
/// `zero_infinity=True`). The loss is not divided by the number of labels.
///
/// Source: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal classification", ICML 2006, equations 6 to 11
/// (forward-backward) and 15 and 16 (gradient by the logits).
///
/// - Parameters:
///   - logits: `[N, T, C]`.
///   - labels: `[N, L]`, each in `1..<C`, up to the first negative one.
///   - lengths: Steps of each sample that count, `[N]`; nil: T.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[N]`, written, not scaled.
///   - gradient: `[N, T, C]`, `scale * (softmax - share of the ways that are at the class)`; nil: not wanted.
///   - scratch: At least `temporalLossScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func connectionistTemporalLoss<S: Scalar>(
  _ shape: TemporalShape, samples: Int, logits: Block<S>, labels: Block<Int32>,
  lengths: Block<S>?, scale: S, losses: Block<S>, gradient: Block<S>?, scratch: Block<S>
) {
  @inline(never) func run() {
    let count = shape.steps * shape.classes
    for sample in 0..<samples {
      let length = lengths.map { Int($0.base[sample]) } ?? shape.steps
      let pass = TemporalPass<S>(
        shape, steps: length, labels: labels.base + sample * shape.labels, scratch: scratch)
      pass.takeLogarithms(of: logits.base + sample * count)
      let total = pass.forward()
      losses.base[sample] = total.map { -$0 } ?? 0
      guard let gradient else { continue }
      let target = gradient.base + sample * count
      let written = total == nil ? 0 : length * shape.classes
      if let total { pass.backward(total: total, scale: scale, into: target) }
      (target + written).fill(0, count: count - written)
    }
  }
  run()
}

/// How many samples have their labels spelled by the most likely class of each step: equal neighbours count once, blanks
/// are left out.
///
/// Source: as above, section 3.2, best path decoding.
///
/// - Parameters:
///   - outputs: `[N, T, C]`.
///   - labels: `[N, L]`, up to the first negative one.
///   - lengths: `[N]`; nil: T.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func countSpelled<S: Scalar>(
  _ shape: TemporalShape, samples: Int, outputs: Block<S>, labels: Block<Int32>,
  lengths: Block<S>?
) -> Int {
  var right = 0
  for sample in 0..<samples {
    let wanted = labels.base + sample * shape.labels
    var (found, before, isRight) = (0, 0, true)
    for step in 0..<(lengths.map { Int($0.base[sample]) } ?? shape.steps) {
      let z = outputs.base + (sample * shape.steps + step) * shape.classes
      let best = largest(of: z, count: shape.classes)
      defer { before = best }
      if best == 0 || best == before { continue }
      isRight = isRight && found < shape.labels && Int(wanted[found]) == best
      found += 1
    }
    if isRight, found == shape.labels || wanted[found] < 0 { right += 1 }
  }
  return right
}

/// Elements of scratch that `connectionistTemporalLoss` needs.
package func temporalLossScratchCount<S: Scalar>(_ shape: TemporalShape, of type: S.Type) -> Int {
  shape.steps * shape.classes + S.lanes
    + (shape.steps + TemporalPass<S>.otherRows) * TemporalPass<S>.stride(shape)
}

/// The ways through the states of one sample.
private struct TemporalPass<S: Scalar> {
  static var otherRows: Int { 4 }

  /// The logarithm of nothing, so far below all others that its exponential beside any of them is 0.
  private static var nothing: S { -1e30 }

  private let shape: TemporalShape
  private let steps: Int
  private let labels: UnsafeMutablePointer<Int32>
  private let states: Int
  /// Of the probabilities of all classes at all steps, `[T, C]`.
  private let logarithms: UnsafeMutablePointer<S>
  /// Rows of states, with nothing before and behind them.
  private let rows: UnsafeMutablePointer<S>

  /// From a row of states to the next: a vector of nothing before, at least one behind.
  static func stride(_ shape: TemporalShape) -> Int {
    (2 * shape.labels + S.lanes) / S.lanes * S.lanes + 2 * S.lanes
  }

  init(
    _ shape: TemporalShape, steps: Int, labels: UnsafeMutablePointer<Int32>, scratch: Block<S>
  ) {
    precondition(
      scratch.count >= temporalLossScratchCount(shape, of: S.self),
      "scratch of \(scratch.count) elements for \(shape)")
    self.shape = shape
    self.steps = steps
    self.labels = labels
    var count = 0
    while count < shape.labels, labels[count] >= 0 { count += 1 }
    states = 2 * count + 1
    logarithms = scratch.base
    rows = scratch.base + shape.steps * shape.classes + S.lanes
    rows.update(
      repeating: Self.nothing, count: (shape.steps + Self.otherRows) * Self.stride(shape))
    for state in Swift.stride(from: 3, to: states, by: 2)
    where labels[state / 2] != labels[state / 2 - 1] { skips[state] = 0 }
  }

  /// Of all ways from the start to a state at a step, that step's probability included.
  private func reached(_ step: Int) -> UnsafeMutablePointer<S> {
    rows + step * Self.stride(shape) + S.lanes
  }

  /// Of all ways from a state to the end, that step's probability not included.
  private var left: UnsafeMutablePointer<S> { reached(shape.steps) }
  private var leftWithStep: UnsafeMutablePointer<S> { reached(shape.steps + 1) }
  /// Of a step's probabilities, by state.
  private var emitted: UnsafeMutablePointer<S> { reached(shape.steps + 2) }
  /// 0 where a way may come from the label before, past the blank between them; else nothing.
  private var skips: UnsafeMutablePointer<S> { reached(shape.steps + 3) }

  private func label(of state: Int) -> Int { state % 2 == 0 ? 0 : Int(labels[state / 2]) }

  /// `logarithms = ln softmax(logits)`
  func takeLogarithms(of logits: UnsafeMutablePointer<S>) {
    let classes = shape.classes
    for step in 0..<steps {
      let z = logits + step &* classes
      let largest = largestInRow(z, classes)
      @inline(__always) func power(_ index: Int) -> S.Vector {
        S.exponential(z.vector(at: index) - largest)
      }
      let sum: S = sumAlongRow(classes, power)
      let logarithm = S.logarithm(S.Vector(repeating: sum))[0]
      @inline(__always) func value(_ index: Int) -> S.Vector {
        z.vector(at: index) - largest - logarithm
      }
      fillByVectors(logarithms + step &* classes, count: classes, value)
    }
  }

  /// The logarithm of the probability of the labels; nil where no way leads to their end.
  func forward() -> S? {
    guard steps > 0 else { return states == 1 ? 0 : nil }
    emit(0)
    for state in 0..<min(states, 2) { reached(0)[state] = emitted[state] }
    for step in Swift.stride(from: 1, to: steps, by: 1) {
      emit(step)
      let (before, now, emitted, skips) = (reached(step - 1), reached(step), emitted, skips)
      @inline(__always) func sum(_ state: Int) -> S.Vector {
        logarithmOfSum(
          before.vector(at: state), before.vector(at: state &- 1),
          before.vector(at: state &- 2) + skips.vector(at: state)) + emitted.vector(at: state)
      }
      fillByVectors(now, count: states, sum)
    }
    let last = reached(steps - 1)
    let total = logarithmOfSum(
      S.Vector(repeating: last[states - 1]), S.Vector(repeating: last[states - 2]),
      S.Vector(repeating: Self.nothing))[0]
    return total > Self.nothing / 2 ? total : nil
  }

  /// - Parameter target: `[T, C]`, its first `steps` rows are written.
  func backward(total: S, scale: S, into target: UnsafeMutablePointer<S>) {
    let classes = shape.classes
    let (left, leftWithStep, emitted, skips) = (left, leftWithStep, emitted, skips)
    for state in max(states - 2, 0)..<states { left[state] = 0 }
    for step in Swift.stride(from: steps - 1, through: 0, by: -1) {
      let (now, p) = (reached(step), logarithms + step &* classes)
      let dz = target + step &* classes
      @inline(__always) func probability(_ index: Int) -> S.Vector {
        S.exponential(p.vector(at: index)) * scale
      }
      fillByVectors(dz, count: classes, probability)
      // What is reached is not needed any more once the shares of the ways are made of it.
      @inline(__always) func share(_ state: Int) -> S.Vector {
        S.exponential(now.vector(at: state) + left.vector(at: state) - total)
      }
      fillByVectors(now, count: states, share)
      for state in 0..<states { dz[label(of: state)] -= scale * now[state] }
      guard step > 0 else { continue }
      emit(step)
      @inline(__always) func withStep(_ state: Int) -> S.Vector {
        left.vector(at: state) + emitted.vector(at: state)
      }
      fillByVectors(leftWithStep, count: states, withStep)
      @inline(__always) func sum(_ state: Int) -> S.Vector {
        logarithmOfSum(
          leftWithStep.vector(at: state), leftWithStep.vector(at: state &+ 1),
          leftWithStep.vector(at: state &+ 2) + skips.vector(at: state &+ 2))
      }
      fillByVectors(left, count: states, sum)
    }
  }

  /// Takes the step's probabilities of the states' classes.
  private func emit(_ step: Int) {
    let (p, emitted) = (logarithms + step &* shape.classes, emitted)
    for state in 0..<states { emitted[state] = p[label(of: state)] }
  }

  /// `ln(e^a + e^b + e^c)`
  @inline(__always)
  private func logarithmOfSum(_ a: S.Vector, _ b: S.Vector, _ c: S.Vector) -> S.Vector {
    let largest = S.larger(a, S.larger(b, c))
    return largest
      + S.logarithm(
        S.exponential(a - largest) + S.exponential(b - largest) + S.exponential(c - largest))
  }
}
