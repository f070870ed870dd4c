import Checkpoints
import Datasets
import Diagnostics
import Engine
import Graph
import Kernels
import Optimizers
import Plan
import Storage

/// One forward and backward pass from given weights on given arrays, for comparing with another
/// framework.
package enum Probe {
  /// Paths of the files to read.
  package struct Files: Sendable {
    package var weights: String
    package var inputs: String

    package init(weights: String, inputs: String) {
      self.weights = weights
      self.inputs = inputs
    }
  }

  /// - Parameters:
  ///   - mode: Whether batch norm and dropout behave as in training; all samples are one micro-shard.
  ///   - scalar: The precision to compute in.
  /// - Returns: `output`, `loss` (penalties included), `gradient.<parameter>`, `gradient.input`; where layers carry states,
  ///   `carried.<state>` after the pass. The states before it are those of that name in `inputs`, or zeros.
  package static func run<S: Scalar & TensorNumber>(
    _ spec: RunSpec, files: Files, mode: GraphMode, scalar: S.Type
  ) throws -> [NamedTensor] {
    let forward = try spec.forwardGraph(mode)
    let weights = try SafetensorsFile(path: files.weights)
    let inputs = try SafetensorsFile(path: files.inputs)
    let rows = try rowCount(of: inputs, spec)
    let plan = ExecutionPlan(
      training: forward, capacity: rows,
      options: PlanOptions(fusion: spec.plan.fusion, recompute: spec.training.recompute),
      holdsOutput: true, inputGradient: true)
    let model = ModelMemory<S>(plan)
    try TensorShape.difference(
      expected: model.fileShapes, found: weights.shapes, place: weights.path
    ).map { throw $0 }
    try model.load(TensorTable(weights.tensors, place: weights.path))

    let target = plan.graph.target == nil ? nil : try inputs.tensor("target")
    let classAxes = plan.graph.answers > 1 ? 2 : 1
    let usesClasses =
      spec.needsClasses
      || spec.loss.takesClasses
        && (target?.shape.count == classAxes || spec.loss.ignoredClass != nil)
    let engine = ShardEngine(plan, model: model, usesClasses: usesClasses, seed: spec.seed)
    try inputs.tensor("input").copy(into: engine.input)
    if let target { try load(target, into: engine, spec, inputs.path) }
    try loadStates(inputs, into: engine)
    let leaf = AlignedMemory<S>(count: plan.leaf.count)
    leaf.withBlock { sums in
      engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: sums)
      engine.runAll()
    }
    return results(engine, model, leaf, spec)
  }

  private static func rowCount(of inputs: SafetensorsFile, _ spec: RunSpec) throws -> Int {
    let shape = try inputs.tensor("input").shape
    guard let rows = shape.first, rows > 0,
      shape.dropFirst().reduce(1, *) == spec.model.input.reduce(1, *)
    else {
      throw Diagnostic(
        place: inputs.path, problem: "input has shape \(shape)",
        expected: "[N] + \(spec.model.input), N at least 1",
        remedy: "store samples along the first dimension, channels last")
    }
    return rows
  }

  private static func load<S: Scalar & TensorNumber>(
    _ target: NamedTensor, into engine: ShardEngine<S>, _ spec: RunSpec, _ path: String
  ) throws {
    let loss = spec.loss
    let rows = engine.plan.capacity
    let graph = engine.plan.graph
    let outputs = graph.outputShape.reduce(1, *)
    if engine.usesClasses {
      let classes = target.integers() ?? target.doubles().map { Int($0.rounded()) }
      let answers = graph.answers
      let known = loss.firstClass..<(spec.comparesWithData ? graph.outputs : Int(Int32.max))
      guard classes.count == rows * answers,
        classes.allSatisfy({ known.contains($0) || $0 == loss.ignoredClass })
      else {
        let orNone = loss.ignoredClass.map { ", or \($0) for none" } ?? ""
        throw Diagnostic(
          place: path,
          problem: "target has \(classes.count) classes of \(classes.min() ?? 0) to "
            + "\(classes.max() ?? 0)",
          expected: "\(rows * answers) classes of \(known.lowerBound) to \(known.upperBound - 1)"
            + orNone,
          remedy: loss.spellsLabels
            ? "store \(answers) class numbers per sample"
            : "store one class number per \(answers > 1 ? "step" : "sample")")
      }
      engine.classes.copy(from: classes.map { Int32($0) })
      return
    }
    guard target.elementCount == rows * outputs else {
      throw Diagnostic(
        place: path, problem: "target has shape \(target.shape)",
        expected: "[\(rows), \(outputs)], as the model's output",
        remedy: "store one row of targets per sample")
    }
    target.copy(into: engine.targets)
  }

  private static func loadStates<S: Scalar & TensorNumber>(
    _ inputs: SafetensorsFile, into engine: ShardEngine<S>
  ) throws {
    guard let states = engine.states else { return }
    for (index, state) in states.list.enumerated() {
      let name = CarriedTensors.prefix + state.name
      guard inputs.contains(name) else { continue }
      let tensor = try inputs.tensor(name)
      guard tensor.elementCount == states.rows * state.units else {
        throw Diagnostic(
          place: inputs.path, problem: "\(name) has shape \(tensor.shape)",
          expected: "[\(states.rows), \(state.units)]", remedy: "store one state per sample")
      }
      tensor.copy(into: states.current(index))
    }
  }

  private static func results<S: Scalar & TensorNumber>(
    _ engine: ShardEngine<S>, _ model: ModelMemory<S>, _ memory: AlignedMemory<S>, _ spec: RunSpec
  ) -> [NamedTensor] {
    let plan = engine.plan
    let leaf = memory.block
    let penalties = Optimizer<S>(
      spec: spec.optimizer, segments: model.segments, parameterCount: model.parameters.count)
    let data = plan.leaf.loss.map { Double(leaf[$0]) / Double(plan.capacity) } ?? 0
    let loss = data + penalties.penalty(weights: model.parameters)
    let gradient = leaf[plan.leaf.parameterStart..<plan.leaf.count]
    penalties.addPenaltyGradient(weights: model.parameters, into: gradient)
    var results = [
      NamedTensor(name: "loss", shape: [1], values: [S(loss)]),
      NamedTensor(
        name: "output", shape: [plan.capacity] + plan.graph.outputShape,
        values: engine.output.array),
    ]
    if let block = engine.inputGradient {
      results.append(
        NamedTensor(
          name: "gradient.input", shape: [plan.capacity] + plan.graph.inputShape,
          values: block.array))
    }
    if let states = engine.states {
      results += states.list.enumerated().map { index, state in
        NamedTensor(
          name: CarriedTensors.prefix + state.name, shape: [states.rows, state.units],
          values: states.next(index).array)
      }
    }
    return results + model.parameterTensors(gradient, prefix: "gradient.", owner: memory)
  }
}
