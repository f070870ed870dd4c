import Synchronization

/// Words of memory that several threads or processes may touch at the same time.
///
/// Loads and stores are relaxed: each word is whole by itself, and nothing is said about the order of
/// different words.
@safe
package struct RelaxedWords: @unchecked Sendable {
  private let block: Block<UInt64>
  /// Keeps memory of this process; nil for memory that somebody else keeps.
  private let owner: AlignedMemory<UInt64>?

  /// Words in memory that outlives this value, such as a shared window.
  package init(_ block: Block<UInt64>) {
    let isAligned =
      unsafe UInt(bitPattern: block.base) % UInt(MemoryLayout<UInt64>.alignment) == 0
    precondition(isAligned, "words that are not aligned")
    self.block = block
    owner = nil
  }

  /// Words of zero in this process alone.
  package init(count: Int) {
    let memory = AlignedMemory<UInt64>(count: count)
    block = memory.block
    owner = memory
  }

  package var count: Int { block.count }

  package func load(_ index: Int) -> UInt64 {
    // SAFETY: see `word`.
    unsafe word(index).pointee.load(ordering: .relaxed)
  }

  package func store(_ value: UInt64, at index: Int) {
    // SAFETY: see `word`.
    unsafe word(index).pointee.store(value, ordering: .relaxed)
  }

  /// Makes a zero a one; says whether this call was the one that did.
  package func claim(_ index: Int) -> Bool {
    // SAFETY: see `word`.
    unsafe word(index).pointee.compareExchange(expected: 0, desired: 1, ordering: .relaxed)
      .exchanged
  }

  private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    precondition((0..<block.count).contains(index), "word \(index) of \(block.count)")
    // SAFETY: in bounds and aligned; Atomic<UInt64> is laid out as the word that it holds, and nobody
    // touches these words otherwise.
    return unsafe UnsafeMutableRawPointer(block.base + index)
      .assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
