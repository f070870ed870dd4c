/// What training minimises: the mean over the samples of a batch.
package enum LossSpec: Equatable, Sendable {
  /// `-sum_c t_c log softmax(z)_c` on logits `[N, C]`; labels are classes or distributions.
  /// With smoothing s, `t = (1 - s) * onehot + s / C`. A class weight scales its samples' losses.
  case softmaxCrossEntropy(labelSmoothing: Double, classWeights: [Double]?)
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
}

extension LossSpec {
  /// Whether it compares outputs with each other.
  package var isPairwise: Bool {
    if case .pairwise = self { true } else { false }
  }

  /// Weights of classes, or of positive answers.
  package var classWeights: [Double]? {
    switch self {
    case .softmaxCrossEntropy(_, let weights), .sigmoidCrossEntropy(let weights): weights
    case .meanSquared, .meanAbsolute, .huber, .pairwise: nil
    }
  }
}
