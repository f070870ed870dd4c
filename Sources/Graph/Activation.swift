/// An elementwise non-linearity `y = f(x)`.
package enum Activation: Equatable, Sendable {
  case identity
  /// `1 / (1 + exp(-x))`
  case sigmoid
  case tanh
  /// `max(x, 0)`
  case relu
  /// `x` for x > 0, else `slope * x`.
  case leakyRelu(slope: Double)
  /// `x` for x > 0, else `alpha * (exp(x) - 1)`.
  case elu(alpha: Double)
  /// `x * Phi(x)` with the normal distribution function, by erf.
  case gelu
  /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`
  case geluTanh
  /// `x * sigmoid(x)`
  case silu
  /// `min(max(x, 0), 6)`
  case relu6
  /// `min(max(x / 6 + 1 / 2, 0), 1)`
  ///
  /// Source: Howard et al., "Searching for MobileNetV3", ICCV 2019, section 5.2; hard swish too.
  case hardSigmoid
  /// `x * hardSigmoid(x)`
  case hardSwish
  /// `ln(1 + exp(x))`
  case softplus

  /// Whether `f'(x)` is a function of `f(x)` alone, so that the input need not be kept.
  package var gradientNeedsOnlyOutput: Bool {
    switch self {
    case .identity, .sigmoid, .tanh, .relu, .elu, .relu6, .hardSigmoid, .softplus: true
    case .leakyRelu(let slope): slope > 0
    case .gelu, .geluTanh, .silu, .hardSwish: false
    }
  }
}
