import Configuration
import Testing

@Suite("the table of keys")
struct ConfigurationKeyTests {
  @Test("has each key once per meaning, with a sentence")
  func keys() {
    let keys = ConfigurationKey.all
    for key in keys {
      #expect(keys.count { $0 == key } == 1, "\(key)")
      #expect(!key.documentation.isEmpty && !key.type.isEmpty, "\(key)")
    }
    let sections = ["data", "model", "loss", "optimizer", "schedule", "training", "evaluation"]
    for path in sections + ["checkpoint", "audit", "plan", "output", "name", "seed"] {
      #expect(keys.contains { $0.path == path }, "\(path)")
    }
  }

  @Test("knows types, defaults and which kinds a key is for")
  func rows() {
    let keys = ConfigurationKey.all
    #expect(
      keys.contains(
        ConfigurationKey(
          path: "training.batch", type: "a whole number, at least 1", default: "128",
          documentation: "Samples per step over all ranks; a multiple of shards.")))
    #expect(
      keys.contains(
        ConfigurationKey(
          path: "optimizer.beta1", type: "a number, at least 0 and below 1", default: "0.9",
          documentation:
            "The weight of the past in the average of gradients. Only for adam, adamw and lamb.")))
    #expect(
      keys.contains(
        ConfigurationKey(
          path: "model.layers.N.max_pool",
          type: "{max_pool: size} or {max_pool: {size, stride, padding}}", default: "",
          documentation: "The largest value of each window.")))
    #expect(keys.first { $0.path == "model.layers.N.dense.units" }?.default == "required")
    #expect(keys.first { $0.path == "output.folder" }?.default == "runs/<name>")
  }

  @Test("is Markdown, a row per key")
  func markdown() {
    let keys = [
      ConfigurationKey(path: "a.b", type: "x | y", default: "1", documentation: "What it is."),
      ConfigurationKey(path: "c", type: "a text", default: "required", documentation: "Other."),
    ]
    #expect(
      ConfigurationKey.markdownTable(of: keys) == """
        | key | value | default | meaning |
        | --- | --- | --- | --- |
        | `a.b` | x \\| y | `1` | What it is. |
        | `c` | a text | required | Other. |

        """)
    let lines = ConfigurationKey.markdownTable().split(separator: "\n")
    #expect(lines.count == ConfigurationKey.all.count + 2)
  }

  @Test("every key it names is one that a configuration of its kind may have")
  func real() throws {
    // The value is wrong on purpose: only the key itself must be known.
    for key in ConfigurationKey.all where !key.path.contains(".N.") {
      let section = key.path.prefix { $0 != "." }
      let kind = key.documentation.firstMatch(of: /Only for (\w+)/)?.output.1
      let choice = kind.map { "\(section).\(section == "data" ? "format" : "kind")=\($0)" }
      let message = faults(smallest, choice ?? "seed=1", "\(key.path)={made_up: 1}")
      #expect(!message.contains("unknown key \(key.path)\n"), "\(message)")
      #expect(!message.contains("\(key.path) does not belong"), "\(message)")
    }
    #expect(faults(smallest, "training.made_up=1").contains("unknown key training.made_up\n"))
    #expect(faults(smallest, "optimizer.beta1=1").contains("optimizer.beta1 does not belong"))
  }
}
