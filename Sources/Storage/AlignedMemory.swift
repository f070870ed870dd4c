#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One allocation of zeros that starts on a cache line and ends with readable slack.
///
/// Kernels may read (never write) up to `slackBytes` past the end of any block in it: a vector that
/// covers the last columns of a matrix loads its full width and drops the rest.
///
/// The memory is freed with this object, and Swift may drop an object after its last mention: keep it
/// in a property while its blocks are used, or work inside `withBlock`.
@safe
package final class AlignedMemory<Element: BitwiseCopyable> {
  package static var alignmentBytes: Int { 64 }
  package static var slackBytes: Int { 256 }

  package let block: Block<Element>
  private let start: UnsafeMutableRawPointer

  package init(count: Int) {
    let bytes = count * MemoryLayout<Element>.stride + Self.slackBytes
    let rounded = (bytes + Self.alignmentBytes - 1) / Self.alignmentBytes * Self.alignmentBytes
    guard let memory = unsafe aligned_alloc(Self.alignmentBytes, rounded) else {
      preconditionFailure("no memory for \(rounded) bytes")
    }
    unsafe memset(memory, 0, rounded)
    unsafe start = unsafe memory
    // SAFETY: the allocation holds count elements, and all bits zero is a value of every numeric type.
    block = unsafe Block(
      base: memory.bindMemory(to: Element.self, capacity: max(count, 1)), count: count)
  }

  package convenience init(copying elements: [Element]) {
    self.init(count: elements.count)
    block.copy(from: elements)
  }

  /// Calls `body` with the block; the memory stays until `body` returns.
  package func withBlock<Result>(_ body: (Block<Element>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(block) }
  }

  /// A copy of the elements.
  package var array: [Element] { withBlock { $0.array } }

  deinit {
    // SAFETY: start came from aligned_alloc and is freed once.
    unsafe free(start)
  }
}
