import Synchronization

/// Words in shared memory by which ranks of one host tell each other how far they are.
///
/// A word has one writer. What the writer did before `publish` is seen by whoever has read the word by
/// `read`. Every word has a cache line to itself.
@safe
package struct AtomicWords {
  /// Elements of `UInt64` that one word takes.
  package static var stride: Int { 8 }

  private let block: Block<UInt64>

  /// - Parameter block: `AtomicWords.stride` elements per word.
  package init(_ block: Block<UInt64>) {
    precondition(block.count % Self.stride == 0, "\(block.count) elements are no whole words")
    self.block = block
  }

  package var count: Int { block.count / Self.stride }

  /// The newest value; everything its writer did before is seen, too.
  package func read(_ index: Int) -> UInt64 {
    // SAFETY: the word lives as long as the block; Atomic has the layout of its value.
    unsafe pointer(index).pointee.load(ordering: .acquiring)
  }

  /// The newest value, without any order between it and other memory: for figures that only inform.
  package func peek(_ index: Int) -> UInt64 {
    // SAFETY: as in `read`.
    unsafe pointer(index).pointee.load(ordering: .relaxed)
  }

  /// Writes the word after everything that this rank has done so far.
  package func publish(_ value: UInt64, at index: Int) {
    // SAFETY: as in `read`.
    unsafe pointer(index).pointee.store(value, ordering: .releasing)
  }

  /// Writes the word in no order with other memory: for figures that only inform.
  package func note(_ value: UInt64, at index: Int) {
    // SAFETY: as in `read`.
    unsafe pointer(index).pointee.store(value, ordering: .relaxed)
  }

  private func pointer(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    precondition((0..<count).contains(index), "word \(index) of \(count)")
    // SAFETY: the index is in bounds; the memory was zero, which is an atomic zero.
    return unsafe UnsafeMutableRawPointer(block.base + index * Self.stride)
      .assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
