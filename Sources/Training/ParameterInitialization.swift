import Graph
import Randomness

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How many inputs feed one output element of a parameter, and how many outputs one input feeds.
///
/// For a dense layer the two widths; for a convolution channels per group times kernel height and width.
package struct Fan: Equatable, Sendable {
  package var input: Int
  package var output: Int

  package init(input: Int, output: Int) {
    self.input = input
    self.output = output
  }
}

/// The first values of a parameter: a function of the seed, its name and its initializer alone.
///
/// - Parameters:
///   - name: As in checkpoints, `layers.0.weight`; it names the random stream `initialize layers.0.weight`.
///   - count: Elements, in the order of the layout that checkpoints use (dense `[out, in]`,
///     convolution `[out, in / groups, kh, kw]`), so that first weights do not depend on how kernels
///     store them. The first values of a longer parameter are those of a shorter one.
///   - fan: Read by the Xavier and He initializers only.
package func initialValues<S: BinaryFloatingPoint>(
  of name: String, initializer: Initializer, count: Int, fan: Fan, seed: UInt64, as: S.Type = S.self
) -> [S] {
  let distribution = Distribution(initializer, fan: fan)
  if case .stretches(let values) = initializer {
    return (0..<count).map { S(values[$0 * values.count / count]) }
  }
  if case .constant(let value) = distribution { return [S](repeating: S(value), count: count) }
  var source = NormalNumbers(RandomNumbers(seed: seed, purpose: "initialize \(name)"))
  return (0..<count).map { _ in S(distribution.draw(from: &source)) }
}

/// What an initializer comes down to once the fans are known.
enum Distribution: Equatable {
  case constant(Double)
  case uniform(low: Double, high: Double)
  /// Redrawn until within `limit` deviations of the mean.
  case normal(mean: Double, deviation: Double, limit: Double)

  init(_ initializer: Initializer, fan: Fan) {
    let (input, both) = (Double(max(1, fan.input)), Double(max(1, fan.input + fan.output)))
    self =
      switch initializer {
      case .zeros: .constant(0)
      case .constant(let value): .constant(value)
      case .normal(let mean, let deviation): .normal(mean, deviation)
      case .uniform(let low, let high): .uniform(low: low, high: high)
      case .truncatedNormal(let mean, let deviation):
        .normal(mean: mean, deviation: deviation, limit: 2)
      case .xavierNormal: .normal(0, (2 / both).squareRoot())
      case .xavierUniform: .symmetric((6 / both).squareRoot())
      case .heNormal: .normal(0, (2 / input).squareRoot())
      case .heUniform: .symmetric((6 / input).squareRoot())
      case .stretches(let values): .constant(values.first ?? 0)
      }
  }

  func draw(from source: inout NormalNumbers) -> Double {
    switch self {
    case .constant(let value):
      return value
    case .uniform(let low, let high):
      return low + (high - low) * source.uniform()
    case .normal(let mean, let deviation, let limit):
      var standard = source.next()
      while abs(standard) > limit { standard = source.next() }
      return mean + deviation * standard
    }
  }

  private static func normal(_ mean: Double, _ deviation: Double) -> Distribution {
    .normal(mean: mean, deviation: deviation, limit: .infinity)
  }

  private static func symmetric(_ bound: Double) -> Distribution {
    .uniform(low: -bound, high: bound)
  }
}

/// Standard normal numbers from uniform ones, two at a time:
/// `sqrt(-2 ln(1 - u)) * (cos 2 pi v, sin 2 pi v)`.
///
/// Source: Box and Muller, Annals of Mathematical Statistics 29, 1958.
struct NormalNumbers {
  private var random: RandomNumbers
  private var spare: Double?

  init(_ random: RandomNumbers) {
    self.random = random
  }

  mutating func uniform() -> Double { random.uniform() }

  mutating func next() -> Double {
    if let number = spare {
      spare = nil
      return number
    }
    // 1 - u is never 0, so the logarithm is finite.
    let radius = (-2 * log(1 - random.uniform())).squareRoot()
    let angle = 2 * Double.pi * random.uniform()
    spare = radius * sin(angle)
    return radius * cos(angle)
  }
}
