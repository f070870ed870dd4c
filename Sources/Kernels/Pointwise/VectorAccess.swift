extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
  /// A loop that becomes vector stores; the library's `update(repeating:)` asks the type's metadata for every element.
  @inline(__always)
  func fill(_ value: Pointee, count: Int) {
    for index in 0..<count { self[index] = value }
  }
}

extension UnsafeMutablePointer where Pointee: Scalar {
  /// The vector that starts at element `index`; it may end in the slack behind its block.
  @inline(__always)
  func vector(at index: Int) -> Pointee.Vector {
    requireSpecialised(Pointee.self)
    return UnsafeRawPointer(self + index).loadUnaligned(as: Pointee.Vector.self)
  }

  @inline(__always)
  func setVector(_ vector: Pointee.Vector, at index: Int) {
    requireSpecialised(Pointee.self)
    UnsafeMutableRawPointer(self + index).storeBytes(of: vector, as: Pointee.Vector.self)
  }

  /// Writes the first `count` lanes, fewer than a vector, and nothing beyond them.
  @inline(__always)
  func setVector(_ vector: Pointee.Vector, at index: Int, count: Int) {
    Pointee.store(vector, to: self + index, count: count)
  }

  /// Writes the lanes that belong to the channels `channel..<channels`, at `index`.
  @inline(__always)
  func setVector(_ vector: Pointee.Vector, at index: Int, channel: Int, of channels: Int) {
    if channel &+ Pointee.lanes <= channels {
      setVector(vector, at: index)
    } else {
      setVector(vector, at: index, count: channels &- channel)
    }
  }
}

/// Writes `body(i)` to the elements `i...` of `output` for all of `0..<count`, a vector at a time.
///
/// The body also runs for the last, partial vector, so an element's bits do not depend on where in
/// the block it lies. A large body should be a function marked `@inline(__always)`: the optimiser does
/// not inline large closures, and a vector that crosses a call is taken apart.
@inline(__always)
func fillByVectors<S: Scalar>(
  _ output: UnsafeMutablePointer<S>, count: Int, _ body: (Int) -> S.Vector
) {
  var index = 0
  while index < count {
    output.setVector(body(index), at: index, channel: index, of: count)
    index &+= S.lanes
  }
}

/// `fillByVectors` for stretches that are written one right behind the other, as long as `room` elements
/// are left: a vector may then reach beyond its stretch, because what it spoils is written later.
@inline(__always)
func fillAhead<S: Scalar>(
  _ output: UnsafeMutablePointer<S>, count: Int, room: Int, _ body: (Int) -> S.Vector
) {
  var index = 0
  while index < count {
    let vector = body(index)
    if index &+ S.lanes <= room {
      output.setVector(vector, at: index)
    } else {
      output.setVector(vector, at: index, channel: index, of: count)
    }
    index &+= S.lanes
  }
}
