extension HostPlacement: CustomStringConvertible {
  /// One line: where the ranks run, by whose decision, and what follows for waiting.
  package var description: String {
    switch binding {
    case .pinned(let cores):
      "one core per rank, in order: \(coresText(cores)); pinned by ddp-train"
    case .launcher(let masks):
      "bound by the launcher, in order to CPUs \(masksText(masks))" + crowdSuffix
    case .free(.oneRank): "any of \(ownCores); one rank is not pinned"
    case .free(.turnedOff): "any of \(ownCores); placement.pin is off" + crowdSuffix
    case .free(.tooFewCores): crowdText ?? "any of \(ownCores)"
    case .free(.taken): "any of \(ownCores); other programs are bound to CPUs \(ranks[0].taken)"
    case .free(.refused): "any of \(ownCores); the system refused to pin"
    }
  }

  /// `0-3 (NUMA node 0), 8-11 (NUMA node 1)`: cores by their first CPU.
  private func coresText(_ cores: [Core]) -> String {
    var blocks: [[Core]] = []
    for core in cores {
      if blocks.last?.last?.node == core.node {
        blocks[blocks.count - 1].append(core)
      } else {
        blocks.append([core])
      }
    }
    return blocks.map { "\(rangesText($0.map(\.number))) (NUMA node \($0[0].node))" }
      .joined(separator: ", ")
  }

  /// `0 / 1`, `0-7 (4 ranks) / 8-15 (4 ranks)`: at most eight parts.
  private func masksText(_ masks: [CPUSet]) -> String {
    var blocks: [(mask: CPUSet, ranks: Int)] = []
    for mask in masks {
      if blocks.last?.mask == mask {
        blocks[blocks.count - 1].ranks += 1
      } else {
        blocks.append((mask, 1))
      }
    }
    let shown = blocks.count > 9 ? blocks.prefix(8) : blocks[...]
    let texts = shown.map { $0.ranks == 1 ? "\($0.mask)" : "\($0.mask) (\($0.ranks) ranks)" }
    return (texts + (shown.count < blocks.count ? ["..."] : [])).joined(separator: " / ")
  }

  private var ownCores: String {
    let nodes = CPUSet(cores.map(\.node))
    let text = counted(cores.count, "core")
    return nodes.count > 1 ? "\(text) (NUMA nodes \(nodes))" : text
  }

  private var crowdSuffix: String { crowdText.map { "; \($0)" } ?? "" }

  private var crowdText: String? {
    guard let crowd else { return nil }
    let isWhole = crowd.cores == crowd.cores.rounded()
    let count =
      isWhole
      ? counted(Int(crowd.cores), "core")
      : "\((crowd.cores * 100).rounded() / 100) cores"
    let reason = crowd.isQuota ? " of CPU quota" : ""
    return "\(counted(crowd.ranks, "rank")) share \(count)\(reason): waiting ranks yield"
  }

  private func counted(_ count: Int, _ word: String) -> String {
    "\(count) \(word)\(count == 1 ? "" : "s")"
  }
}
