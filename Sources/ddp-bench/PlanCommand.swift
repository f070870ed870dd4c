import ArgumentParser
import Benchmarks
import Calibration
import Collectives
import Configuration
import Datasets
import Plan
import Scaling
import Training

/// Every instruction of a plan beside the least time that it can take.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Time of every instruction of a config's plan, and how far it is from its floor.",
    discussion: """
      The floor of an instruction is max(operations / peak of multiply-adds, bytes / speed of copying as many \
      bytes), both measured on this core. Times are of one micro-shard (fold, check and update: of the whole \
      leaf or model), one rank, the mean of many without the slowest twentieth.
      """)

  @OptionGroup var config: ConfigOptions

  @Option(help: "Seconds spent on the instructions.")
  var seconds = 2.0

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard seconds > 0 else { throw ValidationError("--seconds \(seconds) is not above 0") }
  }

  func run() throws {
    runTogether(SoloCollectives()) {
      let spec = try config.load().spec
      let plans = try ModelPlans(spec)
      try LoadedData.prepare(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
      let data = try LoadedData.open(
        spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
      let limits = Stopwatch(seconds: 0.1).limits()
      let times = MachineMeasurement.oneRank(spec, plans: plans, data: data, seconds: seconds)
      try report.publish(
        BenchmarkReport(
          "plan", of: "\(config.config), micro-shards of \(plans.training.capacity)",
          limits: limits, rows: rows(spec, plans.training, times, limits)))
    }
  }

  private func rows(
    _ spec: RunSpec, _ plan: ExecutionPlan, _ times: RankTimes, _ limits: MachineLimits
  ) -> [InstructionRow] {
    func row(_ work: InstructionWork, _ seconds: Double) -> InstructionRow {
      InstructionRow(work, seconds: seconds, limits: limits)
    }
    let buffers = 1 + spec.optimizer.rule.slotNames.count + (spec.training.emaDecay == nil ? 0 : 1)
    let rows =
      [row(plan.loadWork, times.loadSeconds)]
      + zip(plan.operationWork, times.operationSeconds).map(row)
      + [
        row(plan.foldWork, times.mergeSeconds), row(plan.checkWork, times.checkSeconds),
        row(plan.updateWork(buffers: buffers), times.updateSeconds),
      ]
    return rows + [InstructionRow(totalOf: rows)]
  }
}

/// A config with overrides.
struct ConfigOptions: ParsableArguments {
  @Argument(help: "A YAML file, or the name of one in configs/.")
  var config: String

  @Argument(help: "Overrides such as training.shards=4.")
  var overrides: [String] = []

  func load() throws -> RunConfiguration {
    try RunConfiguration.load(config, overrides: overrides)
  }
}
