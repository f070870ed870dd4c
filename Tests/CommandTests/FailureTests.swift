import Foundation
import Testing

@Suite("Failures on the way", .serialized)
struct FailureTests {
  @Test("a diverging run ends with exit code 3 and names the layer", arguments: [nil, 2])
  func divergence(ranks: Int?) throws {
    let command = try Command.images()
    defer { command.remove() }
    let result = try command.run(
      ranks: ranks, ["images.yaml", "optimizer.learning_rate=1e30", "--progress", "none"])
    #expect(result.status == 3)
    #expect(
      result.errors == """
        step 1: the loss is nan; layers.3 (dense) went bad first; nothing was updated
          expected: finite numbers
          to fix:   lower optimizer.learning_rate, add warm-up, or set training.clip_norm; check the data for extreme values

        """)
  }

  @Test("a rank that dies takes the others with it within seconds")
  func killedRank() throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(
      ranks: 3, ["table.yaml", "training.epochs=1000000", "--progress", "none"])
    try command.waitForSteps()
    try #require(try Command.killAnyRank(of: process))
    let start = ContinuousClock.now
    let result = try command.result(of: process)
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(result.status != 0)
    try command.waitForRanksToEnd()
  }

  @Test(
    "a second run in the same folder is refused while the first is at work, not when it was killed")
  func secondRun() throws {
    let command = try Command.table()
    defer { command.remove() }
    let endless = ["table.yaml", "training.epochs=1000000", "--progress", "none"]
    let first = try command.start(ranks: 2, endless)
    try command.waitForSteps()
    let second = try command.run(endless)
    #expect(second.status == 2)
    let owner = try String(contentsOfFile: command.path("runs/table/.lock"), encoding: .utf8)
    #expect(owner.contains(/^process [0-9]+ on .+$/))
    #expect(
      second.errors == """
        runs/table: another run is at work in this folder: \(owner)
          expected: one run at a time
          to fix:   wait until it has ended, end it, or choose another output.folder

        """)
    #expect(first.isRunning)
    try #require(try Command.killAnyRank(of: first))
    _ = try command.result(of: first)
    let third = try command.run(endless + ["training.max_steps=1"])
    #expect(third.status == 0)
  }
}

/// A disk of 6 MB, on which a model of 1.1 MB and one checkpoint of 3.3 MB fit, but not a second checkpoint
/// beside them.
@Suite(
  "A full disk", .serialized, .enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
struct FullDiskTests {
  /// 276,770 weights, and Adam's two numbers for each.
  private static let config = SmallJob.images
    .replacing("- flatten\n", with: "- flatten\n    - dense: 1024\n    - dense: 256\n")
    .replacing("kind: sgd, learning_rate: 0.1", with: "kind: adam, learning_rate: 0.001")
    .replacing("epochs: 2", with: "epochs: 4")

  private let arguments = [
    "images.yaml", "--progress", "none", "output.folder=disk/run", "checkpoint.keep=1",
  ]

  private func withSmallDisk(_ body: (Command) throws -> Void) throws {
    let command = try Command.images()
    defer { command.remove() }
    try command.write(Self.config, to: "images.yaml")
    let disk = try SmallDisk(at: command.path("disk"), size: "6m")
    defer { disk.remove() }
    try body(command)
  }

  @Test("ends the run as bad input; the earlier checkpoint is whole and leads to the same end")
  func stop() throws {
    try withSmallDisk { command in
      #expect(try command.run(arguments + ["output.folder=whole"]).status == 0)
      #expect(try command.run(arguments + ["training.max_steps=3"]).status == 0)
      let checkpoints = try saved(by: command)
      #expect(checkpoints.keys.contains("disk/run/checkpoints/step-00000003/state.safetensors"))
      let result = try command.run(arguments + ["training.max_steps=7"])
      #expect(result.status == 2)
      try expectFullDisk(result.errors, step: 7)
      #expect(try saved(by: command) == checkpoints)
      // The user makes room: elsewhere there is enough.
      try FileManager.default.copyItem(
        atPath: command.path("disk/run"), toPath: command.path("moved"))
      #expect(try command.run(arguments + ["output.folder=moved"]).status == 0)
      #expect(
        try command.bytes("moved/model.safetensors") == command.bytes("whole/model.safetensors"))
    }
  }

  @Test("is a warning with checkpoint.on_failure=continue")
  func goOn() throws {
    try withSmallDisk { command in
      #expect(try command.run(arguments + ["training.max_steps=3"]).status == 0)
      let result = try command.run(arguments + ["checkpoint.on_failure=continue"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors == "")
      let warning = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        .drop { !$0.hasPrefix("warning: ") }.prefix(3).joined(separator: "\n")
      try expectFullDisk(String(warning.dropFirst("warning: ".count)) + "\n", step: 12)
      #expect(try command.bytes("disk/run/model.safetensors").count > 1_100_000)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: command.path("disk/run/checkpoints"))
          == ["step-00000003"])
    }
  }

  /// All files below the folder of checkpoints.
  private func saved(by command: Command) throws -> [String: Data] {
    try command.everything().filter { $0.key.hasPrefix("disk/run/checkpoints/") }
  }

  /// `PATH: the disk is full: REASON after N bytes of the file`, and how much is needed and free.
  private func expectFullDisk(_ text: String, step: Int) throws {
    let pattern = try Regex(
      """
      disk/run/checkpoints/step-0000000?\(step)/state\\.safetensors: the disk is full: No space left on device \
      after ([0-9]+) bytes of the file
        expected: room for ([0-9]+) more bytes on its disk; ([0-9]+) are free
        to fix:   free space on that disk, or choose a folder on another one

      """)
    let match = try #require(try pattern.wholeMatch(in: text), "\(text)")
    let numbers = match.output.dropFirst().compactMap { $0.substring.flatMap { Int($0) } }
    #expect(numbers[0] + numbers[1] > 2 * 4 * 276_770)
    #expect(numbers[2] < numbers[1])
  }
}

/// A file system in memory of a given size.
struct SmallDisk {
  private let path: String

  init(at path: String, size: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try #require(Self.run(["mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path]) == 0)
  }

  func remove() {
    _ = Self.run(["umount", path])
  }

  /// Whether this user may mount one.
  static let isPossible: Bool = {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("disk-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard let disk = try? SmallDisk(at: path, size: "64k") else { return false }
    disk.remove()
    return true
  }()

  private static func run(_ arguments: [String]) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
