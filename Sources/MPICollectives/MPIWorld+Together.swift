import CMPI
import Collectives
import Storage

/// What all ranks do together. Each call is started and then waited for by testing, never by a blocking
/// call of MPI's, which would spin.
///
/// Pointers made here live to the end of the call; `together` returns only when MPI is done with them.
extension MPIWorld {
  package func barrier() throws(CollectivesError) {
    try unsafe together { request throws(CollectivesError) in
      // SAFETY: the request lives in slot 0.
      try unsafe calls.startBarrier(request)
    }
  }

  package func broadcast(_ bytes: inout [UInt8], from root: Int) throws(CollectivesError) {
    // All but the root say the least number, so the maximum is the root's length.
    let count = try allMaximum(rank == root ? bytes.count : 0)
    if rank != root { bytes = [UInt8](repeating: 0, count: count) }
    try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(CollectivesError) in
      // SAFETY: the buffer lives during the call, which returns when all is done.
      try unsafe broadcast(UnsafeMutableRawBufferPointer(buffer), from: root)
    }
  }

  package func broadcast<Element: BitwiseCopyable>(
    _ block: Block<Element>, from root: Int
  ) throws(CollectivesError) {
    // SAFETY: the block outlives the call, which returns when all is done.
    try unsafe broadcast(block.bytes, from: root)
  }

  package func gather(
    _ bytes: [UInt8], to root: Int
  ) throws(CollectivesError) -> [[UInt8]]? {
    let layout = try gatherLayout(bytes.count, "MPI_Igatherv")
    let all = try unsafe gather(bytes, layout) {
      own, all, counts, starts, request throws(CollectivesError) in
      // SAFETY: all buffers outlive the call, which returns when all is done.
      try unsafe calls.startGather(own, all, counts: counts, starts: starts, to: root, request)
    }
    return rank == root ? layout.cut(all) : nil
  }

  package func allGather(_ bytes: [UInt8]) throws(CollectivesError) -> [[UInt8]] {
    let layout = try gatherLayout(bytes.count, "MPI_Iallgatherv")
    let all = try unsafe gather(bytes, layout) {
      own, all, counts, starts, request throws(CollectivesError) in
      // SAFETY: all buffers outlive the call, which returns when all is done.
      try unsafe calls.startAllGather(own, all, counts: counts, starts: starts, request)
    }
    return layout.cut(all)
  }

  package func allMaximum(_ value: Int) throws(CollectivesError) -> Int {
    var own = Int64(value)
    var result: Int64 = 0
    try unsafe withUnsafeMutablePointer(to: &own) { own throws(CollectivesError) in
      try unsafe withUnsafeMutablePointer(to: &result) { result throws(CollectivesError) in
        try unsafe together { request throws(CollectivesError) in
          // SAFETY: both numbers live until the call is done.
          try unsafe calls.startMaximum(own, result, request)
        }
      }
    }
    return Int(result)
  }

  private func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, from root: Int
  ) throws(CollectivesError) {
    precondition((0..<ranks).contains(root), "rank \(root) of \(ranks)")
    let chunk = 1 << 30
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      // SAFETY: the range is cut to the buffer.
      let part = unsafe UnsafeMutableRawBufferPointer(
        rebasing: bytes[start..<min(start + chunk, bytes.count)])
      try unsafe together { request throws(CollectivesError) in
        // SAFETY: the caller keeps the bytes until the call is done.
        try unsafe calls.startBroadcast(part, from: root, request)
      }
    }
  }

  private typealias StartGather = (
    UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer, UnsafePointer<Int32>,
    UnsafePointer<Int32>, RequestPointer
  ) throws(CollectivesError) -> Void

  /// Every rank's bytes, one after another, where `start` puts them.
  private func gather(
    _ bytes: [UInt8], _ layout: GatherLayout, start: StartGather
  ) throws(CollectivesError) -> [UInt8] {
    var all = [UInt8](repeating: 0, count: layout.byteCount)
    // SAFETY: the four buffers live until the call is done, and the layout lies inside `all`.
    try unsafe bytes.withUnsafeBufferPointer { own throws(CollectivesError) in
      try unsafe all.withUnsafeMutableBufferPointer { all throws(CollectivesError) in
        try unsafe layout.counts.withUnsafeBufferPointer { counts throws(CollectivesError) in
          try unsafe layout.starts.withUnsafeBufferPointer { starts throws(CollectivesError) in
            guard let counts = counts.baseAddress, let starts = starts.baseAddress else { return }
            try unsafe together { request throws(CollectivesError) in
              try unsafe start(
                UnsafeRawBufferPointer(own), UnsafeMutableRawBufferPointer(all), counts, starts,
                request)
            }
          }
        }
      }
    }
    return all
  }

  /// Asks every rank how many bytes it brings.
  private func gatherLayout(
    _ byteCount: Int, _ call: String
  ) throws(CollectivesError) -> GatherLayout {
    try checkLength(byteCount, call)
    var own = Int32(byteCount)
    var counts = [Int32](repeating: 0, count: ranks)
    // SAFETY: both live until the call is done; counts has one place per rank.
    try unsafe withUnsafeMutablePointer(to: &own) { own throws(CollectivesError) in
      try unsafe counts.withUnsafeMutableBufferPointer { counts throws(CollectivesError) in
        guard let counts = counts.baseAddress else { return }
        try unsafe together { request throws(CollectivesError) in
          try unsafe calls.startAllGather(own, counts, request)
        }
      }
    }
    try checkLength(counts.reduce(0) { $0 + Int($1) }, call)
    return GatherLayout(counts: counts)
  }
}

/// Where each rank's bytes lie when they stand one after another.
private struct GatherLayout {
  let counts: [Int32]
  let starts: [Int32]
  let byteCount: Int

  init(counts: [Int32]) {
    var start: Int32 = 0
    self.counts = counts
    starts = counts.map { count in
      defer { start += count }
      return start
    }
    byteCount = Int(start)
  }

  func cut(_ all: [UInt8]) -> [[UInt8]] {
    zip(starts, counts).map { Array(all[Int($0)..<Int($0 + $1)]) }
  }
}
