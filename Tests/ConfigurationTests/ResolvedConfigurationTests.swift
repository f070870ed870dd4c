import Configuration
import Graph
import Testing
import Training

@Suite("the resolved configuration")
struct ResolvedConfigurationTests {
  /// Every section with values that are not the defaults, and texts that are hard to write.
  static let rich = """
    name: "2024"
    seed: 18446744073709551615
    data:
      format: csv
      train: "odd name: #1\\t\\"x\\" \\\\ ü.csv"
      dev: {count: 10, stratified: true}
      test: "null"
      target: [a, "true"]
      categorical: ["- b", "{c}"]
      separator: "\\t"
      normalize: {divide: 0.1}
      class_names: ["-", no, "1e3"]
      target_kind: multi_hot
    model:
      input: [8, 8, 3]
      layers:
        - conv2d: {filters: 3, kernel: [3, 1], padding: [1, 0], groups: depthwise, name: stem}
        - conv2d: {filters: 4, kernel: 1, weight_initializer: {normal: {deviation: 1e-3}}}
        - residual: {main: [{repeat: {times: 2, layers: [relu, {gelu: {approximate: tanh}}]}}]}
        - parallel: {branches: [[], [{batch_norm: {epsilon: 0.1}}, softmax]], join: multiply}
        - average_pool: {size: 2, stride: [1, 2], count_padding: false}
        - {flatten: channels_last}
        - dense: {units: 3, weight_initializer: {uniform: {low: -0.1, high: 0.3}}}
    loss: {kind: sigmoid_cross_entropy, class_weights: [1, 2.5, 0.3333333333333333]}
    optimizer:
      kind: momentum
      form: classical
      nesterov: true
      learning_rate: 0.1
      groups: [{match: "layers.*", learning_rate_factor: 0, l1: 0.5}]
    schedule: {kind: step, every_epochs: 2.5, warmup_steps: 10}
    training:
      {epochs: 3, batch: 10, shards: 5, recompute: blocks, clip_norm: 1.5, early_stopping: {patience: 2}}
    evaluation: {every_epochs: 2, batch: 16}
    checkpoint: {every_seconds: 0.25, keep: 1, on_failure: continue}
    preemption: {grace_seconds: 2.5, end_time: "2026-03-01T18:00:00+01:00"}
    audit: {every_steps: 0}
    plan: {fusion: false, bucket_bytes: 65536}
    output: {folder: "a folder/~"}
    """

  @Test("gives the same run and the same text when read again")
  func roundTrip() throws {
    let first = try read(Self.rich)
    let second = try RunConfiguration(
      reading: first.resolvedText, file: "/else/where.yaml", search: search)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
    #expect(second.resolvedText == first.resolvedText)
    #expect(second.flattened == first.flattened)
  }

  @Test(
    "gives the same run for every optimizer and schedule",
    arguments: [
      "optimizer: {kind: sgd, learning_rate: 1, weight_decay: 0.5, decay_biases_and_norms: true}",
      "optimizer: {kind: momentum, learning_rate: 1, beta: 0.5, state: sharded}",
      "optimizer: {kind: rmsprop, learning_rate: 1e-7, l2: 0.1, state: replicated}",
      "optimizer: {kind: adagrad, learning_rate: 0.1, l1: 0.1}",
      "optimizer: {kind: adam, learning_rate: 0.1, beta2: 0.99}",
      "optimizer: {kind: adamw, learning_rate: 0.1, weight_decay: 0}",
      "optimizer: {kind: adamw, learning_rate: 0.1, weight_decay: 0, groups: [{match: a, weight_decay: 1}]}",
      "optimizer: {kind: lars, learning_rate: 0.1, momentum: 0.8, trust: 0.02, adapt_biases_and_norms: true}",
      "optimizer: {kind: lamb, learning_rate: 0.1, scale: {rule: square_root, base_batch: 32}}",
      "schedule: {kind: exponential, factor: 0.9, warmup_fraction: 0.1}",
      "schedule: {kind: inverse_time, rate: 0.5}", "schedule: {kind: polynomial, power: 2}",
      "schedule: {kind: cosine, final: 0.1}", "schedule: {kind: one_cycle, start: 1}",
      "loss: mean_absolute", "loss: {huber: 3}",
      "data: {format: npy, train: {inputs: a, targets: b}, test: {inputs: c, targets: d}}",
      "data: {format: npy, train: {inputs: [a, b], targets: c}, dev: {inputs: [d, e], targets: f}}",
      "data: {format: idx, train: {inputs: a, targets: b}, augment: {shift: 2}}",
      "data: {format: text, train: a, window: 3, windows: random, test: {count: 2}}",
      "data: {format: text, train: [a, b], window: 3, level: {byte_pair: {vocab: v, merges: m}}}",
      "data: {format: tokens, train: a.bin, vocabulary: 9, window: 3, byte_pair: {vocab: v, merges: m}}",
      "data: {format: tokens, train: a.bin, vocabulary: 9, window: 3, stride: 1, dev: b.npy}",
      "data: {format: time_series, train: a, target: [b, c], inputs: b, window: 3, horizon: 2}",
      "training: {max_steps: 40, clip_value: 0.5, ema_decay: 0.9}",
    ])
  func variations(lines: String) throws {
    let key = lines.prefix { $0 != ":" } + ":"
    let others = smallest.split(separator: "\n").filter { !$0.hasPrefix(key) }
    let first = try read((others + [Substring(lines)]).joined(separator: "\n"))
    let second = try read(first.resolvedText)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
    #expect(second.flattened == first.flattened)
  }

