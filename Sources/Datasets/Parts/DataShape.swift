/// How one input number of a sample is stored.
package enum ElementKind: UInt8, Equatable, Sendable {
  case uint8, float32
  /// Tokens.
  case uint16, int32, int64

  package var byteCount: Int {
    switch self {
    case .uint8: 1
    case .uint16: 2
    case .float32, .int32: 4
    case .int64: 8
    }
  }
}

/// What belongs to a sample beside its inputs.
package enum TargetLayout: Equatable, Sendable {
  /// One class number from 0; `names` has one entry per class, or is nil where classes are numbers.
  case classes(count: Int, names: [String]?)
  /// `width` numbers: 0 or 1 each if `isMultiHot`. `names` are the columns, where there are any.
  case numbers(width: Int, names: [String]?, isMultiHot: Bool)
  /// A class number for each of `steps` steps.
  case classSequence(count: Int, steps: Int, names: [String]?)

  /// Numbers of 4 bytes per sample.
  package var width: Int {
    switch self {
    case .classes: 1
    case .numbers(let width, _, _): width
    case .classSequence(_, let steps, _): steps
    }
  }

  /// Class numbers of a sample, or 1 where its targets are numbers.
  package var answers: Int {
    if case .classSequence(_, let steps, _) = self { steps } else { 1 }
  }

  /// What a model needs as its last width.
  package var outputs: Int {
    switch self {
    case .classes(let count, _), .classSequence(let count, _, _): count
    case .numbers(let width, _, _): width
    }
  }
}

/// What all parts of the data have in common: one sample's shape and meaning.
package struct DataShape: Equatable, Sendable {
  /// One sample: `[28, 28]`, `[32, 32, 3]` (channels last), `[13]` columns of a table.
  package var input: [Int]
  /// Names of a table's columns, `colour=red` for one-hot columns; nil for arrays.
  package var inputNames: [String]?
  /// Columns that say yes or no to one word of a categorical column; empty when there are none.
  package var oneHotColumns: Set<Int> = []
  package var target: TargetLayout
  /// Whether an input of two axes is `[steps, channels]`, not a grey image.
  package var isSequence = false
  /// How many different tokens the inputs are made of; nil: they are no tokens, or nobody knows.
  package var vocabularyCount: Int?

  package init(input: [Int], target: TargetLayout) {
    self.input = input
    self.target = target
  }

  package var elementCount: Int { input.reduce(1, *) }

  /// Elements that are normalised by their own statistics: columns of a table, channels of images and sequences.
  package var channelCount: Int {
    switch input.count {
    case 1: input[0]
    case 2 where isSequence: input[1]
    case 0, 2: 1
    default: input[input.count - 1]
    }
  }
}
