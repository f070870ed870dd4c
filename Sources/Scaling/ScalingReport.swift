import Foundation
import Metrics
import Plan

/// What `ddp-train plan` says.
package struct ScalingReport: Sendable {
  package let cluster: Cluster
  package let network: NetworkModel
  package let times: MachineTimes
  package let memory: RankMemory
  package let curve: ScalingCurve
  package let batch: Int
  package let shards: Int
  private let traffic: [SumTraffic]

  package init(
    _ curve: ScalingCurve, batch: Int, shards: Int, memory: RankMemory, times: MachineTimes,
    cluster: Cluster, network: NetworkModel
  ) {
    self.cluster = cluster
    self.network = network
    self.times = times
    self.memory = memory
    self.curve = curve
    self.batch = batch
    self.shards = shards
    let layout = cluster.layout(shards: shards)
    traffic = curve.buckets.map { SumTraffic(bucket: $0, layout) }
  }

  package var text: String {
    let parts = [facts, memoryLines, sumLines, stepLines, scalingLines]
    return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private var facts: [String] {
    let crowded = times.crowded
    var table = TextTable([.left, .left])
    table.append(["ranks", cluster.text])
    table.append([
      "batch", "\(groupedDigits(batch)) = \(groupedDigits(shards)) shards x \(batch / shards)",
    ])
    table.append([
      "network",
      "\(shortText(network.gigabits)) Gbit/s per host, \(shortText(network.microseconds)) us",
    ])
    table.append([
      "cores",
      "measured: \(times.cores) busy, alone in brackets; hosts have "
        + (times.hostCores.map { groupedDigits($0) } ?? "one per rank"),
    ])
    let measured: [(String, (RankTimes) -> Double)] = [
      ("micro-shard", \.shardSeconds), ("loading", \.loadSeconds), ("fold a leaf", \.mergeSeconds),
      ("check", \.checkSeconds), ("update", \.updateSeconds),
    ]
    for (name, seconds) in measured {
      table.append([
        "  \(name)", "\(durationText(seconds(crowded))) (\(durationText(seconds(times.alone))))",
      ])
    }
    let speed = [crowded, times.alone].map { byteCountText(Int(1 / $0.sumSecondsPerByte)) }
    table.append(["  adding up", "\(speed[0])/s per rank (\(speed[1])/s)"])
    table.append(["  flag", durationText(times.flagSeconds)])
    return table.lines
  }

  private var memoryLines: [String] {
    var table = TextTable([.left, .right, .left])
    table.append(["memory per rank"])
    for part in memory.parts {
      table.append(["  \(part.name)", byteCountText(part.byteCount), part.remark])
    }
    table.append(["  total", byteCountText(memory.byteCount)])
    return table.lines
  }

  private var sumLines: [String] {
    var table = TextTable([.left, .right, .right, .right, .right])
    table.append(["sum of gradients", "bytes", "added/rank", "sent/host", "messages/rank"])
    func append(_ name: String, _ traffic: SumTraffic) {
      table.append([
        name, byteCountText(traffic.byteCount), byteCountText(traffic.addedBytesPerRank),
        byteCountText(traffic.sentBytesPerHost), groupedDigits(traffic.messagesPerRank),
      ])
    }
    for (bucket, traffic) in traffic.enumerated() { append("  bucket \(bucket)", traffic) }
    append("  total", traffic.reduce(SumTraffic(), +))
    return table.lines
  }

  private var stepLines: [String] {
    guard let last = curve.points.last else { return [] }
    let step = last.strong
    let all = curve.withoutOverlap.exposedSeconds
    let hidden = all > 0 ? max(0, 1 - step.exposedSeconds / all) : 0
    var table = TextTable([.left, .right, .left])
    table.append(["predicted step"])
    table.append(["  compute", durationText(step.computeSeconds)])
    table.append([
      "  sums", durationText(step.exposedSeconds),
      "exposed; \(durationText(all)) without overlap, \(percentText(hidden, digits: 0)) hidden",
    ])
    table.append([
      "  total", durationText(step.totalSeconds),
      "\(shortCount(Double(batch) / step.totalSeconds)) samples/s",
    ])
    return table.lines
  }

  private var scalingLines: [String] {
    var table = TextTable(Array(repeating: .right, count: 8))
    table.append([
      "ranks", "hosts", "compute", "sums", "step", "efficiency", "weak step", "efficiency",
    ])
    for point in curve.points {
      table.append([
        groupedDigits(point.cluster.ranks), groupedDigits(point.cluster.hosts),
        durationText(point.strong.computeSeconds), durationText(point.strong.exposedSeconds),
        durationText(point.strong.totalSeconds), percentText(point.strongEfficiency, digits: 1),
        durationText(point.weak.totalSeconds), percentText(point.weakEfficiency, digits: 1),
      ])
    }
    let samples = curve.shardsPerRank * (batch / shards)
    let title =
      "scaling at batch \(groupedDigits(batch)); weak: \(groupedDigits(samples)) samples per rank"
    return [title] + table.lines
  }
}

/// Three significant digits and a unit: `1.23 s`, `45.6 ms`, `789 us`; 0 is `0`.
package func durationText(_ seconds: Double) -> String {
  let units: [(String, Double)] = [("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)]
  if seconds < 5e-10 { return "0" }
  let (unit, size) = units.first { seconds >= 0.9995 * $0.1 } ?? ("ns", 1e-9)
  let number = seconds / size
  return "\(fixedPoint(number, digits: number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2)) \(unit)"
}

/// `100`, `2.5`.
private func shortText(_ number: Double) -> String { String(format: "%g", number) }
