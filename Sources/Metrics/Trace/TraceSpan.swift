/// A stretch of a rank's timeline with a name.
package struct TraceSpan: Equatable, Sendable {
  package enum Row: Int, CaseIterable, Sendable {
    /// Steps, in them phases, in them instructions.
    case work
    /// The thread that writes checkpoints.
    case writer
    /// Sums over the ranks, which overlap; one row each.
    case sums
  }

  package enum Category: String, Sendable {
    case step, phase, instruction, sum, write
  }

  package var row: Row
  package var category: Category
  package var name: String
  package var start: MonotonicInstant
  package var end: MonotonicInstant
  /// From 0; nil outside steps.
  package var step: Int?
  /// Of instructions only.
  package var instruction: Int?
  package var shard: Int?
  /// Of sums only.
  package var bucket: Int?

  package init(
    _ row: Row, _ category: Category, _ name: String, from start: MonotonicInstant,
    to end: MonotonicInstant, step: Int? = nil, instruction: Int? = nil, shard: Int? = nil,
    bucket: Int? = nil
  ) {
    self.row = row
    self.category = category
    self.name = name
    self.start = start
    self.end = end
    self.step = step
    self.instruction = instruction
    self.shard = shard
    self.bucket = bucket
  }
}

/// An instruction of the plan as a timeline shows it.
package struct TraceInstruction: Equatable, Sendable {
  package enum Role: Equatable, Sendable {
    case plain
    /// After the rank's last micro-shard the sum of the bucket starts here.
    case startsSum(bucket: Int)
    case waitsForSum(bucket: Int)
  }

  package var name: String
  package var role: Role

  package init(name: String, role: Role = .plain) {
    self.name = name
    self.role = role
  }
}
