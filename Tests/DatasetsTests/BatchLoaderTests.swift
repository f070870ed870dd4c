import Datasets
import Storage
import Testing

@Suite("Loading batches")
struct BatchLoaderTests {
  @Test("bytes are normalised as the formula says, in the order of the epoch", arguments: [1, 3])
  func bytes(channels: Int) throws {
    let folder = try TestFolder()
    let data = try images(folder, count: 11, side: 5, channels: channels)
    try check(data, Float.self, tolerance: 1e-6)
    try check(data, Double.self, tolerance: 1e-14)
  }

  @Test("floats are normalised as the formula says")
  func floats() throws {
    let folder = try TestFolder()
    let rows = (0..<13).map { "\(Double($0) * 0.37 - 2),\($0 * $0),\($0 % 3)\n" }.joined()
    var spec = DataSpec(
      source: .csv(CSVSpec(train: try folder.write("t", "a,b,y\n" + rows), targets: ["y"])))
    spec.normalization = .standardize
    spec.dev = .count(4, stratified: true)
    let data = try folder.load(spec)
    try check(data, Float.self, tolerance: 1e-6)
    try check(data, Double.self, tolerance: 1e-14)
  }

  /// Compares all batches of 4 with the formula, with and without an epoch's order.
  private func check<S: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
    _ data: LoadedData, _ type: S.Type, tolerance: Double
  ) throws {
    let loader = BatchLoader<S>(part: data.train, statistics: data.statistics)
    let order = EpochOrder(count: data.train.count, seed: 3, epoch: 1)
    for order in [nil, order] {
      for start in stride(from: 0, to: data.train.count, by: 4) {
        let positions = start..<min(start + 4, data.train.count)
        let inputs = AlignedMemory<S>(count: positions.count * loader.elementCount)
        let classes = AlignedMemory<Int32>(count: positions.count)
        inputs.block.fill(99)
        loader.loadInputs(positions, order: order, into: inputs.block)
        loader.loadClasses(positions, order: order, into: classes.block)
        for (row, position) in positions.enumerated() {
          let sample = data.train.sample(at: order?.sample(at: position) ?? position)
          #expect(classes.block[row] == data.train.dataset.label(of: sample))
          for (element, raw) in data.train.dataset.inputs(of: sample).enumerated() {
            let channel = element % data.statistics.mean.count
            let expected =
              (Double(raw) - data.statistics.mean[channel]) / data.statistics.deviation[channel]
            let found = Double(inputs.block[row * loader.elementCount + element])
            #expect(abs(found - expected) <= tolerance * max(1, abs(expected)))
          }
        }
      }
    }
  }

  private func images(
    _ folder: TestFolder, count: Int, side: Int, channels: Int, augment: AugmentSpec? = nil
  ) throws -> LoadedData {
    let pixels = (0..<count * side * side * channels).map { UInt8(truncatingIfNeeded: $0 * 31 + 5) }
    var spec = DataSpec(
      source: .idx(
        train: ArrayFiles(
          inputs: try folder.write("x", idx(0x08, [count, side, side, channels], pixels)),
          targets: try folder.write("y", idx(0x08, [count], (0..<count).map { UInt8($0 % 4) }))),
        dev: nil, test: nil))
    spec.normalization = .standardize
    spec.augment = augment
    return try folder.load(spec)
  }

  @Test("target numbers follow the order too")
  func values() throws {
    let folder = try TestFolder()
    let rows = (0..<6).map { "\($0),\($0 + 10),\($0 + 20)\n" }.joined()
    var spec = DataSpec(
      source: .csv(
        CSVSpec(train: try folder.write("t", "x,a,b\n" + rows), targets: ["a", "b"])))
    spec.target = .values
    let data = try folder.load(spec, outputs: 2)
    let loader = BatchLoader<Double>(part: data.train, statistics: data.statistics)
    let order = EpochOrder(count: 6, seed: 1, epoch: 0)
    let values = AlignedMemory<Double>(count: 6)
    loader.loadValues(2..<5, order: order, into: values.block)
    let expected = (2..<5).flatMap { position in
      let sample = Double(order.sample(at: position))
      return [sample + 10, sample + 20]
    }
    #expect(values.block.array == expected)
  }

  @Test("augmented images are moved and mirrored, zeros moving in", arguments: [1, 3])
  func augmented(channels: Int) throws {
    let folder = try TestFolder()
    let side = 5
    let data = try images(
      folder, count: 7, side: side, channels: channels,
      augment: AugmentSpec(flipHorizontal: true, shift: 2))
    let augmentation = try #require(data.augmentation)
    let loader = BatchLoader<Double>(
      part: data.train, statistics: data.statistics, augmentation: augmentation)
    let inputs = AlignedMemory<Double>(count: 7 * loader.elementCount)
    var seen: Set<Bool> = []
    for epoch in 0..<10 {
      loader.loadInputs(0..<7, order: nil, epoch: epoch, into: inputs.block)
      for sample in 0..<7 {
        let change = augmentation.change(epoch: epoch, sample: sample)
        seen.insert(change.isFlipped)
        let raw = data.train.dataset.inputs(of: sample)
        for row in 0..<side {
          for column in 0..<side {
            for channel in 0..<channels {
              let y = row + change.down
              let moved = column + change.right
              let x = change.isFlipped ? side - 1 - moved : moved
              let isInside = (0..<side).contains(x) && (0..<side).contains(y)
              let pixel = isInside ? Double(raw[(y * side + x) * channels + channel]) : 0
              let expected =
                (pixel - data.statistics.mean[channel]) / data.statistics.deviation[channel]
              let place = ((sample * side + row) * side + column) * channels + channel
              #expect(abs(inputs.block[place] - expected) < 1e-13)
            }
          }
        }
      }
    }
    #expect(seen == [true, false])
  }

  @Test("changes cover the range evenly and depend on the epoch and the sample alone")
  func changes() throws {
    let folder = try TestFolder()
    let data = try images(
      folder, count: 2, side: 5, channels: 1, augment: AugmentSpec(flipHorizontal: false, shift: 1))
    let augmentation = try #require(data.augmentation)
    var counts: [Int: Int] = [:]
    for epoch in 0..<9000 {
      let change = augmentation.change(epoch: epoch, sample: 1)
      #expect(change == augmentation.change(epoch: epoch, sample: 1))
      #expect(!change.isFlipped)
      counts[change.down * 3 + change.right, default: 0] += 1
    }
    // Binomial(9000, 1/9): deviation 30; five of them.
    for key in -4...4 { #expect(abs((counts[key] ?? 0) - 1000) < 150) }
  }

  @Test("augmentation of what is no image, or by too much, is told")
  func augmentFaults() throws {
    let folder = try TestFolder()
    let table = CSVSpec(train: try folder.write("t", "x,y\n1,0\n"), targets: ["y"])
    var spec = DataSpec(source: .csv(table))
    spec.augment = AugmentSpec(flipHorizontal: true)
    #expect(
      try folder.message { _ = try folder.load(spec) } == """
        data.augment: samples of shape [1] are no images
          expected: [height, width] or [height, width, channels]
          to fix:   remove data.augment
        """)
    spec.source = .idx(train: try folder.images([0, 1]), dev: nil, test: nil)
    spec.augment = AugmentSpec(shift: 2)
    #expect(
      try folder.message { _ = try folder.load(spec) } == """
        data.augment: a shift of 2 pixels does not fit 2 x 2
          expected: 0 to 1 pixels
          to fix:   use 1
        """)
  }
}
