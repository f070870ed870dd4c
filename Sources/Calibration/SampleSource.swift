import Datasets
import Engine

/// Micro-shards of the training part in the order of an epoch, as a run loads them.
struct SampleSource {
  private let loader: BatchLoader<Float>
  private let order: any SampleOrder

  init(_ data: LoadedData, seed: UInt64) {
    loader = data.trainLoader(of: Float.self)
    order = EpochOrder(count: data.train.count, seed: seed, epoch: 0)
  }

  /// Fills the engine with the samples of the pass `index`, counted through the epoch and again.
  ///
  /// Samples with tokens that the vocabulary does not have are passed over: a run says where they are.
  func load(_ index: Int, rows: Int, into engine: ShardEngine<Float>) {
    let rows = min(rows, loader.part.count)
    let start = index * rows % (loader.part.count - rows + 1)
    let positions = start..<start + rows
    guard (try? loader.checkTokens(positions, order: order, epoch: 0)) != nil else { return }
    loader.loadInputs(
      positions, order: order, epoch: 0, into: engine.input.prefix(rows * loader.elementCount))
    if engine.usesClasses {
      loader.loadClasses(
        positions, order: order, epoch: 0, into: engine.classes.prefix(rows * loader.targetCount))
    } else {
      let width = loader.part.dataset.shape.target.width
      loader.loadValues(positions, order: order, into: engine.targets.prefix(rows * width))
    }
  }
}
