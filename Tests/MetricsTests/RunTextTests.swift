import Diagnostics
import Foundation
import Metrics
import Testing

@Suite("Run header, epoch table and summary")
struct RunTextTests {
  private var facts = RunFacts(
    name: "fashion-mnist", configPath: "configs/fashion-mnist.yaml",
    outputFolder: "runs/fashion-mnist", hosts: [.init(name: "node1", ranks: 2)], batch: 512,
    shards: 8, epochs: 3, steps: 318, data: .init(train: 54_000, dev: 6_000, test: 10_000),
    parameters: 123_466, forwardOperations: 4.5e6, trainingOperations: 13.2e6,
    bytesPerRank: 42_300_000, instructionSet: "AVX-512", seed: 1, resumedStep: nil)

  private let epochs = [
    EpochRecord(
      step: 106, epoch: 1, train: .init(loss: 0.61234, metric: 0.78424),
      dev: .init(loss: 0.4012, metric: 0.857), duration: .seconds(20), isBest: true),
    EpochRecord(
      step: 212, epoch: 2, train: .init(loss: 0.3, metric: 0.89), dev: nil, duration: .seconds(125),
      isBest: false),
  ]

  private static let header = [
    "run        fashion-mnist",
    "config     configs/fashion-mnist.yaml",
    "output     runs/fashion-mnist",
    "ranks      2 on node1",
    "processor  AVX-512",
    "batch      512 = 8 shards x 64",
    "data       54,000 train, 6,000 dev, 10,000 test",
    "model      123,466 parameters, per sample 4.50 MFLOP forward, 13.2 MFLOP in training",
    "memory     42.3 MB per rank",
    "schedule   3 epochs, 318 steps",
    "seed       1",
  ]

  private static let table = [
    "epoch     step  train loss  train accuracy    dev loss  dev accuracy     time",
    "    1      106      0.6123          78.42%      0.4012        85.70%     0:20  best",
    "    2      212      0.3000          89.00%           -             -     2:05",
  ]

  @Test("the header names every fact on a line of its own")
  func header() {
    #expect(facts.lines == Self.header)
  }

  @Test(
    "the rate is shown with what was made of it",
    arguments: [
      (RateFact(given: 0.002), "0.002"),
      (RateFact(given: 0.002, warmupSteps: 1500), "0.002, rising from 0 in the first 1,500 steps"),
      (
        RateFact(
          given: 0.006, scaling: .init(rule: "linear", factor: 8, batch: 1024, baseBatch: 128),
          warmupSteps: 100),
        "0.048 = 0.006 x 8 (linear, batch 1,024 for 128), rising from 0.006 in the first 100 steps"
      ),
      (
        RateFact(
          given: 0.01, scaling: .init(rule: "square_root", factor: 0.5, batch: 32, baseBatch: 128),
          warmupSteps: 2),
        "0.005 = 0.01 x 0.5 (square_root, batch 32 for 128), rising from 0 in the first 2 steps"
      ),
    ])
  func rate(rate: RateFact, text: String) {
    var facts = facts
    facts.rate = rate
    #expect(facts.lines[10] == "rate       \(text)")
  }

  @Test(
    "ranks are counted per host",
    arguments: [
      ([3, 1], "4 on 2 hosts: n0 (3), n1 (1)"), ([8, 8, 8, 8, 8], "40 on 5 hosts, 8 on each"),
      ([8, 8, 8, 8, 2], "34 on 5 hosts, 2 to 8 on each"),
    ])
  func hosts(ranks: [Int], text: String) {
    var facts = facts
    facts.hosts = ranks.enumerated().map { .init(name: "n\($0)", ranks: $1) }
    #expect(facts.lines[3] == "ranks      \(text)")
  }

  @Test("a resumed run says where it goes on, and parts that do not exist are not mentioned")
  func resumed() {
    var facts = facts
    facts.data = .init(train: 100, dev: nil, test: nil)
    (facts.epochs, facts.steps, facts.resumedStep) = (1, 4000, 1037)
    #expect(facts.lines[6] == "data       100 train")
    #expect(facts.lines[9] == "schedule   1 epoch, 4,000 steps, resuming at step 1,037")
  }

  @Test("the epoch table prints its heading once")
  func table() {
    var table = EpochTable(.accuracy)
    #expect(epochs.flatMap { table.lines(for: $0) } == Self.table)
  }

  @Test("the summary joins header, epochs, test result, time and digest")
  func summary() throws {
    var time = TimeSplit()
    time.compute = .seconds(30)
    time.other = .seconds(10)
    let summary = RunSummary(
      facts: facts, label: .accuracy, epochs: epochs, reportTitle: "test", report: ["accuracy 92%"],
      times: RankTimes([time]), weightsDigest: "0123abcd")
    let closing = [
      "", "test", "accuracy 92%", "", "time", "compute        30.0 s   75.0%",
      "communication   0.0 s    0.0%", "waiting         0.0 s    0.0%",
      "data            0.0 s    0.0%", "checkpoint      0.0 s    0.0%",
      "evaluation      0.0 s    0.0%", "other          10.0 s   25.0%",
      "total          40.0 s  100.0%", "",
      "sha256 0123abcd  model.safetensors",
    ]
    #expect(summary.closingLines == closing)
    let whole = Self.header + [""] + Self.table + closing
    #expect(summary.text == whole.joined(separator: "\n") + "\n")

    let path = FileManager.default.temporaryDirectory.path + "/summary-\(UUID().uuidString).txt"
    try writeFile(summary.text, to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == summary.text)
    try FileManager.default.removeItem(atPath: path)
  }

  @Test("without a test part the summary has no result section")
  func noReport() {
    let summary = RunSummary(
      facts: facts, label: .accuracy, epochs: [], reportTitle: "test", report: [],
      times: RankTimes([.init()]),
      weightsDigest: "ff")
    #expect(summary.closingLines.prefix(2) == ["", "time"])
  }
}
