import Checkpoints
import Testing

@Suite("Checkpoints that do not fit")
struct DifferenceTests {
  let expected = [
    TensorShape(name: "layers.0.weight", shape: [64, 784]),
    TensorShape(name: "layers.0.bias", shape: [64]),
    TensorShape(name: "layers.2.weight", shape: [10, 64]),
  ]

  @Test("the same tensors in another order fit")
  func same() {
    #expect(
      TensorShape.difference(expected: expected, found: expected.reversed(), place: "m") == nil)
  }

  @Test("missing, unexpected and reshaped tensors are all listed")
  func different() {
    let found = [
      TensorShape(name: "layers.0.weight", shape: [32, 784]), expected[1],
      TensorShape(name: "layers.3.weight", shape: [10, 64]),
    ]
    #expect(
      TensorShape.difference(expected: expected, found: found, place: "m")?.description == """
        m: the tensors are not those of this model; missing: layers.2.weight [10, 64]; not in the model: layers.3.weight [10, 64]; of another shape: layers.0.weight is [32, 784] in the file, [64, 784] in the model
          expected: the 3 tensors of the configured model
          to fix:   restore the model's configuration, choose another output.folder, or start over with --fresh
        """)
  }

  @Test("long lists are cut")
  func long() {
    let many = (0..<12).map { TensorShape(name: "t\($0)", shape: []) }
    let text = TensorShape.difference(expected: many, found: [], place: "m")?.problem
    #expect(text?.hasSuffix("t8 [], t9 [] and 2 more") == true)
  }

  @Test("changed, new and vanished settings are found, free ones are not")
  func settings() {
    let saved = [
      "seed": "1", "training.batch": "512", "training.max_steps": "40", "loss": "mse",
      "output.folder": "a", "outputs": "x",
    ]
    let current = [
      "seed": "1", "training.batch": "256", "training.max_steps": "80", "output.folder": "b",
      "outputs": "y", "training.clip_norm": "1",
    ]
    let changes = SettingChange.changes(
      from: saved, to: current, free: ["training.max_steps", "output"])
    #expect(changes.map(\.key) == ["loss", "outputs", "training.batch", "training.clip_norm"])
    #expect(
      SettingChange.refusal(changes, place: "runs/x/checkpoints/step-00000040")?.description == """
        runs/x/checkpoints/step-00000040: the run was started with other settings: loss was mse, is not set, outputs was x, is y, training.batch was 512, is 256, training.clip_norm was not set, is 1
          expected: the same settings, so that the result is that of one uninterrupted run
          to fix:   restore them, choose another output.folder, or start over with --fresh
        """)
    #expect(SettingChange.refusal([], place: "x") == nil)
  }
}
