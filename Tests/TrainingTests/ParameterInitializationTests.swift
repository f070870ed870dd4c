import Graph
import Testing
import Training

@Suite("First values of parameters")
struct ParameterInitializationTests {
  private static let count = 40_000
  private static let fan = Fan(input: 50, output: 150)

  private func values(
    _ initializer: Initializer, name: String = "layers.0.weight", count: Int = count,
    seed: UInt64 = 1
  ) -> [Double] {
    initialValues(of: name, initializer: initializer, count: count, fan: Self.fan, seed: seed)
  }

  /// Mean and variance that each initializer promises. A normal cut at two deviations keeps the share
  /// `1 - 2 * 2 phi(2) / (2 Phi(2) - 1) = 0.7737` of its variance.
  static let promises: [(Initializer, mean: Double, variance: Double)] = [
    (.normal(mean: 3, deviation: 0.5), 3, 0.25),
    (.uniform(low: -1, high: 5), 2, 3),
    (.truncatedNormal(mean: 1, deviation: 2), 1, 4 * 0.7737413),
    (.xavierNormal, 0, 0.01),
    (.xavierUniform, 0, 0.01),
    (.heNormal, 0, 0.04),
    (.heUniform, 0, 0.04),
  ]

  // Five standard errors: the mean's is sqrt(variance / n), the variance's at most variance * sqrt(2 / n).
  @Test("mean and variance are the promised ones", arguments: promises)
  func moments(initializer: Initializer, mean: Double, variance: Double) {
    let values = values(initializer)
    let n = Double(values.count)
    let foundMean = values.reduce(0, +) / n
    let foundVariance = values.reduce(0) { $0 + ($1 - foundMean) * ($1 - foundMean) } / n
    #expect(abs(foundMean - mean) < 5 * (variance / n).squareRoot(), "\(initializer): \(foundMean)")
    #expect(
      abs(foundVariance - variance) < 5 * variance * (2 / n).squareRoot(),
      "\(initializer): \(foundVariance)")
  }

  @Test(
    "no value is out of bounds, and both bounds are nearly reached",
    arguments: [
      (Initializer.uniform(low: -1, high: 5), -1, 5),
      (.truncatedNormal(mean: 1, deviation: 2), -3, 5),
      (.xavierUniform, -(0.03.squareRoot()), 0.03.squareRoot()),
      (.heUniform, -(0.12.squareRoot()), 0.12.squareRoot()),
    ])
  func bounds(initializer: Initializer, low: Double, high: Double) {
    let values = values(initializer)
    #expect(values.allSatisfy { low <= $0 && $0 <= high })
    let margin = (high - low) / 500
    #expect(values.contains { $0 < low + margin } && values.contains { $0 > high - margin })
  }

  // Of 40,000 standard normals 4.55% lie beyond two deviations (1820, deviation 42), 2.5 beyond four.
  @Test("a normal has a normal's tails")
  func tails() {
    let values = values(.normal(mean: 0, deviation: 1)).map(abs)
    #expect(abs(values.count { $0 > 2 } - 1820) < 5 * 42)
    #expect(abs(values.count { $0 > 1 } - 12_692) < 5 * 93)
    #expect((1..<13).contains(values.count { $0 > 4 }))
  }

  @Test("neighbouring values are uncorrelated", arguments: [1, 2, 3])
  func correlation(lag: Int) {
    let values = values(.normal(mean: 0, deviation: 1))
    let product = zip(values, values.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(product / Double(Self.count)) < 5 / Double(Self.count).squareRoot())
  }

  @Test("zeros and constants are exact")
  func constants() {
    #expect(values(.zeros, count: 3) == [0, 0, 0])
    #expect(values(.constant(0.25), count: 3) == [0.25, 0.25, 0.25])
  }

  @Test("values depend on the seed and the name, and on nothing else", arguments: promises.map(\.0))
  func dependence(initializer: Initializer) {
    let first = values(initializer, count: 101)
    #expect(values(initializer, count: 101) == first)
    #expect(values(initializer, count: 17) == Array(first[..<17]))
    #expect(zip(values(initializer, count: 101, seed: 2), first).allSatisfy { $0 != $1 })
    let other = values(initializer, name: "layers.1.weight", count: 101)
    #expect(zip(other, first).allSatisfy { $0 != $1 })
  }

  @Test("a Float is the Double rounded")
  func precision() {
    let floats: [Float] = initialValues(
      of: "layers.0.weight", initializer: .heNormal, count: 9, fan: Self.fan, seed: 1)
    #expect(floats == values(.heNormal, count: 9).map { Float($0) })
  }

  @Test("a parameter without elements has no values")
  func empty() {
    #expect(values(.heNormal, count: 0).isEmpty)
  }
}
