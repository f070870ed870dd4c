import Engine
import Graph
import Storage
import Testing

@Suite("Layouts of parameters")
struct ParameterLayoutTests {
  private func memory(_ layout: ParameterLayout, fromFile file: [Float]) -> [Float] {
    let (source, target) = (AlignedMemory(copying: file), AlignedMemory<Float>(count: file.count))
    source.withBlock { file in target.withBlock { layout.fill($0, fromFileOrder: file) } }
    return target.array
  }

  @Test("files of dense layers have units first, memory has inputs first")
  func dense() {
    let layout = ParameterLayout.dense(inputs: 3, units: 2)
    #expect(memory(layout, fromFile: [1, 2, 3, 4, 5, 6]) == [1, 4, 2, 5, 3, 6])
    #expect(memory(.vector(3), fromFile: [1, 2, 3]) == [1, 2, 3])
  }

  @Test("files of convolutions have outputs first, memory has taps first")
  func convolution() {
    let layout = ParameterLayout.convolution(height: 1, width: 2, inputs: 2, outputs: 3)
    let file = (0..<12).map { Float($0) }  // [outputs, inputs, height, width]
    let memory = memory(layout, fromFile: file)
    for (output, input, x) in [(0, 0, 0), (2, 1, 1), (1, 0, 1)] {
      #expect(memory[(x * 2 + input) * 3 + output] == file[(output * 2 + input) * 2 + x])
    }
  }
}
