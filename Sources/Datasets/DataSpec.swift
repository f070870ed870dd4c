/// Where samples come from and how they become numbers. Paths are absolute or relative to the
/// working directory by now: the configuration has resolved them against its own file.
package struct DataSpec: Equatable, Sendable {
  package var source: DataSource
  package var dev = PartSpec.none
  package var test = PartSpec.none
  package var normalization = Normalization.none
  /// What a target is: decides label checks and metrics.
  package var target = TargetKind.classes
  /// The class number that stands for none; nil: there is no such number.
  package var ignoredClass: Int?
  /// The lowest class number: 1 where targets are lists of labels, which are filled up with the ignored number.
  package var firstClass = 0
  /// Names of the classes in the order of their numbers; nil: the numbers (or the CSV's own words, sorted).
  package var classNames: [String]?
  /// The most steps of padded sequences that are trained together, ascending; the last is what all are padded to. Empty: all
  /// are computed at their padded length.
  package var lengthBuckets: [Int] = []
  /// Random changes of the training images; nil: none.
  package var augment: AugmentSpec?

  package init(source: DataSource) {
    self.source = source
  }
}

package enum DataSource: Equatable, Sendable {
  /// Images and labels, plain or gzipped. `test` and `dev` files are optional.
  case idx(train: ArrayFiles, dev: ArrayFiles?, test: ArrayFiles?)
  case npy(train: ArrayFiles, dev: ArrayFiles?, test: ArrayFiles?)
  case csv(CSVSpec)
  case generated(GeneratedSpec)
  case generatedSequences(GeneratedSequencesSpec)
  case text(TextSpec)
  case tokens(TokensSpec)
  case series(SeriesSpec)
}

package struct ArrayFiles: Equatable, Sendable {
  package var inputs: String
  /// Files whose samples stand behind those of `inputs`: a sample is the numbers of all of them in one row.
  package var otherInputs: [String]
  package var targets: String

  package init(inputs: String, otherInputs: [String] = [], targets: String) {
    self.inputs = inputs
    self.otherInputs = otherInputs
    self.targets = targets
  }
}

/// Where a format's samples are when dev and test may be files of their own.
package protocol PartFiles {
  var dev: String? { get set }
  var test: String? { get set }
}

package struct CSVSpec: PartFiles, Equatable, Sendable {
  package var train: String
  package var dev: String?
  package var test: String?
  /// The column (or, for multi-hot and multi-output targets, columns) to predict.
  package var targets: [String]
  /// Columns whose words become one-hot inputs.
  package var categorical: [String] = []
  /// Columns to leave out.
  package var ignored: [String] = []
  package var separator: Character = ","

  package init(train: String, targets: [String]) {
    self.train = train
    self.targets = targets
  }
}

/// A table whose rows follow each other in time, equally far apart.
package struct SeriesSpec: PartFiles, Equatable, Sendable {
  package var train: String
  package var dev: String?
  package var test: String?
  /// Columns to learn from; nil: all that are not ignored.
  package var inputs: [String]?
  /// Columns to predict; usually inputs as well.
  package var targets: [String]
  /// Columns to leave out.
  package var ignored: [String] = []
  package var separator: Character = ","
  /// Rows of a sample.
  package var window: Int
  /// Rows after the window that are predicted.
  package var horizon = 1
  /// Rows from one window's start to the next.
  package var stride = 1

  package init(train: String, targets: [String], window: Int) {
    self.train = train
    self.targets = targets
    self.window = window
  }
}

/// A text in which every window of tokens is a sample and the token after each of them its target.
package struct TextSpec: PartFiles, Equatable, Sendable {
  /// Files, one after the other.
  package var train: [String]
  package var dev: String?
  package var test: String?
  package var level = TextLevel.character
  package var windows = WindowChoice.contiguous
  /// Tokens of a sample.
  package var window: Int
  /// Tokens from one window's start to the next; nil: the window, so that every token is seen once in an epoch.
  package var stride: Int?

  package init(train: [String], window: Int) {
    self.train = train
    self.window = window
  }
}

