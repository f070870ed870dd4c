import Configuration
import Diagnostics
import Foundation
import Graph
import Training

/// A complete configuration of few words, to vary.
let smallest = """
  data: {format: generated, kind: xor}
  model:
    input: [2]
    layers:
      - dense: 2
  loss: softmax_cross_entropy
  optimizer: {kind: sgd, learning_rate: 0.1}
  """

let search = ConfigurationSearch(
  workingDirectory: "/srv/place", folders: ["configs"], home: "/home/user")

/// `text` read as `small.yaml`, beside which its data paths lead.
func read(_ text: String, _ overrides: String...) throws -> RunConfiguration {
  try RunConfiguration(reading: text, file: "small.yaml", overrides: overrides, search: search)
}

/// `smallest` with one top-level key replaced or added.
func varied(_ lines: String) throws -> RunSpec {
  let key = String(lines.prefix { $0 != ":" })
  var kept = smallest.split(separator: "\n").map(String.init)
  if let start = kept.firstIndex(where: { $0.hasPrefix("\(key):") }) {
    let end = kept[(start + 1)...].firstIndex { !$0.hasPrefix(" ") } ?? kept.endIndex
    kept.removeSubrange(start..<end)
  }
  return try read((kept + [lines]).joined(separator: "\n")).spec
}

/// `smallest` with these layers, given in brackets: `[relu, {dense: 2}]`.
func layers(_ list: String) throws -> [LayerKind] {
  try varied("model: {input: [2], layers: \(list)}").model.layers.map(\.kind)
}

/// Everything that is wrong with a configuration, as the user sees it.
func faults(_ text: String, _ overrides: String...) -> String {
  do {
    _ = try RunConfiguration(
      reading: text, file: "small.yaml", overrides: overrides, search: search)
    return ""
  } catch { return "\(error)" }
}

/// The run without the places of its layers, which differ between two files of the same meaning.
func withoutPlaces(_ spec: RunSpec) -> RunSpec {
  var spec = spec
  spec.model.layers = withoutPlaces(spec.model.layers)
  for index in spec.auxiliaryLosses.indices { spec.auxiliaryLosses[index].place = "" }
  return spec
}

private func withoutPlaces(_ layers: [LayerSpec]) -> [LayerSpec] {
  layers.map { layer in
    let kind: LayerKind =
      switch layer.kind {
      case .residual(let main, let shortcut):
        .residual(main: withoutPlaces(main), shortcut: withoutPlaces(shortcut))
      case .parallel(let branches, let join):
        .parallel(branches: branches.map(withoutPlaces), join: join)
      case .repeat(let times, let layers): .repeat(times: times, layers: withoutPlaces(layers))
      case .sequence(let layers): .sequence(withoutPlaces(layers))
      default: layer.kind
      }
    var layer = layer
    (layer.kind, layer.place) = (kind, "")
    return layer
  }
}

/// The package's own configurations.
let shippedFolder = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "configs").path()

let shippedNames = ((try? FileManager.default.contentsOfDirectory(atPath: shippedFolder)) ?? [])
  .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
