import Datasets
import Diagnostics
import Testing

@Suite("Shapes of samples")
struct DataShapeTests {
  private func message(data: [Int], model: [Int], inputs: [String] = []) throws -> String {
    let shape = DataShape(input: data, target: .classes(count: 2, names: nil))
    do {
      try shape.checkInput(ofModel: model, inputs: inputs, place: "t.yaml:3:10")
      return "fits"
    } catch let fault as Diagnostic { return fault.description }
  }

  @Test(
    "images fit with or without a channel axis, and flattened",
    arguments: [
      ([28, 28], [28, 28, 1]), ([28, 28], [784]), ([28, 28], [28, 28]), ([784], [28, 28, 1]),
      ([32, 32, 3], [32, 32, 3]), ([5], [5]), ([1], [1]),
    ])
  func fits(data: [Int], model: [Int]) throws {
    #expect(try message(data: data, model: model) == "fits")
  }

  @Test("what does not fit is told with the shape that does")
  func faults() throws {
    #expect(
      try message(data: [32, 32, 3], model: [3, 32, 32]) == """
        t.yaml:3:10: the model takes inputs of shape [3, 32, 32], the data have [32, 32, 3]
          expected: [32, 32, 3], or [3072] without geometry
          to fix:   set model.input to [32, 32, 3]
        """)
    #expect(
      try message(data: [28, 28], model: [27, 28, 1]) == """
        t.yaml:3:10: the model takes inputs of shape [27, 28, 1], the data have [28, 28]
          expected: [28, 28, 1], or [784] without geometry
          to fix:   set model.input to [28, 28, 1]
        """)
    #expect(
      try message(data: [4], model: [5]) == """
        t.yaml:3:10: the model takes inputs of shape [5], the data have [4]
          expected: [4]
          to fix:   set model.input to [4]
        """)
    #expect(
      try message(data: [2, 4], model: [9], inputs: ["source", "target"]) == """
        t.yaml:3:10: the inputs source, target take 9 numbers together, a sample of the data has 8
          expected: shapes of 8 numbers together
          to fix:   change the shapes under model.input
        """)
    #expect(try message(data: [2, 4], model: [8], inputs: ["source", "target"]) == "fits")
  }
}
