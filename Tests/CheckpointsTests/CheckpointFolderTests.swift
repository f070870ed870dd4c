import Checkpoints
import Storage
import Testing

@Suite("Checkpoint folders")
struct CheckpointFolderTests {
  let place: TemporaryFolder
  let checkpoints: CheckpointFolder

  init() throws {
    place = try TemporaryFolder()
    checkpoints = CheckpointFolder(place.path(to: "runs/checkpoints"))
  }

  static func payload(_ value: Float, count: Int = 100) -> CheckpointPayload {
    CheckpointPayload(
      model: [
        NamedTensor(
          name: "layers.0.weight", shape: [count], values: [Float](repeating: value, count: count))
      ],
      state: [NamedTensor(name: "adam.step", shape: [1], values: [Int64(value)])])
  }

  static func record(_ step: Int, isBest: Bool = false) -> CheckpointRecord {
    var record = CheckpointRecord(step: step, epoch: 1, samplesIntoEpoch: step * 2, seed: 9)
    record.isBest = isBest
    return record
  }

  func save(_ step: Int, isBest: Bool = false) throws {
    try checkpoints.save(Self.record(step, isBest: isBest), Self.payload(Float(step)))
  }

  @Test("what was saved is loaded: record, model and state")
  func roundTrip() throws {
    #expect(try checkpoints.newestValid().checkpoint == nil)
    #expect(try checkpoints.best().checkpoint == nil)
    let name = try checkpoints.save(CheckpointRecordTests.full, Self.payload(7))
    #expect(name == "step-00000120")
    let loaded = try #require(try checkpoints.newestValid().checkpoint)
    #expect(loaded.name == name)
    #expect(loaded.record == CheckpointRecordTests.full)
    #expect(try loaded.model.floats("layers.0.weight") == [Float](repeating: 7, count: 100))
    #expect(try loaded.state.integers("adam.step") == [7])
    #expect(try SHA256.hex(ofFile: loaded.model.path) == loaded.modelDigest)
    #expect(
      try Folder(loaded.path).entries() == [
        "SHA256SUMS", "checkpoint.json", "model.safetensors", "state.safetensors",
      ])
  }

  @Test("equal checkpoints have equal bytes in every file")
  func determinism() throws {
    let other = CheckpointFolder(place.path(to: "other"))
    try save(3)
    try other.save(Self.record(3), Self.payload(3))
    for file in ["SHA256SUMS", "checkpoint.json", "model.safetensors", "state.safetensors"] {
      #expect(
        try FileContents.bytes(of: checkpoints.path + "/step-00000003/" + file)
          == FileContents.bytes(of: other.path + "/step-00000003/" + file))
    }
  }

  @Test("the newest checkpoint is the one with the largest step, not the last by name")
  func newest() throws {
    for step in [100_000_000, 99_999_999, 5] { try save(step) }
    #expect(
      try checkpoints.names() == ["step-100000000", "step-99999999", "step-00000005"])
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 100_000_000)
  }

  @Test("files and folders of other names are left alone")
  func strangers() throws {
    try save(5)
    let strangers = ["notes.txt", "step-5", "step-00000005.bak", "step--0000001", "step-x"]
    for name in strangers { try Folder(checkpoints.folder.path(to: name)).create() }
    #expect(try checkpoints.names() == ["step-00000005"])
    try checkpoints.removeAll()
    #expect(try checkpoints.folder.entries() == strangers.sorted())
  }

  @Test("a save of a step that is there replaces it")
  func replaced() throws {
    try save(5)
    try checkpoints.save(Self.record(5, isBest: true), Self.payload(6))
    #expect(try checkpoints.load(named: "step-00000005").record.isBest)
    #expect(try checkpoints.folder.entries() == ["step-00000005"])
  }

  @Test("a save killed at any file leaves the earlier checkpoint and something to clean up")
  func killedWhileWriting() throws {
    try save(5)
    let files = ["model.safetensors", "state.safetensors", "checkpoint.json", "SHA256SUMS"]
    for count in 0...files.count {
      let partial = Folder(checkpoints.folder.path(to: ".partial-step-00000009"))
      try partial.create()
      for file in files.prefix(count) { try AtomicFile.write("half", to: partial.path(to: file)) }
      #expect(try checkpoints.newestValid().checkpoint?.record.step == 5)
      #expect(try checkpoints.newestValid().warnings == [])
      try checkpoints.removeTemporaries()
      #expect(try checkpoints.folder.entries() == ["step-00000005"])
    }
  }

  @Test("a save over a killed one of the same step succeeds without a clean-up")
  func leftoverOfSameStep() throws {
    try AtomicFile.write("x", to: place.path(to: "x"))
    let partial = Folder(checkpoints.folder.path(to: ".partial-step-00000005"))
    try partial.create()
    try AtomicFile.write("half", to: partial.path(to: "old"))
    try save(5)
    #expect(try checkpoints.folder.entries() == ["step-00000005"])
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 5)
  }

  @Test("a replacement killed between its two renames is undone")
  func killedWhileReplacing() throws {
    try save(5)
    let folder = checkpoints.folder
    try folder.moveEntry("step-00000005", to: ".replaced-step-00000005")
    try Folder(folder.path(to: ".partial-step-00000005")).create()
    try checkpoints.removeTemporaries()
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 5)
    #expect(try folder.entries() == ["step-00000005"])
  }

  @Test("a replacement killed after its second rename keeps the new checkpoint")
  func killedAfterReplacing() throws {
    try save(5)
    try checkpoints.folder.moveEntry("step-00000005", to: ".replaced-step-00000005")
    try checkpoints.save(Self.record(5, isBest: true), Self.payload(5))
    try Folder(checkpoints.folder.path(to: ".replaced-step-00000005")).create()
    try checkpoints.removeTemporaries()
    #expect(try checkpoints.load(named: "step-00000005").record.isBest)
    #expect(try checkpoints.folder.entries() == ["step-00000005"])
  }

  @Test(
    "the newest checkpoints and the best one are kept",
    arguments: [
      (1, nil, [50]), (2, nil, [40, 50]), (2, 20, [20, 40, 50]), (2, 40, [40, 50]),
      (9, 10, [10, 20, 30, 40, 50]),
    ] as [(Int, Int?, [Int])])
  func retention(keep: Int, best: Int?, left: [Int]) throws {
    for step in [10, 20, 30, 40, 50] { try save(step, isBest: step == best) }
    let removed = try checkpoints.prune(keep: keep, latest: "step-00000050")
    #expect(try checkpoints.names() == left.reversed().map { CheckpointFolder.name(step: $0) })
    #expect(removed.count == 5 - left.count)
    #expect(try checkpoints.folder.entries().count == left.count)
  }

  @Test("only the latest of several marked checkpoints is the best")
  func latestBest() throws {
    for step in [10, 20, 30, 40] { try save(step, isBest: step < 30) }
    #expect(try checkpoints.best().checkpoint?.record.step == 20)
    try checkpoints.prune(keep: 1, latest: "step-00000040")
    #expect(try checkpoints.names() == ["step-00000040", "step-00000020"])
  }

  @Test("checkpoints of a future that the run has left go with the next save")
  func future() throws {
    for step in [10, 20, 30] { try save(step) }
    try save(15)
    try checkpoints.prune(keep: 2, latest: "step-00000015")
    #expect(try checkpoints.names() == ["step-00000015", "step-00000010"])
  }

  @Test("an unknown name is answered with those that are there")
  func unknown() throws {
    try save(10)
    try save(20)
    #expect(
      message { _ = try checkpoints.load(named: "step-0000020") } == """
        \(checkpoints.path): there is no checkpoint 'step-0000020'
          expected: one of step-00000020, step-00000010
          to fix:   did you mean 'step-00000020'?
        """)
  }
}
