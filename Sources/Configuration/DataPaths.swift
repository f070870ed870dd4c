import Datasets

/// Where relative paths of a configuration lead.
struct DataPaths {
  /// The folder of the configuration's file, absolute.
  let folder: String
  /// The user's home, for `~`.
  let home: String?

  /// `spec` with every path absolute.
  func resolve(_ source: DataSource) -> DataSource {
    switch source {
    case .idx(let train, let dev, let test):
      return .idx(train: resolve(train), dev: dev.map(resolve), test: test.map(resolve))
    case .npy(let train, let dev, let test):
      return .npy(train: resolve(train), dev: dev.map(resolve), test: test.map(resolve))
    case .csv(var csv):
      csv.train = resolve(csv.train)
      csv.dev = csv.dev.map(resolve)
      csv.test = csv.test.map(resolve)
      return .csv(csv)
    case .text(var text):
      text.train = text.train.map(resolve)
      text.dev = text.dev.map(resolve)
      text.test = text.test.map(resolve)
      if case .bytePair(let files) = text.level { text.level = .bytePair(resolve(files)) }
      return .text(text)
    case .tokens(var tokens):
      tokens.train = resolve(tokens.train)
      tokens.dev = tokens.dev.map(resolve)
      tokens.test = tokens.test.map(resolve)
      tokens.bytePair = tokens.bytePair.map(resolve)
      return .tokens(tokens)
    case .series(var series):
      series.train = resolve(series.train)
      series.dev = series.dev.map(resolve)
      series.test = series.test.map(resolve)
      return .series(series)
    case .generated, .generatedSequences: return source
    }
  }

  func resolve(_ path: String) -> String {
    absolutePath(expandHome(path), in: folder)
  }

  /// `path` with a leading `~` replaced by the home folder.
  func expandHome(_ path: String) -> String {
    guard let home, path == "~" || path.hasPrefix("~/") else { return path }
    return home + path.dropFirst()
  }

  private func resolve(_ files: BytePairFiles) -> BytePairFiles {
    BytePairFiles(vocabulary: resolve(files.vocabulary), merges: resolve(files.merges))
  }

  private func resolve(_ files: ArrayFiles) -> ArrayFiles {
    ArrayFiles(
      inputs: resolve(files.inputs), otherInputs: files.otherInputs.map(resolve),
      targets: resolve(files.targets))
  }
}

/// `path` from the root on, without `.` and `..`.
func absolutePath(_ path: String, in folder: String) -> String {
  let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
  var steps: [Substring] = []
  for step in whole.split(separator: "/") where step != "." {
    if step == ".." { _ = steps.popLast() } else { steps.append(step) }
  }
  return "/" + steps.joined(separator: "/")
}
