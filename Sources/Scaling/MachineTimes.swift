/// What the parts of a step cost on a machine: measured by `Calibration`, or made up by a test.
package struct MachineTimes: Equatable, Sendable {
  /// Cores that were busy in `crowded`.
  package var cores: Int
  /// With the other cores idle.
  package var alone: RankTimes
  /// With a rank at work on every core: they share caches, memory and the processor's power.
  package var crowded: RankTimes
  /// From one rank's word in shared memory to another rank's reading of it.
  package var flagSeconds: Double
  /// Of each predicted host; nil: one for every rank.
  package var hostCores: Int?
  /// Of the parameters, where the ranks of a host divide check and update; nil: each rank does all of it.
  package var dividedBytes: Int?

  package init(
    cores: Int, alone: RankTimes, crowded: RankTimes, flagSeconds: Double, hostCores: Int? = nil
  ) {
    self.cores = cores
    self.alone = alone
    self.crowded = crowded
    self.flagSeconds = flagSeconds
    self.hostCores = hostCores
  }

  /// What a rank needs that shares its host with `localRanks - 1` others.
  ///
  /// Hosts are taken to have caches and memory in proportion to their cores: beyond the cores of the measured
  /// machine nothing gets slower. Below, costs grow linearly with busy cores. Ranks that share cores take turns.
  package func times(localRanks: Int) -> RankTimes {
    let busy = min(localRanks, hostCores ?? localRanks)
    let occupied = cores > 1 ? min(1, Double(busy - 1) / Double(cores - 1)) : 0
    let times = alone.mixed(with: crowded, share: occupied)
      .scaled(by: Double(localRanks) / Double(busy))
    return localRanks > 1 ? dividingUpdate(times, among: Double(localRanks)) : times
  }

  /// A rank checks and updates its slice, says so each time, and copies the weights of the others.
  private func dividingUpdate(_ times: RankTimes, among ranks: Double) -> RankTimes {
    guard let dividedBytes else { return times }
    let copied = 2 * Double(dividedBytes) * (ranks - 1) / ranks
    var times = times
    times.checkSeconds = times.checkSeconds / ranks + flagSeconds
    times.updateSeconds =
      times.updateSeconds / ranks + flagSeconds + copied * times.sumSecondsPerByte
    return times
  }
}

/// Seconds of one rank.
package struct RankTimes: Equatable, Sendable {
  /// Bringing the samples of a micro-shard into the arena.
  package var loadSeconds: Double
  /// Forward and backward of a micro-shard that goes through the network alone, by operation of the plan's graph.
  package var operationSeconds: [Double]
  /// The same of one of those that fill a pass, folding included.
  package var passSeconds: [Double]
  /// Adding one whole leaf to another.
  package var mergeSeconds: Double
  /// The norm of the summed gradient.
  package var checkSeconds: Double
  /// The update of all parameters.
  package var updateSeconds: Double
  /// Adding up what other ranks wrote, in seconds per byte read or written.
  package var sumSecondsPerByte: Double

  /// - Parameter passSeconds: nil: micro-shards go alone.
  package init(
    loadSeconds: Double, operationSeconds: [Double], passSeconds: [Double]? = nil,
    mergeSeconds: Double, checkSeconds: Double, updateSeconds: Double, sumSecondsPerByte: Double
  ) {
    self.loadSeconds = loadSeconds
    self.operationSeconds = operationSeconds
    self.passSeconds = passSeconds ?? operationSeconds
    self.mergeSeconds = mergeSeconds
    self.checkSeconds = checkSeconds
    self.updateSeconds = updateSeconds
    self.sumSecondsPerByte = sumSecondsPerByte
  }

  /// An operation of a micro-shard that goes through the network with others, `count` of them in all: what a pass costs
  /// grows evenly from that of one to that of the most, `full`.
  func seconds(ofOperation operation: Int, amongShards count: Int, full: Int) -> Double {
    guard count > 1, full > 1 else { return operationSeconds[operation] }
    let alone = operationSeconds[operation]
    let growth = (Double(full) * passSeconds[operation] - alone) / Double(full - 1)
    return (alone + Double(count - 1) * growth) / Double(count)
  }

  /// Forward and backward of one micro-shard.
  package var shardSeconds: Double { operationSeconds.reduce(0, +) }

  func mixed(with other: RankTimes, share: Double) -> RankTimes {
    func mix(_ path: KeyPath<RankTimes, Double>) -> Double {
      self[keyPath: path] * (1 - share) + other[keyPath: path] * share
    }
    func mix(_ own: [Double], _ others: [Double]) -> [Double] {
      zip(own, others).map { $0 * (1 - share) + $1 * share }
    }
    return RankTimes(
      loadSeconds: mix(\.loadSeconds),
      operationSeconds: mix(operationSeconds, other.operationSeconds),
      passSeconds: mix(passSeconds, other.passSeconds), mergeSeconds: mix(\.mergeSeconds),
      checkSeconds: mix(\.checkSeconds),
      updateSeconds: mix(\.updateSeconds), sumSecondsPerByte: mix(\.sumSecondsPerByte))
  }

  func scaled(by factor: Double) -> RankTimes {
    RankTimes(
      loadSeconds: factor * loadSeconds, operationSeconds: operationSeconds.map { factor * $0 },
      passSeconds: passSeconds.map { factor * $0 }, mergeSeconds: factor * mergeSeconds,
      checkSeconds: factor * checkSeconds,
      updateSeconds: factor * updateSeconds, sumSecondsPerByte: factor * sumSecondsPerByte)
  }
}

extension RankTimes {
  /// What ranks need on average that did the same at the same time.
  package init(meanOf ranks: [RankTimes]) {
    precondition(!ranks.isEmpty, "a mean over no ranks")
    self = ranks[0]
    for (index, rank) in ranks.enumerated().dropFirst() {
      self = mixed(with: rank, share: 1 / Double(index + 1))
    }
  }
}
