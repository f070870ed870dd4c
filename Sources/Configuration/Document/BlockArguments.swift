import Diagnostics

/// The values of a block's parameters where it is used, and what they make of its layers.
struct BlockArguments {
  /// What is said of the layer itself there: its name, where its input comes from.
  private(set) var common: [ConfigurationNode.TableEntry] = []
  private let block: BlockDefinition
  private var values: [String: ConfigurationNode] = [:]

  /// - Parameters:
  ///   - given: What stands behind the block's name; nil: nothing.
  ///   - path: Of the use, `model.layers.3.conv_bn_relu`.
  init?(
    _ block: BlockDefinition, _ given: ConfigurationNode?, at place: Place, path: String,
    _ faults: inout Faults
  ) {
    self.block = block
    guard let given = Self.entries(block, given, path, &faults) else { return nil }
    var isSound = reportUnknown(given, path, &faults)
    for parameter in block.parameters {
      if let value = given.first(where: { $0.key == parameter.name })?.value, !value.isNull {
        values[parameter.name] = value
      } else if let value = parameter.value {
        values[parameter.name] = applied(to: value, path: path, &faults)
        isSound = isSound && values[parameter.name] != nil
      } else {
        isSound = false
        faults.add(
          at: place, path: join(path, parameter.name), "\(join(path, parameter.name)) is missing",
          expected: "a value, since the block \(block.name) has no default for it",
          remedy: "write \(block.name): {\(parameter.name): ...}")
      }
    }
    guard isSound else { return nil }
    common = given.filter { LayerChoice.commonKeys.contains($0.key) }
  }

  /// The block's layers with these values in place of the parameters; nil after a fault.
  func layers(path: String, _ faults: inout Faults) -> ConfigurationNode? {
    applied(to: block.layers, path: path, &faults)
  }

  /// `conv_bn: 64` gives the first parameter.
  private static func entries(
    _ block: BlockDefinition, _ given: ConfigurationNode?, _ path: String, _ faults: inout Faults
  ) -> [ConfigurationNode.TableEntry]? {
    guard let given, !given.isNull else { return [] }
    let entries =
      given.entries ?? [
        .init(key: ConfigurationNode.mainValueKey, keyPlace: given.place, value: given)
      ]
    guard let main = entries.first(where: { $0.key == ConfigurationNode.mainValueKey }) else {
      return entries
    }
    guard let first = block.parameters.first else {
      faults.add(
        at: main.value.place, path: path, "\(path) is \(main.value.summary)",
        expected: "no options, since the block \(block.name) has no parameters",
        remedy: "write \(block.name) alone")
      return nil
    }
    let named = entries.filter { $0.key != ConfigurationNode.mainValueKey }
    let value = ConfigurationNode.TableEntry(
      key: first.name, keyPlace: main.keyPlace, value: main.value)
    return named.contains { $0.key == first.name } ? named : [value] + named
  }

  private func reportUnknown(
    _ given: [ConfigurationNode.TableEntry], _ path: String, _ faults: inout Faults
  ) -> Bool {
    let names = block.parameters.map(\.name) + LayerChoice.commonKeys
    let unknown = given.filter { !names.contains($0.key) }
    for entry in unknown {
      let nearest = nearestName(to: entry.key, among: names)
      faults.add(
        at: entry.keyPlace, path: join(path, entry.key), "unknown key \(join(path, entry.key))",
        expected: "a parameter of the block \(block.name): \(alternatives(names))",
        remedy: nearest.map { "write \($0) instead of \(entry.key)" }
          ?? "remove \(entry.key), or add it to model.blocks.\(block.name).parameters")
    }
    return unknown.isEmpty
  }

  private func applied(
    to node: ConfigurationNode, path: String, _ faults: inout Faults
  ) -> ConfigurationNode? {
    switch node.content {
    case .list(let items):
      let applied = items.compactMap { self.applied(to: $0, path: path, &faults) }
      return applied.count == items.count
        ? ConfigurationNode(.list(applied), at: node.place) : nil
    case .table(let entries):
      let applied = entries.compactMap { entry in
        self.applied(to: entry.value, path: path, &faults).map {
          ConfigurationNode.TableEntry(key: entry.key, keyPlace: entry.keyPlace, value: $0)
        }
      }
      return applied.count == entries.count
        ? ConfigurationNode(.table(applied), at: node.place) : nil
    case .scalar:
      guard let formula = node.formula else { return node }
      if let name = formula.onlyName { return values[name] }
      return number(formula, at: node.place, path: path, &faults)
    }
  }

  private func number(
    _ formula: BlockFormula, at place: Place, path: String, _ faults: inout Faults
  ) -> ConfigurationNode? {
    do {
      let value = try formula.value { values[$0]?.numberText.flatMap { Int($0) } }
      return ConfigurationNode(.scalar("\(value)", isQuoted: false), at: place)
    } catch {
      let (problem, remedy) = describe(error, formula)
      faults.add(
        at: place, path: path, "\(path): \(problem)",
        expected: "whole numbers and parameters with + - * / and parentheses", remedy: remedy)
      return nil
    }
  }

  private func describe(
    _ failure: any Error, _ formula: BlockFormula
  ) -> (problem: String, remedy: String) {
    switch failure as? BlockFormula.Failure {
    case .notWhole(let name):
      let value = values[name].map(\.summary) ?? "not given"
      return (
        "\(formula.text) cannot be computed: \(name) is \(value)",
        "give \(name) a whole number, or write $\(name) alone"
      )
    case .inexact(let dividend, let divisor):
      return (
        "\(formula.text) is \(dividend) / \(divisor), no whole number",
        "choose parameters that divide evenly"
      )
    case .tooLarge: return ("\(formula.text) is too large a number", "use smaller numbers")
    default: return ("\(formula.text) is no formula", "write, for example, $filters * 4")
    }
  }
}
