import Diagnostics
import Graph
import Optimizers
import Testing

@Suite("Constants of a parameter")
struct ParameterHyperTests {
  private static func spec(_ groups: [ParameterGroupSpec] = []) -> OptimizerSpec {
    var spec = OptimizerSpec(rule: .sgd, learningRate: 0.1)
    spec.weightDecay = 0.01
    spec.l2 = 0.02
    spec.l1 = 0.03
    spec.groups = groups
    return spec
  }

  private static func group(_ match: String, _ change: (inout ParameterGroupSpec) -> Void)
    -> ParameterGroupSpec
  {
    var group = ParameterGroupSpec(match: match)
    change(&group)
    return group
  }

  @Test("weights take the spec's decay and penalties")
  func weights() {
    let hyper = Self.spec().hyper(of: "layers.0.weight", kind: .weight)
    #expect(hyper.weightDecay == 0.01)
    #expect(hyper.l2 == 0.02)
    #expect(hyper.l1 == 0.03)
    #expect(hyper.learningRateFactor == 1)
  }

  @Test("biases and norms are spared", arguments: [ParameterKind.bias, .normScale, .normShift])
  func spared(kind: ParameterKind) {
    #expect(Self.spec().hyper(of: "layers.0.any", kind: kind) == ParameterHyper())
  }

  @Test(
    "biases and norms are not spared when the spec says so",
    arguments: [ParameterKind.bias, .normScale, .normShift])
  func notSpared(kind: ParameterKind) {
    var spec = Self.spec()
    spec.decaysBiasesAndNorms = true
    #expect(spec.hyper(of: "a", kind: kind) == spec.hyper(of: "a", kind: .weight))
  }

  @Test("a group changes what it sets and nothing else")
  func groupSets() {
    let spec = Self.spec([Self.group("layers.0") { $0.l2 = 0.5 }])
    var expected = Self.spec().hyper(of: "layers.0.weight", kind: .weight)
    expected.l2 = 0.5
    #expect(spec.hyper(of: "layers.0.weight", kind: .weight) == expected)
    #expect(
      spec.hyper(of: "layers.1.weight", kind: .weight)
        == Self.spec().hyper(of: "layers.1.weight", kind: .weight))
  }

  @Test("every setting of a group counts, for biases too")
  func groupOnBias() {
    let group = Self.group("bias") {
      $0.learningRateFactor = 2
      $0.weightDecay = 3
      $0.l2 = 4
      $0.l1 = 5
    }
    let hyper = Self.spec([group]).hyper(of: "layers.0.bias", kind: .bias)
    #expect(hyper.learningRateFactor == 2)
    #expect(hyper.weightDecay == 3)
    #expect(hyper.l2 == 4)
    #expect(hyper.l1 == 5)
  }

  @Test("the later group wins, setting by setting")
  func laterWins() {
    let groups = [
      Self.group("layers.0") {
        $0.learningRateFactor = 0.1
        $0.l1 = 0.7
      },
      Self.group("weight") { $0.l1 = 0.8 },
    ]
    let hyper = Self.spec(groups).hyper(of: "layers.0.weight", kind: .weight)
    #expect(hyper.learningRateFactor == 0.1)
    #expect(hyper.l1 == 0.8)
  }

  @Test(
    "a match is made of whole words",
    arguments: [
      ("layers.1", "layers.1.weight", true), ("layers.1", "layers.10.weight", false),
      ("bias", "layers.5.main.0.bias", true), ("main", "layers.5.main.0.bias", true),
      ("bias", "layers.debias.weight", false), ("*bias", "layers.debias.weight", true),
      ("layers.*.weight", "layers.5.main.0.weight", true),
      ("layers.*.weight", "layers.5.main.0.bias", false), ("*", "stem", true),
      ("stem", "stem", true), ("s*m", "stem", true), ("s*m*m", "stem", false), ("", "stem", false),
      ("1*1", "layers.1.1.weight", true), ("1*1", "layers.1.weight", false),
      ("*norm*", "layers.batch_norm_2.scale", true),
    ])
  func matching(match: String, name: String, expected: Bool) {
    #expect(ParameterGroupSpec(match: match).matches(name) == expected)
  }

  @Test("a group that matches nothing is named")
  func unmatched() {
    let spec = Self.spec([Self.group("weight") { _ in }, Self.group("layer.3") { _ in }])
    let found = spec.unmatchedGroups(among: ["layers.0.weight"], place: "mnist.yaml:20:3")
    #expect(
      found.map(\.description) == [
        """
        mnist.yaml:20:3: optimizer.groups.1 matches no parameter: `layer.3`
          expected: whole words of a parameter's name, such as `layers.0.weight`
          to fix:   use `*` for any run of characters, or remove the group
        """
      ])
  }
}
