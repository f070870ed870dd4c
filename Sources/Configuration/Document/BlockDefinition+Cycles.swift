extension BlockDefinition {
  /// The blocks that do not, over others or at once, use themselves; a fault for each circle.
  ///
  /// What counts is where names stand in the definitions, so that expanding what is left always ends.
  static func withoutCycles(
    _ blocks: [BlockDefinition], _ faults: inout Faults
  ) -> [BlockDefinition] {
    let names = blocks.map(\.name)
    let uses = blocks.map { block in
      (block.parameters.compactMap(\.value) + [block.layers]).flatMap { $0.mentioned(of: names) }
    }
    var cyclic = Set<String>()
    for (index, block) in blocks.enumerated() {
      guard let chain = chain(from: block.name, back: index, [], names, uses) else { continue }
      let isKnown = cyclic.contains(block.name)
      cyclic.formUnion(chain)
      guard !isKnown else { continue }
      faults.add(
        at: block.place, path: "model.blocks.\(block.name)",
        "the block \(block.name) uses itself: \((chain + [block.name]).joined(separator: " > "))",
        expected: "blocks that use others only, down to layers",
        remedy: "use repeat for layers that come several times, or remove the use of \(block.name)")
    }
    return blocks.filter { !cyclic.contains($0.name) }
  }

  /// The blocks on a way from `name` back to the block `start`, first one first; nil: there is none.
  private static func chain(
    from name: String, back start: Int, _ way: [String], _ names: [String], _ uses: [[String]]
  ) -> [String]? {
    guard let index = names.firstIndex(of: name), !way.contains(name) else { return nil }
    if uses[index].contains(names[start]) { return way + [name] }
    for next in uses[index] {
      if let chain = chain(from: next, back: start, way + [name], names, uses) { return chain }
    }
    return nil
  }
}

extension ConfigurationNode {
  /// Those of `names` that stand where a layer may: as a key, in a list, or as the value itself.
  fileprivate func mentioned(of names: [String]) -> [String] {
    switch content {
    case .scalar(let text, _): names.contains(text) ? [text] : []
    case .list(let items): items.flatMap { $0.mentioned(of: names) }
    case .table(let entries):
      entries.flatMap { entry in
        let inner = entry.value.text == nil ? entry.value.mentioned(of: names) : []
        return (names.contains(entry.key) ? [entry.key] : []) + inner
      }
    }
  }
}