package enum TextLevel: Equatable, Sendable {
  /// Unicode scalars; the vocabulary is those that occur, in their order.
  case character
  /// Bytes, 256 of them.
  case byte
  /// Bytes merged by a vocabulary that is given.
  case bytePair(BytePairFiles)
}

/// Which windows of its text an epoch trains on; parts to judge by always have contiguous ones.
package enum WindowChoice: String, CaseIterable, Sendable {
  /// Those that start a stride apart, in random order.
  case contiguous
  /// As many, but each starts anywhere, drawn anew in every epoch.
  case random
}

/// Files of tokens that are mapped, never copied or read whole: `.npy` of one axis, or `.bin` of 16-bit numbers.
package struct TokensSpec: PartFiles, Equatable, Sendable {
  package var train: String
  package var dev: String?
  package var test: String?
  /// How many different tokens there are.
  package var vocabulary: Int
  /// What the tokens mean, for generating text.
  package var bytePair: BytePairFiles?
  package var windows = WindowChoice.contiguous
  package var window: Int
  /// nil: the window.
  package var stride: Int?

  package init(train: String, vocabulary: Int, window: Int) {
    self.train = train
    self.vocabulary = vocabulary
    self.window = window
  }
}

package struct GeneratedSpec: Equatable, Sendable {
  package var kind: GeneratedKind
  package var samples: Int
  /// Standard deviation of the noise on the inputs.
  package var noise: Double
  /// For blobs, spirals and images; the other kinds have two.
  package var classes = 2
  /// Of images only: `[height, width, channels]`.
  package var shape = [28, 28, 1]

  package init(kind: GeneratedKind, samples: Int, noise: Double) {
    self.kind = kind
    self.samples = samples
    self.noise = noise
  }
}

package struct GeneratedSequencesSpec: Equatable, Sendable {
  package var kind: GeneratedSequenceKind
  package var samples: Int
  package var steps: Int
  /// The largest difference that noise makes.
  package var noise = 0.1

  package init(kind: GeneratedSequenceKind, samples: Int, steps: Int) {
    self.kind = kind
    self.samples = samples
    self.steps = steps
  }
}

package enum GeneratedSequenceKind: String, CaseIterable, Sendable {
  /// Waves, `[steps, 1]`, whose next value is to be found.
  case series
  /// Tokens, `[steps]`, and for each how many neighbours are higher.
  case tags
  /// Spectrograms, `[steps, 101]`, in which a sound is to be noticed.
  case trigger
  /// As `tags`, but of different length: tokens from 1, filled up with 0.
  case paddedTags
  /// Bands, `[steps, 8]`, that symbols rise in for some steps each; the symbols in their order are to be found.
  case symbols
  /// Dates as people write them, characters, to be written as YYYY-MM-DD.
  case dates
}

package enum GeneratedKind: String, CaseIterable, Sendable {
  /// Points in the plane.
  case xor, flower, spirals, moons, blobs
  /// Waves in the plane, for networks on images.
  case images
}

/// Random changes of training images, drawn anew in every epoch.
package struct AugmentSpec: Equatable, Sendable {
  /// Mirrors every second image left to right.
  package var flipHorizontal = false
  /// Moves the image by up to this many pixels along each axis; raw zeros move in.
  package var shift = 0

  package init(flipHorizontal: Bool = false, shift: Int = 0) {
    self.flipHorizontal = flipHorizontal
    self.shift = shift
  }
}

/// How a dev or test part is cut from the training samples when no file brings it.
package enum PartSpec: Equatable, Sendable {
  /// No such part, unless the source names a file for it.
  case none
  /// The file named in the source.
  case files
  case fraction(Double, stratified: Bool)
  case count(Int, stratified: Bool)
}

package enum Normalization: Equatable, Sendable {
  case none
  /// `(x - mean) / deviation` with statistics of the training part: one pair for images (per
  /// channel), one per column for tables.
  case standardize
  case divide(by: Double)
}

package enum TargetKind: Equatable, Sendable {
  /// One class number per sample.
  case classes
  /// Several independent yes/no answers per sample (0 or 1 each), or one.
  case multiHot
  /// Real numbers.
  case values
}
