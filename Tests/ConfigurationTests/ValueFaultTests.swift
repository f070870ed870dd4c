import Configuration
import Testing

@Suite("faults of values")
struct ValueFaultTests {
  @Test("values of the wrong type")
  func types() {
    let text = """
      \(smallest)
      training:
        epochs: abc
        batch: [3]
        shards: 2.5
        clip_norm: {a: 1}
        max_steps: "40"
      plan: {fusion: yes}
      audit: 7
      name: [a, b]
      """
    #expect(
      faults(text) == """
        small.yaml:9:11: training.epochs is the text "abc"
          expected: a whole number, at least 1
          to fix:   write, for example, epochs: 10
        small.yaml:10:10: training.batch is a list of 1 entry
          expected: a whole number, at least 1
          to fix:   write, for example, batch: 128
        small.yaml:11:11: training.shards is 2.5
          expected: a whole number, at least 1
          to fix:   write, for example, shards: 8
        small.yaml:12:14: training.clip_norm is a table with a
          expected: a number, above 0
          to fix:   write, for example, clip_norm: 1
        small.yaml:13:14: training.max_steps is the text "40"
          expected: a whole number, at least 1
          to fix:   write, for example, max_steps: 1000
        small.yaml:14:16: plan.fusion is the text "yes"
          expected: true or false
          to fix:   write, for example, fusion: true
        small.yaml:15:8: audit is 7
          expected: a table with every_steps and on_mismatch
          to fix:   write, for example, audit: {every_steps: 50}
        small.yaml:16:7: name is a list of 2 entries
          expected: letters, digits, _, - and dots, the first one no dot
          to fix:   write, for example, name: fashion-mnist
        """)
  }

  @Test("an end time without its zone")
  func endTime() {
    #expect(
      faults(smallest + "\npreemption: {grace_seconds: -1, end_time: \"2026-03-01 18:00\"}") == """
        small.yaml:8:29: preemption.grace_seconds is -1
          expected: a number, at least 0
          to fix:   write, for example, grace_seconds: 60
        small.yaml:8:43: preemption.end_time is the text "2026-03-01 18:00"
          expected: auto, or a time with its zone in the form 2026-03-01T18:00:00Z
          to fix:   write, for example, end_time: 2026-03-01T18:00:00Z
        """)
  }

  @Test("values out of range")
  func ranges() {
    let text = """
      \(smallest)
      training: {epochs: 0, clip_norm: 0, ema_decay: 1}
      seed: -1
      checkpoint: {every_seconds: .inf, keep: 99999999999999999999}
      """
    #expect(
      faults(text) == """
        small.yaml:8:20: training.epochs is 0
          expected: a whole number, at least 1
          to fix:   write, for example, epochs: 10
        small.yaml:8:34: training.clip_norm is 0
          expected: a number, above 0
          to fix:   write, for example, clip_norm: 1
        small.yaml:8:48: training.ema_decay is 1
          expected: a number, above 0 and below 1
          to fix:   write, for example, ema_decay: 0.999
        small.yaml:9:7: seed is -1
          expected: a whole number, at least 0
          to fix:   write, for example, seed: 1
        small.yaml:10:29: checkpoint.every_seconds is the text ".inf"
          expected: a number, above 0
          to fix:   write, for example, every_seconds: 30
        small.yaml:10:41: checkpoint.keep is 99999999999999999999
          expected: a whole number, at least 1
          to fix:   write, for example, keep: 2
        """)
  }

  @Test("words that are none of the choices")
  func words() {
    let text =
      smallest.replacing("softmax_cross_entropy", with: "softmax_crossentropy")
      .replacing("sgd", with: "adm").replacing("xor", with: "moon")
      + "\nschedule: cosin\ncheckpoint: {on_failure: explode}"
    #expect(
      faults(text) == """
        small.yaml:1:33: data.kind is the text "moon"
          expected: xor, flower, spirals, moons, blobs or images
          to fix:   write moons
        small.yaml:6:7: unknown loss softmax_crossentropy
          expected: one of softmax_cross_entropy, sigmoid_cross_entropy, mean_squared, \
        mean_absolute, huber, ctc
          to fix:   write softmax_cross_entropy instead of softmax_crossentropy
        small.yaml:7:19: unknown optimizer adm
          expected: one of sgd, momentum, rmsprop, adagrad, adam, adamw, lars, lamb
          to fix:   write adam instead of adm
        small.yaml:8:11: unknown schedule cosin
          expected: one of constant, step, exponential, inverse_time, polynomial, cosine, one_cycle
          to fix:   write cosine instead of cosin
        small.yaml:9:26: checkpoint.on_failure is the text "explode"
          expected: stop or continue
          to fix:   write one of these words
        """)
  }

  @Test("options of a loss, and a key beside its name")
  func loss() {
    #expect(
      faults(
        smallest.replacing(
          "loss: softmax_cross_entropy",
          with:
            "loss: {softmax_cross_entropy: {label_smoothing: 1, class_weights: [1, 0]}, delta: 3}"))
          == """
          small.yaml:6:49: loss.softmax_cross_entropy.label_smoothing is 1
            expected: a number, at least 0 and below 1
            to fix:   write, for example, label_smoothing: 0.1
          small.yaml:6:71: loss.softmax_cross_entropy.class_weights.1 is 0
            expected: a number, above 0
            to fix:   write, for example, 1
          small.yaml:6:76: loss has delta beside softmax_cross_entropy
            expected: one loss, with its options inside: softmax_cross_entropy: {...}
            to fix:   move delta inside softmax_cross_entropy: {...}
          """)
  }

  @Test("layers that are none, lack something or have too much")
  func layers() {
    let text = """
      data: {format: generated, kind: xor}
      model:
        input: [2]
        layers:
          - con2d: {filters: 3}
          - dense: ten
          - dropout: 1.5
          - dense
          - conv2d: {filters: 3, padding: sme, groups: x}
          - max_pool: [2, 0]
          - relu: 3
          - {dense: 3, name: x}
          - {relu: , tanh: }
          - [relu]
          -
      loss: huber
      optimizer: {kind: sgd, learning_rate: 0.1}
      """
    let names = """
      one of dense, conv2d, embedding, tied_dense, positions, rnn, lstm, gru, attention, conv1d, \
      masking, class_token, first_step, last_step, batch_norm, layer_norm, rms_norm, dropout, max_pool, \
      average_pool, global_average_pool, flatten, reshape, identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, \
      silu, relu6, hard_sigmoid, hard_swish, softplus, softmax, squeeze_excitation, \
      stochastic_depth, spatial_dropout, group_norm, instance_norm, local_response_norm, \
      conv_transpose2d, upsample, adaptive_average_pool, prelu, residual, parallel, repeat, sequence
      """
    #expect(
      faults(text) == """
        small.yaml:5:7: unknown layer con2d
          expected: \(names)
          to fix:   write conv2d instead of con2d
        small.yaml:6:14: model.layers.1.dense is the text "ten"
          expected: a whole number, at least 1
          to fix:   write, for example, dense: 10
        small.yaml:7:16: model.layers.2.dropout is 1.5
          expected: a number, at least 0 and below 1
          to fix:   write, for example, dropout: 0.5
        small.yaml:8:7: model.layers.3.dense.units is missing
          expected: a whole number, at least 1
          to fix:   write dense: 10
        small.yaml:9:7: model.layers.4.conv2d.kernel is missing
          expected: a whole number, at least 1, or two of them as [height, width]
          to fix:   add kernel: 3 under model.layers.4.conv2d
        small.yaml:9:37: model.layers.4.conv2d.padding is the text "sme"
          expected: same, valid, or a whole number, at least 0, or two of them as [height, width]
          to fix:   write, for example, padding: same
        small.yaml:9:50: model.layers.4.conv2d.groups is the text "x"
          expected: a whole number, at least 1, or depthwise
          to fix:   write, for example, groups: depthwise
        small.yaml:10:21: model.layers.5.max_pool.1 is 0
          expected: a whole number, at least 1
          to fix:   write, for example, 2
        small.yaml:11:13: model.layers.6.relu is 3
          expected: a table with name
          to fix:   write, for example, relu: {name: stem}
        small.yaml:12:18: model.layers.7 has name beside dense
          expected: one layer, with its options inside: dense: {...}
          to fix:   move name inside dense: {...}
        small.yaml:13:16: model.layers.8 has tanh beside relu
          expected: one layer, with its options inside: relu: {...}
          to fix:   make tanh a layer of its own, or remove one of them
        small.yaml:14:7: model.layers.9 is a list of 1 entry
          expected: \(names)
          to fix:   write, for example, relu
        small.yaml:15:6: model.layers.10 is null
          expected: \(names)
          to fix:   write, for example, relu
        """)
  }

  @Test("names of layers that are numbers, have spaces or are equal")
  func layerNames() {
    let text = smallest.replacing(
      "    - dense: 2",
      with: """
            - relu: {name: "12"}
            - relu: {name: a b}
            - dense: {units: 2, name: a}
        """)
    #expect(
      faults(text) == """
        small.yaml:5:20: model.layers.0.relu.name is the text "12"
          expected: letters, digits, _ and -, not a number alone
          to fix:   write, for example, name: stem
        small.yaml:6:20: model.layers.1.relu.name is the text "a b"
          expected: letters, digits, _ and -, not a number alone
          to fix:   write, for example, name: stem
        """)
    #expect(
      faults(smallest, "model.layers=[{relu: {name: a}}, tanh, {tanh: {name: a}}]") == """
        command line: model.layers=[{relu: {name: a}}, tanh, {tanh: {name: a}}]: model.layers.2 has \
        the name a of model.layers.0
          expected: names that differ, since parameters are called by them
          to fix:   rename one of the two layers
        """)
  }
}
