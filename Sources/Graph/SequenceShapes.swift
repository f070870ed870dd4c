// Shapes: T steps of a sequence, H units of a recurrent layer, E channels of attention.

/// What a recurrent layer does at every step.
package enum RecurrentCell: Equatable, Sendable {
  /// `h = tanh(x' + W h + b)`
  case tanh
  /// `h = max(0, x' + W h + b)`
  case relu
  /// Input, forget, cell and output gate (i, f, g, o), `c = f c + i g`, `h = o tanh(c)`.
  case lstm
  /// Reset, update and new gate (r, z, n), `h = (1 - z) n + z h`. With `resetAfter` the new gate is
  /// `n = tanh(x' + r (W h + b))`, as in cuDNN and PyTorch, else `n = tanh(x' + W (r h) + b)`, as published.
  case gru(resetAfter: Bool)

  /// Stretches of H numbers that a step's products fill.
  package var gates: Int {
    switch self {
    case .tanh, .relu: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// Stretches of H numbers that the gradient needs beside the outputs: the gates, and of an LSTM its
  /// cells, of a GRU what the reset gate meets (`W h + b`, or `r h`).
  package var remembered: Int {
    switch self {
    case .tanh, .relu: 0
    case .lstm: 5
    case .gru: 4
    }
  }

  /// What goes from step to step, H numbers each: h, and c of an LSTM.
  package var stateCount: Int { self == .lstm ? 2 : 1 }

  /// Whether the gradients of the products with x and with h differ.
  package var hasTwoGradients: Bool { self == .gru(resetAfter: true) }
}

package struct RecurrentShape: Equatable, Sendable {
  package var cell: RecurrentCell
  package var steps: Int
  package var units: Int
  /// Whether the last step of the sequence comes first.
  package var isReversed: Bool
  /// Whether sequences have lengths of their own.
  package var isPadded = false
  /// Whether the walk starts from states that are given, not from zeros.
  package var isContinued = false

  package init(cell: RecurrentCell, steps: Int, units: Int, isReversed: Bool = false) {
    self.cell = cell
    self.steps = steps
    self.units = units
    self.isReversed = isReversed
  }

  /// The numbers of all gates of a step.
  package var width: Int { cell.gates * units }

  /// States among the last inputs of the walk and its gradient, before the lengths.
  package var startCount: Int { isContinued ? cell.stateCount : 0 }
  /// Inputs behind those that every walk has: states to start from, lengths.
  package var optionalInputCount: Int { startCount + (isPadded ? 1 : 0) }
}

/// Rotary positions of the first `heads` heads of rows of `width` channels.
package struct RotaryShape: Equatable, Sendable {
  package var steps: Int
  package var width: Int
  package var heads: Int
  package var headSize: Int
  package var base: Double

  package init(steps: Int, width: Int, heads: Int, headSize: Int, base: Double) {
    self.steps = steps
    self.width = width
    self.heads = heads
    self.headSize = headSize
    self.base = base
  }
}

/// Scaled dot-product attention of several heads.
package struct AttentionShape: Equatable, Sendable {
  package var queries: Int
  package var keys: Int
  package var heads: Int
  package var headSize: Int
  /// Whether a position sees only itself and those before it.
  package var isCausal: Bool
  /// Queries, keys and values stand side by side in one input `[T, 3 E]`; else queries come in one of `[T, E]`,
  /// keys and values in another of `[T', 2 E]`.
  package var isSelf: Bool
  /// Whether sequences have lengths of their own: of the queries (and the keys, where they come with them).
  package var hasQueryLengths = false
  /// Of the keys, where they come in an input of their own.
  package var hasKeyLengths = false

  package init(
    queries: Int, keys: Int, heads: Int, headSize: Int, isCausal: Bool, isSelf: Bool
  ) {
    self.queries = queries
    self.keys = keys
    self.heads = heads
    self.headSize = headSize
    self.isCausal = isCausal
    self.isSelf = isSelf
  }

  package var channels: Int { heads * headSize }
}

/// Connectionist temporal classification.
package struct TemporalShape: Equatable, Sendable {
  package var steps: Int
  /// The blank, class 0, included.
  package var classes: Int
  /// Places for the labels of a sample.
  package var labels: Int

  package init(steps: Int, classes: Int, labels: Int) {
    self.steps = steps
    self.classes = classes
    self.labels = labels
  }
}
