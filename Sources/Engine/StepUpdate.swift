import DataParallel
import Kernels
import Optimizers
import Plan
import Storage

// P parameters; L elements of the summed leaf, of which the last P are the gradient; B blocks of parameters.

/// The second half of a step: from the sum of all gradients to the same new weights on every rank.
///
/// The ranks of a host divide the parameters into slices. Each rank updates the weights of its slice, with the
/// state that belongs to them, and hands them to the others in the place where the sum of the gradients was:
///
/// ```text
/// measure    sums of squares of the own slice's blocks      -> measured, wait for all; all add up all blocks
/// prepare    (LARS, LAMB) norms of the own slice's blocks   -> prepared, wait for all; all combine
/// update     own slice: weights, slots, average; copied over the gradient
/// exchange                                                  -> updated; copy each other slice when its owner has
/// ```
/// Why nobody reads what another is writing:
/// - Gradients of other slices are read by nobody: `measure` starts when the whole sum is there and, for
///   messages to other hosts, sent (`GradientSummation.waitSum`); from then on each rank reads its own slice.
/// - Statistics, loss and requests at the start of the leaf are never overwritten here.
/// - Weights lie in the sum until `GradientSummation.endStep` of the last rank of the host, which is behind its copy.
/// - Slots, average and sums of squares are next written after the sum of the next step, so only when every rank
///   has come to it: whoever is between two steps (to save, audit, evaluate) reads them undisturbed.
///
/// A rank alone on its board has one slice and nothing to hand over. Squares are added up block by block in any
/// case, so the norm has the same bits however many ranks divide the work. Nothing is allocated after `init`.
final class StepUpdate<S: Scalar> {
  private let model: ModelMemory<S>
  private let optimizer: Optimizer<S>
  private let average: ExponentialMovingAverage<S>?
  private let limits: GradientLimits
  private let board: UpdateBoard
  /// By rank of the board.
  private let slices: [Range<Int>]
  /// Of this rank's slice.
  private let blocks: Range<Int>
  /// Steps taken.
  private var steps = 0
  private var copying = Duration.zero

  /// - Parameter board: nil: this rank updates everything.
  init(
    model: ModelMemory<S>, optimizer: Optimizer<S>, average: ExponentialMovingAverage<S>?,
    limits: GradientLimits, board: UpdateBoard?
  ) {
    self.model = model
    self.optimizer = optimizer
    self.average = average
    self.limits = limits
    let board = board ?? UpdateBoard(alone: optimizer.blocks.ranges.count)
    self.board = board
    slices = optimizer.blocks.slices(board.ranks, of: model.parameters.count)
    blocks = optimizer.blocks.blocks(in: slices[board.rank])
  }

  /// The time spent on the other ranks of the host.
  var waiting: SumWaiting { SumWaiting(late: board.waiting, communication: copying) }

  /// The L2 norm of the whole gradient.
  ///
  /// - Parameter sum: `[L]`, complete.
  func measure(_ sum: Block<S>) -> Double {
    steps += 1
    let gradient = gradient(in: sum)
    for block in blocks {
      board.squares[block] = sumOfSquares(gradient[optimizer.blocks.ranges[block]])
    }
    board.meet(at: .measured, step: steps)
    var total = 0.0
    for block in 0..<board.squares.count { total += board.squares[block] }
    return total.squareRoot()
  }

  /// What LARS and LAMB have to know of whole tensors before the first weight moves.
  func prepare(_ batch: StepBatch, norm: Double, sum: Block<S>) {
    guard optimizer.needsNorms else { return }
    let slice = slices[board.rank]
    optimizer.prepare(
      slice, weights: model.parameters[slice], gradient: gradient(in: sum)[slice],
      step: batch.step + 1, gradientScale: gradientScale(norm), clipValue: limits.value)
    board.meet(at: .prepared, step: steps)
    optimizer.combineNorms(step: batch.step + 1)
  }

  /// Updates what lies in this rank's slice of one bucket.
  ///
  /// - Parameters:
  ///   - bucket: A range of the leaf.
  ///   - sum: `[L]`; where several ranks divide the work, the new weights replace their gradients.
  func update(_ bucket: Range<Int>, _ batch: StepBatch, norm: Double, sum: Block<S>) {
    let start = model.leaf.parameterStart
    let range = max(bucket.lowerBound, start) - start..<max(bucket.upperBound, start) - start
    let part = range.clamped(to: slices[board.rank])
    let isAlone = board.ranks == 1 && average == nil
    let piece = isAlone ? max(part.count, 1) : Self.pieceElements
    for first in stride(from: part.lowerBound, to: part.upperBound, by: piece) {
      let end = min(first + piece, part.upperBound)
      updatePiece(first..<end, batch, norm: norm, gradient: gradient(in: sum)[first..<end])
    }
  }

  /// Hands this rank's new weights to the others of the host and takes theirs.
  func exchange(_ sum: Block<S>) {
    guard board.ranks > 1 else { return }
    let (start, waited) = (ContinuousClock.now, board.waiting)
    board.publish(.updated, step: steps)
    let published = gradient(in: sum)
    // Each begins with its neighbour, so that not all read the same slice at once.
    for distance in 1..<board.ranks {
      let other = (board.rank + distance) % board.ranks
      board.wait(for: .updated, of: other, step: steps)
      model.parameters[slices[other]].copy(from: published[slices[other]])
    }
    copying += ContinuousClock.now - start - (board.waiting - waited)
  }

  private func updatePiece(
    _ range: Range<Int>, _ batch: StepBatch, norm: Double, gradient: Block<S>
  ) {
    let weights = model.parameters[range]
    optimizer.update(
      range, weights: weights, gradient: gradient, step: batch.step + 1,
      learningRate: batch.learningRate, gradientScale: gradientScale(norm),
      clipValue: limits.value)
    average?.update(range, weights: weights, step: batch.step + 1)
    if board.ranks > 1 { gradient.copy(from: weights) }
  }

  private func gradient(in sum: Block<S>) -> Block<S> {
    sum[model.leaf.parameterStart..<model.leaf.count]
  }

  private func gradientScale(_ norm: Double) -> Double {
    limits.norm.map { clipScale(norm: norm, limit: $0) } ?? 1
  }

  /// Weights that are still in the second-level cache, with gradient and state, when they are used again.
  private static var pieceElements: Int { 8192 }
}
