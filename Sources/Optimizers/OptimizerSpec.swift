/// The update rule and its constants. `w` weights, `g` gradient, `a` learning rate, `t` step from 1.
package struct OptimizerSpec: Equatable, Sendable {
  package var rule: UpdateRule
  /// Before the scaling for the batch and the schedule's factor.
  package var learningRate: Double
  /// What a batch other than the one that `learningRate` was found with does to it.
  package var scale = BatchScaling()
  /// Decoupled: `w -= a * weightDecay * w`, beside the rule's own step (Loshchilov and Hutter, 2019).
  /// LARS and LAMB take it into the step whose norm they measure.
  package var weightDecay = 0.0
  /// In the loss: `l2 / 2 * ||w||^2`, so `g += l2 * w`.
  package var l2 = 0.0
  /// In the loss: `l1 * ||w||_1`, so `g += l1 * sign(w)`.
  package var l1 = 0.0
  /// Whether decay and penalties also touch biases and the scales and shifts of norms.
  package var decaysBiasesAndNorms = false
  /// Whether LARS and LAMB also measure biases and the scales and shifts of norms. Their authors' code
  /// does not: these tensors are small, start at 0 or 1, and a ratio of their norms says little.
  package var adaptsBiasesAndNorms = false
  /// Exceptions by parameter name; where two set the same thing, the later one wins.
  package var groups: [ParameterGroupSpec] = []
  /// Who holds the rule's state; the numbers are the same.
  package var state = StatePlacement.automatic

  package init(rule: UpdateRule, learningRate: Double) {
    self.rule = rule
    self.learningRate = learningRate
  }
}

package enum UpdateRule: Equatable, Sendable {
  /// `w -= a g`
  case sgd
  /// Courses' form: `v = beta v + (1 - beta) g`; `w -= a v`.
  case exponentialMomentum(beta: Double)
  /// Classical form: `v = beta v + g`; `w -= a v`; with Nesterov `w -= a (g + beta v)`.
  case momentum(beta: Double, nesterov: Bool)
  /// `s = beta s + (1 - beta) g^2`; `w -= a g / (sqrt(s) + epsilon)`.
  case rmsprop(beta: Double, epsilon: Double)
  /// `s += g^2`; `w -= a g / (sqrt(s) + epsilon)`.
  case adagrad(epsilon: Double)
  /// `m`, `v` averages of g and g^2, both bias corrected; `w -= a m^ / (sqrt(v^) + epsilon)`.
  /// Source: Kingma and Ba, ICLR 2015, algorithm 1. AdamW is this with `weightDecay`.
  case adam(beta1: Double, beta2: Double, epsilon: Double)
  /// `v = momentum v + a r (g + weightDecay w)`; `w -= v`, with
  /// `r = trust ||w|| / (||g|| + weightDecay ||w||)` for each tensor.
  /// Source: You, Gitman, Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1.
  case lars(momentum: Double, trust: Double)
  /// `u = m^ / (sqrt(v^) + epsilon) + weightDecay w` with Adam's averages; `w -= a ||w|| / ||u|| u` for each tensor.
  /// Source: You et al., ICLR 2020, algorithm 2, with `phi(z) = z`.
  case lamb(beta1: Double, beta2: Double, epsilon: Double)

  /// The state's names in checkpoints, one number per parameter under each.
  package var slotNames: [String] {
    switch self {
    case .sgd: []
    case .exponentialMomentum, .momentum: ["momentum"]
    case .rmsprop: ["square_average"]
    case .adagrad: ["square_sum"]
    case .adam: ["adam_m", "adam_v"]
    case .lars: ["lars_velocity"]
    case .lamb: ["lamb_m", "lamb_v"]
    }
  }

  /// Numbers of state kept per parameter.
  package var slotCount: Int { slotNames.count }

  /// Whether a step depends on the norms of whole tensors.
  package var isLayerwise: Bool {
    switch self {
    case .lars, .lamb: true
    default: false
    }
  }
}

/// What differs for the parameters whose name contains `match` as whole words between dots.
///
/// `layers.1` matches `layers.1.weight` but not `layers.10.weight`; `bias` matches every bias; `*`
/// stands for any run of characters, dots included. A setting left nil stays as it was; one that is
/// given holds for every matching parameter, biases and norms too.
package struct ParameterGroupSpec: Equatable, Sendable {
  package var match: String
  /// Multiplies the scheduled learning rate; 0 freezes the parameter.
  package var learningRateFactor: Double?
  package var weightDecay: Double?
  package var l2: Double?
  package var l1: Double?

  package init(match: String) {
    self.match = match
  }
}
