// Layers of sequences, [T, C]: T steps of C channels. Tokens, [T], are whole numbers.

/// `[T] -> [T, units]`: the row of a table for each token.
package struct EmbeddingSpec: Equatable, Sendable {
  /// Tokens are `0..<vocabulary`.
  package var vocabulary: Int
  package var units: Int
  /// As PyTorch's.
  package var weightInitializer = Initializer.normal(mean: 0, deviation: 1)

  package init(vocabulary: Int, units: Int) {
    self.vocabulary = vocabulary
    self.units = units
  }
}

/// What tells attention where in the sequence a step is.
package enum PositionEncoding: Equatable, Sendable {
  case learned(Initializer)
  case sinusoidal
}

/// Recurrent layers, one on top of the other.
package struct RecurrentSpec: Equatable, Sendable {
  package var cell: RecurrentCell
  package var units: Int
  package var layers = 1
  /// A second walk from the last step to the first, whose outputs stand beside those of the first.
  package var isBidirectional = false
  package var outputs = RecurrentOutputs.sequence
  /// Whether a window starts from the state that the window before it ended with.
  package var carriesState = false
  /// Between layers.
  package var dropout = 0.0
  package var bias = true
  /// First value of an LSTM's forget gate's bias.
  package var forgetBias = 0.0
  /// nil: Xavier uniform.
  package var weightInitializer: Initializer?
  package var recurrentInitializer: Initializer?

  package init(cell: RecurrentCell, units: Int) {
    self.cell = cell
    self.units = units
  }
}

package enum RecurrentOutputs: String, CaseIterable, Sendable {
  /// Every step's state, `[T, units]`.
  case sequence
  /// The state after the walk, `[units]`.
  case last
}

/// Multi-head attention, `[T, E] -> [T, E]`: of a sequence to itself, or to a memory `[T', E']`.
package struct AttentionSpec: Equatable, Sendable {
  package var heads: Int
  /// The layer whose output keys and values are made of; nil: the layer's own input.
  package var memory: String?
  package var isCausal = false
  package var bias = true
  /// The base of rotary positions; nil: none.
  package var rotaryBase: Double?
  package var weightInitializer: Initializer?
  package var outputInitializer: Initializer?

  package init(heads: Int) {
    self.heads = heads
  }
}

/// `y = gamma * x / sqrt(mean of x^2 + epsilon)` over the channels of each position.
package struct RMSNormSpec: Equatable, Sendable {
  package var epsilon = 1e-5

  package init() {}
}

/// A window along the steps.
package struct Conv1DSpec: Equatable, Sendable {
  package var filters: Int
  package var kernel: Int
  package var stride = 1
  package var padding = SequencePadding.valid
  package var dilation = 1
  package var groups = ConvolutionGroups.count(1)
  package var bias = true
  package var weightInitializer: Initializer?
  package var biasInitializer = Initializer.zeros

  package init(filters: Int, kernel: Int) {
    self.filters = filters
    self.kernel = kernel
  }
}

package enum SequencePadding: Equatable, Sendable {
  /// Output steps = ceil(input / stride); an odd rest goes after.
  case same
  case valid
  /// All of it before the first step, so that no output sees a later input.
  case causal
  /// That many zeros on both sides.
  case amount(Int)
}
