import Collectives
import Engine
import Graph
import Kernels
import Storage

/// Runs the network over a part of the data on all ranks, each sample exactly once.
///
/// A sample's output does not depend on the samples it is computed with, so the ranks may split the
/// part as they like; rank 0 adds everything up in the order of the samples.
package struct Evaluator<S: Scalar> {
  private let engine: ShardEngine<S>
  private let collectives: any Collectives
  private let layout: SampleRecordLayout

  package init(engine: ShardEngine<S>, loss: LossSpec, collectives: any Collectives) {
    self.engine = engine
    self.collectives = collectives
    let output = engine.plan.graph.output
    layout = SampleRecordLayout(loss: loss, outputs: engine.plan.graph[output].elementCount)
  }

  /// - Parameters:
  ///   - samples: How many samples the part has.
  ///   - pause: Called by all ranks together several times a second; what it throws ends the
  ///     evaluation. nil: never.
  ///   - load: Fills the engine's input and targets with the given samples of the part.
  package func evaluate(
    samples: Int, pause: (() throws -> Void)? = nil, load: (_ samples: Range<Int>) throws -> Void
  ) throws -> Evaluation {
    let first = collectives.rank * samples / collectives.ranks
    let end = (collectives.rank + 1) * samples / collectives.ranks
    var records: [Float] = []
    records.reserveCapacity((end - first) * layout.width)
    let most = (samples + collectives.ranks - 1) / collectives.ranks
    var rounds = EvaluationRounds(
      passes: (most + engine.plan.capacity - 1) / engine.plan.capacity, arePaused: pause != nil)
    while let passes = rounds.next() {
      let start = ContinuousClock.now
      for pass in passes {
        let range =
          min(
            first + pass * engine.plan.capacity, end)..<min(
            first + (pass + 1) * engine.plan.capacity, end)
        if range.isEmpty { continue }
        try load(range)
        try append(range.count, to: &records)
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

  private func append(_ rows: Int, to records: inout [Float]) throws {
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: nil)
    engine.runInference()
    guard let losses = engine.losses else { preconditionFailure("evaluation without a loss") }
    let output = engine.output
    let width = layout.outputs
    for row in 0..<rows {
      let columns = row * width..<(row + 1) * width
      layout.append(
        to: &records, loss: losses[row], output: output[columns],
        label: engine.usesClasses ? engine.classes[row] : nil,
        targets: engine.usesClasses ? nil : engine.targets[columns])
    }
  }

  /// Gives every rank rank 0's figures; the answers stay on rank 0.
  private func shared(_ own: Evaluation?) throws -> Evaluation {
    var figures: [Double] = [0, 0, 0]
    if let own { figures = [Double(own.samples), own.loss, own.accuracy ?? -1] }
    var bytes = figures.flatMap { littleEndianBytes($0.bitPattern) }
    try collectives.broadcast(&bytes, from: 0)
    if let own { return own }
    let words = (0..<3).map { index in
      Double(
        bitPattern: bytes[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    return Evaluation(
      samples: Int(words[0]), loss: words[1], accuracy: words[2] < 0 ? nil : words[2])
  }
}

/// Little-endian bytes of a word.
private func littleEndianBytes(_ word: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
}

private func bytes(of numbers: [Float]) -> [UInt8] {
  numbers.flatMap { number in
    (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) }
  }
}

private func floats(_ bytes: [UInt8]) -> [Float] {
  stride(from: 0, to: bytes.count, by: 4).map { start in
    Float(
      bitPattern: bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
  }
}
