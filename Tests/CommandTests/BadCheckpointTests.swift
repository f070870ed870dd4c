import Foundation
import Storage
import Testing

@Suite("Bad checkpoints", .serialized)
struct BadCheckpointTests {
  private let quiet = ["table.yaml", "--progress", "none"]

  /// Leaves checkpoints of steps 18 and 27: in one go the one of step 18 may not be written in time.
  private func trainInTwoParts(_ command: Command) throws {
    #expect(try command.run(quiet + ["training.max_steps=18"]).status == 0)
    #expect(try command.run(quiet).status == 0)
  }

  @Test("a run is not resumed with other settings")
  func otherSettings() throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(try command.run(quiet).status == 0)
    try expectRefusal(
      command,
      ["table.yaml", "optimizer.learning_rate=0.5", "training.batch=48", "checkpoint.keep=5"],
      """
      runs/table/checkpoints/step-00000027: the run was started with other settings: optimizer.learning_rate was 0.1, is 0.5, training.batch was 24, is 48
        expected: the same settings, so that the result is that of one uninterrupted run
        to fix:   restore them, choose another output.folder, or start over with --fresh
      """)
  }

  @Test("a run is not resumed with other convolutions")
  func otherConvolutions() throws {
    let command = try Command.images()
    defer { command.remove() }
    #expect(try command.run(["images.yaml", "--progress", "none"]).status == 0)
    try expectRefusal(
      command, ["images.yaml", "conv.algorithm=winograd"],
      """
      runs/images/checkpoints/step-00000006: the run was started with other settings: conv.algorithm was auto, is winograd, conv.algorithm of layers.0 was direct, by data direct, by weights windows, is winograd 2x2, by data 4x4
        expected: the same settings, so that the result is that of one uninterrupted run
        to fix:   restore them, choose another output.folder, or start over with --fresh
      """)
  }

  @Test("settings that leave the numbers alone may change")
  func freeSettings() throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(try command.run(quiet + ["training.max_steps=13"]).status == 0)
    let more = [
      "checkpoint.keep=5", "audit.every_steps=3", "evaluation.batch=7", "plan.fusion=false",
      "preemption={grace_seconds: 5, end_time: null}",
    ]
    let resumed = try command.run(quiet + more)
    #expect(resumed.status == 0 && resumed.errors == "")
    #expect(try command.run(quiet + ["output.folder=whole"]).status == 0)
    #expect(
      try command.bytes("runs/table/model.safetensors") == command.bytes("whole/model.safetensors"))
  }

  @Test(
    "a damaged newest checkpoint is named, and the one before leads to the same end",
    arguments: [nil, 3])
  func damaged(ranks: Int?) throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(try command.run(quiet + ["output.folder=whole"]).status == 0)
    #expect(try command.run(quiet + ["training.max_steps=22"]).status == 0)
    let folder = "runs/table/checkpoints/step-00000022"
    let saved = try SHA256.hex(ofFile: command.path("\(folder)/state.safetensors"))
    var bytes = try command.bytes("\(folder)/state.safetensors")
    bytes[bytes.count - 5] ^= 1
    try command.write(bytes, to: "\(folder)/state.safetensors")
    let found = try SHA256.hex(ofFile: command.path("\(folder)/state.safetensors"))

    let resumed = try command.run(ranks: ranks, quiet)
    #expect(resumed.status == 0)
    #expect(
      resumed.errors == """
        warning: \(folder)/state.safetensors: the file is damaged: its SHA-256 begins with \(found.prefix(12)), SHA256SUMS has \(saved.prefix(12))
          expected: the file as it was saved
          to fix:   nothing: step-00000018 is used instead

        """)
    for file in ["model.safetensors", "predictions.csv"] {
      #expect(try command.bytes("runs/table/\(file)") == command.bytes("whole/\(file)"), "\(file)")
    }
  }

  @Test("when all checkpoints are damaged, each is named and nothing is touched")
  func allDamaged() throws {
    let command = try Command.table()
    defer { command.remove() }
    try trainInTwoParts(command)
    for step in ["step-00000018", "step-00000027"] {
      let path = "runs/table/checkpoints/\(step)/model.safetensors"
      try command.write(try command.bytes(path).prefix(100), to: path)
    }
    let header = try command.bytes("runs/table/model.safetensors")
      .prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let message = ["step-00000027", "step-00000018"].map { step in
      """
      runs/table/checkpoints/\(step)/model.safetensors: byte 0: the header ends at byte \(8 + header), but the file has only 100 bytes
        expected: a whole safetensors file
        to fix:   copy or export the file again

      """
    }.joined()
    try expectRefusal(
      command, ["table.yaml"],
      message + """
        runs/table/checkpoints: no whole checkpoint is left of 2
          expected: at least one to go on from
          to fix:   restore one from a copy, or start over with --fresh
        """)
    #expect(try command.run(quiet + ["--fresh"]).status == 0)
  }

  @Test("a checkpoint that is not there")
  func unknown() throws {
    let command = try Command.table()
    defer { command.remove() }
    try expectRefusal(
      command, ["evaluate", "table.yaml"],
      """
      runs/table/checkpoints: there is no checkpoint
        expected: the checkpoints of a run with this config
        to fix:   train it first, or set output.folder to the run's folder
      """)
    try trainInTwoParts(command)
    try expectRefusal(
      command, ["evaluate", "table.yaml", "--checkpoint", "step-0000018"],
      """
      runs/table/checkpoints: there is no checkpoint 'step-0000018'
        expected: one of step-00000027, step-00000018
        to fix:   did you mean 'step-00000018'?
      """)
  }
}
