import Foundation
import Randomness

/// Draws tokens by the probabilities that logits give them.
///
/// Source: Holtzman et al., "The curious case of neural text degeneration", 2020, section 2.2 (temperature, top k).
package struct TokenSampler {
  private let temperature: Double
  private let topK: Int?
  private var random: RandomNumbers

  /// - Parameters:
  ///   - temperature: Logits are divided by it; 0 takes the most likely token.
  ///   - topK: Only so many of the most likely tokens can be drawn; nil: all.
  package init(temperature: Double, topK: Int?, seed: UInt64) {
    self.temperature = temperature
    self.topK = topK
    random = RandomNumbers(seed: seed, purpose: "generate")
  }

  package mutating func draw(from logits: [Float]) -> Int {
    let order = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
    guard temperature > 0 else { return order[0] }
    let kept = order.prefix(topK ?? logits.count)
    let largest = Double(logits[order[0]])
    let weights = kept.map { exp((Double(logits[$0]) - largest) / temperature) }
    var rest = random.uniform() * weights.reduce(0, +)
    for (token, weight) in zip(kept, weights) {
      rest -= weight
      if rest < 0 { return token }
    }
    return order[0]
  }
}
