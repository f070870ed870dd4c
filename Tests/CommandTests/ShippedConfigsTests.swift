import Foundation
import Testing

/// Every file in `configs/` runs, for two steps and with few samples to judge by.
@Suite("Shipped configs", .serialized)
struct ShippedConfigsTests {
  static let names: [String] = {
    let folder = Command.repository.appendingPathComponent("configs").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }()

  @Test("there are configs, the main ones among them")
  func mainConfigs() {
    #expect(
      Set(Self.names).isSuperset(of: ["fashion-mnist", "fashion-mnist-best", "residual", "xor"]))
  }

  /// Networks for images of 224 x 224, 1,024 words or 5,511 frames, whose steps take seconds, with what their summary must say.
  static let large = [
    ("alexnet", "61,100,840"), ("vgg-16", "138,357,544"), ("googlenet", "6,624,904"),
    ("resnet-18", "11,689,512"), ("resnet-50", "25,557,032"), ("mobilenet-v2", "3,504,872"),
    ("efficientnet-b0", "5,288,548"), ("vit-b-16", "86,567,656"), ("gpt-2", "124,439,808"),
    ("trigger-word", "522,425"),
  ]
  static let small = names.filter { name in !large.contains { $0.0 == name } }

  @Test("has a summary with the published number of parameters", arguments: large)
  func summary(name: String, parameters: String) throws {
    let command = try Command(sharesCache: true)
    defer { command.remove() }
    let result = try command.run(["summary", name])
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    #expect(result.output.contains("\nparameters  \(parameters)\n"), "\(result.output)")
    #expect(Self.names.contains(name))
  }

  @Test("runs, resumes, evaluates", arguments: small)
  func run(name: String) throws {
    guard try hasData(name) else { return }
    let command = try Command(sharesCache: true)
    defer { command.remove() }
    let settings = ["data.dev={count: 60}", "data.test={count: 60}"]
    let quiet = settings + ["--progress", "none"]
    for steps in [1, 2] {
      let result = try command.run(ranks: 2, [name, "training.max_steps=\(steps)"] + quiet)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    }
    let evaluation = try command.run(["evaluate", name] + settings)
    #expect(evaluation.status == 0 && evaluation.errors == "", "\(evaluation.errors)")
    #expect(evaluation.output.hasPrefix("test after step 2: 60 samples"), "\(evaluation.output)")
  }

  @Test("has a summary and passes a dry run as it stands", arguments: small)
  func dryRun(name: String) throws {
    guard try hasData(name) else { return }
    let command = try Command(sharesCache: true)
    defer { command.remove() }
    for arguments in [["summary", name], [name, "--dry-run"]] {
      let result = try command.run(arguments)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    }
    #expect(try command.everything() == [:])
  }

  @Test("passes its proofs", arguments: small)
  func verify(name: String) throws {
    let command = try Command(sharesCache: true)
    defer { command.remove() }
    let result = try command.run(["verify", name])
    #expect(result.status == 0 && result.errors == "", "\(result.output)\(result.errors)")
    #expect(try command.everything() == [:])
  }

  private func hasData(_ name: String) throws -> Bool {
    let file = Command.repository.appendingPathComponent("configs/\(name).yaml")
    let words = try String(contentsOf: file, encoding: .utf8).split { $0 == " " || $0 == "\n" }
    return words.filter { $0.hasPrefix("/usr/share/") }.allSatisfy {
      FileManager.default.fileExists(atPath: String($0))
    }
  }
}
