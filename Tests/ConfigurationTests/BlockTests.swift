import Configuration
import Foundation
import Graph
import Testing

/// `text`, a model section, in a whole configuration; the section starts on line 2.
private func whole(_ model: String) -> String {
  "data: {format: generated, kind: xor}\nmodel:\n"
    + model.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    .joined(separator: "\n")
    + "\nloss: softmax_cross_entropy\noptimizer: {kind: sgd, learning_rate: 0.1}\n"
}

@Suite("blocks")
struct BlockTests {
  private static let blocks = """
    input: [8, 8, 3]
    blocks:
      conv_bn:
        parameters: {filters: null, kernel: 3, groups: 1}
        layers:
          - conv2d: {filters: $filters, kernel: $kernel, padding: ($kernel - 1) / 2, groups: $groups}
          - batch_norm
      basic:
        parameters: {filters: null, shortcut: []}
        layers:
          - residual:
              main: [{conv_bn: $filters}, relu, {conv_bn: {filters: $filters}}]
              shortcut: $shortcut
          - relu

    """

  private func layers(_ list: String) throws -> [LayerSpec] {
    withoutPlaces(try read(whole(Self.blocks + "layers:\n" + list)).spec).model.layers
  }

  private func conv(_ filters: Int, _ kernel: Int, _ groups: Int = 1) -> LayerSpec {
    var spec = Conv2DSpec(filters: filters, kernel: Extent(kernel))
    spec.padding = .amount(Extent((kernel - 1) / 2))
    spec.groups = .count(groups)
    return LayerSpec(.conv2d(spec), place: "")
  }

  private func sequence(_ layers: [LayerSpec], name: String? = nil) -> LayerSpec {
    LayerSpec(.sequence(layers), name: name, place: "")
  }

  private var norm: LayerSpec { LayerSpec(.batchNorm(BatchNormSpec()), place: "") }
  private var relu: LayerSpec { LayerSpec(.activation(.relu), place: "") }

