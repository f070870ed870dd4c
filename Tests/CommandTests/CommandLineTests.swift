import Foundation
import Testing

@Suite("Commands", .serialized)
struct CommandLineTests {
  @Test(
    "--help of each command",
    arguments: [[], ["train"], ["evaluate"], ["summary"], ["plan"], ["probe"], ["version"]])
  func help(command name: [String]) throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run(name + ["--help"])
    #expect(result.status == 0 && result.errors == "")
    let usage = (["USAGE: ddp-train"] + name).joined(separator: " ")
    #expect(result.output.contains(usage), "\(result.output)")
  }

  @Test("version says version, revision, MPI and instruction set")
  func version() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run(["version"])
    #expect(result.status == 0 && result.errors == "")
    let pattern = try Regex(
      """
      ddp-train [0-9]+\\.[0-9]+\\.[0-9]+
      revision  .+
      MPI       Open MPI .+
      processor .+

      """)
    #expect(try pattern.wholeMatch(in: result.output) != nil, "\(result.output)")
  }

  @Test("summary shows layers, shapes and counts, and the plan on request")
  func summary() throws {
    let command = try Command.images()
    defer { command.remove() }
    let before = try command.everything()
    let result = try command.run(["summary", "images.yaml"])
    #expect(result.status == 0 && result.errors == "")
    let table = """
      layer     kind     output     parameters   forward
      input              4 x 4 x 1
      layers.0  conv2d   2 x 2 x 3          30  216 FLOP
      layers.1  relu     2 x 2 x 3
      layers.2  flatten  12
      layers.3  dense    4                  52   96 FLOP

      parameters  82
      operations  312 FLOP forward, 720 FLOP in training, per sample

      """
    #expect(result.output.hasPrefix(table), "\(result.output)")
    let plan = try command.run(["summary", "images.yaml", "--plan"])
    #expect(plan.output.hasPrefix(result.output + "\nplan: "))
    #expect(plan.output.hasSuffix("  check finite, clip\n  update bucket 0\n"))
    #expect(try command.everything() == before)
  }

  @Test("--dry-run does everything but the steps, and writes nothing", arguments: [nil, 2])
  func dryRun(ranks: Int?) throws {
    let command = try Command.images()
    defer { command.remove() }
    let before = try command.everything()
    let result = try command.run(ranks: ranks, ["images.yaml", "--dry-run"])
    #expect(result.status == 0 && result.errors == "")
    #expect(
      result.output.hasPrefix("run        images\nconfig     images.yaml\noutput     runs/images\n")
    )
    #expect(result.output.hasSuffix("\ndry run: everything is ready; nothing was written\n"))
    #expect(try command.everything() == before)
  }

  @Test("a run leaves its files in the run folder")
  func runFolder() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(ranks: 2, ["table.yaml", "--progress", "none"])
    #expect(result.status == 0 && result.errors == "")
    let files = try FileManager.default.contentsOfDirectory(atPath: command.path("runs/table"))
    #expect(
      files.sorted() == [
        ".lock", "checkpoints", "config.resolved.yaml", "metrics.jsonl", "model.safetensors",
        "predictions.csv", "summary.txt",
      ])
    // What the run says at its end is what the file's tools say.
    let digest = try #require(result.output.split(separator: "\n").last { $0.hasPrefix("sha256 ") })
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tool.arguments = ["sha256sum", command.path("runs/table/model.safetensors")]
    let pipe = Pipe()
    tool.standardOutput = pipe
    try tool.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    tool.waitUntilExit()
    #expect(digest.split(separator: " ")[1] == said.split(separator: " ")[0])
    #expect(try command.read("runs/table/predictions.csv").split(separator: "\n").count == 1 + 41)
    #expect(try command.read("runs/table/summary.txt").contains(digest.split(separator: " ")[1]))
  }

  @Test("the resolved config gives the same run")
  func resolvedConfig() throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(try command.run(["table.yaml", "--progress", "none"]).status == 0)
    let again = ["runs/table/config.resolved.yaml", "output.folder=again", "--progress", "none"]
    let result = try command.run(again)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      try command.bytes("again/model.safetensors") == command.bytes("runs/table/model.safetensors"))
  }

  @Test("the same command after the end trains nothing and says the same")
  func again() throws {
    let command = try Command.table()
    defer { command.remove() }
    let arguments = ["table.yaml", "--progress", "none"]
    #expect(try command.run(arguments).status == 0)
    let model = try command.bytes("runs/table/model.safetensors")
    let log = try command.bytes("runs/table/metrics.jsonl")
    let summary = try command.run(ranks: 3, arguments)
    #expect(summary.status == 0 && summary.errors == "")
    #expect(try command.bytes("runs/table/model.safetensors") == model)
    #expect(try command.bytes("runs/table/metrics.jsonl") == log)
  }

  @Test(
    "evaluate reports on every part, from the newest or a named checkpoint",
    arguments: [
      ([], "test after step 27: 41 samples"), (["--part", "dev"], "dev after step 27: 37 samples"),
      (["--part", "train"], "train after step 27: 198 samples"),
      (["--checkpoint", "step-00000018"], "test after step 18: 41 samples"),
    ])
  func evaluate(options: [String], title: String) throws {
    let command = try Command.table()
    defer { command.remove() }
    // In two parts: in one go the checkpoint of step 18 may not be written in time.
    let quiet = ["table.yaml", "--progress", "none"]
    #expect(try command.run(quiet + ["training.max_steps=18"]).status == 0)
    let run = try command.run(quiet)
    #expect(run.status == 0)
    let before = try command.everything()
    let alone = try command.run(["evaluate", "table.yaml"] + options)
    #expect(alone.status == 0 && alone.errors == "")
    #expect(alone.output.hasPrefix(title + ", loss 0."), "\(alone.output)")
    let together = try command.run(ranks: 3, ["evaluate", "table.yaml"] + options)
    #expect(together.output == alone.output)
    #expect(try command.everything() == before)
    // The report at the end of the run is on the test part with the newest weights.
    if options == [] {
      let report = alone.output.drop { $0 != "\n" }
      #expect(run.output.contains(report))
    }
  }

  @Test("evaluate of a part that the config does not have")
  func noPart() throws {
    let command = try Command.images()
    defer { command.remove() }
    #expect(try command.run(["images.yaml", "--progress", "none"]).status == 0)
    try expectRefusal(
      command, ["evaluate", "images.yaml", "--part", "dev"],
      """
      --part dev: the config has no dev data
        expected: a part that the data section names or cuts
        to fix:   add data.dev, or choose another part
      """)
  }
}
