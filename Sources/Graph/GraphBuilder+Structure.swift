// Layers made of layers.

extension GraphBuilder {
  mutating func lowerResidual(
    _ main: [LayerSpec], _ shortcut: [LayerSpec], _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let mainEnd = try lower(
      main, from: flow, path: "\(site.path).main", reluFollows: site.reluFollows)
    let shortcutEnd = try lower(
      shortcut, from: flow, path: "\(site.path).shortcut", reluFollows: site.reluFollows)
    guard mainEnd.shape == shortcutEnd.shape else {
      throw site.fault(
        "adds a main path of shape \(mainEnd.shape) to a shortcut of shape \(shortcutEnd.shape)",
        expected: "two paths of the same shape",
        remedy: "give the shortcut a conv2d with the main path's filters and stride, kernel 1")
    }
    var sum = append(.add, [mainEnd.value, shortcutEnd.value], mainEnd.shape, site)
    sum.lengths = try site.commonLengths(of: [mainEnd, shortcutEnd])
    return sum
  }

  mutating func lowerParallel(
    _ branches: [[LayerSpec]], _ join: Join, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let ends = try branches.enumerated().map { index, layers in
      try lower(
        layers, from: flow, path: "\(site.path).branches.\(index)",
        reluFollows: site.reluFollows)
    }
    var joined = try self.join(ends, join, site)
    joined.lengths = try site.commonLengths(of: ends)
    return joined
  }

  private mutating func join(_ ends: [Flow], _ join: Join, _ site: LayerSite) throws -> Flow {
    switch join {
    case .concat: return try concatenate(ends, site)
    case .add, .multiply:
      guard ends.allSatisfy({ $0.shape == ends[0].shape }) else {
        throw site.fault(
          "joins branches of shapes \(describe(ends))",
          expected: "branches of the same shape for join: \(join.rawValue)",
          remedy: "give every branch the same filters and stride, or use join: concat")
      }
      let kind = join == .add ? OperationKind.add : .multiply
      return ends.dropFirst().reduce(ends[0]) { joined, end in
        append(kind, [joined.value, end.value], joined.shape, site)
      }
    }
  }

  private mutating func concatenate(_ ends: [Flow], _ site: LayerSite) throws -> Flow {
    guard ends.allSatisfy({ $0.shape.dropLast() == ends[0].shape.dropLast() }) else {
      throw site.fault(
        "joins branches of shapes \(describe(ends))",
        expected: "branches that differ in channels only for join: concat",
        remedy: "give every branch the same stride and padding")
    }
    let outer = ends[0].shape.dropLast()
    let channels = ends.map { $0.shape.last ?? 1 }
    return append(
      .concatenate(channels: channels, positions: outer.reduce(1, *)), ends.map(\.value),
      outer + [channels.reduce(0, +)], site)
  }

  private func describe(_ ends: [Flow]) -> String {
    ends.map { "\($0.shape)" }.joined(separator: " and ")
  }
}
