/// One key of a section: its name, format, default and meaning, and where its value is kept.
struct Key<Root> {
  let name: String
  /// Other names that mean the same.
  let aliases: [String]
  let isRequired: Bool
  let expectation: String
  let example: String
  let read: (ConfigurationNode, _ path: String, inout Faults, inout Root) -> Void
  /// nil: not written.
  let write: (Root) -> ConfigurationNode?
  let describe: (_ path: String, _ defaults: Root) -> [ConfigurationKey]

  /// - Parameters:
  ///   - documentation: One sentence for the table of keys.
  ///   - isRequired: Whether a section without it is a fault.
  ///   - shownDefault: The default in words, where it is not a fixed value.
  ///   - isWritten: Whether a resolved configuration shows it.
  init<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value>, _ format: Format<Value>,
    _ documentation: String, aliases: [String] = [], isRequired: Bool = false,
    shownDefault: String? = nil, isWritten: @escaping (Root) -> Bool = { _ in true }
  ) {
    self.name = name
    self.aliases = aliases
    self.isRequired = isRequired
    expectation = format.expectation
    example = format.example
    read = { node, path, faults, root in
      if let value = format.read(node, path, &faults) { root[keyPath: property] = value }
    }
    write = { root in isWritten(root) ? format.write(root[keyPath: property]) : nil }
    describe = { path, defaults in
      let inner = format.describe(path)
      let value = format.write(defaults[keyPath: property])
      let fixed = inner.isEmpty || value.isNull ? YAMLWriter.line(value) : ""
      let row = ConfigurationKey(
        path: path, type: format.type?() ?? format.expectation,
        default: isRequired ? "required" : shownDefault ?? fixed, documentation: documentation)
      return [row] + inner
    }
  }

  private init(
    name: String, aliases: [String], isRequired: Bool, expectation: String, example: String,
    read: @escaping (ConfigurationNode, String, inout Faults, inout Root) -> Void,
    write: @escaping (Root) -> ConfigurationNode?,
    describe: @escaping (String, Root) -> [ConfigurationKey]
  ) {
    self.name = name
    self.aliases = aliases
    self.isRequired = isRequired
    self.expectation = expectation
    self.example = example
    self.read = read
    self.write = write
    self.describe = describe
  }

  /// The same key of a larger value that holds this section's value.
  func inside<Outer>(_ part: WritableKeyPath<Outer, Root>) -> Key<Outer> {
    Key<Outer>(
      name: name, aliases: aliases, isRequired: isRequired, expectation: expectation,
      example: example,
      read: { node, path, faults, outer in read(node, path, &faults, &outer[keyPath: part]) },
      write: { write($0[keyPath: part]) },
      describe: { describe($0, $1[keyPath: part]) })
  }
}
