import Benchmarks
import Graph
import Plan
import Testing

@Suite("Work of instructions")
struct InstructionWorkTests {
  /// 4 samples of 4 x 4 through a convolution without padding and a dense layer.
  private func plan() throws -> ExecutionPlan {
    let layers: [LayerKind] = [
      .conv2d(Conv2DSpec(filters: 3, kernel: Extent(3))), .flatten(.channelsFirst),
      .dense(DenseSpec(units: 5)),
    ]
    let spec = ModelSpec(input: [4, 4, 2], layers: layers.map { LayerSpec($0) })
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
    return ExecutionPlan(
      training: try GraphBuilder.forward(spec, loss: loss, mode: .training), capacity: 4)
  }

  @Test("counts operations and bytes of products as a count by hand does")
  func products() throws {
    let work = try plan().operationWork
    let convolution = try #require(work.first { $0.name.hasPrefix("conv2d [") })
    // 2 x 2 pixels of 3 filters from 3 x 3 x 2 numbers, 4 samples.
    #expect(convolution.operations == 2 * 4 * 3 * 18 * 4)
    // Images, weights, bias, result.
    #expect(convolution.byteCount == 4 * (4 * 32 + 54 + 3 + 4 * 12))
    let dense = try #require(work.first { $0.name.hasPrefix("dense [") })
    #expect(dense.operations == 2 * 12 * 5 * 4)
    #expect(dense.byteCount == 4 * (4 * 12 + 60 + 5 + 4 * 5))
  }

  @Test("of a long sequence only the step that is copied counts")
  func copies() throws {
    var lstm = RecurrentSpec(cell: .lstm, units: 6)
    (lstm.carriesState, lstm.outputs) = (true, .last)
    let spec = ModelSpec(input: [9, 2], layers: [LayerSpec(.recurrent(lstm))])
    let work = ExecutionPlan(
      inference: try GraphBuilder.forward(spec, loss: nil, mode: .evaluation), capacity: 4
    ).operationWork
    let copies = work.filter { !$0.name.hasPrefix("dense") && !$0.name.hasPrefix("lstm") }
    #expect(copies.count == 5)
    #expect(copies.allSatisfy { $0.byteCount == 4 * 2 * 4 * 6 }, "\(copies)")
  }

  @Test("there is one entry per operation, and only products compute")
  func everyOperation() throws {
    let plan = try plan()
    #expect(plan.operationWork.count == plan.graph.operations.count)
    #expect(plan.operationWork.allSatisfy { $0.byteCount > 0 })
    let computing = plan.operationWork.filter { $0.operations > 0 }.map(\.name)
    #expect(computing.allSatisfy { $0.hasPrefix("conv2d") || $0.hasPrefix("dense") })
    // The convolution forward and by weights (its input needs no gradient), the dense layer all three.
    let total: Double = plan.operationWork.reduce(0.0) { $0 + $1.operations }
    let expected: Double = 8 * (216 * 2 + 60 * 3)
    #expect(total == expected)
  }

  @Test("fold, check and update count the leaf and the parameters")
  func wholeModel() throws {
    let plan = try plan()
    #expect(plan.foldWork.byteCount == 12 * plan.leaf.count)
    #expect(plan.checkWork.byteCount == 4 * plan.leaf.parameterCount)
    // Parameters and two slots are read and written, gradients read.
    #expect(plan.updateWork(buffers: 3).byteCount == 28 * plan.leaf.parameterCount)
    #expect(plan.loadWork.byteCount == 4 * 4 * 32)
  }
}
