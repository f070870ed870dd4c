import ArgumentParser
import Collectives
import Configuration
import DataParallel
import Diagnostics
import Metrics
import Training

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Proves a config before its long run: gradients, sums over ranks, resuming and more.",
    discussion: """
      One line for each proof, ok or FAILED with the figure; exit code 0 when all pass, 1 when one fails. Large \
      models are proven on few samples and smaller inputs, in about a minute. Writes nothing. Under mpirun the \
      gradients are summed over the real ranks; alone as so many ranks would sum them.
      """)

  @OptionGroup var config: ConfigArguments

  @Option(help: ArgumentHelp("A fault to plant, which a proof must find.", visibility: .hidden))
  var mutant: String?

  func run() throws {
    runOnAllRanks(config) { configuration, collectives, watched in
      try verify(configuration, over: collectives, mutant: mutant, under: watched)
    }
  }
}

private func verify(
  _ configuration: RunConfiguration, over collectives: any Collectives, mutant name: String?,
  under watched: WatchedRank
) throws {
  let spec = configuration.spec
  let (plans, mutant) = try collectives.agree {
    var faults = DiagnosticList()
    try faults.collect { try checkRanks(collectives.ranks, spec) }
    let plans = try faults.collect { try ModelPlans(spec) }
    if let plans {
      try faults.collect { try configuration.checkCounts(outputs: plans.comparedOutputs) }
    }
    let mutant = try faults.collect { try name.map(planted) }
    try faults.throwIfAny()
    guard let plans, let mutant else { preconditionFailure("no plan and no fault") }
    return (plans, mutant)
  }
  let activity = RankActivity(step: 0)
  activity.sink = watched.sink
  let start = ContinuousClock.now
  let verification = try Verification(
    spec, plans: plans, mutant: mutant, inputPlace: configuration.place(of: "model.input"),
    over: collectives, activity: activity)
  if collectives.isRoot { writeToStandardOutput(verification.title + "\n") }
  var (proofs, failures) = (0, 0)
  let passed = try verification.run { finding in
    proofs += 1
    failures += finding.passed ? 0 : 1
    writeToStandardOutput(finding.line + "\n")
  }
  let seconds = fixedPoint((ContinuousClock.now - start).seconds, digits: 1)
  guard passed else {
    throw AgreedFailure(
      message: "\(failures) of \(proofs) proofs failed in \(seconds) s", exitCode: ExitCode.failed,
      isOrderly: true)
  }
  guard collectives.isRoot else { return }
  writeToStandardOutput("all \(proofs) proofs passed in \(seconds) s\n")
}

private func planted(_ name: String) throws -> Mutant {
  if let mutant = Mutant.named(name) { return mutant }
  let names = Mutant.all.map(\.name)
  throw Diagnostic(
    place: "--mutant \(name)", problem: "there is no such fault",
    expected: "one of \(names.joined(separator: ", "))",
    remedy: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
}
