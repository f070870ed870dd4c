import ArgumentParser
import CBuildInformation
import Kernels
import MPICollectives
import Metrics

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Version, git revision, MPI library and instruction set.")

  static let number = "0.1.0"

  func run() throws {
    let bytes = (0..<ddp_revision_byte_count()).map(ddp_revision_byte)
    writeToStandardOutput(
      """
      ddp-train \(Self.number)
      revision  \(String(decoding: bytes, as: UTF8.self))
      MPI       \(MPIWorld.libraryVersion)
      processor \(InstructionSet.name)

      """)
  }
}
