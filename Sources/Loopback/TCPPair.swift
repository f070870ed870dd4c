import Storage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Both ends of a TCP connection of this machine with itself, for measuring what TCP costs.
@safe
package final class TCPPair: Sendable {
  /// A system call that failed.
  package struct Fault: Error {
    package var call: String
    package var code: Int32
  }

  private let ends: [Int32]

  package init() throws(Fault) {
    let listener = try checked(socket(AF_INET, Self.stream, 0), "socket")
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    try bindAnyPort(listener, &address)
    try checked(listen(listener, 1), "listen")
    let first = try checked(socket(AF_INET, Self.stream, 0), "socket")
    do {
      try connectTo(address, first)
      let second = try checked(accept(listener, nil, nil), "accept")
      ends = [first, second]
    } catch {
      close(first)
      throw error
    }
    for end in ends { try sendAtOnce(end) }
  }

  deinit { for end in ends { close(end) } }

  /// Sends the whole block from one end, 0 or 1.
  package func send(_ block: Block<UInt8>, from end: Int) throws(Fault) {
    var done = 0
    while done < block.count {
      let rest = block[done..<block.count]
      // SAFETY: the block holds so many bytes.
      done += try checked(
        unsafe Self.write(ends[end], rest.base, rest.count), "send")
    }
  }

  /// Fills the whole block from what the other end sends.
  package func receive(_ block: Block<UInt8>, at end: Int) throws(Fault) {
    var done = 0
    while done < block.count {
      let rest = block[done..<block.count]
      // SAFETY: the block has room for so many bytes.
      let count = try checked(unsafe recv(ends[end], rest.base, rest.count, 0), "recv")
      guard count > 0 else { throw Fault(call: "recv", code: ECONNRESET) }
      done += count
    }
  }

  private static var stream: Int32 { Int32(SOCK_STREAM.rawValue) }

  private static func write(_ end: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
    // SAFETY: as promised by the caller; no signal when the other end is gone.
    unsafe Glibc.send(end, bytes, count, Int32(MSG_NOSIGNAL))
  }
}

/// Gives the socket a free port and tells it to `address`.
private func bindAnyPort(_ end: Int32, _ address: inout sockaddr_in) throws(TCPPair.Fault) {
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  // SAFETY: a sockaddr_in may be seen as a sockaddr of its own length.
  let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
      let bound = unsafe bind(end, general, length)
      return bound < 0 ? bound : unsafe getsockname(end, general, &length)
    }
  }
  try checked(code, "bind")
}

private func connectTo(_ address: sockaddr_in, _ end: Int32) throws(TCPPair.Fault) {
  // SAFETY: as above.
  let code = unsafe withUnsafePointer(to: address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
      unsafe connect(end, general, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  try checked(code, "connect")
}

/// Small messages leave without waiting for more, as MPI has it.
private func sendAtOnce(_ end: Int32) throws(TCPPair.Fault) {
  var on: Int32 = 1
  // SAFETY: the option is an Int32.
  let code = unsafe setsockopt(
    end, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  try checked(code, "setsockopt")
}

@discardableResult
private func checked<Code: SignedInteger>(_ code: Code, _ call: String) throws(TCPPair.Fault)
  -> Code
{
  guard code >= 0 else { throw TCPPair.Fault(call: call, code: errno) }
  return code
}
