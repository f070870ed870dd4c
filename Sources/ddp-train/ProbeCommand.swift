import ArgumentParser
import Checkpoints
import Graph
import Training

struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "One forward and backward pass from given weights on given arrays.",
    discussion: """
      For comparing with another framework. --inputs holds input [N, H, W, C] or [N, C] and target (class \
      numbers [N], or rows [N, outputs]). --output gets output, loss, gradient.<parameter> and \
      gradient.input; penalties (optimizer.l2, optimizer.l1) are part of the loss. All samples are one \
      micro-shard. In --train mode dropout draws the masks of step 0.
      """)

  @OptionGroup var config: ConfigArguments

  @Option(help: "Weights, named and laid out as in model.safetensors.")
  var weights: String

  @Option(help: "A safetensors file with input and target.")
  var inputs: String

  @Option(help: "The safetensors file to write.")
  var output: String

  @Option(help: "Precision to compute in: float32 or float64.")
  var scalar = ScalarOption.float32

  @Flag(help: "Batch norm and dropout as in training (--train) or as in use (--evaluate).")
  var mode = ModeOption.train

  enum ScalarOption: String, ExpressibleByArgument, CaseIterable {
    case float32, float64
  }

  enum ModeOption: String, EnumerableFlag {
    case train, evaluate
  }

  func run() throws {
    runAlone {
      let spec = try config.load().spec
      let files = Probe.Files(weights: weights, inputs: inputs)
      let graphMode = mode == .train ? GraphMode.training : .evaluation
      let tensors =
        switch scalar {
        case .float32: try Probe.run(spec, files: files, mode: graphMode, scalar: Float.self)
        case .float64: try Probe.run(spec, files: files, mode: graphMode, scalar: Double.self)
        }
      try SafetensorsLayout(tensors).write(replacing: output)
    }
  }
}
