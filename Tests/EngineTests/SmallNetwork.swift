import Engine
import Foundation
import Graph
import Kernels
import Plan
import Storage

/// A planned network in Double with parameters, inputs and targets that are smooth functions of their
/// index, so that every test computes on the same numbers.
struct SmallNetwork {
  let plan: ExecutionPlan
  let model: ModelMemory<Double>
  let engine: ShardEngine<Double>
  let leaf: AlignedMemory<Double>
  let rows: Int
  /// Inputs are tokens below this number; nil: any numbers.
  private let tokens: Int?
  private let loss: LossSpec
  /// Steps of each row, behind which the input (the first of several) is 0; nil: all.
  private let lengths: [Int]?
  /// Numbers of that input in a row, and its steps.
  private let padded: (elements: Int, steps: Int)

  init(
    input: [Int], _ layers: [LayerKind], loss: LossSpec, rows: Int = 5,
    mode: GraphMode = .training, fusion: Bool = true, classes: Bool = true, tokens: Int? = nil,
    lengths: [Int]? = nil
  ) throws {
    try self.init(
      input: input, layers: layers.map { LayerSpec($0) }, loss: loss, rows: rows, mode: mode,
      fusion: fusion, classes: classes, tokens: tokens, lengths: lengths)
  }

  init(
    input: [Int], layers: [LayerSpec], loss: LossSpec, target: String? = nil,
    auxiliary: [AuxiliaryLoss] = [], rows: Int = 5, mode: GraphMode = .training,
    fusion: Bool = true, classes: Bool = true, tokens: Int? = nil, lengths: [Int]? = nil
  ) throws {
    try self.init(
      ModelSpec(input: input, layers: layers), loss: loss, target: target, auxiliary: auxiliary,
      rows: rows, mode: mode, fusion: fusion, classes: classes, tokens: tokens, lengths: lengths)
  }

  init(
    _ spec: ModelSpec, loss: LossSpec, target: String? = nil, auxiliary: [AuxiliaryLoss] = [],
    rows: Int = 5, mode: GraphMode = .training, fusion: Bool = true, classes: Bool = true,
    tokens: Int? = nil, lengths: [Int]? = nil
  ) throws {
    plan = ExecutionPlan(
      training: try GraphBuilder.forward(
        spec, loss: loss, target: target, auxiliary: auxiliary, mode: mode),
      capacity: rows, options: PlanOptions(fusion: fusion), holdsOutput: true, inputGradient: true)
    model = ModelMemory(plan)
    engine = ShardEngine(plan, model: model, usesClasses: classes, seed: 7)
    leaf = AlignedMemory(count: plan.leaf.count)
    self.rows = rows
    self.tokens = tokens
    self.loss = loss
    self.lengths = lengths
    let first = spec.inputs.first?.shape ?? spec.input
    padded = (first.reduce(1, *), first[0])
    model.fillByWaves()
    fillInput()
  }

  /// Runs forward and backward, with dropout's first masks; returns the mean loss.
  @discardableResult
  func run() -> Double {
    fillTargets()
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: leaf.block)
    engine.runAll()
    guard let loss = plan.leaf.loss else { return .nan }
    return leaf.block[loss] / Double(rows)
  }

  /// By parameter, from the newest run.
  var parameterGradients: [[Double]] {
    plan.graph.parameters.indices.map { leaf.block[plan.leaf.gradient(of: $0)].array }
  }

  func fillInput() {
    for index in 0..<engine.input.count {
      engine.input[index] = tokens.map { Double(index * index % $0) } ?? 4 * wave(index, 0.3)
      if let tokens, lengths != nil {
        engine.input[index] = Double(1 + index * index % (tokens - 1))
      }
      if !isCounted(index) { engine.input[index] = 0 }
    }
  }

  /// Whether an element of the input stands below its row's length.
  func isCounted(_ index: Int) -> Bool {
    guard let lengths else { return true }
    let width = engine.input.count / rows
    let element = index % width
    guard element < padded.elements else { return true }
    return element * padded.steps / padded.elements < lengths[index / width]
  }

  /// Compares an analytic gradient with central differences of each coordinate:
  /// `(J(x + e) - J(x - e)) / 2e`, e = 1e-6; of functions without kinks
  /// `(8 (J(x + e) - J(x - e)) - (J(x + 2e) - J(x - 2e))) / 12e`, e = 1e-3, which rounds a thousand times better.
  func relativeError(
    _ gradient: [Double], of variables: Block<Double>, isSmooth: Bool = false,
    where isVaried: (Int) -> Bool = { _ in true }
  ) -> Double {
    var difference = 0.0
    var sizes = (approximate: 0.0, analytic: 0.0)
    for index in 0..<gradient.count where isVaried(index) {
      func change(_ step: Double) -> Double {
        loss(with: step, addedTo: index, of: variables)
          - loss(with: -step, addedTo: index, of: variables)
      }
      let approximate =
        isSmooth ? (8 * change(1e-3) - change(2e-3)) / 12e-3 : change(1e-6) / 2e-6
      difference += (approximate - gradient[index]) * (approximate - gradient[index])
      sizes.approximate += approximate * approximate
      sizes.analytic += gradient[index] * gradient[index]
    }
    let scale = sizes.approximate.squareRoot() + sizes.analytic.squareRoot()
    return difference == 0 ? 0 : difference.squareRoot() / scale
  }

  private func loss(
    with step: Double, addedTo index: Int, of variables: Block<Double>
  ) -> Double {
    // Operations may have written over the input.
    fillInput()
    let value = variables[index]
    variables[index] = value + step
    defer { variables[index] = value }
    return run()
  }

  private func fillTargets() {
    if case .ctc(let labels) = loss { return fillLabels(labels) }
    let outputs = plan.graph.outputShape.reduce(1, *) / plan.graph.answers
    for index in 0..<engine.classes.count {
      engine.classes[index] = Int32((index * 7 + 3) % outputs)
      if let ignored = loss.ignoredClass, index % 4 == 1 { engine.classes[index] = Int32(ignored) }
    }
    for index in 0..<engine.targets.count { engine.targets[index] = index % 3 == 0 ? 1 : 0 }
  }

  /// Lists of 0 labels and more, the next ones with equal neighbours.
  private func fillLabels(_ most: Int) {
    for index in 0..<engine.classes.count {
      let (row, place) = (index / most, index % most)
      let label = 1 + (row + place / 2) % (plan.graph.outputs - 1)
      engine.classes[index] = place < row % (most + 1) ? Int32(label) : -1
    }
  }
}

/// A number between -0.4 and 0.4 for each index.
func wave(_ index: Int, _ shift: Double) -> Double {
  0.4 * sin(0.7 * Double(index) + 0.003 * Double(index * index) + shift + 0.1)
}

extension ModelMemory {
  /// Gives parameters and statistics values that are neither alike nor extreme.
  func fillByWaves() {
    for (index, parameter) in parameterList.enumerated() {
      let isScale = parameter.kind == .normScale
      for element in 0..<parameter.elementCount {
        let value = wave(element, 1.3 * Double(index))
        self.parameter(index)[element] = S(isScale ? 1 + value : value)
      }
    }
    for (index, statistic) in statisticList.enumerated() {
      for channel in 0..<statistic.channels {
        self.statistic(index)[channel] = S(statistic.initialValue + 0.5 * wave(channel, 2))
      }
    }
  }
}
