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
    return alone.mixed(with: crowded, share: occupied)
      .scaled(by: Double(localRanks) / Double(busy))
  }
}

/// Seconds of one rank.
package struct RankTimes: Equatable, Sendable {
  /// Bringing the samples of a micro-shard into the arena.
  package var loadSeconds: Double
  /// Forward and backward of one micro-shard, by operation of the plan's graph.
  package var operationSeconds: [Double]
  /// Adding one whole leaf to another.
  package var mergeSeconds: Double
  /// The norm of the summed gradient.
  package var checkSeconds: Double
  /// The update of all parameters.
  package var updateSeconds: Double
  /// Adding up what other ranks wrote, in seconds per byte read or written.
  package var sumSecondsPerByte: Double

  package init(
    loadSeconds: Double, operationSeconds: [Double], mergeSeconds: Double, checkSeconds: Double,
    updateSeconds: Double, sumSecondsPerByte: Double
  ) {
    self.loadSeconds = loadSeconds
    self.operationSeconds = operationSeconds
    self.mergeSeconds = mergeSeconds
    self.checkSeconds = checkSeconds
    self.updateSeconds = updateSeconds
    self.sumSecondsPerByte = sumSecondsPerByte
  }

  /// Forward and backward of one micro-shard.
  package var shardSeconds: Double { operationSeconds.reduce(0, +) }

  func mixed(with other: RankTimes, share: Double) -> RankTimes {
    func mix(_ path: KeyPath<RankTimes, Double>) -> Double {
      self[keyPath: path] * (1 - share) + other[keyPath: path] * share
    }
    return RankTimes(
      loadSeconds: mix(\.loadSeconds),
      operationSeconds: zip(operationSeconds, other.operationSeconds).map {
        $0 * (1 - share) + $1 * share
      }, mergeSeconds: mix(\.mergeSeconds), checkSeconds: mix(\.checkSeconds),
      updateSeconds: mix(\.updateSeconds), sumSecondsPerByte: mix(\.sumSecondsPerByte))
  }

  func scaled(by factor: Double) -> RankTimes {
    RankTimes(
      loadSeconds: factor * loadSeconds, operationSeconds: operationSeconds.map { factor * $0 },
      mergeSeconds: factor * mergeSeconds, checkSeconds: factor * checkSeconds,
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
