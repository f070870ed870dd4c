import CMPI
import Collectives
import Foundation
import Storage

/// Hosts: how ranks are numbered along them, and the memory that ranks of one host share.
extension MPIWorld {
  /// The world with the ranks of each host as neighbours, and this host's ranks in the same order.
  ///
  /// Launchers that deal ranks out host by host (`--map-by node`) number them across; then whole
  /// subtrees of the summation tree would not stay on one host.
  /// - Parameter hostSize: Ranks after which a host is cut in two, to try several hosts on one.
  static func arrange(
    _ world: MPICalls, hostSize: Int?
  ) throws(CollectivesError) -> (world: MPICalls, host: MPICalls, firstRank: Int) {
    var host = try world.hostGroup()
    if let hostSize {
      let place = try host.rank()
      host = try host.split(color: place / max(hostSize, 1), key: place)
    }
    let oldRank = try world.rank()
    let leader = try host.minimum(oldRank)
    let arranged = try world.split(color: 0, key: leader * world.size() + oldRank)
    let newRank = try arranged.rank()
    return (arranged, host, newRank - (try host.rank()))
  }

  /// Numbers the hosts, given the first rank on every rank's host.
  static func numbers(ofFirstRanks texts: [[UInt8]]) -> [Int] {
    var number = -1
    return texts.indices.map { rank in
      if rank == 0 || texts[rank] != texts[rank - 1] { number += 1 }
      return number
    }
  }

  package func shareMemory<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int
  ) throws(CollectivesError) -> SharedMemory<Element>? {
    let byteCount = sharedByteCount(of: count * MemoryLayout<Element>.stride)
    guard try !anyRank(!fitsHost(byteCount)) else { return nil }
    let counts = try allGather(Array("\(count)".utf8))[localRange].map {
      Int(String(decoding: $0, as: UTF8.self)) ?? 0
    }
    // SAFETY: the window stays until `finish`, which comes after the last use of its memory.
    let window = try unsafe host.allocateShared(byteCount: byteCount)
    unsafe windows.append(window)
    var parts: [Block<Element>] = []
    for (rank, count) in counts.enumerated() {
      let bytes = try unsafe host.sharedPart(of: window, rank: rank)
      parts.append(unsafe block(in: bytes, count: count))
    }
    // The rank that uses a part touches it first, so that it lies in memory near its core.
    // SAFETY: the part is this rank's own, and nobody reads it before the barrier.
    _ = unsafe memset(parts[localRank].base, 0, count * MemoryLayout<Element>.stride)
    try barrier()
    return SharedMemory(parts: parts, owner: self)
  }

  private func block<Element: BitwiseCopyable>(
    in bytes: UnsafeMutableRawBufferPointer, count: Int
  ) -> Block<Element> {
    guard let base = bytes.baseAddress else { preconditionFailure("a shared part without memory") }
    // SAFETY: all processes map the window at page borders, so they find the same start; the part has a page
    // to spare for it.
    let start = unsafe base.alignedUp(toMultipleOf: Self.pageSize)
    return unsafe Block(
      base: start.bindMemory(to: Element.self, capacity: max(count, 1)), count: count)
  }

  private static var pageSize: Int { 4096 }

  /// Whole pages, with room to start on one and with readable slack at the end.
  private func sharedByteCount(of byteCount: Int) -> Int {
    let used = byteCount + AlignedMemory<UInt8>.slackBytes + Self.pageSize
    return (used + Self.pageSize - 1) / Self.pageSize * Self.pageSize
  }

  /// Whether `/dev/shm`, where Open MPI puts windows, takes what all ranks of this host bring. Memory that it
  /// does not have is noticed only when it is touched, by a signal.
  private func fitsHost(_ byteCount: Int) throws(CollectivesError) -> Bool {
    let all = try allGather(Array("\(byteCount)".utf8))[localRange].map {
      Int(String(decoding: $0, as: UTF8.self)) ?? 0
    }
    var status = statvfs()
    // SAFETY: the path ends in zero, and statvfs writes one struct.
    guard unsafe statvfs("/dev/shm", &status) == 0 else { return true }
    let margin = 1 << 20
    return all.reduce(margin, +) <= Int(status.f_bavail) * Int(status.f_frsize)
  }
}
