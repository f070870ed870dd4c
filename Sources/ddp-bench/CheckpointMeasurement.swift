import Benchmarks
import Checkpoints
import Storage
import Training

/// Copies, saves and loads a replica's state, each beside its limit for the same bytes.
struct CheckpointMeasurement {
  private let replica: Replica
  private let place: Folder
  private let seed: UInt64
  private let byteCount: Int
  private let bytes: AlignedMemory<UInt8>
  private let target: AlignedMemory<UInt8>

  init(_ replica: Replica, in place: Folder, seed: UInt64) {
    self.replica = replica
    self.place = place
    self.seed = seed
    byteCount = replica.payload().byteCount
    bytes = AlignedMemory(count: byteCount)
    target = AlignedMemory(count: byteCount)
    bytes.block.fill(7)
    target.block.fill(1)
  }

  func rows(rounds: Int) throws -> [CheckpointRow] {
    let folder = CheckpointFolder(place.path(to: "checkpoints"))
    let payload = replica.payload()
    let record = CheckpointRecord(step: 1, epoch: 0, samplesIntoEpoch: 0, seed: seed)
    // In turns, so that all see the machine alike.
    var times: [[Double]] = Array(repeating: [], count: 6)
    for _ in 0..<rounds {
      times[0].append(try seconds { _ = replica.payload() })
      times[1].append(try seconds { target.block.copy(from: bytes.block) })
      times[2].append(try seconds { _ = try folder.save(record, payload) })
      times[3].append(try seconds(writePlainFile))
      let name = CheckpointFolder.name(step: 1)
      times[4].append(try seconds { try read(try folder.load(named: name)) })
      times[5].append(try seconds { _ = SHA256.hex(of: bytes.block) })
    }
    let median = times.map(\.median)
    return [
      row("copy", median[0], "memory copy", median[1]),
      row("save", median[2], "disk, one synced file", median[3]),
      row("load", median[4], "SHA-256", median[5]),
    ]
  }

  private func row(
    _ part: String, _ seconds: Double, _ limit: String, _ limitSeconds: Double
  ) -> CheckpointRow {
    CheckpointRow(
      part: part, byteCount: byteCount, seconds: seconds, limit: limit, limitSeconds: limitSeconds)
  }

  /// Takes over the numbers, as a resume does.
  private func read(_ checkpoint: LoadedCheckpoint) throws {
    try replica.restore(
      checkpoint.record, model: checkpoint.model.tensors, state: checkpoint.state.tensors,
      place: checkpoint.path)
  }

  private func writePlainFile() throws {
    var file = try OutputFile(path: place.path(to: "plain"))
    try file.write(bytes.block)
    try file.finish()
  }

  private func seconds(_ work: () throws -> Void) throws -> Double {
    let start = ContinuousClock.now
    try work()
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
