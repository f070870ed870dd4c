import Checkpoints
import Collectives
import DataParallel
import Datasets
import Diagnostics
import Graph
import Storage

/// What every command on a trained network needs: data, plans, and the newest (or a named) checkpoint.
package struct RunMaterial {
  package let plans: ModelPlans
  package let data: LoadedData
  package private(set) var checkpoint: ReceivedCheckpoint?

  /// Reads everything on all ranks; a fault on any of them is everybody's.
  ///
  /// - Parameters:
  ///   - inputPlace: Where the model's input is written, for a fault of its shape.
  ///   - checkOutputs: Checks what has one entry per output, such as class weights.
  ///   - loadCheckpoint: Called on rank 0, which alone sees the run folder.
  package init(
    _ spec: RunSpec, over collectives: any Collectives, inputPlace: String,
    checkOutputs: (Int) throws -> Void, loadCheckpoint: () throws -> LoadedCheckpoint?
  ) throws {
    let plans = try collectives.agree {
      var faults = DiagnosticList()
      try faults.collect { try checkRanks(collectives.ranks, spec) }
      let plans = try faults.collect { try ModelPlans(spec, ranks: collectives.ranks) }
      if let plans {
        try faults.collect { try checkOutputs(plans.comparedOutputs) }
        let names = plans.graph.parameters.map(\.name)
        spec.optimizer.unmatchedGroups(among: names, place: "optimizer.groups").forEach {
          faults.append($0)
        }
      }
      try faults.throwIfAny()
      guard let plans else { preconditionFailure("a model without plan or fault") }
      return plans
    }
    self.plans = try plans.withBuckets(spec, over: collectives)
    checkpoint = try ReceivedCheckpoint.broadcast(over: collectives, load: loadCheckpoint)
    let statistics = checkpoint?.record.normalizationStatistics
    try collectives.agree {
      guard collectives.localRank == 0 else { return }
      try LoadedData.prepare(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
    }
    data = try collectives.agree {
      let data = try LoadedData.open(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers,
        statistics: statistics)
      var faults = DiagnosticList()
      try faults.collect {
        try data.shape.checkInput(
          ofModel: spec.model.input, inputs: spec.model.inputs.map(\.name), place: inputPlace)
      }
      try faults.collect { try plans.checkAnswers(of: data.shape) }
      try faults.collect { try spec.model.checkVocabulary(of: data.shape) }
      try faults.throwIfAny()
      return data
    }
  }
}

extension RunMaterial {
  /// Gives back the memory of the checkpoint's tensors, once the replica has them.
  package mutating func releaseTensors() { checkpoint?.releaseTensors() }
}

extension ModelPlans {
  /// Checks that samples have one class each where the loss does not say how many.
  fileprivate func checkAnswers(of data: DataShape) throws {
    let count = data.target.answers
    guard targetOutputs == nil, count != answers else { return }
    throw Diagnostic(
      place: "loss",
      problem: "the data have \(count) classes per sample, the loss takes them for one",
      expected: "one class per sample for this loss",
      remedy: "use other data, or a loss that reads a class at every step")
  }
}

extension ModelSpec {
  /// Checks that embeddings know every token of the data: what they do not know has no number.
  ///
  /// - Throws: A `DiagnosticList` of those that are too small.
  package func checkVocabulary(of data: DataShape) throws {
    guard let count = data.vocabularyCount else { return }
    var faults = DiagnosticList()
    for (layer, words) in embeddings where words < count {
      faults.append(
        Diagnostic(
          place: layer.place,
          problem: "the embedding knows \(words) tokens, the data have \(count)",
          expected: "at least \(count)",
          remedy: "set its vocabulary and the width of the last layer to \(count)"))
    }
    try faults.throwIfAny()
  }
}

extension ModelPlans {
  /// The same plans with buckets of the size that suits the way between the ranks.
  fileprivate func withBuckets(
    _ spec: RunSpec, over collectives: any Collectives
  ) throws -> ModelPlans {
    guard spec.plan.bucketBytes == nil, collectives.ranks > 1 else { return self }
    // Where sums are cut decides who rounds what: results must not depend on a measurement.
    if spec.communication.wire.isRounded, collectives.hostCount > 1 { return self }
    let cost = try SumCost.measured(over: collectives)
    let gradientBytes = training.leaf.count * MemoryLayout<Float>.stride
    return try ModelPlans(
      spec, bucketBytes: cost.bucketBytes(gradientBytes: gradientBytes), ranks: collectives.ranks)
  }
}

/// A checkpoint as every rank gets it from rank 0.
package struct ReceivedCheckpoint {
  package let name: String
  package let record: CheckpointRecord
  package private(set) var model: [NamedTensor]
  package private(set) var state: [NamedTensor]
  /// What layers carry from window to window, of all rows of the batch.
  let carriedStates: [NamedTensor]
  /// On rank 0 only: what rounding between hosts had kept back, which each host gets for itself.
  package let residuals: [NamedTensor]

  fileprivate mutating func releaseTensors() { (model, state) = ([], []) }

  /// - Parameter load: Called on rank 0.
  static func broadcast(
    over collectives: any Collectives, load: () throws -> LoadedCheckpoint?
  ) throws -> ReceivedCheckpoint? {
    let own = try collectives.agree { collectives.isRoot ? try load() : nil }
    guard try collectives.anyRank(own != nil) else { return nil }
    var name = Array((own?.name ?? "").utf8)
    var record = Array((own?.record.text ?? "").utf8)
    try collectives.broadcast(&name, from: 0)
    try collectives.broadcast(&record, from: 0)
    let place = String(decoding: name, as: UTF8.self)
    let tensors = own?.state.tensors ?? []
    let state = try broadcast(tensors.filter { !ResidualTensors.contain($0) }, over: collectives)
    return ReceivedCheckpoint(
      name: place,
      record: try own?.record ?? CheckpointRecord(json: record, path: place),
      model: try broadcast(own?.model.tensors ?? [], over: collectives),
      state: state, carriedStates: state.filter(CarriedTensors.contain),
      residuals: tensors.filter(ResidualTensors.contain))
  }

  /// Names and shapes first, then all numbers as one message each.
  private static func broadcast(
    _ tensors: [NamedTensor], over collectives: any Collectives
  ) throws -> [NamedTensor] {
    guard collectives.ranks > 1 else { return tensors }
    var list = Array(
      tensors.map { "\($0.name) \($0.shape.map(String.init).joined(separator: ","))" }
        .joined(separator: "\n").utf8)
    try collectives.broadcast(&list, from: 0)
    let lines = String(decoding: list, as: UTF8.self).split(separator: "\n")
    return try lines.enumerated().map { index, line in
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      let shape = words[1].split(separator: ",").compactMap { Int($0) }
      let memory = AlignedMemory<Float>(count: shape.reduce(1, *))
      if collectives.isRoot { tensors[index].copy(into: memory.block) }
      try collectives.broadcast(memory.block, from: 0)
      return NamedTensor(name: String(words[0]), shape: shape, values: memory.array)
    }
  }
}
