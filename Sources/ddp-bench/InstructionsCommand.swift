import ArgumentParser
import Benchmarks
import CInstructionCount
import Collectives
import Configuration
import DataParallel
import Diagnostics
import Engine
import Kernels
import Optimizers
import Training

/// The machine instructions of a config's step, in every run of a build the same to a thousandth.
struct InstructionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instructions",
    abstract: "Machine instructions of one training step, which other programs do not disturb.",
    discussion: """
      A copy of the process takes one step of one rank, on samples of zeros, and is stopped after every \
      instruction. That takes some 30 us each: use small models. Linux only.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    runTogether(SoloCollectives()) {
      let spec = try config.load().spec
      let step = try CountedStep(spec)
      // Whatever is made on first use is there afterwards.
      try step.take()
      guard let count = countInstructions({ try? step.take() }) else {
        throw Diagnostic(
          place: "ddp-bench instructions",
          problem: "this system lets no process step through another",
          expected: "Linux, with ptrace allowed",
          remedy: "run it outside of the container or sandbox")
      }
      try report.publish(
        BenchmarkReport(
          "instructions", of: "one step of one rank", limits: Stopwatch(seconds: 0.1).limits(),
          rows: [
            InstructionCountRow(
              config: config.config, instructionSet: InstructionSet.name,
              batch: spec.training.batch, count: count)
          ]))
    }
  }
}

/// A step over samples of zeros, by one rank.
private struct CountedStep {
  private let batch: StepBatch
  private let steps: StepEngine<Float>

  init(_ spec: RunSpec) throws {
    let plans = try ModelPlans(spec)
    let replica = Replica(spec, plans: plans)
    let group = SoloCollectives()
    let summation = try GradientSummation<Float>(
      length: plans.training.leaf.count, buckets: plans.training.buckets,
      shards: spec.training.shards, over: group)
    let batchSums = plans.training.batchSumCounts
    steps = try StepEngine(
      engine: ShardEngine(
        plans.training, model: replica.model, usesClasses: spec.data.target == .classes,
        seed: spec.seed),
      model: replica.model, optimizer: replica.optimizer, average: replica.average,
      summation: summation,
      batchSums: batchSums.isEmpty
        ? nil : BatchSums(counts: batchSums, beside: summation, over: group),
      shards: spec.training.shards,
      limits: GradientLimits(norm: spec.training.clipNorm, value: spec.training.clipValue))
    steps.engine.input.fill(0)
    batch = StepBatch(
      count: spec.training.batch, step: 0, learningRate: spec.optimizer.learningRate)
  }

  func take() throws { _ = try steps.run(batch) { _ in } }
}

/// The instructions of `work`, which must neither allocate nor need another thread; nil where the system forbids to
/// count.
private func countInstructions(_ work: @escaping () -> Void) -> Int? {
  let box = Work(work)
  let count = withExtendedLifetime(box) {
    unsafe count_instructions(
      { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run()
      }, Unmanaged.passUnretained(box).toOpaque())
  }
  return count > 0 ? Int(count) : nil
}

private final class Work {
  let run: () -> Void

  init(_ run: @escaping () -> Void) {
    self.run = run
  }
}
