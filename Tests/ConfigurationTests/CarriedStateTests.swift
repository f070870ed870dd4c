import Configuration
import Graph
import Testing

@Suite("what layers that carry their states demand of the run")
struct CarriedStateTests {
  private let text = """
    data: {format: text, train: a.txt, window: 16}
    model:
      input: [16]
      layers:
        - embedding: {vocabulary: 9, units: 4}
        - lstm: {units: 5, carry: true}
        - gru: {units: 3}
        - dense: 9
    loss: softmax_cross_entropy
    optimizer: {kind: sgd, learning_rate: 0.1}
    """

  @Test("the layers are known, the key is written where it is set")
  func sound() throws {
    let run = try read(text)
    #expect(run.spec.model.carryingLayers.map(\.kind.configName) == ["lstm"])
    #expect(run.flattened["model.layers.1.lstm.carry"] == "true")
    // Settings of runs from before there was such a key stay as they are.
    #expect(run.flattened["model.layers.2.gru.carry"] == nil)
    #expect(try read(run.resolvedText).spec.model.carryingLayers.count == 1)
  }

  @Test("windows that follow each other, wherever they come from")
  func windows() throws {
    #expect(faults(text, "data.stride=16") == "")
    #expect(faults(text, "data={format: tokens, train: a.bin, vocabulary: 9, window: 16}") == "")
    #expect(
      faults(text, "data={format: time_series, train: a.csv, target: x, window: 16, stride: 16}")
        == "")
    #expect(
      faults(text, "data={format: time_series, train: a.csv, target: x, window: 16}") == """
        command line: data={format: time_series, train: a.csv, target: x, window: 16}: data.stride is 1, but lstm at \
        small.yaml:6:7 carries its state
          expected: 16, as data.window, so that each window begins where another one ended
          to fix:   set data.stride to 16, or remove carry
        """)
    #expect(
      faults(text, "data={format: generated_sequences, kind: tags}") == """
        command line: data={format: generated_sequences, kind: tags}: the samples do not follow each other, but lstm at \
        small.yaml:6:7 carries its state
          expected: windows of one sequence: data.format text, tokens or time_series
          to fix:   use such data, or remove carry
        """)
  }

  @Test("all faults at once")
  func everyFault() {
    let wrong = text.replacing("window: 16}", with: "window: 16, stride: 4, windows: random}")
      .replacing("carry: true", with: "carry: true, bidirectional: true")
    #expect(
      faults(wrong + "\ntraining: {local_steps: 2}\n") == """
        small.yaml:1:56: data.stride is 4, but lstm at small.yaml:6:7 carries its state
          expected: 16, as data.window, so that each window begins where another one ended
          to fix:   set data.stride to 16, or remove carry
        small.yaml:1:68: data.windows is random, but lstm at small.yaml:6:7 carries its state
          expected: contiguous, so that each window begins where another one ended
          to fix:   write windows: contiguous, or remove carry
        small.yaml:6:31: model.layers.1.lstm.carry is true, but the layer is bidirectional
          expected: a walk in one direction, which the next window can go on with
          to fix:   remove carry, or bidirectional
        small.yaml:11:25: training.local_steps is 2, but lstm at small.yaml:6:7 carries its state
          expected: 1: the ranks take each step together
          to fix:   set training.local_steps to 1, or remove carry
        """)
  }

  @Test("a loss of each window alone")
  func pairs() {
    #expect(
      faults(text, "loss={info_nce: 0.1}") == """
        command line: loss={info_nce: 0.1}: a loss compares the samples of a batch with each other, but lstm at \
        small.yaml:6:7 carries its state
          expected: a loss of each window alone
          to fix:   use another loss, or remove carry
        """)
  }
}
