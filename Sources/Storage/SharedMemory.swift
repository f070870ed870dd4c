/// Memory that all ranks of one host see: one part per rank, zeros at the start.
///
/// Who writes which part when is agreed by flags (`AtomicWords`); plain reads and writes of the parts are
/// ordered by them. The memory stays until `owner` goes.
package final class SharedMemory<Element: BitwiseCopyable> {
  /// By number of the rank on its host; every part starts on a cache line and ends with readable slack, as
  /// `AlignedMemory` does.
  package let parts: [Block<Element>]
  private let owner: AnyObject

  package init(parts: [Block<Element>], owner: AnyObject) {
    self.parts = parts
    self.owner = owner
  }

  /// The memory of a rank that is alone on its host.
  package convenience init(alone count: Int) {
    let memory = AlignedMemory<Element>(count: count)
    self.init(parts: [memory.block], owner: memory)
  }
}
