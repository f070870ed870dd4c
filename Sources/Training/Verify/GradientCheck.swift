import Engine
import Foundation
import Graph
import Kernels
import Metrics
import Plan
import Storage

// Shapes: P elements of a tensor.

/// Every parameter's gradient against central differences of the loss, in Double:
/// `d = (8 (J(w + h v) - J(w - h v)) - (J(w + 2 h v) - J(w - 2 h v))) / 12 h` against `v . g`, for v along coordinates or with
/// random signs.
///
/// A tensor's relative error is `||d - v . g|| / (||d|| + ||v . g|| + c)` over its v; c is a thousandth of the whole
/// gradient's norm, below which differences are rounding. Along random signs c is `||g||` more, since v . g may
/// happen to be small.
/// A difference that disagrees is taken again with other steps, so that a kink that could not be held (or a curvature, or
/// rounding) is stepped over; a wrong gradient stays wrong.
final class GradientCheck {
  private let material: VerifyMaterial
  private let loss: SmoothLoss
  private let gradient: AnalyticGradient
  /// The weights at which gradients are taken.
  private let base: ModelMemory<Float>
  private var round = 0
  /// c of a tensor's error.
  private var floor = 0.0
  private(set) var restepped = 0
  private(set) var worst = (error: 0.0, name: "")
  /// In the order of the way back.
  private(set) var wrong: [(parameter: Int, error: Double)] = []
  /// Parameters that got no gradient in any round.
  private(set) var dead: [Int] = []
  private(set) var notFinite: [Int] = []
  private(set) var norms: [Double] = []
  private(set) var summary = ""

  static let limit = 1e-7

  init(_ material: VerifyMaterial, loss: SmoothLoss, base: ModelMemory<Float>) {
    self.material = material
    self.loss = loss
    self.base = base
    gradient = AnalyticGradient(material, model: loss.model)
  }

  /// Checks everything with the first weights, and what gets no gradient from them (a dropped branch, a scale that starts at
  /// 0) with other masks, at last with the scales moved.
  func run() {
    let counts = parameters.map(\.elementCount)
    let probes = GradientProbes(counts: counts, derivatives: material.size.lossEvaluations / 4)
    differentiate()
    norms = parameters.indices.map { gradient.norm($0) }
    notFinite = parameters.indices.filter { !norms[$0].isFinite }
    summary = probes.text(counts: counts)
    guard notFinite.isEmpty else { return }
    for var probe in probes.list {
      probe.tensors.removeAll { !parameters[$0].isTrained }
      if !probe.tensors.isEmpty { check(probe) }
    }
    dead = parameters.indices.filter { norms[$0] == 0 && parameters[$0].isTrained }
    while !dead.isEmpty, round < Self.lastRound, wrong.isEmpty {
      round += 1
      differentiate()
      let alive = dead.filter { gradient.norm($0) > 0 }
      for parameter in alive { check(.init(tensors: [parameter], directions: 2)) }
      dead.removeAll(where: alive.contains)
    }
    let order = Dictionary(
      uniqueKeysWithValues: gradient.plan.leaf.order.enumerated().map { ($1, $0) })
    wrong.sort { order[$0.parameter, default: 0] < order[$1.parameter, default: 0] }
  }

  var parameters: [Parameter] { gradient.plan.graph.parameters }

  private func differentiate() {
    for parameter in parameters.indices { move(parameter, by: 0, stream: 0) }
    _ = loss.hold(step: round)
    gradient.run(step: round)
    let total = parameters.indices.reduce(0.0) { $0 + gradient.norm($1) * gradient.norm($1) }
    floor = 1e-3 * total.squareRoot()
  }

  // MARK: Tensors

  private func check(_ probe: GradientProbes.Probe) {
    let error =
      probe.directions.map { errorAlongDirections(probe.tensors, count: $0) }
      ?? errorOfCoordinates(probe.tensors[0])
    if !(error < Self.limit), probe.tensors.count > 1 {
      for tensor in probe.tensors { check(.init(tensors: [tensor], directions: 1)) }
      return
    }
    let names = probe.tensors.map { parameters[$0].name }
    if !(error <= worst.error) {
      worst = (error, names.count > 1 ? "\(names[0]) to \(names[names.count - 1])" : names[0])
    }
    if !(error < Self.limit) { wrong.append((probe.tensors[0], error)) }
  }

  private func errorOfCoordinates(_ tensor: Int) -> Double {
    let (analytic, to) = (gradient[tensor].array, loss.model.parameter(tensor))
    let measure = measure(tensor)
    let scale = (gradient.norm(tensor) + floor) / Double(max(analytic.count, 1)).squareRoot()
    var error = RelativeError(floor: floor)
    var misses = 0
    for element in 0..<analytic.count {
      let weight = to[element]
      let measured =
        derivative(
          expecting: measure * analytic[element], scale: measure * scale, isStubborn: misses < 4
        ) {
          to[element] = weight + $0 * measure
        } / measure
      to[element] = weight
      error.add(measured, analytic[element])
      if !(abs(measured - analytic[element]) < Self.limit * scale) { misses += 1 }
      // Wrong beyond doubt.
      if misses > 50, error.value > 1e-3 { break }
    }
    return error.value
  }

