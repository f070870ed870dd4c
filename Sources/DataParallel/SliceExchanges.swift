import Collectives
import Kernels
import Storage

/// One slice's way between hosts: the elements that travel as they are, then the rounded ones.
func sliceExchanges<S: Scalar>(
  _ slice: Int, _ elements: Range<Int>, _ layout: HostLayout, host: Int, subtrees: [Block<S>],
  tags: (exact: Int, rounded: Int),
  _ wire: (rounding: WireRounding, residuals: WireResiduals<S>)?, over group: any Collectives
) -> [SliceExchange<S>] {
  let owners = layout.hosts.indices.map { layout.owner(ofSlice: slice, onHost: $0) }
  let cut = wire.map { min(max($0.rounding.exactCount, elements.lowerBound), elements.upperBound) }
  func schedule(_ part: Range<Int>, isRounded: Bool = false) -> SliceSchedule {
    SliceSchedule(layout, host: host, slice: slice, elements: part, isRounded: isRounded)
  }
  let exact = SliceExchange(
    schedule(elements.lowerBound..<(cut ?? elements.upperBound)), owners: owners,
    subtrees: subtrees, tag: tags.exact, over: group)
  guard let wire, let cut, cut < elements.upperBound else { return [exact] }
  let rest = schedule(cut..<elements.upperBound, isRounded: true)
  let rounded = RoundedSlice(
    rest, as: wire.rounding.format, subtrees: subtrees, residuals: wire.residuals.blocks)
  return [
    exact,
    SliceExchange(
      rest, owners: owners, subtrees: subtrees, tag: tags.rounded, rounded: rounded, over: group),
  ]
}

/// The tags of messages between hosts: two for each slice of each bucket.
struct SliceTags {
  let first: Int
  let buckets: Int
  let slices: Int

  func exact(_ bucket: Int, _ slice: Int) -> Int { first + bucket * slices + slice }
  func rounded(_ bucket: Int, _ slice: Int) -> Int { exact(bucket, slice) + buckets * slices }
  var end: Int { first + 2 * buckets * slices }
}
