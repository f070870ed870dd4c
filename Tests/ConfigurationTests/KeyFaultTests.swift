import Configuration
import Testing

@Suite("faults of keys")
struct KeyFaultTests {
  @Test("an unknown key near a known one")
  func near() {
    #expect(
      faults(smallest + "\ntraining:\n  epochs: 3\n  bach: 64") == """
        small.yaml:10:3: unknown key training.bach
          expected: one of epochs, batch, shards, local_steps, recompute, max_steps, clip_norm, clip_value, ema_decay, \
        early_stopping
          to fix:   write batch instead of bach
        """)
  }

  @Test("a required key that is misspelt is not missing besides")
  func misspelt() {
    #expect(
      faults(smallest.replacing("loss:", with: "los:")) == """
        small.yaml:6:1: unknown key los
          expected: one of name, seed, data, model, initial_weights, conv, loss, loss_target, auxiliary_losses, optimizer, schedule, training, evaluation, \
        checkpoint, preemption, audit, failure, plan, communication, placement, output
          to fix:   write loss instead of los
        """)
  }

  @Test("a key of another section")
  func misplaced() {
    #expect(
      faults(smallest + "\ntraining: {keep: 3}") == """
        small.yaml:8:12: unknown key training.keep
          expected: one of epochs, batch, shards, local_steps, recompute, max_steps, clip_norm, clip_value, ema_decay, \
        early_stopping
          to fix:   move it to checkpoint.keep
        """)
  }

  @Test("a key like no other")
  func strange() {
    #expect(
      faults(smallest + "\naudit: {zzz: 3}") == """
        small.yaml:8:9: unknown key audit.zzz
          expected: one of every_steps, on_mismatch
          to fix:   remove zzz
        """)
  }

  @Test("keys given twice, quoted or three times, beside other faults")
  func duplicates() {
    let text = """
      \(smallest)
      training:
        epochs: 1
        batch: 8
        epochs: 2
        'batch': 16
        epochs: 3
        shards: x
      loss: huber
      """
    #expect(
      faults(text) == """
        small.yaml:11:3: training.epochs is given twice
          expected: each key once; the first one is at small.yaml:9:3
          to fix:   remove one of the two
        small.yaml:12:3: training.batch is given twice
          expected: each key once; the first one is at small.yaml:10:3
          to fix:   remove one of the two
        small.yaml:13:3: training.epochs is given twice
          expected: each key once; the first one is at small.yaml:9:3
          to fix:   remove one of the two
        small.yaml:14:11: training.shards is the text "x"
          expected: a whole number, at least 1
          to fix:   write, for example, shards: 8
        small.yaml:15:1: loss is given twice
          expected: each key once; the first one is at small.yaml:6:1
          to fix:   remove one of the two
        """)
  }

  @Test("the same key in two words")
  func synonyms() {
    #expect(
      faults(smallest, "data={format: idx, train: {images: a, inputs: c, labels: b}}") == """
        command line: data={format: idx, train: {images: a, inputs: c, labels: b}}: \
        data.train.inputs is another word for images, which is given too
          expected: one of the two
          to fix:   remove inputs
        """)
  }

  @Test("required sections that are missing")
  func missingSections() {
    #expect(
      faults("name: x") == """
        small.yaml:1:1: data is missing
          expected: a table with format, which is one of idx, npy, csv, text, generated, generated_sequences, time_series, tokens
          to fix:   add data: {format: idx, train: {images: ..., labels: ...}}
        small.yaml:1:1: model is missing
          expected: a table with input, blocks, layers and batch_norm_statistics
          to fix:   add model: {input: [28, 28, 1], layers: [flatten, {dense: 10}]}
        small.yaml:1:1: loss is missing
          expected: one of softmax_cross_entropy, sigmoid_cross_entropy, mean_squared, \
        mean_absolute, huber, ctc, triplet, hard_triplet, contrastive, info_nce
          to fix:   add loss: softmax_cross_entropy
        small.yaml:1:1: optimizer is missing
          expected: a table with kind, which is one of sgd, momentum, rmsprop, adagrad, adam, adamw, lars, lamb
          to fix:   add optimizer: {kind: adam, learning_rate: 0.001}
        """)
    #expect(faults("") == faults("name: x"))
  }

  @Test("required keys that are missing, also by null")
  func missingKeys() {
    let text = """
      data: {format: csv, train: a.csv}
      model:
        input: null
        layers: [relu]
      loss: {label_smoothing: 0.1}
      optimizer: adam
      """
    #expect(
      faults(text) == """
        small.yaml:1:7: data.target is missing
          expected: the name of a column, or a list of them
          to fix:   add target: [colour, shape] under data
        small.yaml:3:3: model.input is missing
          expected: the shape of a sample, [height, width, channels] or [columns]
          to fix:   add input: [28, 28, 1] under model
        small.yaml:5:7: loss.kind is missing
          expected: one of softmax_cross_entropy, sigmoid_cross_entropy, mean_squared, \
        mean_absolute, huber, ctc, triplet, hard_triplet, contrastive, info_nce
          to fix:   add kind: softmax_cross_entropy under loss
        small.yaml:6:12: optimizer.learning_rate is missing
          expected: a number, at least 0
          to fix:   write optimizer: {kind: adam, learning_rate: 0.001}
        """)
  }

  @Test("what a kind requires is asked for beside the kind, also of one with a main key")
  func missingOfKind() {
    #expect(
      faults(smallest, "loss=ctc") == """
        command line: loss=ctc: loss.labels is missing
          expected: a whole number, at least 1
          to fix:   write loss: {kind: ctc, labels: 20}
        """)
  }

  @Test("a key of another kind of optimizer, schedule, data")
  func otherKind() {
    let text =
      smallest.replacing(
        "{kind: sgd, learning_rate: 0.1}", with: "{kind: adam, learning_rate: 1, weight_decay: 1}"
      ).replacing("kind: xor", with: "kind: xor, separator: x")
      + "\nschedule: {kind: cosine, factor: 2}"
    #expect(
      faults(text) == """
        small.yaml:1:38: data.separator does not belong to format: generated
          expected: one of kind, samples, noise, classes, shape, dev, test, normalize, class_names, \
        target_kind; separator is a key of csv and \
        time_series
          to fix:   remove separator, or write format: time_series
        small.yaml:7:43: optimizer.weight_decay does not belong to kind: adam
          expected: one of learning_rate, beta1, beta2, epsilon, scale, l2, l1, \
        decay_biases_and_norms, groups, state; weight_decay is a key of sgd, momentum, rmsprop, \
        adagrad, adamw, lars and lamb
          to fix:   remove weight_decay, or write kind: adamw
        small.yaml:8:26: schedule.factor does not belong to kind: cosine
          expected: one of final, warmup_steps, warmup_fraction; factor is a key of step and \
        exponential
          to fix:   remove factor, or write kind: step
        """)
  }

  @Test("the key that names the kind, misspelt")
  func kindMisspelt() {
    #expect(
      faults(smallest.replacing("{kind: sgd", with: "{knd: sgd")) == """
        small.yaml:7:13: unknown key optimizer.knd
          expected: kind, which is one of sgd, momentum, rmsprop, adagrad, adam, adamw, lars, lamb
          to fix:   write kind instead of knd
        """)
  }
}