  @Test("shows every key with its effective value")
  func text() throws {
    #expect(
      try read(smallest).resolvedText == """
        # Every key of this run with its effective value.
        name: small
        seed: 1
        data:
          format: generated
          kind: xor
          samples: 1000
          noise: 0.1
          classes: 2
          dev: null
          test: null
          normalize: none
          class_names: null
          target_kind: classes
        model:
          input: [2]
          layers:
            - dense: {units: 2, bias: true, weight_initializer: null, bias_initializer: zeros}
          batch_norm_statistics: shard
        conv:
          algorithm: auto
        loss:
          kind: softmax_cross_entropy
          label_smoothing: 0
          class_weights: null
          ignore: null
        optimizer:
          kind: sgd
          learning_rate: 0.1
          scale: {rule: none, base_batch: null}
          weight_decay: 0
          l2: 0
          l1: 0
          decay_biases_and_norms: false
          groups: []
          state: auto
        schedule:
          kind: constant
          warmup_steps: null
          warmup_fraction: null
        training:
          epochs: 1
          batch: 128
          shards: 8
          local_steps: 1
          recompute: none
          max_steps: null
          clip_norm: null
          clip_value: null
          ema_decay: null
          early_stopping: null
        evaluation:
          every_epochs: 1
          batch: null
        checkpoint:
          every_seconds: 30
          keep: 2
          on_failure: stop
        preemption:
          grace_seconds: 60
          end_time: auto
        audit:
          every_steps: 50
          on_mismatch: stop
        failure:
          hang_timeout_seconds: 300
        plan:
          fusion: true
          bucket_bytes: null
        communication:
          wire: float32
        placement:
          pin: auto
        output:
          folder: runs/small

        """)
  }

  @Test("is also a flat list of paths and values")
  func flat() throws {
    let flat = try read(Self.rich).flattened
    #expect(flat["training.batch"] == "10")
    #expect(flat["model.input"] == "[8, 8, 3]")
    #expect(flat["model.layers.0.conv2d.kernel"] == "[3, 1]")
    #expect(flat["model.layers.0.conv2d.name"] == "stem")
    #expect(flat["model.layers.2.residual.main.0.repeat.layers.0"] == "relu")
    #expect(flat["model.layers.6.dense.weight_initializer.uniform.low"] == "-0.1")
    #expect(flat["training.early_stopping.patience"] == "2")
    #expect(flat["training.ema_decay"] == "null")
    #expect(flat["data.train"] == "/srv/place/odd name: #1\t\"x\" \\ ü.csv")
  }

  @Test("places are found by path, or by the section around it")
  func places() throws {
    let configuration = try read(smallest, "training.batch=64")
    #expect(configuration.place(of: "model.layers.0.dense") == "small.yaml:5:14")
    #expect(configuration.place(of: "loss.class_weights") == "small.yaml:6:7")
    #expect(configuration.place(of: "training.batch") == "command line: training.batch=64")
    #expect(configuration.place(of: "audit.every_steps") == "small.yaml:1:1")
  }
}
