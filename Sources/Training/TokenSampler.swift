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
    let kept = largest(temperature > 0 ? topK ?? logits.count : 1, of: logits)
    guard temperature > 0 else { return kept[0] }
    let first = Double(logits[kept[0]])
    let weights = kept.map { exp((Double(logits[$0]) - first) / temperature) }
    var rest = random.uniform() * weights.reduce(0, +)
    for (token, weight) in zip(kept, weights) {
      rest -= weight
      if rest < 0 { return token }
    }
    return kept[0]
  }
}

/// The places of so many of the largest numbers (of all, if there are fewer), the largest first, of equal ones the first.
///
/// The places kept so far form a heap with the one to be given up next at its root, so that the other numbers are never
/// sorted.
/// - Complexity: O(n log count).
package func largest(_ count: Int, of numbers: [Float]) -> [Int] {
  func precedes(_ a: Int, _ b: Int) -> Bool { (numbers[b], a) < (numbers[a], b) }
  var heap = Array(numbers.indices.prefix(count))
  func sink(_ start: Int) {
    var place = start
    while true {
      var last = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if precedes(heap[last], heap[child]) { last = child }
      }
      if last == place { return }
      heap.swapAt(place, last)
      place = last
    }
  }
  for place in (0..<heap.count / 2).reversed() { sink(place) }
  if heap.isEmpty { return [] }
  for index in numbers.indices.dropFirst(count) where precedes(index, heap[0]) {
    heap[0] = index
    sink(0)
  }
  return heap.sorted(by: precedes)
}
