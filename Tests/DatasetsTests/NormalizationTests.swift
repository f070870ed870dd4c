import Datasets
import Foundation
import Testing

@Suite("Normalisation")
struct NormalizationTests {
  /// Mean and deviation of a list, by their definition.
  private func plain(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance.squareRoot())
  }

  @Test("grey images have one mean and deviation, of the training part alone", arguments: [5, 8])
  func grey(side: Int) throws {
    let folder = try TestFolder()
    let pixels = (0..<10 * side * side).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    var spec = DataSpec(
      source: .idx(
        train: ArrayFiles(
          inputs: try folder.write("x", idx(0x08, [10, side, side], pixels)),
          targets: try folder.write("y", idx(0x08, [10], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]))),
        dev: nil, test: nil))
    spec.test = .count(4, stratified: true)
    spec.normalization = .standardize
    let data = try folder.load(spec)
    let values = (0..<6).flatMap { data.train.dataset.inputs(of: data.train.sample(at: $0)) }
    let expected = plain(values.map { Double($0) })
    #expect(data.statistics.mean.count == 1)
    #expect(abs(data.statistics.mean[0] - expected.mean) < 1e-10)
    #expect(abs(data.statistics.deviation[0] - expected.deviation) < 1e-10)
  }

  @Test(
    "colour images have one pair per channel, bytes and floats alike", arguments: [false, true])
  func colours(isFloat: Bool) throws {
    let folder = try TestFolder()
    let pixels: [UInt8] = (0..<24).map { UInt8($0 * 37 % 101) }
    let bytes = isFloat ? pixels.flatMap { littleEndian(Float($0).bitPattern) } : pixels
    let type = isFloat ? "<f4" : "|u1"
    let files = ArrayFiles(
      inputs: try folder.write("x", npy(type, "2, 2, 2, 3", bytes)),
      targets: try folder.write("y", npy("|u1", "2,", [0, 1])))
    var spec = DataSpec(source: .npy(train: files, dev: nil, test: nil))
    spec.normalization = .standardize
    let statistics = try folder.load(spec).statistics
    for channel in 0..<3 {
      let values = stride(from: channel, to: pixels.count, by: 3).map { Double(pixels[$0]) }
      let expected = plain(values)
      #expect(abs(statistics.mean[channel] - expected.mean) < 1e-12)
      #expect(abs(statistics.deviation[channel] - expected.deviation) < 1e-12)
    }
  }

  @Test("tables have a pair per column; words stay 0 and 1, constants get deviation 1")
  func table() throws {
    let folder = try TestFolder()
    var csv = CSVSpec(
      train: try folder.write("t.csv", "a,word,c,y\n1,u,0.1,0\n2,v,0.1,1\n6,u,0.1,0\n"),
      targets: ["y"])
    csv.categorical = ["word"]
    var spec = DataSpec(source: .csv(csv))
    spec.normalization = .standardize
    let statistics = try folder.load(spec).statistics
    #expect(statistics.mean == [3, 0, 0, Double(Float(0.1))])
    #expect(statistics.deviation == [(14.0 / 3).squareRoot(), 1, 1, 1])
  }

  @Test("dividing and leaving alone need no statistics; words stay as they are")
  func simple() throws {
    let folder = try TestFolder()
    var csv = CSVSpec(
      train: try folder.write("t.csv", "a,word,y\n1,u,0\n2,v,1\n"), targets: ["y"])
    csv.categorical = ["word"]
    var spec = DataSpec(source: .csv(csv))
    #expect(
      try folder.load(spec).statistics
        == NormalizationStatistics(mean: [0, 0, 0], deviation: [1, 1, 1]))
    spec.normalization = .divide(by: 4)
    #expect(
      try folder.load(spec).statistics
        == NormalizationStatistics(mean: [0, 0, 0], deviation: [4, 1, 1]))
  }

  @Test("a checkpoint's statistics are used, unless they fit other data")
  func given() throws {
    let folder = try TestFolder()
    var spec = DataSpec(source: .idx(train: try folder.images([0, 1]), dev: nil, test: nil))
    spec.normalization = .standardize
    let statistics = NormalizationStatistics(mean: [3], deviation: [2])
    let decoded = try JSONDecoder().decode(
      NormalizationStatistics.self, from: try JSONEncoder().encode(statistics))
    let data = try LoadedData.open(
      spec, seed: 1, outputs: nil, statistics: decoded, cache: folder.cache)
    #expect(data.statistics == statistics)
    let message = try folder.message {
      _ = try LoadedData.open(
        spec, seed: 1, outputs: nil,
        statistics: NormalizationStatistics(mean: [1, 2], deviation: [1, 1]), cache: folder.cache)
    }
    #expect(
      message == """
        data: the checkpoint normalises 2 channels, the data have 1
          expected: the data set that the checkpoint was trained on
          to fix:   name that data set, or start over with --fresh
        """)
  }
}
