/// What training minimises: the mean over the samples of a batch.
package enum LossSpec: Equatable, Sendable {
  /// `-sum_c t_c log softmax(z)_c` on logits `[N, C]`; labels are classes or distributions.
  /// With smoothing s, `t = (1 - s) * onehot + s / C`. A class weight scales its samples' losses. A step of a sequence whose
  /// class is `ignored` does not count.
  case softmaxCrossEntropy(labelSmoothing: Double, classWeights: [Double]?, ignored: Int? = nil)
  /// `-sum_c w_c t_c log sigmoid(z_c) + (1 - t_c) log (1 - sigmoid(z_c))`, mean over the C outputs;
  /// `w` weighs positives (PyTorch's `pos_weight`).
  case sigmoidCrossEntropy(classWeights: [Double]?)
  /// `(z - t)^2`, mean over the outputs.
  case meanSquared
  /// `|z - t|`, mean over the outputs.
  case meanAbsolute
  /// `(z - t)^2 / 2` within delta, else `delta * (|z - t| - delta / 2)`; mean over the outputs.
  case huber(delta: Double)
  /// On distances between outputs.
  case pairwise(PairwiseLoss)
  /// Connectionist temporal classification on logits `[N, T, C]`: `-ln` of the probability of the sample's labels, of which
  /// there are at most so many, over all ways to spread them over the steps; class 0 is the blank.
  case ctc(labels: Int)
}

extension LossSpec {
  /// Whether it compares outputs with each other.
  package var isPairwise: Bool {
    if case .pairwise = self { true } else { false }
  }

  /// Whether a sample's loss depends on the other samples of its micro-shard.
  package var comparesSamples: Bool {
    if case .pairwise(let loss) = self { loss.comparesSamples } else { false }
  }

  /// Weights of classes, or of positive answers.
  package var classWeights: [Double]? {
    switch self {
    case .softmaxCrossEntropy(_, let weights, _), .sigmoidCrossEntropy(let weights): weights
    case .meanSquared, .meanAbsolute, .huber, .pairwise, .ctc: nil
    }
  }

  /// The class number in targets that stands for none.
  package var ignoredClass: Int? {
    switch self {
    case .softmaxCrossEntropy(_, _, let ignored): ignored
    case .ctc: -1
    case .sigmoidCrossEntropy, .meanSquared, .meanAbsolute, .huber, .pairwise: nil
    }
  }

  /// The lowest class number in targets.
  package var firstClass: Int {
    if case .ctc = self { 1 } else { 0 }
  }

  /// Whether targets are lists of labels that no step has to itself.
  package var spellsLabels: Bool {
    if case .ctc = self { true } else { false }
  }

  /// Whether targets can be class numbers.
  package var takesClasses: Bool {
    switch self {
    case .softmaxCrossEntropy, .pairwise, .ctc: true
    case .sigmoidCrossEntropy, .meanSquared, .meanAbsolute, .huber: false
    }
  }
}
