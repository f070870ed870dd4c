import Diagnostics

/// What is wrong with a configuration, gathered while all of it is read.
struct Faults {
  private var items: [(place: Place, path: String, diagnostic: Diagnostic)] = []

  var isEmpty: Bool { items.isEmpty }

  /// - Parameter path: The key at fault, `training.batch`; checks that depend on it are skipped.
  mutating func add(
    at place: Place, path: String, _ problem: String, expected: String? = nil,
    remedy: String? = nil
  ) {
    let diagnostic = Diagnostic(
      place: place.description, problem: problem, expected: expected, remedy: remedy)
    guard !items.contains(where: { $0.diagnostic == diagnostic }) else { return }
    // A block that is used many times has its fault once.
    let words = problem.without(path)
    let isKnown = items.contains {
      $0.place == place && place != .unplaced && $0.diagnostic.expected == expected
        && $0.diagnostic.problem.without($0.path) == words
    }
    guard !isKnown else { return }
    items.append((place, path, diagnostic))
  }

  /// A fault that was found where paths are not known.
  mutating func add(_ diagnostic: Diagnostic, at place: Place) {
    items.append((place, diagnostic.place, diagnostic))
  }

  /// Whether a fault lies at `path`, above it or below it.
  func touch(_ path: String) -> Bool {
    items.contains {
      $0.path == path || path.hasPrefix($0.path + ".") || $0.path.hasPrefix(path + ".")
    }
  }

  /// All faults in reading order, overrides last.
  func throwIfAny() throws {
    guard !isEmpty else { return }
    let inOrder = items.enumerated().sorted {
      ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
    }
    throw DiagnosticList(inOrder.map(\.element.diagnostic))
  }
}

/// The wordings that every key shares.
extension Faults {
  /// The value has the wrong type, or lies outside its range.
  mutating func mismatch(
    _ node: ConfigurationNode, _ path: String, expected: String, example: String
  ) {
    let added = (node.entries ?? []).filter { $0.keyPlace.isOverride }
    guard added.isEmpty else {
      // An override has put keys below a plain value.
      for entry in added {
        add(
          at: entry.keyPlace, path: path, "unknown key \(path).\(entry.key)",
          expected: "\(path) itself, which is \(expected)", remedy: "write \(path)=\(example)")
      }
      return
    }
    add(
      at: node.place, path: path, "\(path) is \(node.summary)", expected: expected,
      remedy: "write, for example, \(sample(of: path, example))")
  }

  /// `epochs: 3` for `training.epochs`; an entry of a list has no key to show.
  private func sample(of path: String, _ example: String) -> String {
    let key = path.split(separator: ".").last.map(String.init) ?? path
    return Int(key) == nil ? "\(key): \(example)" : example
  }
}

extension String {
  /// The words of a problem without the path that it lies at.
  fileprivate func without(_ path: String) -> String {
    path.isEmpty ? self : replacing(path, with: "")
  }
}
