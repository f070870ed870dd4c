import ArgumentParser
import Metrics
import Scaling
import Training

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract:
      "Layers with shapes, parameters and operations, and the memory of a rank; needs no MPI.")

  @OptionGroup var config: ConfigArguments

  @Flag(help: "Print the execution plan of a training step too.")
  var plan = false

  func run() throws {
    runAlone {
      let configuration = try config.load()
      let plans = try ModelPlans(configuration.spec)
      try configuration.checkCounts(outputs: plans.comparedOutputs)
      writeToStandardOutput(try text(configuration.spec, plans))
      if plan { writeToStandardOutput("\n" + plans.training.text) }
    }
  }

  private func text(_ spec: RunSpec, _ plans: ModelPlans) throws -> String {
    var table = TextTable([.left, .left, .left, .right, .right])
    table.append(["layer", "kind", "output", "parameters", "forward"])
    let inputs =
      spec.model.inputs.isEmpty
      ? [("input", plans.graph.inputShape)]
      : spec.model.inputs.map { ("input.\($0.name)", $0.shape) }
    for (name, shape) in inputs { table.append([name, "", shapeText(shape), "", ""]) }
    for layer in plans.graph.layers {
      table.append([
        layer.path, layer.kind, shapeText(layer.outputShape),
        layer.parameterCount == 0 ? "" : groupedDigits(layer.parameterCount),
        layer.forwardFLOPs == 0 ? "" : operationCountText(Double(layer.forwardFLOPs)),
      ])
    }
    let memory = plans.memory(spec, on: Cluster(ranks: 1, hosts: 1))
    var facts = [
      "parameters  \(groupedDigits(plans.graph.parameterCount))",
      "operations  \(operationCountText(Double(plans.forwardFLOPs))) forward, "
        + "\(operationCountText(Double(plans.flopsPerSample))) in training, per sample",
      "memory      \(byteCountText(memory.byteCount)) on one rank, of it "
        + "\(byteCountText(memory["activations"])) for the activations of "
        + "\(plans.training.passCapacity) samples",
    ]
    if let line = buckets(plans) { facts.append(line) }
    if let line = try recomputation(spec, plans) { facts.append(line) }
    return (table.lines + [""] + facts).joined(separator: "\n") + "\n"
  }

  /// What a sample of each length bucket costs; nil: there is one length.
  private func buckets(_ plans: ModelPlans) -> String? {
    guard !plans.shorter.isEmpty else { return nil }
    let costs = (plans.shorter + [plans.training]).map { plan in
      let operations = plan.graph.operations.reduce(0) { $0 + $1.kind.flops }
      return "\(operationCountText(Double(operations))) up to \(plan.graph.inputShape[0]) steps"
    }
    return "buckets     in training \(costs.joined(separator: ", "))"
  }

  /// What `training.recompute` costs and saves; nil: nothing is computed again.
  private func recomputation(_ spec: RunSpec, _ plans: ModelPlans) throws -> String? {
    guard spec.training.recompute != .nothing else { return nil }
    var keeping = spec
    keeping.training.recompute = .nothing
    let kept = try ModelPlans(keeping).memory(keeping, on: Cluster(ranks: 1, hosts: 1))
    let blocks = plans.graph.recomputedBlockCount
    return "recompute   \(blocks) block\(blocks == 1 ? "" : "s"), "
      + "\(operationCountText(Double(plans.graph.recomputedFLOPs))) of a sample a second time; "
      + "without it \(byteCountText(kept["activations"])) for the activations"
  }

  private func shapeText(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " x ")
  }
}
