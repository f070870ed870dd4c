import Foundation
import Randomness
import Testing
import Training

@Suite("Drawing tokens")
struct TokenSamplerTests {
  /// Logits of which many are alike.
  private func logits(_ count: Int) -> [Float] {
    (0..<count).map { (index: Int) -> Float in
      let number = (index * index * 7 + 3 * index) % 23
      return Float(number) / 4
    }
  }

  /// What the definition says: everything sorted, the largest first, of equal ones the first.
  private func sorted(_ logits: [Float]) -> [Int] {
    logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
  }

  @Test(
    "the largest numbers are those that sorting gives, ties included",
    arguments: [1, 2, 7, 100, 333])
  func largest(size: Int) {
    for numbers in [logits(size), logits(size).sorted(), logits(size).sorted().reversed()] {
      for count in [0, 1, 2, 3, 40, size - 1, size, size + 5] {
        #expect(Training.largest(count, of: numbers) == Array(sorted(numbers).prefix(count)))
      }
    }
  }

  @Test("draws are those from sorted logits", arguments: [nil, 1, 5, 40, 1000])
  func draws(topK: Int?) {
    var sampler = TokenSampler(temperature: 0.8, topK: topK, seed: 3)
    var random = RandomNumbers(seed: 3, purpose: "generate")
    let logits = logits(200)
    let kept = sorted(logits).prefix(topK ?? 200)
    let weights = kept.map { exp((Double(logits[$0]) - Double(logits[kept[0]])) / 0.8) }
    for _ in 0..<500 {
      var rest = random.uniform() * weights.reduce(0, +)
      let expected = zip(kept, weights).first { _, weight in
        rest -= weight
        return rest < 0
      }
      #expect(sampler.draw(from: logits) == expected?.0 ?? kept[0])
    }
  }

  @Test("temperature 0 takes the first of the most likely")
  func greedy() {
    var sampler = TokenSampler(temperature: 0, topK: 7, seed: 1)
    #expect(sampler.draw(from: [1, 3, 2, 3]) == 1)
  }
}
