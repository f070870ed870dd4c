import CAffinity

/// The CPUs of the calling thread; threads that it starts later inherit them.
package enum ThreadAffinity {
  /// Binds the calling thread; the system leaves out CPUs that it may not use.
  ///
  /// - Returns: false when the system refuses, or none is left.
  @discardableResult
  package static func set(_ cpus: CPUSet) -> Bool {
    guard let last = cpus.cpus.last else { return false }
    let wordBits = UInt.bitWidth
    var words = [UInt](repeating: 0, count: last / wordBits + 1)
    for cpu in cpus.cpus { words[cpu / wordBits] |= 1 << UInt(cpu % wordBits) }
    let byteCount = UInt(words.count * wordBits / 8)
    // SAFETY: the kernel reads `byteCount` bytes of the mask during the call.
    return unsafe set_thread_affinity(words, byteCount) == 0
  }
}
