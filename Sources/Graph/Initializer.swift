/// The distribution of a parameter's first values.
///
/// Source: Glorot and Bengio, AISTATS 2010, equation 16 (Xavier); He et al., ICCV 2015, equation 10.
package enum Initializer: Equatable, Sendable {
  case zeros
  case constant(Double)
  case normal(mean: Double, deviation: Double)
  case uniform(low: Double, high: Double)
  /// Normal, redrawn until within two deviations of the mean.
  case truncatedNormal(mean: Double, deviation: Double)
  /// Normal with variance `2 / (fanIn + fanOut)`.
  case xavierNormal
  /// Uniform on `±sqrt(6 / (fanIn + fanOut))`.
  case xavierUniform
  /// Normal with variance `2 / fanIn`.
  case heNormal
  /// Uniform on `±sqrt(6 / fanIn)`.
  case heUniform
  /// As many stretches of one value each, of equal length: the biases of an LSTM's gates.
  case stretches([Double])
}
