#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A system call that failed, with the system's own reason.
struct SystemFailure: Error, Equatable, CustomStringConvertible {
  var call: String
  var path: String
  var code: Int32

  /// The failure that `errno` tells of, taken right after the call.
  init(call: String, path: String) {
    self.call = call
    self.path = path
    code = errno
  }

  var reason: String {
    // SAFETY: strerror returns a terminated text for every code; it is copied at once.
    unsafe String(cString: strerror(code))
  }

  var description: String { "\(call) of \(path) failed: \(reason)" }
}
