import ArgumentParser
import Calibration
import Collectives
import Configuration
import Datasets
import Diagnostics
import Foundation
import Metrics
import Plan
import Scaling
import Training

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Memory, traffic and step time on a cluster, predicted; starts nothing over MPI.",
    discussion: """
      Measures the parts of a step on this machine for a few seconds, then walks through the execution plan \
      with a model of the network: a message costs latency + bytes / bandwidth, and the ranks of a host share its \
      link. Hosts are taken to have cores like this machine's. --simgrid writes the same steps for \
      SimGrid (Debian: libsimgrid-dev); FOLDER/replay runs them.
      """)

  @OptionGroup var config: ConfigArguments

  @Option(help: "Ranks on all hosts together.")
  var ranks = 1

  @Option(help: "Hosts that the ranks are spread over.")
  var hosts = 1

  @Option(help: "Of a host; ranks beyond them take turns. Without it there is one for every rank.")
  var cores: Int?

  @Option(help: "Of a host's link, in Gbit/s.")
  var bandwidth = NetworkModel.standard.gigabits

  @Option(help: "Of a message between hosts, in microseconds.")
  var latency = NetworkModel.standard.microseconds

  @Option(help: "Samples per step over all ranks, as training.batch=N.")
  var batch: Int?

  @Option(help: "A folder for traces, platform and replay script, made anew.")
  var simgrid: String?

  func run() throws {
    runAlone {
      var config = config
      if let batch { config.overrides.append("training.batch=\(batch)") }
      try check()
      let configuration = try config.load()
      try checkRanks(ranks, configuration.spec, place: "--ranks \(ranks)")
      try checkStatistics(ranks: ranks, configuration.spec)
      let report = try report(configuration)
      writeToStandardOutput(report.text)
    }
  }

  private func report(_ configuration: RunConfiguration) throws -> ScalingReport {
    let spec = configuration.spec
    let plans = try ModelPlans(spec)
    try configuration.checkCounts(outputs: plans.comparedOutputs)
    let cluster = Cluster(ranks: ranks, hosts: hosts)
    let network = NetworkModel(gigabits: bandwidth, microseconds: latency)
    var times = MachineMeasurement.measure(
      spec, plans: plans, data: availableData(spec, plans),
      cores: ProcessInfo.processInfo.activeProcessorCount)
    times.hostCores = cores
    let count = plans.graph.parameterCount
    if spec.optimizer.state.shards(parameterCount: count) {
      times.dividedBytes = count * MemoryLayout<Float>.stride
    }
    func plan(bucketBytes: Int) throws -> ExecutionPlan {
      try ModelPlans(spec, bucketBytes: bucketBytes).training
    }
    if let simgrid {
      try SimGridFolder(simgrid).write(
        shards: spec.training.shards, times: times, cluster: cluster, network: network, plan: plan)
    }
    return ScalingReport(
      try ScalingCurve(
        shards: spec.training.shards, times: times, cluster: cluster, network: network, plan: plan),
      batch: spec.training.batch, shards: spec.training.shards,
      memory: plans.memory(spec, on: cluster), times: times, cluster: cluster, network: network)
  }

  /// The training data, or nothing and a warning where a cluster's data are not on this machine.
  private func availableData(_ spec: RunSpec, _ plans: ModelPlans) -> LoadedData? {
    do {
      try LoadedData.prepare(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
      let data = try LoadedData.open(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
      try data.shape.checkInput(
        ofModel: spec.model.input, inputs: spec.model.inputs.map(\.name), place: "model.input")
      return data
    } catch {
      printError("warning: loading is not counted, as the data cannot be read\n\(error)")
      return nil
    }
  }

  private func check() throws {
    var faults = DiagnosticList()
    func require(
      _ holds: Bool, _ place: String, _ problem: String, _ expected: String, _ remedy: String
    ) {
      if holds { return }
      faults.append(
        Diagnostic(place: place, problem: problem, expected: expected, remedy: remedy))
    }
    require(
      ranks > 0, "--ranks \(ranks)", "there is no such cluster", "1 or more ranks", "use 1")
    require(
      (1...max(ranks, 1)).contains(hosts), "--hosts \(hosts)",
      "\(ranks) ranks cannot use \(hosts) hosts", "1 to \(max(ranks, 1)) hosts",
      "use at most as many hosts as ranks")
    require(
      cores ?? 1 > 0, "--cores \(cores ?? 1)", "no host has so few cores", "1 or more cores",
      "leave --cores out for hosts with a core for every rank")
    require(
      bandwidth > 0 && bandwidth.isFinite, "--bandwidth \(bandwidth)", "no link has this bandwidth",
      "a positive number of Gbit/s", "use 10 for 10-gigabit Ethernet")
    require(
      latency >= 0 && latency.isFinite, "--latency \(latency)", "no network has this latency",
      "0 or more microseconds", "use 30 for TCP over Ethernet, 2 for InfiniBand")
    require(
      simgrid == nil || hosts < 1 || ranks % hosts == 0, "--simgrid",
      "\(ranks) ranks on \(hosts) hosts are uneven",
      "equally many ranks on every host", "make --ranks a multiple of \(hosts)")
    try faults.throwIfAny()
  }
}
