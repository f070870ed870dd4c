import Kernels
import Storage

/// Carries out `HostSum` on a slice: chunk by chunk, so that what lies between stays in the cache.
struct HostReduction<S: Scalar> {
  private let sum: HostSum
  private let slots: SumSlots<S>
  private let buffers: AlignedMemory<S>

  init(_ sum: HostSum, slots: SumSlots<S>) {
    self.sum = sum
    self.slots = slots
    buffers = AlignedMemory(count: sum.bufferCount * Self.chunk)
  }

  func run(_ elements: Range<Int>) {
    // Without buffers there is nothing to keep in the cache.
    let chunk = sum.bufferCount == 0 ? max(elements.count, 1) : Self.chunk
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: chunk) {
      let part = start..<min(start + chunk, elements.upperBound)
      for addition in sum.additions { run(addition, part) }
    }
  }

  private func run(_ addition: HostSum.Addition, _ part: Range<Int>) {
    let target = block(addition.target, part)
    let right = block(addition.right, part)
    if addition.left == addition.target {
      accumulate(right, into: target)
    } else if addition.right == addition.target {
      accumulate(block(addition.left, part), into: target)
    } else {
      addBlocks(block(addition.left, part), right, into: target)
    }
  }

  private func block(_ operand: HostSum.Operand, _ part: Range<Int>) -> Block<S> {
    switch operand {
    case .place(let place): slots[place][part]
    case .buffer(let index):
      buffers.block[index * Self.chunk..<index * Self.chunk + part.count]
    }
  }

  /// Elements; a few buffers of this length fit into a first-level cache.
  private static var chunk: Int { 2048 }
}
