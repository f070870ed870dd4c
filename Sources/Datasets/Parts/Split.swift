import Diagnostics
import Randomness

/// Which training samples become which part; nil: all, or none.
package struct Split: Equatable, Sendable {
  /// nil: every sample of the training file, in order.
  package private(set) var train: [UInt32]?
  package private(set) var dev: [UInt32]?
  package private(set) var test: [UInt32]?

  /// Cuts the test part, then the dev part, out of `0..<count`; what is left is trained on.
  ///
  /// - Parameters:
  ///   - label: The class of a sample; nil where targets are no classes.
  /// - Throws: a `DiagnosticList` of the parts that cannot be cut.
  package init(
    count: Int, dev: PartSpec, test: PartSpec, seed: UInt64, label: ((UInt32) -> Int32)?
  ) throws {
    var faults = DiagnosticList()
    let testSize = try faults.collect { try size(of: test, of: count, place: "data.test") }
    let devSize = try faults.collect { try size(of: dev, of: count, place: "data.dev") }
    for (part, place) in [(test, "data.test"), (dev, "data.dev")]
    where part.isStratified && label == nil { faults.append(cannotStratify(place)) }
    try faults.throwIfAny()
    guard let cutTest = testSize ?? nil, let cutDev = devSize ?? nil else { return }
    guard cutTest + cutDev < count else {
      throw nothingLeft(cutTest + cutDev, of: count)
    }
    guard cutTest + cutDev > 0 else { return }
    var rest = (0..<UInt32(count)).map { $0 }
    if cutTest > 0 {
      self.test = cut(
        cutTest, from: &rest, label: test.isStratified ? label : nil,
        stream: Philox(seed: seed, purpose: "data.split.test"))
    }
    if cutDev > 0 {
      self.dev = cut(
        cutDev, from: &rest, label: dev.isStratified ? label : nil,
        stream: Philox(seed: seed, purpose: "data.split.dev"))
    }
    train = rest
  }
}

extension PartSpec {
  var isStratified: Bool {
    switch self {
    case .none, .files: false
    case .fraction(_, let stratified), .count(_, let stratified): stratified
    }
  }

  /// Whether the part is cut from the training samples.
  var isCut: Bool {
    switch self {
    case .none, .files: false
    case .fraction, .count: true
    }
  }
}

/// Samples to cut for a part out of `count`.
private func size(of part: PartSpec, of count: Int, place: String) throws -> Int {
  let samples: Int
  switch part {
  case .none, .files: return 0
  case .count(let wanted, _): samples = wanted
  case .fraction(let fraction, _):
    guard fraction > 0, fraction < 1 else {
      throw Diagnostic(
        place: place, problem: "fraction \(fraction) cannot be cut",
        expected: "a number between 0 and 1", remedy: "use 0.1 for a tenth of the training samples")
    }
    samples = Int((fraction * Double(count)).rounded())
  }
  guard samples > 0 else {
    throw Diagnostic(
      place: place, problem: "the part would have \(samples) of \(count) training samples",
      expected: "at least one sample", remedy: "ask for more, or leave the part out")
  }
  return samples
}

private func nothingLeft(_ cut: Int, of count: Int) -> Diagnostic {
  Diagnostic(
    place: "data",
    problem: "dev and test parts of \(cut) samples leave none of \(count) to train on",
    expected: "fewer than \(count) samples cut", remedy: "make data.dev or data.test smaller")
}

private func cannotStratify(_ place: String) -> Diagnostic {
  Diagnostic(
    place: place, problem: "the part cannot be stratified, because targets are no classes",
    expected: "stratified: true only where data.target_kind is classes", remedy: "remove stratified"
  )
}

/// Moves the `size` samples with the smallest random keys from `rest` into a part; both stay in order.
///
/// With `label`, each class gives its share: `size · n_c / n`, rounded down, and the samples still
/// missing come one each from the classes with the largest remainders (the lower class on a tie).
private func cut(
  _ size: Int, from rest: inout [UInt32], label: ((UInt32) -> Int32)?, stream: Philox
) -> [UInt32] {
  let keyed = rest.map { sample -> (key: UInt64, sample: UInt32) in
    let bits = stream.block(major: 0, minor: UInt64(sample))
    return (key: UInt64(bits[0]) << 32 | UInt64(bits[1]), sample: sample)
  }.sorted { $0 < $1 }
  let chosen: [UInt32]
  if let label {
    let classes = Dictionary(grouping: keyed.map(\.sample), by: label)
    let shares = proportionalShares(size, of: classes.mapValues(\.count))
    chosen = classes.flatMap { $0.value.prefix(shares[$0.key] ?? 0) }.sorted()
  } else {
    chosen = keyed.prefix(size).map(\.sample).sorted()
  }
  let isChosen = Set(chosen)
  rest.removeAll { isChosen.contains($0) }
  return chosen
}

/// Divides `size` in proportion to `counts` by largest remainder.
func proportionalShares(_ size: Int, of counts: [Int32: Int]) -> [Int32: Int] {
  let total = counts.values.reduce(0, +)
  var shares = counts.mapValues { size * $0 / total }
  let missing = size - shares.values.reduce(0, +)
  let byRemainder = counts.sorted { left, right in
    let (leftRest, rightRest) = (size * left.value % total, size * right.value % total)
    return leftRest == rightRest ? left.key < right.key : leftRest > rightRest
  }
  for entry in byRemainder.prefix(missing) { shares[entry.key, default: 0] += 1 }
  return shares
}