  /// Each tensor moves by a vector of random signs times its measure.
  private func errorAlongDirections(_ tensors: [Int], count: Int) -> Double {
    let size = tensors.reduce(0.0) { $0 + (gradient.norm($1) + floor) * measure($1) }
    var error = RelativeError(floor: size)
    for direction in 0..<count {
      let expected = tensors.reduce(0.0) { sum, tensor in
        let analytic = gradient[tensor].array
        let stream = Self.stream(tensor, direction)
        var product = 0.0
        for index in 0..<analytic.count {
          product += analytic[index] * randomSign(index, stream: stream)
        }
        return sum + product * measure(tensor)
      }
      let measured = derivative(expecting: expected, scale: size, isStubborn: true) { step in
        for tensor in tensors {
          move(tensor, by: step * measure(tensor), stream: Self.stream(tensor, direction))
        }
      }
      error.add(measured, expected)
    }
    for tensor in tensors { move(tensor, by: 0, stream: 0) }
    return error.value
  }

  private static func stream(_ tensor: Int, _ direction: Int) -> UInt64 {
    UInt64(tensor * 8 + direction + 1)
  }

  // MARK: Differences

  /// The derivative of the loss by how far `place` moves the weights, by the step that agrees best.
  ///
  /// - Parameters:
  ///   - scale: Errors of `limit` times this do not matter.
  ///   - isStubborn: Whether other steps are tried where the first one disagrees.
  private func derivative(
    expecting expected: Double, scale: Double, isStubborn: Bool, place: (Double) -> Void
  ) -> Double {
    func value(_ step: Double) -> Double {
      place(step)
      return loss.value(step: round)
    }
    var best = Double.nan
    for step in isStubborn ? Self.steps : [Self.steps[0]] {
      let near = value(step) - value(-step)
      let far = value(2 * step) - value(-2 * step)
      let derivative = (8 * near - far) / (12 * step)
      if !(abs(derivative - expected) >= abs(best - expected)) { best = derivative }
      if abs(best - expected) < 0.3 * Self.limit * scale { break }
      if step == Self.steps[0] { restepped += 1 }
    }
    return best
  }

  private static let steps = [1e-3, 1e-2, 1e-4, 1e-5]

  /// The size of a tensor's numbers, by which steps are measured.
  private func measure(_ tensor: Int) -> Double {
    let weights = base.parameter(tensor)
    let size = (sumOfSquares(weights) / Double(max(weights.count, 1))).squareRoot()
    return size == 0 ? 0.1 : min(max(size, 1e-3), 1)
  }

  /// Sets a tensor to its base plus `step` times random signs.
  private func move(_ tensor: Int, by step: Double, stream: UInt64) {
    let shake = isShaken(tensor) ? 0.1 * measure(tensor) : 0
    let weights = base.parameter(tensor).array.enumerated().map { index, base in
      var weight = Double(base)
      if shake != 0 { weight += shake * randomSign(index, stream: ~UInt64(tensor)) }
      if step != 0 { weight += step * randomSign(index, stream: stream) }
      return weight
    }
    loss.model.parameter(tensor).copy(from: weights)
  }

  /// What starts at one number on purpose (a scale at 0 that closes its branch) moves a little in the last round, so that
  /// what is behind it is seen.
  private func isShaken(_ tensor: Int) -> Bool {
    guard round == Self.lastRound else { return false }
    return switch parameters[tensor].initializer {
    case .zeros, .constant: true
    default: false
    }
  }

  private static let lastRound = 3
}

/// `||d - a|| / (||d|| + ||a|| + floor)`
private struct RelativeError {
  let floor: Double
  private var sums = (difference: 0.0, measured: 0.0, analytic: 0.0)

  init(floor: Double) {
    self.floor = floor
  }

  mutating func add(_ measured: Double, _ analytic: Double) {
    sums.difference += (measured - analytic) * (measured - analytic)
    sums.measured += measured * measured
    sums.analytic += analytic * analytic
  }

  var value: Double {
    let size = sums.measured.squareRoot() + sums.analytic.squareRoot() + floor
    return sums.difference == 0 ? 0 : sums.difference.squareRoot() / size
  }
}

/// 1 or -1, a function of its arguments alone.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (the finaliser).
private func randomSign(_ index: Int, stream: UInt64) -> Double {
  var word =
    UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15 ^ stream &* 0xD1B5_4A32_D192_ED03
  word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
  word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
  return (word ^ word >> 31) & 1 == 0 ? 1 : -1
}