  @Test("a use becomes a sequence of the block's layers, with its arguments or the defaults")
  func uses() throws {
    let found = try layers(
      """
        - conv_bn: {filters: 6, kernel: 5, groups: 3}
        - conv_bn: {filters: 4, name: stem}
        - conv_bn: 5
      """)
    #expect(
      found == [
        sequence([conv(6, 5, 3), norm]), sequence([conv(4, 3), norm], name: "stem"),
        sequence([conv(5, 3), norm]),
      ])
  }

  @Test("blocks use blocks, lists are arguments, and containers hold uses")
  func nested() throws {
    let found = try layers(
      """
        - basic: 3
        - repeat: {times: 2, layers: [{basic: {filters: 4, shortcut: [{conv_bn: 4}]}}]}
        - parallel: {branches: [[{conv_bn: 2}], []]}
        - sequence: [{conv_bn: 2}]
      """)
    func basic(_ filters: Int, _ shortcut: [LayerSpec]) -> LayerSpec {
      let pair = sequence([conv(filters, 3), norm])
      return sequence([
        LayerSpec(.residual(main: [pair, relu, pair], shortcut: shortcut), place: ""), relu,
      ])
    }
    let two = sequence([conv(2, 3), norm])
    #expect(
      found == [
        basic(3, []),
        LayerSpec(
          .repeat(times: 2, layers: [basic(4, [sequence([conv(4, 3), norm])])]), place: ""),
        LayerSpec(.parallel(branches: [[two], []], join: .concat), place: ""), sequence([two]),
      ])
  }

  @Test("a parameter may be a word, a number, a list, a table or a layer")
  func anyValue() throws {
    let found = try read(
      whole(
        """
        input: [4, 4, 2]
        blocks:
          any:
            parameters: {padding: same, kernel: 1, bias: false, activation: relu, pool: null}
            layers:
              - conv2d: {filters: 2, kernel: $kernel, padding: $padding, bias: $bias}
              - $activation
              - max_pool: $pool
        layers:
          - any: {kernel: [1, 3], bias: true, activation: {leaky_relu: 0.5}, pool: {size: 2, stride: 1}}
        """)
    ).spec
    var conv = Conv2DSpec(filters: 2, kernel: Extent(height: 1, width: 3))
    conv.padding = .same
    var pool = PoolSpec(size: Extent(2))
    pool.stride = Extent(1)
    #expect(
      withoutPlaces(found).model.layers == [
        sequence([
          LayerSpec(.conv2d(conv), place: ""),
          LayerSpec(.activation(.leakyRelu(slope: 0.5)), place: ""),
          LayerSpec(.maxPool(pool), place: ""),
        ])
      ])
  }

  @Test(
    "formulas compute with whole numbers",
    arguments: [
      ("$a * 4", 24), ("$a*$b+1", 13), ("$a + $b * 2", 10), ("($a + $b) * 2", 16),
      ("$a - $b - 1", 3),
      ("$a / $b / 3", 1), ("100 / ($a - 1)", 20), ("$a - -1", 7), ("$a", 6),
    ])
  func formulas(text: String, expected: Int) throws {
    let found = try read(
      whole(
        """
        input: [2]
        blocks: {b: {parameters: {a: 6, b: 2}, layers: [{dense: \(text)}]}}
        layers: [b]
        """)
    ).spec
    #expect(
      withoutPlaces(found).model.layers == [
        sequence([LayerSpec(.dense(DenseSpec(units: expected)), place: "")])
      ])
  }

  @Test("a default may use the parameters before it")
  func defaults() throws {
    let found = try read(
      whole(
        """
        input: [2]
        blocks: {b: {parameters: {a: null, wide: $a * 4}, layers: [{dense: $wide}, {dense: $a}]}}
        layers: [{b: 3}, {b: {a: 3, wide: 5}}]
        """)
    ).spec
    func two(_ wide: Int) -> LayerSpec {
      sequence([wide, 3].map { LayerSpec(.dense(DenseSpec(units: $0)), place: "") })
    }
    #expect(withoutPlaces(found).model.layers == [two(12), two(5)])
  }

  @Test("the resolved form is expanded and gives the same run")
  func resolved() throws {
    let first = try read(
      whole(Self.blocks + "layers: [{basic: 3}, {conv_bn: {filters: 2, name: end}}]"))
    let second = try read(first.resolvedText)
    #expect(!first.resolvedText.contains("blocks"))
    #expect(second.resolvedText == first.resolvedText)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
  }

  @Test("overrides reach blocks, their arguments and their defaults")
  func overrides() throws {
    let text = whole(Self.blocks + "layers: [{conv_bn: {filters: 2}}, {conv_bn: 3}]")
    let found = try read(
      text, "model.layers.0.conv_bn.filters=6", "model.blocks.conv_bn.parameters.kernel=1",
      "model.layers.1.conv_bn.kernel=5")
    #expect(
      withoutPlaces(found.spec).model.layers == [
        sequence([conv(6, 1), norm]), sequence([conv(3, 5), norm]),
      ])
  }

  @Test("parameters are named by the place of the use and the index within the block")
  func parameterNames() throws {
    let model = try read(
      whole(Self.blocks + "layers: [{conv_bn: {filters: 2, name: stem}}, relu, {basic: 2}]")
    ).spec.model
    let graph = try GraphBuilder.forward(model, loss: nil, mode: .training)
    #expect(
      graph.parameters.map(\.name).filter { $0.hasSuffix("weight") } == [
        "layers.stem.0.weight", "layers.stem.1.weight", "layers.2.0.main.0.0.weight",
        "layers.2.0.main.0.1.weight", "layers.2.0.main.2.0.weight", "layers.2.0.main.2.1.weight",
      ])
  }

  @Test("a fault in an argument is shown where it was given, one in the block where it is defined")
  func places() {
    let text = whole(
      """
      input: [2]
      blocks:
        head: {parameters: {units: null}, layers: [{dense: $units}, {dropout: 2}]}
      layers:
        - head: 0
        - head: 3
      """)
    #expect(
      faults(text) == """
        small.yaml:5:75: model.layers.0.sequence.layers.1.dropout is 2
          expected: a number, at least 0 and below 1
          to fix:   write, for example, dropout: 0.5
        small.yaml:7:13: model.layers.0.sequence.layers.0.dense is 0
          expected: a whole number, at least 1
          to fix:   write, for example, dense: 10
        """)
  }

  /// Blocks, layers, and what is wrong with them.
  static let faulty: [(blocks: String, layers: String, message: String)] = [
    (
      "{a: {parameters: {n: null}, layers: [{dense: $n}]}}", "[a]",
      """
      small.yaml:5:12: model.layers.0.a.n is missing
        expected: a value, since the block a has no default for it
        to fix:   write a: {n: ...}
      """
    ),
    (
      "{a: {parameters: {units: 2}, layers: [{dense: $units}]}}", "[{a: {unit: 3}}]",
      """
      small.yaml:5:17: unknown key model.layers.0.a.unit
        expected: a parameter of the block a: units, name, from or trainable
        to fix:   write units instead of unit
      """
    ),
    (
      "{a: {layers: [relu]}}", "[{a: 3}]",
      """
      small.yaml:5:16: model.layers.0.a is 3
        expected: no options, since the block a has no parameters
        to fix:   write a alone
      """
    ),
    (
      "{a: {parameters: {units: 2}, layers: [{dense: $unit}]}}", "[a]",
      """
      small.yaml:4:57: $unit is no parameter of the block a
        expected: one of $units
        to fix:   write $units
      """
    ),
    (
      "{a: {layers: [relu, b]}, b: {layers: [{a: }]}}", "[a]",
      """
      small.yaml:4:12: the block a uses itself: a > b > a
        expected: blocks that use others only, down to layers
        to fix:   use repeat for layers that come several times, or remove the use of a
      """
    ),
    (
      "{relu: {layers: [tanh]}}", "[relu]",
      """
      small.yaml:4:12: model.blocks.relu has the name of a layer
        expected: a name that no layer has
        to fix:   write my_relu, and use it by that name
      """
    ),
    (
      "{a: {parameters: {n: 5}, layers: [{dense: $n / 2}]}}", "[a]",
      """
      small.yaml:4:53: model.layers.0.a: $n / 2 is 5 / 2, no whole number
        expected: whole numbers and parameters with + - * / and parentheses
        to fix:   choose parameters that divide evenly
      """
    ),
    (
      "{a: {parameters: {n: relu}, layers: [{dense: $n * 2}]}}", "[a]",
      """
      small.yaml:4:56: model.layers.0.a: $n * 2 cannot be computed: n is the text "relu"
        expected: whole numbers and parameters with + - * / and parentheses
        to fix:   give n a whole number, or write $n alone
      """
    ),
    (
      "{a: {parameters: {n: 2}, layers: [{dense: $n * }]}}", "[a]",
      """
      small.yaml:4:53: model.layers.0.a: $n * is no formula
        expected: whole numbers and parameters with + - * / and parentheses
        to fix:   write, for example, $filters * 4
      """
    ),
    (
      "{a: {parameters: {name: 2}, layers: [relu]}}", "[a]",
      """
      small.yaml:4:29: name is no name for a parameter of a block
        expected: letters, digits and _, the first one no digit; name, from and trainable are the layer's own
        to fix:   write, for example, filters
      """
    ),
    (
      "{a: {parameters: {n: 2}}}", "[a]",
      """
      small.yaml:4:12: model.blocks.a.layers is missing
        expected: a list of layers
        to fix:   add layers: [relu] under it
      """
    ),
    (
      "{a: {layers: [relu], layer: 2}}", "[a]",
      """
      small.yaml:4:32: unknown key model.blocks.a.layer
        expected: one of parameters, layers
        to fix:   write layers instead of layer
      """
    ),
    (
      "[a]", "[relu]",
      """
      small.yaml:4:11: model.blocks is a list of 1 entry
        expected: a table of blocks, each with parameters and layers
        to fix:   write, for example, blocks: {conv_relu: {parameters: {filters: null}, layers: [...]}}
      """
    ),
  ]

  @Test("what is wrong with blocks becomes a sentence", arguments: faulty)
  func messages(blocks: String, layers: String, message: String) {
    #expect(
      faults(whole("input: [2]\nblocks: \(blocks)\nlayers: \(layers)")) == message)
  }

  @Test("an unknown layer beside blocks names them, and is reported once")
  func unknown() {
    let text = faults(
      whole("input: [2]\nblocks: {conv_bn: {layers: [relu]}}\nlayers: [conv_bm, {conv_bm: 2}]"))
    #expect(text.contains("small.yaml:5:12: unknown layer conv_bm\n"))
    #expect(text.contains("expected: a block (conv_bn) or one of dense, conv2d,"))
    #expect(text.contains("to fix:   write conv_bn instead of conv_bm"))
    #expect(text.components(separatedBy: "unknown layer").count == 3)
  }

  @Test("blocks that nobody uses are checked for their names only")
  func unused() throws {
    _ = try read(
      whole(
        "input: [2]\nblocks: {a: {parameters: {n: null}, layers: [{dense: $n}]}}\nlayers: [relu]"))
    _ = try read(whole("input: [2]\nblocks: {}\nlayers: [relu]"))
    _ = try read(whole("input: [2]\nblocks:\nlayers: [relu]"))
  }
}
