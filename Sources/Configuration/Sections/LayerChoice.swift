import Graph

/// A layer: `relu`, `max_pool: 2`, `conv2d: {filters: 32, kernel: 3}`.
enum LayerChoice {
  /// A chain of layers, whose names differ.
  static func list(isEmptyAllowed: Bool = false) -> Format<[LayerSpec]> {
    let expectation = "a list of layers"
    let example = "[flatten, {dense: 10}]"
    // Layers hold lists of layers: the format of one is made when it is needed, not before.
    let list = { format.list(expectation, example: example, isEmptyAllowed: isEmptyAllowed) }
    return Format(
      expectation: expectation, example: example,
      read: { node, path, faults in
        guard let layers = list().read(node, path, &faults) else { return nil }
        reportEqualNames(layers, node.items ?? [], path, &faults)
        return layers
      },
      write: { list().write($0) })
  }

  private static var format: Format<LayerSpec> {
    var format = unsafe choice.format
    let read = format.read
    format.read = { node, path, faults in
      var spec = read(node, path, &faults)
      spec?.place = node.place.description
      return spec
    }
    return format
  }

  /// One row per layer and option, one for the name of all; lists inside of layers hold the same.
  static func describe(path: String) -> [ConfigurationKey] {
    let rows = unsafe choice.describe(path: path)
    let common = commonKeys.compactMap { key in
      rows.first { $0.path.hasSuffix(".\(key)") }.map { row in
        var row = row
        row.path = "\(path).*.\(key)"
        return row
      }
    }
    return rows.filter { row in !commonKeys.contains { row.path.hasSuffix(".\($0)") } } + common
  }

  /// Made once: a network of blocks asks for it hundreds of times.
  // SAFETY: nothing in it changes after it is made.
  private nonisolated(unsafe) static let choice: Choice<LayerSpec> = Choice(
    noun: "layer", isDocumentedByKind: true, example: "relu",
    variants: LayerChoice.linear + sequences + normalizing + pooling + shaping + activations
      + imaging + containers + references)

  /// The words that layers are called by.
  static let names = unsafe choice.names

  private static func reportEqualNames(
    _ layers: [LayerSpec], _ nodes: [ConfigurationNode], _ path: String, _ faults: inout Faults
  ) {
    for (index, layer) in layers.enumerated() {
      guard let name = layer.name,
        let first = layers.firstIndex(where: { $0.name == name }), first < index
      else { continue }
      faults.add(
        at: nodes[index].place, path: join(path, String(index)),
        "\(path).\(index) has the name \(name) of \(path).\(first)",
        expected: "names that differ, since parameters are called by them",
        remedy: "rename one of the two layers")
    }
  }
}

/// What layers have in common.
extension LayerChoice {
  /// The keys that every layer has.
  static let commonKeys = ["name", "from", "trainable"]

  /// The options of a layer with those that every layer has.
  struct Named<Options> {
    var options: Options
    var name: String?
    var source: String?
    var isTrained = true
  }

  /// A layer with options.
  static func layer<Options>(
    _ name: String, _ documentation: String, _ defaults: Options, main: String? = nil,
    _ keys: [Key<Options>], make: @escaping (Options) -> LayerKind,
    extract: @escaping (LayerKind) -> Options?,
    check: @escaping (Options, SectionSite, inout Faults) -> Void = { _, _, _ in }
  ) -> Variant<LayerSpec> {
    let nameKey = Key(
      "name", \Named<Options>.name, nameFormat.optional,
      "Replaces the layer's index in the names of its parameters.", isWritten: { $0.name != nil })
    let sourceKey = Key(
      "from", \Named<Options>.source, nameFormat.optional,
      "The name of a layer before it, or of an input: what it takes as its input in place of the output of the layer "
        + "before it.", isWritten: { $0.source != nil })
    let trainableKey = Key(
      "trainable", \Named<Options>.isTrained, .truth,
      "false: its parameters and those of layers inside of it keep their values, and batch norms use their running "
        + "statistics.", isWritten: { !$0.isTrained })
    let section = Section(
      defaults: Named(options: defaults), mainKey: main,
      keys: keys.map { $0.inside(\Named<Options>.options) } + [nameKey, sourceKey, trainableKey],
      check: { named, site, faults in check(named.options, site, &faults) })
    return Variant(
      name, documentation, section,
      make: { named in
        var spec = LayerSpec(make(named.options), name: named.name)
        (spec.source, spec.isTrained) = (named.source, named.isTrained)
        return spec
      },
      extract: { spec in
        extract(spec.kind).map {
          Named(options: $0, name: spec.name, source: spec.source, isTrained: spec.isTrained)
        }
      })
  }

  /// A layer without options of its own.
  static func plain(_ name: String, _ documentation: String, _ kind: LayerKind)
    -> Variant<LayerSpec>
  {
    layer(name, documentation, (), [], make: { kind }, extract: { $0 == kind ? () : nil })
  }

  /// The letters that names of parameters and of the run may have.
  static func isName(_ text: String) -> Bool {
    text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
  }

  static var nameFormat: Format<String> {
    Format.text(example: "stem").refined(
      expecting: "letters, digits, _ and -, not a number alone"
    ) { isName($0) && Int($0) == nil }
  }
}
