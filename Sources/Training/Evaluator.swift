import Collectives
import Datasets
import Engine
import Graph
import Kernels
import Storage

/// Runs the network over a part of the data on all ranks, each sample exactly once.
///
/// A sample's output does not depend on the samples it is computed with, so the ranks may split the
/// part as they like; where its loss does, they split it between passes, whose samples are the same on any number of
/// ranks. Rank 0 adds everything up in the order of the samples.
package struct Evaluator<S: Scalar> {
  private let engine: ShardEngine<S>
  private let collectives: any Collectives
  private let layout: SampleRecordLayout
  /// Samples that stay together.
  private let unit: Int

  /// - Parameter comparesWithData: Whether the loss compares outputs with the data's targets.
  package init(
    engine: ShardEngine<S>, loss: LossSpec, comparesWithData: Bool = true,
    collectives: any Collectives
  ) {
    self.engine = engine
    unit = loss.comparesSamples ? engine.plan.capacity : 1
    self.collectives = collectives
    let graph = engine.plan.graph
    let (positions, outputs) = graph.lossShape
    layout = SampleRecordLayout(
      loss: loss, comparesWithData: comparesWithData, outputs: outputs, answers: positions,
      holdsMeans: positions > 1 || engine.answerWeights != nil || loss.spellsLabels)
  }

  /// - Parameters:
  ///   - samples: How many samples the part has.
  ///   - order: Of windows that go on where others ended; nil: as the samples lie.
  ///   - pause: Called by all ranks together several times a second; what it throws ends the
  ///     evaluation. nil: never.
  ///   - load: Fills the engine's input and targets with the samples at the given places of the order.
  package func evaluate(
    samples: Int, order: ContinuedOrder? = nil, pause: (() throws -> Void)? = nil,
    load: (_ positions: Range<Int>) throws -> Void
  ) throws -> Evaluation {
    let shares = (0..<collectives.ranks).map { rank in
      EvaluationShare(
        ofRank: rank, of: collectives.ranks, samples: samples, unit: unit, order: order,
        capacity: engine.plan.capacity)
    }
    let share = shares[collectives.rank]
    var records = [Float](repeating: 0, count: share.samples.count * layout.width)
    var rounds = EvaluationRounds(
      passes: shares.map(\.passCount).max() ?? 0, arePaused: pause != nil)
    while let passes = rounds.next() {
      let start = ContinuousClock.now
      for pass in passes where pass < share.passCount {
        let positions = share.positions(ofPass: pass)
        if positions.isEmpty { continue }
        if share.begins(pass) { engine.states?.reset() }
        try load(positions)
        let found = self.records(ofRows: positions.count)
        engine.advanceStates()
        for (row, position) in positions.enumerated() {
          let place = share.index(ofPosition: position) * layout.width
          records.replaceSubrange(
            place..<place + layout.width,
            with: found[row * layout.width..<(row + 1) * layout.width])
        }
      }
      guard let pause, !rounds.isLast else { continue }
      try pause()
      if rounds.isFirst { rounds.setPace(try slowest(ContinuousClock.now - start)) }
    }
    let gathered = try collectives.gather(bytes(of: records), to: 0)
    return try shared(gathered.map { layout.evaluation(of: $0.flatMap(floats)) })
  }

  /// The longest of the ranks' durations.
  private func slowest(_ duration: Duration) throws -> Duration {
    .microseconds(try collectives.allMaximum(Int(duration / .microseconds(1))))
  }

  /// Runs the network on what was loaded.
  private func records(ofRows rows: Int) -> [Float] {
    var records: [Float] = []
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: nil)
    engine.runInference()
    guard let losses = engine.losses else { preconditionFailure("evaluation without a loss") }
    let output = engine.output
    let width = layout.outputs * layout.answers
    let classes = engine.plan.graph.answers
    for row in 0..<rows {
      let columns = row * width..<(row + 1) * width
      let answers = row * layout.answers..<(row + 1) * layout.answers
      if let isRight = engine.isSpelled(row) {
        records += [Float(losses[row]), isRight ? 1 : 0]
        continue
      }
      layout.append(
        to: &records, losses: losses[answers], weights: engine.answerWeights?[answers],
        output: output[columns],
        labels: engine.usesClasses ? engine.classes[row * classes..<(row + 1) * classes] : nil,
        targets: engine.usesClasses || !layout.comparesWithData ? nil : engine.targets[columns])
    }
    return records
  }

  /// Gives every rank rank 0's figures; the answers stay on rank 0.
  private func shared(_ own: Evaluation?) throws -> Evaluation {
    let figures = AlignedMemory<Double>(count: 3)
    if let own { figures.block.copy(from: [Double(own.samples), own.loss, own.accuracy ?? -1]) }
    try collectives.broadcast(figures.block, from: 0)
    if let own { return own }
    let words = figures.array
    return Evaluation(
      samples: Int(words[0]), loss: words[1], accuracy: words[2] < 0 ? nil : words[2])
  }
}

private func bytes(of numbers: [Float]) -> [UInt8] {
  AlignedMemory(copying: numbers).withBlock { $0.bytes.array }
}

private func floats(_ bytes: [UInt8]) -> [Float] {
  let memory = AlignedMemory<Float>(count: bytes.count / MemoryLayout<Float>.stride)
  AlignedMemory(copying: bytes).withBlock { memory.block.copyBytes(from: $0) }
  return memory.array
}
