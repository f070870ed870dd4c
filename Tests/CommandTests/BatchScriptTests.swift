import Foundation
import Testing

/// `launch/pbs.sh` with stand-ins for the server of PBS, and what both batch scripts refuse.
@Suite("Batch scripts", .serialized)
struct BatchScriptTests {
  private let arguments = "--progress none output.folder=my-run --fresh"

  /// `table.yaml` of more steps than the test waits for, or of `maxSteps`.
  private func endless(maxSteps: Int?) -> String {
    SmallJob.table.replacing(
      "epochs: 3", with: "epochs: 10000000, max_steps: \(maxSteps.map(String.init) ?? "null")"
    ) + "evaluation: {every_epochs: 1000000}\ncheckpoint: {every_seconds: 0.2}\n"
  }

  /// A folder with a job's node file of three lines, and a `qstat` that tells a walltime of six
  /// seconds, a `qrerun` that refuses, as it does users, and a `qsub` that notes what it is told.
  private func table() throws -> Command {
    let command = try Command.table()
    let host = ProcessInfo.processInfo.hostName
    try command.write("\(host)\n\(host)\n\(host)\n", to: "nodes")
    for (name, text) in [
      (
        "qstat",
        """
        printf 'Job Id: 7.server\\n    queue = work\\n    Resource_List.select = 1:ncpus=3:\\n'
        printf '\\tmpiprocs=3\\n    Resource_List.walltime = 00:00:06\\n    run_count = 2\\n\\n'
        """
      ), ("qrerun", "exit 1"),
      (
        "qsub",
        #"printf '%s\n' "$@" "CONFIG=$CONFIG" "ARGS=$ARGS" "$DDP_RESTART" >submitted; echo 8.server"#
      ),
    ] {
      let path = command.folder.appendingPathComponent("stand-ins/\(name)")
      try FileManager.default.createDirectory(
        at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("#!/bin/sh\n\(text)\n".utf8).write(to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.path)
    }
    return command
  }

  /// Runs a launch script from a copy elsewhere, as batch systems do.
  private func run(
    _ script: String, _ command: Command, _ variables: [String: String], _ arguments: [String] = []
  ) throws -> (status: Int32, output: String) {
    let copy = command.path("spooled")
    try? FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(
      atPath: Command.repository.appendingPathComponent("launch/\(script)").path, toPath: copy)
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [copy] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: "/")
    let inherited = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("SLURM") && !$0.key.hasPrefix("PBS") }
    process.environment = inherited.merging([
      "PATH": command.path("stand-ins") + ":" + (inherited["PATH"] ?? ""), "NO_COLOR": "1",
      "DDP_TRAIN": Command.program.path, "XDG_CACHE_HOME": command.path("cache"),
    ]) { $1 }.merging(variables) { $1 }
    process.standardOutput = pipe
    process.standardError = pipe
    try process.runUnblocked()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  /// What PBS sets for a job, and the user's own.
  private func job(_ command: Command, _ more: [String: String] = [:]) -> [String: String] {
    [
      "PBS_JOBID": "7.server", "PBS_O_WORKDIR": command.folder.path,
      "PBS_NODEFILE": command.path("nodes"), "CONFIG": "table.yaml", "ARGS": arguments,
      "DDP_TRAIN_LAUNCH": Command.repository.appendingPathComponent("launch").path,
    ].merging(more) { $1 }
  }

