import Checkpoints
import Diagnostics
import Storage
import Testing

@Suite("Saving in the background")
struct BackgroundSaverTests {
  @Test("a save holds the weights of its moment, whatever the training does meanwhile")
  func snapshot() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    let weights = AlignedMemory<Float>(count: 300_000)
    try weights.withBlock { block in
      let payload = CheckpointPayload(
        model: [NamedTensor(name: "w", shape: [block.count], block: block)], state: [])
      let saver = BackgroundSaver(folder: checkpoints, keep: 9, sizedFor: payload)
      for step in 1...4 {
        block.fill(Float(step))
        let earlier = saver.startSave(CheckpointFolderTests.record(step), payload)
        #expect(earlier?.step == (step == 1 ? nil : step - 1))
        #expect(earlier?.failure == nil)
        block.fill(-1)
      }
      let last = try #require(saver.waitSave())
      #expect(try last.result.get() == "step-00000004")
      #expect(saver.waitSave() == nil)
    }
    for step in 1...4 {
      let loaded = try checkpoints.load(named: CheckpointFolder.name(step: step))
      #expect(try loaded.model.floats("w") == [Float](repeating: Float(step), count: 300_000))
    }
  }

  @Test("old checkpoints are pruned and the report can be polled")
  func prunedAndPolled() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    let saver = BackgroundSaver(folder: checkpoints, keep: 2)
    #expect(saver.pollSave() == nil)
    for step in [1, 2, 3] {
      _ = saver.startSave(CheckpointFolderTests.record(step), CheckpointFolderTests.payload(1))
      while saver.isSaving {}
      #expect(saver.pollSave()?.step == step)
    }
    #expect(try checkpoints.names() == ["step-00000003", "step-00000002"])
    #expect(saver.totalBlockedDuration > .zero)
  }

  @Test(
    "a full disk is reported at the next call and keeps the earlier checkpoint whole",
    .enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func fullDisk() throws {
    let disk = try #require(SmallDisk(byteCount: 1 << 18))
    let checkpoints = CheckpointFolder(Folder(disk.path).path(to: "checkpoints"))
    let saver = BackgroundSaver(folder: checkpoints, keep: 1)
    let small = CheckpointFolderTests.payload(1, count: 1000)
    let large = CheckpointFolderTests.payload(2, count: 100_000)
    #expect(saver.startSave(CheckpointFolderTests.record(1), small) == nil)
    #expect(saver.startSave(CheckpointFolderTests.record(2), large)?.failure == nil)
    let failure = try #require(
      saver.startSave(CheckpointFolderTests.record(3), small)?.failure)
    // 64 pages of 4096 bytes hold the first checkpoint (5 pages) and 59 of the second.
    #expect(
      failure.description == """
        \(checkpoints.path)/step-00000002/model.safetensors: the disk is full: No space left on device after 241664 bytes of the file
          expected: room for 158456 more bytes on its disk; 0 are free
          to fix:   free space on that disk, or choose a folder on another one
        """)
    #expect(saver.waitSave()?.failure == nil)
    #expect(try checkpoints.folder.entries() == ["step-00000003"])
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 3)
  }

  @Test("a failed save alone leaves what was there")
  func failedAlone() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    try checkpoints.save(CheckpointFolderTests.record(1), CheckpointFolderTests.payload(1))
    try AtomicFile.write("x", to: place.path(to: "file"))
    let blocked = BackgroundSaver(folder: CheckpointFolder(place.path(to: "file")), keep: 1)
    _ = blocked.startSave(CheckpointFolderTests.record(2), CheckpointFolderTests.payload(2))
    #expect(
      blocked.waitSave()?.failure?.description == """
        \(place.path(to: "file")): the folder cannot be created: File exists
          to fix:   repair what the system reports and start again
        """)
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 1)
  }
}
