import Configuration
import Graph
import Testing

@Suite("inputs with names")
struct NamedInputTests {
  private static let model = """
    model:
      input: {source: [20], target: [11, 3], flag: 1}
      layers:
        - embedding: {vocabulary: 9, units: 4, name: memory}
        - dense: {units: 4, from: target}
        - attention: {heads: 2, memory: memory}
        - dense: {units: 2, from: flag}
    """

  private static let text = """
    data: {format: generated, kind: xor}
    \(model)
    loss: softmax_cross_entropy
    optimizer: {kind: sgd, learning_rate: 0.1}
    """

  @Test("are read in their order, with the numbers of all as the sample")
  func reading() throws {
    let model = try varied(Self.model).model
    #expect(
      model.inputs == [
        NamedInput("source", [20]), NamedInput("target", [11, 3]), NamedInput("flag", [1]),
      ])
    #expect(model.input == [54])
    guard case .attention(let attention) = model.layers[2].kind else {
      Issue.record("no attention")
      return
    }
    #expect(attention.memory == "memory" && attention.heads == 2)
  }

  @Test("are written as they were read, and one without a name as before")
  func writing() throws {
    let first = try read(Self.text)
    let second = try read(first.resolvedText)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
    #expect(
      first.resolvedText.contains("  input: {source: [20], target: [11, 3], flag: [1]}\n"),
      "\(first.resolvedText)")
    #expect(try varied("model: {input: [2], layers: [relu]}").model.inputs.isEmpty)
  }

  @Test("can be changed one by one on the command line")
  func overriding() throws {
    let model = try read(Self.text, "model.input.source=[7]").spec.model
    #expect(model.inputs.map(\.elementCount) == [7, 33, 1] && model.input == [41])
  }

  @Test("faults of names and shapes are told together")
  func wrong() {
    let text = smallest.replacing(
      "input: [2]", with: "input: {a b: [2], \"3\": 4, c: [x], d: {}}")
    #expect(
      faults(text) == """
        small.yaml:3:11: model.input has an input called "a b"
          expected: letters, digits, _ and -, not a number alone
          to fix:   choose another name
        small.yaml:3:21: model.input has an input called "3"
          expected: letters, digits, _ and -, not a number alone
          to fix:   choose another name
        small.yaml:3:33: model.input.c.0 is the text "x"
          expected: a whole number, at least 1
          to fix:   write, for example, 28
        small.yaml:3:40: model.input.d is an empty table
          expected: the shape of a sample, [height, width, channels] or [columns]
          to fix:   write, for example, d: [28, 28, 1]
        """)
  }

  @Test("padding is looked for in each of them")
  func padding() {
    let model = "model={input: {a: [2], b: [2]}, layers: [{dense: 3}, {masking: {from: b}}]}"
    #expect(
      faults(smallest, model, "data.normalize=standardize").contains(
        "after which the masking layer finds no padding"))
    #expect(faults(smallest, model, "data.normalize={divide: 2}") == "")
  }
}
