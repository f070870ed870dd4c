import Checkpoints
import Diagnostics
import Dispatch
import Storage
import Testing

@Suite("Saving in the background")
struct BackgroundSaverTests {
  @Test("a save holds the weights of its moment, also one that waits for another")
  func snapshot() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    let weights = AlignedMemory<Float>(count: 300_000)
    weights.withBlock { block in
      let payload = CheckpointPayload(
        model: [NamedTensor(name: "w", shape: [block.count], block: block)], state: [])
      let gate = DispatchSemaphore(value: 0)
      let saver = BackgroundSaver(folder: checkpoints, keep: 9, sizedFor: payload) { gate.wait() }
      for step in 1...4 {
        // A third save waits for the first.
        if step > 2 { gate.signal() }
        block.fill(Float(step))
        saver.startSave(CheckpointFolderTests.record(step), payload)
        block.fill(-1)
        #expect(saver.saveCount == min(step, 2))
      }
      #expect(saver.pollSave()?.step == 1)
      #expect(saver.pollSave()?.step == 2)
      #expect(saver.pollSave() == nil)
      gate.signal()
      gate.signal()
      for step in [3, 4] {
        #expect(
          saver.waitSave().flatMap { try? $0.result.get() } == CheckpointFolder.name(step: step))
      }
      #expect(saver.waitSave() == nil)
    }
    for step in 1...4 {
      let loaded = try checkpoints.load(named: CheckpointFolder.name(step: step))
      #expect(try loaded.model.floats("w") == [Float](repeating: Float(step), count: 300_000))
    }
  }

  @Test("the best weights so far take the place of older ones that still wait")
  func newestBest() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    let gate = DispatchSemaphore(value: 0)
    let saver = BackgroundSaver(folder: checkpoints, keep: 9) { gate.wait() }
    for step in 1...4 {
      saver.startSave(
        CheckpointFolderTests.record(step, isBest: true), CheckpointFolderTests.payload(Float(step))
      )
    }
    gate.signal()
    gate.signal()
    #expect(saver.waitSave()?.step == 1)
    #expect(saver.waitSave()?.step == 4)
    #expect(saver.waitSave() == nil)
    #expect(try checkpoints.names() == ["step-00000004", "step-00000001"])
  }

  @Test("old checkpoints are pruned and the report can be polled")
  func prunedAndPolled() throws {
    let place = try TemporaryFolder()
    let checkpoints = CheckpointFolder(place.path)
    let saver = BackgroundSaver(folder: checkpoints, keep: 2)
    #expect(saver.pollSave() == nil)
    for step in [1, 2, 3] {
      saver.startSave(CheckpointFolderTests.record(step), CheckpointFolderTests.payload(1))
      var report = saver.pollSave()
      while report == nil { report = saver.pollSave() }
      #expect(report?.step == step)
      #expect(saver.saveCount == 0)
    }
    #expect(try checkpoints.names() == ["step-00000003", "step-00000002"])
  }

  @Test(
    "a full disk is reported and keeps the earlier checkpoint whole",
    .enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func fullDisk() throws {
    let disk = try #require(SmallDisk(byteCount: 1 << 18))
    let checkpoints = CheckpointFolder(Folder(disk.path).path(to: "checkpoints"))
    let saver = BackgroundSaver(folder: checkpoints, keep: 1)
    let small = CheckpointFolderTests.payload(1, count: 1000)
    let large = CheckpointFolderTests.payload(2, count: 100_000)
    saver.startSave(CheckpointFolderTests.record(1), small)
    #expect(saver.waitSave()?.failure == nil)
    saver.startSave(CheckpointFolderTests.record(2), large)
    saver.startSave(CheckpointFolderTests.record(3), small)
    let failure = try #require(saver.waitSave()?.failure)
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
    blocked.startSave(CheckpointFolderTests.record(2), CheckpointFolderTests.payload(2))
    #expect(
      blocked.waitSave()?.failure?.description == """
        \(place.path(to: "file")): the folder cannot be created: File exists
          to fix:   repair what the system reports and start again
        """)
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 1)
  }
}
