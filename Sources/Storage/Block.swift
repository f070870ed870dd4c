/// A stretch of numbers somewhere in memory that outlives the block: an arena region, a slice of it.
///
/// Outside the unsafe rooms a block is only a handle that can be cut and passed on; reading through
/// `base` is what the memory-safety checker asks an `unsafe` for.
@safe
@frozen
package struct Block<Element: BitwiseCopyable> {
  package let base: UnsafeMutablePointer<Element>
  package let count: Int

  @inlinable
  package init(base: UnsafeMutablePointer<Element>, count: Int) {
    unsafe self.base = unsafe base
    self.count = count
  }

  /// The elements `range` of this block.
  @inlinable
  package subscript(_ range: Range<Int>) -> Block {
    precondition(
      0 <= range.lowerBound && range.upperBound <= count, "\(range) of a block of \(count)")
    // SAFETY: the range lies inside the block.
    return unsafe Block(base: base + range.lowerBound, count: range.count)
  }

  /// The first `length` elements.
  @inlinable
  package func prefix(_ length: Int) -> Block { self[0..<length] }

  /// One element, bounds checked: for tests and work outside the step.
  @inlinable
  package subscript(_ index: Int) -> Element {
    get {
      precondition((0..<count).contains(index), "element \(index) of \(count)")
      // SAFETY: the index is in bounds.
      return unsafe base[index]
    }
    nonmutating set {
      precondition((0..<count).contains(index), "element \(index) of \(count)")
      // SAFETY: the index is in bounds.
      unsafe base[index] = newValue
    }
  }

  /// Sets every element to `value`, by vectors for the types named here whoever calls it.
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  @_specialize(where Element == Int32)
  package func fill(_ value: Element) {
    // SAFETY: base points to count elements.
    for index in 0..<count { unsafe base[index] = value }
  }

  /// Copies `source` here; both have the same length and do not overlap.
  @inlinable
  package func copy(from source: Block) {
    precondition(source.count == count, "copy of \(source.count) elements into \(count)")
    // SAFETY: lengths agree.
    unsafe base.update(from: source.base, count: count)
  }

  package func copy(from source: [Element]) {
    precondition(source.count == count, "copy of \(source.count) elements into \(count)")
    // SAFETY: lengths agree, and the array's elements stay where they are during the call.
    unsafe source.withUnsafeBufferPointer { elements in
      guard let start = elements.baseAddress else { return }
      unsafe base.update(from: start, count: count)
    }
  }

  package var array: [Element] {
    // SAFETY: base points to count initialised elements.
    unsafe Array(UnsafeBufferPointer(start: base, count: count))
  }
}
