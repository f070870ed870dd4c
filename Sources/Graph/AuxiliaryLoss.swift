/// A loss on a layer inside the network, added to that of its end.
package struct AuxiliaryLoss: Equatable, Sendable {
  package var kind: AuxiliaryLossKind
  /// The name of the layer whose output it judges.
  package var output: String
  /// The name of the layer that the output is compared with, through which no gradient goes, or `input`; nil: the data's
  /// targets, if the loss compares at all.
  package var target: String?
  package var weight = 1.0
  /// Where it stands in the config.
  package var place: String

  package init(_ kind: AuxiliaryLossKind, output: String, place: String = "auxiliary_losses") {
    self.kind = kind
    self.output = output
    self.place = place
  }
}

package enum AuxiliaryLossKind: Equatable, Sendable {
  /// As at the end of the model.
  case loss(LossSpec)
  /// `1 - z . t / (|z| |t|)` at each position.
  case cosine
  /// The divergence of N(mu, sigma^2) from N(0, 1): `sum_c (mu^2 + sigma^2 - log sigma^2 - 1) / 2`, where the channels
  /// hold mu in their first half and log sigma^2 in the second.
  ///
  /// Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B.
  case klDivergence
  /// `1 / (4 C^2 P^2) sum_ij (G_ij - A_ij)^2` with `G = z^T z` over the P positions of C channels, A that of t.
  ///
  /// Source: Gatys, Ecker, Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, equation 4.
  case gram

  /// Whether it asks which samples are of one class.
  package var readsClasses: Bool {
    if case .loss(.pairwise(let loss)) = self { loss.readsClasses } else { false }
  }

  /// Whether a sample's loss depends on the other samples of its micro-shard.
  package var comparesSamples: Bool {
    if case .loss(let loss) = self { loss.comparesSamples } else { false }
  }

  /// The word in the config, for losses that stand only beside another.
  package var name: String {
    switch self {
    case .loss: "loss"
    case .cosine: "cosine"
    case .klDivergence: "kl_divergence"
    case .gram: "gram"
    }
  }
}

/// Losses on distances between outputs; none compares an output with a target of its own.
package enum PairwiseLoss: Equatable, Sendable {
  /// `max(0, |a - p|^2 - |a - n|^2 + margin)` of samples that are `[3, ...]`: anchor, positive, negative.
  ///
  /// Source: Schroff, Kalenichenko, Philbin, "FaceNet", CVPR 2015, equation 1.
  case triplet(margin: Double)
  /// The same with each sample as an anchor, the farthest of its class as its positive and the nearest of the others as
  /// its negative, among the samples of a micro-shard.
  ///
  /// Source: Hermans, Beyer, Leibe, "In defense of the triplet loss", 2017, equation 5.
  case hardTriplet(margin: Double)
  /// `(y d^2 + (1 - y) max(0, margin - d)^2) / 2` of samples that are `[2, ...]`, d their distance; class 1: alike.
  ///
  /// Source: Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006, equation 4.
  case contrastive(margin: Double)
  /// `-log softmax_j(a_i . b_j / (|a_i| |b_j| temperature))_i` of samples that are `[2, ...]`, over the b of a micro-shard.
  ///
  /// Source: van den Oord, Li, Vinyals, "Representation learning with contrastive predictive coding", 2018, equation 4.
  case infoNCE(temperature: Double)

  /// Whether it asks which samples are of one class.
  package var readsClasses: Bool {
    switch self {
    case .hardTriplet, .contrastive: true
    case .triplet, .infoNCE: false
    }
  }

  /// Whether a sample's loss depends on the other samples of its micro-shard.
  package var comparesSamples: Bool {
    switch self {
    case .hardTriplet, .infoNCE: true
    case .triplet, .contrastive: false
    }
  }

  /// Entries along the first axis of a sample; nil: a sample is one of them.
  package var entries: Int? {
    switch self {
    case .triplet: 3
    case .contrastive, .infoNCE: 2
    case .hardTriplet: nil
    }
  }
}

/// A loss inside the network, with what a kernel must know.
package struct LossTermShape: Equatable, Sendable {
  package var kind: AuxiliaryLossKind
  /// Losses of a sample.
  package var positions: Int
  /// Numbers of a sample at each position.
  package var channels: Int
  /// Of the output's last axis.
  package var width: Int
  package var weight: Double
  /// Whether it is compared with another layer's output.
  package var hasTarget: Bool
}
