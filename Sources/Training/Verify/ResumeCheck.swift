import Checkpoints
import Collectives
import DataParallel
import Datasets
import Engine
import Foundation
import Storage

/// A step, a save, a load and a step, against two steps: the same bits in everything that a checkpoint keeps.
struct ResumeCheck {
  private let material: VerifyMaterial

  init(_ material: VerifyMaterial) {
    self.material = material
  }

  /// Saves into a folder that is gone afterwards.
  func run() throws -> VerifyFinding {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("ddp-train-verify-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let straight = try steps(of: material.replica())
    try straight.take()
    let restored = try restoredCopy(of: straight, through: CheckpointFolder(folder))
    let lost = differences(straight, restored)
    guard lost.isEmpty else {
      return VerifyFinding(
        .resume, passed: false,
        "other numbers after loading than before saving in \(shortList(lost))")
    }
    try straight.take()
    try restored.take()
    let differences = differences(straight, restored)
    return VerifyFinding(
      .resume, passed: differences.isEmpty,
      differences.isEmpty
        ? "save, load and one step give the bits of two steps, in \(hashes(straight).count) tensors"
        : "other bits after save, load and one step than after two steps in \(shortList(differences))"
    )
  }

  private func differences(_ straight: VerifySteps, _ restored: VerifySteps) -> [String] {
    let pairs = zip(hashes(straight), hashes(restored))
    let tensors = pairs.filter { $0 != $1 }.map(\.0.name)
    let (wanted, found) = (straight.replica.counters, restored.replica.counters)
    if wanted == found { return tensors }
    let counter =
      wanted.step == found.step ? "the epoch's sums" : "the step (\(found.step) for \(wanted.step))"
    return [counter] + tensors
  }

  /// Of the replica, and of what layers carry to the next step.
  private func hashes(_ steps: VerifySteps) -> [TensorHash] {
    let states = steps.states.map { states in
      states.list.enumerated().map { index, state in
        let hash = states.current(index).hash128
        return TensorHash(name: state.name, high: hash.high, low: hash.low)
      }
    }
    return steps.replica.tensorHashes() + (states ?? [])
  }

  private func steps(of replica: Replica) throws -> VerifySteps {
    try VerifySteps(material, replica, plan: material.plans.training, goesOn: true)
  }

  private func restoredCopy(
    of straight: VerifySteps, through folder: CheckpointFolder
  ) throws -> VerifySteps {
    let replica = straight.replica
    let length = RunLength(material.spec, samples: 4 * material.size.batch)
    let codec = CheckpointCodec(
      material.spec, length: length,
      statistics: NormalizationStatistics(mean: [0], deviation: [1]), settings: [:],
      resolvedConfig: "")
    var payload = replica.payload()
    if let states = straight.states {
      payload.state += try CarriedTensors.gather(states, over: SoloCollectives())
    }
    let name = try folder.save(codec.record(of: replica, isBest: false), payload)
    let loaded = try folder.load(named: name)
    let restored = Replica(material.spec, plans: material.plans)
    try restored.restore(
      loaded.record, model: loaded.model.tensors, state: loaded.state.tensors, place: loaded.path)
    let steps = try steps(of: restored)
    if let states = steps.states {
      try CarriedTensors.restore(
        loaded.state.tensors, into: states, firstRow: 0, rows: states.rows, place: loaded.path)
    }
    if case .restore(let fault) = material.fault {
      restored.plant(fault)
      if case .statesLost = fault { steps.states?.reset() }
    }
    return steps
  }
}

extension Replica {
  fileprivate func plant(_ fault: RestoreFault) {
    switch fault {
    case .optimizerStateLost:
      for index in optimizer.slotNames.indices { optimizer.slot(index).fill(0) }
    case .stepLost: counters.step = 0
    case .statisticsLost:
      for (index, statistic) in model.statisticList.enumerated() {
        model.statistic(index).fill(Float(statistic.initialValue))
      }
    case .averageLost: average?.start(from: model.parameters)
    case .statesLost: return
    case .weightsRounded:
      for index in 0..<model.parameters.count {
        model.parameters[index] = Float(
          bitPattern: model.parameters[index].bitPattern & 0xFFFF_0000)
      }
    }
  }
}
