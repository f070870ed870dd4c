import Datasets
import Diagnostics
import Testing

@Suite("Splits")
struct SplitTests {
  @Test("every sample is in exactly one part", arguments: [false, true], [10, 97, 1000])
  func partition(stratified: Bool, count: Int) throws {
    let split = try Split(
      count: count, dev: .fraction(0.1, stratified: stratified),
      test: .count(3, stratified: stratified), seed: 1, label: { Int32($0 % 3) })
    let train = try #require(split.train)
    let dev = try #require(split.dev)
    let test = try #require(split.test)
    #expect(test.count == 3)
    #expect(dev.count == Int((0.1 * Double(count)).rounded()))
    #expect((train + dev + test).sorted() == (0..<UInt32(count)).map { $0 })
    #expect(train == train.sorted() && dev == dev.sorted() && test == test.sorted())
  }

  @Test("without parts to cut nothing is listed")
  func identity() throws {
    let split = try Split(count: 5, dev: .files, test: .none, seed: 1, label: nil)
    #expect(split.train == nil && split.dev == nil && split.test == nil)
  }

  @Test("strata give their shares by largest remainder")
  func strata() throws {
    // 50, 30 and 20 samples of three classes; 7 of 100 are 3.5, 2.1 and 1.4: 3 + 2 + 1, and one more
    // from the largest remainder, class 0.
    let label: (UInt32) -> Int32 = { $0 < 50 ? 0 : $0 < 80 ? 1 : 2 }
    let split = try Split(
      count: 100, dev: .count(7, stratified: true), test: .none, seed: 4, label: label)
    let labels = try #require(split.dev).map(label)
    #expect((0..<3).map { c in labels.count { $0 == c } } == [4, 2, 1])
  }

  @Test("the seed decides which samples are cut, the same way every time")
  func seeds() throws {
    func dev(_ seed: UInt64) throws -> [UInt32]? {
      try Split(
        count: 1000, dev: .count(100, stratified: false), test: .none, seed: seed, label: nil
      ).dev
    }
    #expect(try dev(1) == dev(1))
    #expect(try dev(1) != dev(2))
    let cut = try #require(try dev(1))
    // Shuffled before it is cut: the mean place of 100 of 1000 has deviation 27; five of them.
    #expect(abs(Double(cut.reduce(0, +)) / 100 - 499.5) < 137)
  }

  private func message(
    dev: PartSpec, test: PartSpec = .none, label: ((UInt32) -> Int32)? = nil
  ) throws -> String {
    do {
      _ = try Split(count: 10, dev: dev, test: test, seed: 1, label: label)
      return "no fault"
    } catch { return "\(error)" }
  }

  @Test("parts that cannot be cut are told at once")
  func faults() throws {
    #expect(
      try message(dev: .fraction(1.5, stratified: false), test: .count(0, stratified: true)) == """
        data.test: the part would have 0 of 10 training samples
          expected: at least one sample
          to fix:   ask for more, or leave the part out
        data.dev: fraction 1.5 cannot be cut
          expected: a number between 0 and 1
          to fix:   use 0.1 for a tenth of the training samples
        data.test: the part cannot be stratified, because targets are no classes
          expected: stratified: true only where data.target_kind is classes
          to fix:   remove stratified
        """)
    #expect(
      try message(dev: .count(5, stratified: false), test: .count(5, stratified: false)) == """
        data: dev and test parts of 10 samples leave none of 10 to train on
          expected: fewer than 10 samples cut
          to fix:   make data.dev or data.test smaller
        """)
  }

  @Test("a part comes from files or is cut, not both and not neither")
  func sources() throws {
    let folder = try TestFolder()
    let files = try folder.images([0, 1, 1])
    var spec = DataSpec(source: .idx(train: files, dev: files, test: nil))
    spec.dev = .count(1, stratified: false)
    spec.test = .files
    spec.normalization = .divide(by: 0)
    let message = try folder.message { _ = try folder.load(spec) }
    #expect(
      message == """
        data.normalize: inputs cannot be divided by 0
          expected: a finite number other than 0
          to fix:   use 255 for bytes
        data.dev: the part has files and is cut from the training samples as well
          expected: one of both
          to fix:   remove the files, or fraction and count
        data.test: the part has no files
          expected: files, a fraction or a count
          to fix:   name the part's files
        """)
  }
}
