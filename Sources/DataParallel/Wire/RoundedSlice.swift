import Kernels
import Storage

/// The messages of one slice of one bucket that travels between hosts rounded to 16 bits.
///
/// A piece is rounded by whoever sends it, and once more by the host that has finished its sum: that one hands
/// out what it rounded to and takes the same numbers itself, so that all hosts get the same bits. What rounding
/// loses stays in the residual of the element and subtree and is added in the next step, so that over many
/// steps nothing is lost.
struct RoundedSlice<S: Scalar> {
  private let schedule: SliceSchedule
  private let format: WireFormat
  /// The sums of the host's subtrees, `[L]` each.
  private let subtrees: [Block<S>]
  /// `[L]` for each subtree.
  private let residuals: [Block<S>]
  /// One message per request of the sum.
  private let messages: AlignedMemory<UInt16>
  /// By request: where in `messages`.
  private var places: [Range<Int>]
  /// One message per finished piece, in order, so that any published range lies in one place.
  private let publication: AlignedMemory<UInt16>

  init(
    _ schedule: SliceSchedule, as format: WireFormat, subtrees: [Block<S>], residuals: [Block<S>]
  ) {
    self.schedule = schedule
    self.format = format
    self.subtrees = subtrees
    self.residuals = residuals
    places = Array(repeating: 0..<0, count: schedule.requestCount)
    var end = 0
    for (request, piece) in schedule.sumMessages {
      places[request] = end..<end + piece.count + 1
      end += piece.count + 1
    }
    messages = AlignedMemory(count: end)
    publication = AlignedMemory(
      count: schedule.finished.reduce(0) { $0 + $1.count + 1 })
  }

  // MARK: The sum

  /// The message that request `request` of the sum sends or receives.
  func message(ofRequest request: Int) -> Block<UInt16> { messages.block[places[request]] }

  /// Rounds a piece of a subtree's sum for the way.
  func pack(subtree: Int, _ piece: Range<Int>, request: Int) -> Block<UInt16> {
    let message = message(ofRequest: request)
    packMessage(
      subtrees[subtree][piece], residual: residuals[subtree][piece], as: format, into: message)
    return message
  }

  func addReceived(request: Int, subtree: Int, _ piece: Range<Int>) {
    accumulateMessage(message(ofRequest: request), as: format, into: subtrees[subtree][piece])
  }

  // MARK: Publication

  /// Rounds a piece whose sum is finished, for the others and in `target`, `[L]`.
  func finish(_ kept: SliceSchedule.Kept, into target: Block<S>) {
    let message = published(kept.piece)
    packMessage(
      subtrees[kept.subtree][kept.piece], residual: residuals[kept.subtree][kept.piece],
      as: format, into: message)
    unpackMessage(message, as: format, into: target[kept.piece])
  }

  /// The messages of all finished pieces in `range`, one after another.
  func published(_ range: Range<Int>) -> Block<UInt16> {
    var (start, length) = (0, 0)
    for piece in schedule.finished where piece.lowerBound < range.upperBound {
      if piece.upperBound <= range.lowerBound {
        start += piece.count + 1
      } else {
        length += piece.count + 1
      }
    }
    return publication.block[start..<start + length]
  }

  /// Puts the numbers that publish request `request` has received into `target`, `[L]`.
  func unpackPublished(request: Int, into target: Block<S>) {
    for receive in schedule.publishReceives where receive.request == request {
      for piece in schedule.finished where receive.piece.overlaps(piece) {
        unpackMessage(published(piece), as: format, into: target[piece])
      }
    }
  }
}

extension SliceSchedule {
  /// The messages before publication by request, sent or received.
  fileprivate var sumMessages: [(request: Int, piece: Range<Int>)] {
    receives.map { ($0.request, $0.piece) }
      + steps.compactMap { step in
        if case .send(_, let piece, _, let request) = step { (request, piece) } else { nil }
      }
  }
}