  @Test("pbs.sh trains on the lines of the node file")
  func plain() throws {
    let command = try table()
    defer { command.remove() }
    let result = try run("pbs.sh", command, job(command))
    #expect(result.status == 0, "\(result.output)")
    #expect(
      result.output.hasPrefix("launch/pbs.sh: job 7.server, start 2, 3 ranks on 1 hosts\n"))
    #expect(try command.run(["table.yaml", "output.folder=alone"]).status == 0)
    #expect(
      try command.bytes("my-run/model.safetensors") == command.bytes("alone/model.safetensors"))
  }

  @Test("pbs.sh stops before the walltime and submits itself again; the next job resumes")
  func walltime() throws {
    let command = try table()
    defer { command.remove() }
    try command.write(endless(maxSteps: nil), to: "table.yaml")
    let first = try run("pbs.sh", command, job(command))
    let last = first.output.split(separator: "\n").last ?? ""
    #expect(last.hasSuffix("; goes on as job 8.server (2 of at most 50)"), "\(last)")
    let launch = Command.repository.appendingPathComponent("launch").path
    #expect(
      try command.read("submitted").split(separator: "\n").map(String.init) == [
        "-W", "depend=afterany:7.server", "-v",
        "CONFIG,ARGS,RESTARTS,DDP_RESTART,DDP_TRAIN,DDP_TRAIN_LAUNCH",
        "-l", "select=1:ncpus=3:mpiprocs=3", "-l", "walltime=00:00:06", "-q", "work",
        "\(launch)/pbs.sh", "CONFIG=table.yaml", "ARGS=\(arguments)", "2",
      ])
    try command.waitForRanksToEnd()

    let saved = try FileManager.default.contentsOfDirectory(
      atPath: command.path("my-run/checkpoints")
    ).compactMap { Int($0.replacing("step-", with: "")) }.max()
    try command.write(endless(maxSteps: try #require(saved) + 1000), to: "table.yaml")
    let second = try run("pbs.sh", command, job(command, ["DDP_RESTART": "2"]))
    #expect(second.status == 0, "\(second.output)")
    #expect(second.output.hasPrefix("launch/pbs.sh: job 7.server, start 4, 3 ranks"))
    #expect(try command.run(["table.yaml", "output.folder=alone"]).status == 0)
    #expect(
      try command.bytes("my-run/model.safetensors") == command.bytes("alone/model.safetensors"))
  }

  @Test("pbs.sh comes back no more often than it may")
  func restarts() throws {
    let command = try table()
    defer { command.remove() }
    try command.write(endless(maxSteps: nil), to: "table.yaml")
    let result = try run("pbs.sh", command, job(command, ["RESTARTS": "1"]))
    #expect(result.status != 0)
    #expect(
      result.output.contains("; came back 1 times already, RESTARTS is 1\n  to fix:   submit"))
    #expect(!FileManager.default.fileExists(atPath: command.path("submitted")))
  }

  @Test(
    "refuse in a sentence",
    arguments: [
      (
        "slurm.sbatch", [:], ["table.yaml"],
        """
        launch/slurm.sbatch: this is a script for Slurm's queue
          to fix:   sbatch launch/slurm.sbatch CONFIG

        """
      ),
      (
        "pbs.sh", [:], [],
        """
        launch/pbs.sh: this is a script for the queue of PBS
          to fix:   CONFIG=FILE qsub -v CONFIG launch/pbs.sh

        """
      ),
      (
        "pbs.sh", ["PBS_JOBID": "7", "PBS_NODEFILE": "/nodes", "PBS_O_WORKDIR": "/"], [],
        """
        launch/pbs.sh: no config is named
          to fix:   CONFIG=FILE qsub -v CONFIG launch/pbs.sh

        """
      ),
      (
        "slurm.sbatch", ["SLURM_JOB_ID": "7", "SLURM_SUBMIT_DIR": "/", "DDP_TRAIN": "/bin/true"],
        ["table.yaml"],
        """
        launch/slurm.sbatch: the folder of the launch scripts is not found
          to fix:   set DDP_TRAIN_LAUNCH, or submit from the folder that holds launch/

        """
      ),
    ] as [(String, [String: String], [String], String)])
  func refusal(
    script: String, variables: [String: String], arguments: [String], message: String
  ) throws {
    let command = try Command()
    defer { command.remove() }
    let result = try run(script, command, variables, arguments)
    #expect(result.status == 2)
    #expect(result.output == message)
  }
}
