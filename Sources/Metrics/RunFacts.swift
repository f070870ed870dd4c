/// What is known about a run before its first step: the header on the terminal and in `summary.txt`.
package struct RunFacts: Equatable, Sendable {
  package struct Host: Equatable, Sendable {
    package var name: String
    package var ranks: Int

    package init(name: String, ranks: Int) {
      self.name = name
      self.ranks = ranks
    }
  }

  /// Samples in each part; nil: the run has no such part.
  package struct DataCounts: Equatable, Sendable {
    package var train: Int
    package var dev: Int?
    package var test: Int?

    package init(train: Int, dev: Int?, test: Int?) {
      self.train = train
      self.dev = dev
      self.test = test
    }
  }

  package var name: String
  package var configPath: String
  package var outputFolder: String
  /// In the order of their first ranks.
  package var hosts: [Host]
  /// Where the ranks run on their hosts, by whose decision; a line or a few.
  package var placement: [String]
  /// Samples per step over all ranks.
  package var batch: Int
  package var shards: Int
  package var epochs: Int
  package var steps: Int
  package var data: DataCounts
  /// Training samples by length; nil: not shown.
  package var lengths: String?
  package var parameters: Int
  /// Operations for one sample: forward only, and forward with backward.
  package var forwardOperations: Double
  package var trainingOperations: Double
  /// The arena, weights, gradients and optimizer state of one rank.
  package var bytesPerRank: Int
  /// What those are made of; nil: not shown.
  package var memoryParts: String?
  /// Who holds the optimizer's state; nil: not shown.
  package var state: String?
  package var instructionSet: String
  package var seed: UInt64
  /// The step at which the run resumes; nil: it starts at the beginning.
  package var resumedStep: Int?
  /// nil: not shown.
  package var rate: RateFact?
  /// When the batch job ends and how long before it the run stops; nil: not known.
  package var jobEnd: String?
  /// How samples follow each other; nil: shuffled in every epoch.
  package var order: String?
  /// Why the result is not the same on any number of ranks; empty: it is.
  package var bits: [String] = []

  package init(
    name: String, configPath: String, outputFolder: String, hosts: [Host],
    placement: [String] = [], batch: Int, shards: Int, epochs: Int, steps: Int, data: DataCounts,
    parameters: Int, forwardOperations: Double,
    trainingOperations: Double, bytesPerRank: Int, instructionSet: String, seed: UInt64,
    resumedStep: Int?
  ) {
    self.name = name
    self.configPath = configPath
    self.outputFolder = outputFolder
    self.hosts = hosts
    self.placement = placement
    self.batch = batch
    self.shards = shards
    self.epochs = epochs
    self.steps = steps
    self.data = data
    self.parameters = parameters
    self.forwardOperations = forwardOperations
    self.trainingOperations = trainingOperations
    self.bytesPerRank = bytesPerRank
    self.instructionSet = instructionSet
    self.seed = seed
    self.resumedStep = resumedStep
  }

  /// The header, one fact per line.
  package var lines: [String] {
    var table = TextTable([.left, .left])
    table.append(["run", name])
    table.append(["config", configPath])
    table.append(["output", outputFolder])
    table.append(["ranks", ranksText])
    for (index, line) in placement.enumerated() {
      table.append([index == 0 ? "placement" : "", line])
    }
    table.append(["processor", instructionSet])
    table.append(["batch", "\(groupedDigits(batch)) = \(shards) shards x \(batch / shards)"])
    table.append(["data", dataText])
    if let order { table.append(["order", order]) }
    if let lengths { table.append(["lengths", lengths]) }
    table.append(["model", "\(groupedDigits(parameters)) parameters, \(operationsText)"])
    let parts = memoryParts.map { ": \($0)" } ?? ""
    table.append(["memory", "\(byteCountText(bytesPerRank)) per rank\(parts)"])
    if let state { table.append(["state", state]) }
    table.append(["schedule", scheduleText])
    if let rate { table.append(["rate", rate.text]) }
    for (index, line) in bits.enumerated() { table.append([index == 0 ? "bits" : "", line]) }
    if let jobEnd { table.append(["job ends", jobEnd]) }
    table.append(["seed", "\(seed)"])
    return table.lines
  }

  /// `2 on node1`, `8 on 2 hosts: node1 (4), node2 (4)`, `64 on 8 hosts, 8 on each`.
  private var ranksText: String {
    let total = hosts.reduce(0) { $0 + $1.ranks }
    if hosts.count == 1 { return "\(total) on \(hosts[0].name)" }
    let text = "\(total) on \(hosts.count) hosts"
    if hosts.count <= 4 {
      return "\(text): " + hosts.map { "\($0.name) (\($0.ranks))" }.joined(separator: ", ")
    }
    let least = hosts.map(\.ranks).min() ?? 0
    let most = hosts.map(\.ranks).max() ?? 0
    return least == most ? "\(text), \(most) on each" : "\(text), \(least) to \(most) on each"
  }

  private var dataText: String {
    let parts = [("train", data.train), ("dev", data.dev), ("test", data.test)]
    return parts.compactMap { name, count in count.map { "\(groupedDigits($0)) \(name)" } }
      .joined(separator: ", ")
  }

  private var operationsText: String {
    let forward = operationCountText(forwardOperations)
    let training = operationCountText(trainingOperations)
    return "per sample \(forward) forward, \(training) in training"
  }

  private var scheduleText: String {
    let total = "\(epochs) epoch\(epochs == 1 ? "" : "s"), \(groupedDigits(steps)) steps"
    return resumedStep.map { "\(total), resuming at step \(groupedDigits($0))" } ?? total
  }
}
