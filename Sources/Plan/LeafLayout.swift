import Graph

/// Where everything that is summed over micro-shards lies in one buffer, the leaf of the tree.
///
/// First the shares of running statistics, the loss, its terms and the right answers, which forward finishes,
/// and the ranks' requests; then the gradients of the parameters in the order in which backward finishes them, so that every
/// bucket is one contiguous slice that is complete early. Parameters, their gradients and optimizer
/// state lie in the same order: element `i` of the parameter buffer has its gradient at
/// `parameterStart + i`.
package struct LeafLayout: Equatable, Sendable {
  /// Every tensor starts at a multiple of so many elements, a cache line of Float.
  package static let alignment = 16

  /// By index of the statistic; offsets into the leaf.
  package private(set) var statistics: [Range<Int>] = []
  package private(set) var loss: Int?
  /// What the loss is the sum of, where there are several losses.
  package private(set) var lossTerms: Range<Int> = 0..<0
  package private(set) var correct: Int?
  /// Words in which ranks tell all ranks what they ask for (to stop, to save): summed like the loss,
  /// they reach everybody in the same step and cost no message of their own. Empty without a loss.
  package private(set) var control: Range<Int> = 0..<0
  package private(set) var parameterStart = 0
  /// By index of the parameter; offsets into the parameter buffer.
  package private(set) var parameters: [Range<Int>]
  /// Indices of the parameters in the order in which they lie in memory.
  package private(set) var order: [Int] = []
  package private(set) var count = 0

  init(_ graph: ModelGraph) {
    parameters = Array(repeating: 0..<0, count: graph.parameters.count)
    for statistic in graph.statistics { statistics.append(place(statistic.channels)) }
    let produced = graph.operations.flatMap(\.outputs).map { graph[$0].role }
    if produced.contains(.lossShare) { loss = place(1).lowerBound }
    let terms = produced.count { if case .lossTermShare = $0 { true } else { false } }
    if terms > 0 { lossTerms = place(terms) }
    if produced.contains(.correctShare) { correct = place(1).lowerBound }
    if loss != nil { control = place(Self.alignment) }
    parameterStart = count
    let finished = produced.compactMap { role in
      if case .parameterGradient(let index) = role { index } else { nil }
    }
    // A graph without a backward half still needs an order for its parameters.
    order = finished + graph.parameters.indices.filter { !finished.contains($0) }
    for index in order {
      let range = place(graph.parameters[index].elementCount)
      parameters[index] = range.lowerBound - parameterStart..<range.upperBound - parameterStart
    }
  }

  /// Elements of the parameter buffer, gaps for alignment included.
  package var parameterCount: Int { count - parameterStart }

  /// The slice of the leaf that holds the gradient of a parameter.
  package func gradient(of parameter: Int) -> Range<Int> {
    let range = parameters[parameter]
    return range.lowerBound + parameterStart..<range.upperBound + parameterStart
  }

  private mutating func place(_ length: Int) -> Range<Int> {
    let start = count
    count += (length + Self.alignment - 1) / Self.alignment * Self.alignment
    return start..<start + length
  }
}
