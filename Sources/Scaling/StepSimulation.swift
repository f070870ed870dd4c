import DataParallel
import Plan

/// Walks all hosts through a planned step with measured times and a model of the network.
///
/// Of every host the rank with the most micro-shards is followed; its neighbours are taken to do the same at
/// the same time. It computes its micro-shards one after another. In the last of them every finished bucket is
/// started, and sums move on only when the plan polls or waits, as in `GradientSummation`; buckets take the
/// stages of their `SumRoute`. The host whose clock is behind acts first, so that messages are seen in order.
package struct StepSimulation {
  private var walks: [HostWalk]
  private var messages: MessagesUnderWay

  /// - Parameters:
  ///   - programs: By host.
  ///   - buckets: What the programs sum.
  package static func run(
    _ programs: [StepProgram], buckets: [Range<Int>], _ layout: HostLayout, times: MachineTimes,
    network: NetworkModel
  ) -> [StepTrace] {
    var simulation = StepSimulation(programs, buckets, layout, times, network)
    while simulation.goOn() {}
    return simulation.walks.enumerated().map { host, walk in
      precondition(walk.mood == .done, "host \(host) of \(layout.hosts) waits for ever")
      return StepTrace(
        actions: walk.trace, computeSeconds: programs[host].computeSeconds, endSeconds: walk.now)
    }
  }

  /// A step of the plan on every host.
  package static func run(
    _ plan: ExecutionPlan, _ layout: HostLayout, times: MachineTimes, network: NetworkModel,
    overlaps: Bool = true
  ) -> [StepTrace] {
    let programs = layout.hosts.indices.map { host in
      StepProgram(
        plan, shards: layout.mostShards(onHost: host), of: layout.shards,
        times: times.times(localRanks: layout.hosts[host].count),
        smallSumSeconds: smallSumSeconds(layout, host: host, times, network), overlaps: overlaps)
    }
    return run(programs, buckets: plan.buckets, layout, times: times, network: network)
  }

  /// Of a few numbers, which cost nothing but their way there and back.
  private static func smallSumSeconds(
    _ layout: HostLayout, host: Int, _ times: MachineTimes, _ network: NetworkModel
  ) -> Double {
    let rounds = (1...).first { 1 << $0 >= layout.hosts.count } ?? 1
    let inside = layout.hosts[host].count > 1 ? 2 * times.flagSeconds : 0
    return inside + (layout.hosts.count > 1 ? Double(2 * rounds) * network.latencySeconds : 0)
  }

  private init(
    _ programs: [StepProgram], _ buckets: [Range<Int>], _ layout: HostLayout,
    _ times: MachineTimes, _ network: NetworkModel
  ) {
    let routes = buckets.map { SumRoute.ofSlice(0, bucket: $0, layout) }
    walks = layout.hosts.indices.map { host in
      let ranks = layout.hosts[host]
      return HostWalk(
        programs[host], routes: routes.map { $0[host] },
        slices: ranks.map { layout.slices(ofRank: $0).count }.max() ?? 1,
        secondsPerByte: times.times(localRanks: ranks.count).sumSecondsPerByte,
        flagSeconds: ranks.count > 1 ? times.flagSeconds : 0)
    }
    messages = MessagesUnderWay(network, hosts: walks.count, copies: layout.sliceCount)
  }

  /// Whether anything is left to happen.
  private mutating func goOn() -> Bool {
    var first: (host: Int, time: Double)?
    for (host, walk) in walks.enumerated() {
      guard let time = walk.nextTime(messages.alarms[host]) else { continue }
      if time < first?.time ?? .infinity { first = (host, time) }
    }
    if let end = messages.nextEnd, end <= first?.time ?? .infinity {
      messages.end()
    } else if let first {
      act(first.host, at: first.time)
    } else {
      return false
    }
    return true
  }

  private mutating func act(_ host: Int, at time: Double) {
    if walks[host].mood == .waiting { walks[host].wake(at: time) }
    if walks[host].mood == .looking {
      messages.look(host, now: walks[host].now)
      walks[host].moveSums(&messages)
    } else {
      walks[host].work()
    }
  }
}

/// What one rank does in a simulated step, and when it is through.
package struct StepTrace: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    /// Computing, adding, or waiting for ranks of the same host.
    case spend(seconds: Double)
    /// Takes a stage of the bucket's route that has to do with other hosts.
    case take(bucket: Int, stage: Int)
  }

  package var actions: [Action]
  package var computeSeconds: Double
  package var endSeconds: Double
}

/// A step's time in two parts.
package struct StepPrediction: Equatable, Sendable {
  /// Loading, forward and backward, folding the own leaves, the check and the update.
  package var computeSeconds: Double
  package var totalSeconds: Double

  /// All hosts wait for the last one.
  package init(_ traces: [StepTrace]) {
    computeSeconds = traces.map(\.computeSeconds).max() ?? 0
    totalSeconds = traces.map(\.endSeconds).max() ?? 0
  }

  /// What sums add to the step: adding up and waiting.
  package var exposedSeconds: Double { totalSeconds - computeSeconds }
}
