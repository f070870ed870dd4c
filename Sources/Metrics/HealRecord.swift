/// An audit that found ranks with other bits and gave them those of the others.
package struct HealRecord: Equatable, MetricsRecord, Decodable {
  package static let kind = "heal"

  package var step: Int
  /// The ranks that were healed, and their hosts in the same order.
  package var ranks: [Int]
  package var hosts: [String]
  /// The first tensor that differed, and how many did.
  package var tensor: String
  package var tensorCount: Int

  package init(step: Int, ranks: [Int], hosts: [String], tensor: String, tensorCount: Int) {
    self.step = step
    self.ranks = ranks
    self.hosts = hosts
    self.tensor = tensor
    self.tensorCount = tensorCount
  }

  package var jsonText: String {
    var line = JSONLine()
    line.append("kind", Self.kind)
    line.append("step", step)
    line.append("ranks", ranks)
    line.append("hosts", hosts)
    line.append("tensor", tensor)
    line.append("tensor_count", tensorCount)
    return line.text
  }

  private enum CodingKeys: String, CodingKey {
    case step, ranks, hosts, tensor
    case tensorCount = "tensor_count"
  }
}

extension [HealRecord] {
  /// How often each host was healed, for the summary; empty when nothing was.
  ///
  /// ```text
  /// healed  node1: 2 times, at steps 50, 150
  /// ```
  package var summaryLines: [String] {
    hosts.map { host in
      let steps = steps(of: host)
      let times = steps.count == 1 ? "once, at step" : "\(steps.count) times, at steps"
      return "healed  \(host): \(times) \(steps.map(String.init).joined(separator: ", "))"
    }
  }

  /// At which steps ranks of `host` were healed.
  package func steps(of host: String) -> [Int] {
    filter { $0.hosts.contains(host) }.map(\.step)
  }

  private var hosts: [String] {
    flatMap(\.hosts).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
