/// How many machine instructions a step takes.
package struct InstructionCountRow: BenchmarkRow, Equatable {
  package let config: String
  package let instructionSet: String
  package let batch: Int
  package let count: Int

  package init(config: String, instructionSet: String, batch: Int, count: Int) {
    self.config = config
    self.instructionSet = instructionSet
    self.batch = batch
    self.count = count
  }

  package static let headings = ["config", "instruction set", "batch", "instructions"]

  package var cells: [String] { [config, instructionSet, "\(batch)", "\(count)"] }
}
