import ArgumentParser
import Checkpoints
import Configuration
import Metrics
import Training

/// Where weights come from, go to, and what they are called there.
struct InterchangeArguments: ParsableArguments {
  @OptionGroup var config: ConfigArguments

  @Option(help: "The safetensors file to read.")
  var weights: String

  @Option(help: "The safetensors file to write.")
  var output: String

  @Option(
    help: "The other program's names; without it, the file beside the config that ends in .names.")
  var names: String?
}

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Brings another program's weights under the model's names; needs no MPI.",
    discussion: """
      Reads a state dict such as torchvision's (.safetensors) and writes a file like model.safetensors. \
      configs/*.names tells what torchvision calls the tensors of the networks in configs/.
      """)

  @OptionGroup var files: InterchangeArguments

  func run() throws {
    runAlone {
      let configuration = try files.config.load()
      let (names, place) = try WeightNames.load(files.names, of: configuration)
      let (tensors, unused) = try WeightInterchange.imported(
        try SafetensorsFile(path: files.weights), configuration.spec, names, place: place)
      try SafetensorsLayout(tensors).write(replacing: files.output)
      let rest = unused.isEmpty ? "" : "; not used: \(unused.joined(separator: ", "))"
      writeToStandardOutput("\(groupedDigits(tensors.count)) tensors in \(files.output)\(rest)\n")
    }
  }
}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Gives weights the names of another program; needs no MPI.",
    discussion: """
      Reads a file like model.safetensors and writes a state dict such as torchvision's. Batch norms' \
      num_batches_tracked is left out, which PyTorch's load_state_dict takes for 0.
      """)

  @OptionGroup var files: InterchangeArguments

  func run() throws {
    runAlone {
      let configuration = try files.config.load()
      let (names, place) = try WeightNames.load(files.names, of: configuration)
      let tensors = try WeightInterchange.exported(
        try SafetensorsFile(path: files.weights), configuration.spec, names, place: place)
      try SafetensorsLayout(tensors).write(replacing: files.output)
      writeToStandardOutput("\(groupedDigits(tensors.count)) tensors in \(files.output)\n")
    }
  }
}
