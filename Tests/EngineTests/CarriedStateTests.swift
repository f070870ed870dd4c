import Engine
import Graph
import Kernels
import Plan
import Testing

/// Recurrent layers that go on in a window where they ended the window before.
@Suite("Carried states")
struct CarriedStateTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var layers: [LayerKind]

    init(_ name: String, _ specs: RecurrentSpec...) {
      testDescription = name
      layers = specs.map { .recurrent($0) } + [GradientCheckTests.dense(3)]
    }
  }

  static func carrying(
    _ cell: RecurrentCell, units: Int = 5, layers: Int = 1, outputs: RecurrentOutputs = .sequence,
    bias: Bool = true
  ) -> RecurrentSpec {
    var spec = RecurrentSpec(cell: cell, units: units)
    (spec.layers, spec.outputs, spec.bias) = (layers, outputs, bias)
    spec.carriesState = true
    return spec
  }

  static let cases = [
    Case("simple rnn", carrying(.tanh)),
    Case("simple rnn without bias", carrying(.tanh, bias: false)),
    Case("lstm", carrying(.lstm)),
    Case("lstm, two layers, 17 units", carrying(.lstm, units: 17, layers: 2)),
    Case("lstm, last state", carrying(.lstm, outputs: .last)),
    Case("lstm without bias", carrying(.lstm, bias: false)),
    Case("gru, reset after", carrying(.gru(resetAfter: true))),
    Case("gru, reset before", carrying(.gru(resetAfter: false))),
    Case(
      "gru, reset before, 17 units, behind an lstm", carrying(.lstm),
      carrying(.gru(resetAfter: false), units: 17)),
  ]

  private func network(_ example: Case, steps: Int) throws -> SmallNetwork {
    let network = try SmallNetwork(
      input: [steps, 3], example.layers, loss: GradientCheckTests.softmax)
    network.fillStates()
    return network
  }

  @Test(
    "gradients against central differences, with states before the window",
    arguments: cases, [1, 4])
  func gradients(_ example: Case, steps: Int) throws {
    _ = try network(example, steps: steps).expectGradients(ofInput: true)
  }

  @Test("two windows in a row have the bits of one of twice the length", arguments: cases)
  func windows(_ example: Case) throws {
    let whole = try network(example, steps: 8)
    let half = try network(example, steps: 4)
    let input = whole.engine.input.array
    whole.run()
    let outputs = whole.engine.output.array
    for window in 0..<2 {
      for row in 0..<half.rows {
        let first = row * 24 + window * 12
        half.engine.input[row * 12..<row * 12 + 12].copy(from: Array(input[first..<first + 12]))
      }
      half.run()
      let found = half.engine.output.array
      // The last state's output stands alone; of a sequence, the window's part.
      let width = outputs.count / half.rows
      for row in 0..<half.rows where found.count < outputs.count || window == 1 {
        let part = found.count / half.rows
        let first = row * width + (width - part) * window
        #expect(
          Array(found[row * part..<(row + 1) * part]) == Array(outputs[first..<first + part]),
          "window \(window), row \(row)")
      }
      half.engine.advanceStates()
    }
    for state in whole.plan.graph.states.indices {
      // What the second window left has become what a third would start from.
      #expect(half.engine.states?.current(state).array == whole.engine.states?.next(state).array)
    }
  }

  @Test("without carry nothing is recalled or kept, with it every state once")
  func operations() throws {
    func names(carries: Bool) throws -> [String] {
      var spec = RecurrentSpec(cell: .lstm, units: 4)
      spec.carriesState = carries
      let graph = try GraphBuilder.forward(
        ModelSpec(input: [5, 3], layers: [LayerSpec(.recurrent(spec))]), loss: nil, mode: .training)
      #expect(
        graph.states.map(\.name) == (carries ? ["layers.0.h_l0", "layers.0.c_l0"] : []))
      return graph.operations.map(\.kind.name)
    }
    #expect(try names(carries: false) == ["dense", "lstm"])
    #expect(
      try names(carries: true) == [
        "dense", "recall_state", "recall_state", "lstm", "keep_state", "keep_state",
      ])
  }

  @Test("a step whose loss is not finite leaves the states as they were")
  func notFinite() throws {
    let layers: [LayerKind] = [
      .reshape([8, 8]), .recurrent(Self.carrying(.lstm, outputs: .last)),
      .dense(DenseSpec(units: 4)),
    ]
    let step = try SmallStep(layers, batch: 24, shards: 8)
    try step.take(0, of: 24)
    let states = try #require(step.steps.engine.states)
    let before = states.current(0).array
    #expect(before.allSatisfy { $0 != 0 } && states.rows == 24)
    #expect(throws: NotFinite.self) {
      try step.steps.run(step.batch(1, of: 24)) { positions in
        step.load(positions)
        step.steps.engine.input[5] = .nan
      }
    }
    #expect(states.current(0).array == before)
    try step.take(1, of: 24)
    #expect(states.current(0).array != before)
    states.reset()
    #expect(states.current(1).array.allSatisfy { $0 == 0 })
  }
}

extension SmallNetwork {
  /// Gives the rows states that windows before them might have left.
  func fillStates() {
    guard let states = engine.states else { return }
    for (index, state) in states.list.enumerated() {
      for row in 0..<rows {
        let values = (0..<state.units).map { 2 * wave(row * state.units + $0, Double(index)) }
        states.set(index, sample: row, to: values)
      }
    }
  }
}
