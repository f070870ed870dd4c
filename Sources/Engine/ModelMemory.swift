import Graph
import Kernels
import Plan
import Storage

/// The numbers of a model: trained parameters and running statistics, each in one allocation.
package final class ModelMemory<S: Scalar> {
  package let leaf: LeafLayout
  package let parameterList: [Parameter]
  package let statisticList: [Statistic]
  /// All parameters, in the order in which backward finishes their gradients.
  package var parameters: Block<S> { parameterMemory.block }
  /// Running means and variances, laid out like their shares in the leaf.
  package var statistics: Block<S> { statisticMemory.block }
  private let parameterMemory: AlignedMemory<S>
  private let statisticMemory: AlignedMemory<S>

  package init(_ plan: ExecutionPlan) {
    leaf = plan.leaf
    parameterList = plan.graph.parameters
    statisticList = plan.graph.statistics
    parameterMemory = AlignedMemory(count: leaf.parameterCount)
    statisticMemory = AlignedMemory(count: leaf.statistics.last?.upperBound ?? 0)
    for (statistic, range) in zip(statisticList, leaf.statistics) {
      statistics[range].fill(S(statistic.initialValue))
    }
  }

  /// The memory of one parameter.
  package func parameter(_ index: Int) -> Block<S> { parameters[leaf.parameters[index]] }

  package func statistic(_ index: Int) -> Block<S> { statistics[leaf.statistics[index]] }

  /// Takes a parameter's elements in the order of files.
  package func setParameter(_ index: Int, fileOrder elements: [S]) {
    AlignedMemory(copying: elements).withBlock {
      parameterList[index].layout.fill(parameter(index), fromFileOrder: $0)
    }
  }

  /// Moves running statistics towards this step's: `running += momentum * (batch - running)`.
  ///
  /// - Parameter sums: The summed leaf; its shares add up to the batch's statistics.
  package func updateStatistics(from sums: Block<S>) {
    for (index, statistic) in statisticList.enumerated() {
      let momentum = S(statistic.momentum)
      let running = self.statistic(index)
      let batch = sums[leaf.statistics[index]]
      for channel in 0..<statistic.channels {
        running[channel] += momentum * (batch[channel] - running[channel])
      }
    }
  }
}
