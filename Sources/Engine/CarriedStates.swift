import Graph
import Kernels
import Storage

// Shapes: R rows of batches that are kept here, H numbers of a state.

/// What recurrent layers carry from window to window, for each row of the batches that this rank computes.
///
/// There are two copies of each state: a step reads the one and writes the other, and at its end they change
/// places. So a step can be repeated, and passes need not know of each other.
package final class CarriedStates<S: Scalar> {
  package let list: [CarriedState]
  /// R.
  package let rows: Int
  /// The row of each sample in hand.
  private(set) var places: [Int]
  /// By state; `[R, H]` each.
  private let copies: (first: [AlignedMemory<S>], second: [AlignedMemory<S>])
  private var isTurned = false

  /// - Parameter samples: That are in hand at a time, at most; until they are placed, each is the row of its number.
  init(_ list: [CarriedState], rows: Int, samples: Int) {
    self.list = list
    self.rows = rows
    places = Array(0..<samples)
    func memory() -> [AlignedMemory<S>] {
      list.map { AlignedMemory(count: rows * $0.units) }
    }
    copies = (memory(), memory())
  }

  /// What the step reads, `[R, H]`.
  package func current(_ state: Int) -> Block<S> {
    (isTurned ? copies.second : copies.first)[state].block
  }

  /// What the step writes, `[R, H]`.
  package func next(_ state: Int) -> Block<S> {
    (isTurned ? copies.first : copies.second)[state].block
  }

  /// Puts zeros in what the next step reads, for windows with nothing before them.
  package func reset() {
    for state in list.indices { current(state).fill(0) }
  }

  /// Lets the next step read what this one has written.
  func advance() { isTurned.toggle() }

  /// Sets what the next step reads for a sample in hand.
  package func set(_ state: Int, sample: Int, to values: [S]) {
    row(places[sample], of: current(state), units: list[state].units).copy(from: values)
  }

  /// Says which rows the samples of a pass are: the k-th of a micro-shard is its k-th row, however many it has.
  ///
  /// - Parameter capacity: Samples of a micro-shard of a full batch.
  func place(_ pass: ShardPass, capacity: Int) {
    var sample = 0
    for shard in pass.shards {
      for row in 0..<pass.positions(ofShard: shard).count {
        places[sample] = shard * capacity + row
        sample += 1
      }
    }
  }

  func row(_ row: Int, of block: Block<S>, units: Int) -> Block<S> {
    block[row * units..<(row + 1) * units]
  }
}

extension ShardEngine {
  /// Copies the rows of the samples in hand.
  func recallState(_ index: Int, units: Int) {
    guard let states else { preconditionFailure("no states to recall") }
    let (state, target) = (input(index, 0), output(index))
    for sample in 0..<rows {
      states.row(sample, of: target, units: units).copy(
        from: states.row(states.places[firstRow + sample], of: state, units: units))
    }
  }

  func keepState(_ index: Int, offset: Int, count: Int, total: Int) {
    guard let states else { preconditionFailure("nowhere to keep states") }
    let (source, state) = (input(index, 0), output(index))
    for sample in 0..<rows {
      let start = sample * total + offset
      states.row(states.places[firstRow + sample], of: state, units: count).copy(
        from: source[start..<start + count])
    }
  }
}
