import Configuration
import Testing

@Suite("what keys demand of each other")
struct CrossCheckTests {
  @Test("a batch is a multiple of the shards")
  func batch() {
    #expect(
      faults(smallest + "\ntraining: {batch: 30}") == """
        small.yaml:8:19: global batch 30 cannot be split evenly into 8 shards
          expected: a multiple of 8, so that every shard has the same shape
          to fix:   use 32, or set training.shards to a divisor of 30
        """)
    #expect(
      faults(smallest + "\ntraining: {shards: 7}") == """
        small.yaml:8:20: global batch 128 cannot be split evenly into 7 shards
          expected: a multiple of 7, so that every shard has the same shape
          to fix:   use 133, or set training.shards to a divisor of 128
        """)
    #expect(
      faults(smallest, "training.batch=30") == """
        command line: training.batch=30: global batch 30 cannot be split evenly into 8 shards
          expected: a multiple of 8, so that every shard has the same shape
          to fix:   use 32, or set training.shards to a divisor of 30
        """)
  }

  @Test("stopping early and evaluating need samples that are not trained on")
  func judges() {
    let text =
      smallest + "\ntraining: {early_stopping: {patience: 3}}\nevaluation: {every_epochs: 2}"
    #expect(
      faults(text) == """
        small.yaml:8:28: training.early_stopping has no dev data to judge by
          expected: samples that are neither trained nor tested on
          to fix:   add dev: {fraction: 0.1} under data, or remove early_stopping
        small.yaml:9:28: evaluation.every_epochs is set, but there is neither dev nor test data to \
        evaluate
          expected: samples that are not trained on
          to fix:   add dev: {fraction: 0.1} under data, or remove every_epochs
        """)
    #expect(faults(text, "data.dev.count=10") == "")
  }

  @Test("class numbers need the loss that reads them")
  func classNumbers() {
    #expect(
      faults(smallest, "loss=mean_squared", "data.target_kind=classes") == """
        command line: data.target_kind=classes: data.target_kind is classes, but the loss compares \
        the outputs with numbers
          expected: multi_hot or values for this loss
          to fix:   remove target_kind, or use softmax_cross_entropy
        """)
  }

  @Test("a class that stands for none needs targets that are classes")
  func classesForNone() {
    for loss in ["{kind: ctc, labels: 3}", "{kind: softmax_cross_entropy, ignore: -1}"] {
      #expect(
        faults(smallest, "loss=\(loss)", "data.target_kind=multi_hot") == """
          command line: data.target_kind=multi_hot: data.target_kind is multi_hot, but the loss \
          knows a class number that stands for none
            expected: class numbers for this loss
            to fix:   remove target_kind, or loss.ignore
          """)
    }
  }

  @Test("padding is looked for in inputs that have not been moved")
  func padding() {
    let layers = "model.layers=[masking, relu, {dense: 3}]"
    #expect(
      faults(smallest, layers, "data.normalize=standardize") == """
        command line: data.normalize=standardize: data.normalize is standardize, after which the \
        masking layer finds no padding
          expected: inputs as they are stored, or divided by a number
          to fix:   remove normalize, and standardize before padding
        """)
    #expect(faults(smallest, layers, "data.normalize={divide: 2}") == "")
  }

  private let sequences = """
    data: {format: generated_sequences, kind: padded_tags, steps: 24, buckets: [8, 16, 24]}
    model: {input: [24], layers: [masking, {embedding: {vocabulary: 21, units: 4}}, {dense: 3}]}
    loss: softmax_cross_entropy
    optimizer: {kind: sgd, learning_rate: 0.1}
    """

  @Test("length buckets grow up to the steps of the model's one input")
  func buckets() throws {
    #expect(try read(sequences).spec.data.lengthBuckets == [8, 16, 24])
    #expect(try read(sequences, "data.buckets=[]").spec.data.lengthBuckets == [])
    for (wrong, count) in [
      ("[24]", "1 entry"), ("[16, 8, 24]", "3 entries"), ("[8, 8, 24]", "3 entries"),
    ] {
      #expect(
        faults(sequences, "data.buckets=\(wrong)") == """
          command line: data.buckets=\(wrong): data.buckets is a list of \(count)
            expected: two or more numbers of steps, each larger than the one before
            to fix:   write, for example, buckets: [16, 32, 64]
          """)
    }
    #expect(
      faults(sequences, "data.buckets=[8, 16]") == """
        command line: data.buckets=[8, 16]: data.buckets ends with 16 steps, but model.input is [24]
          expected: the padded number of steps as the last, [steps] or [steps, channels] as the input
          to fix:   end buckets with 24, or remove it
        """)
    #expect(
      faults(sequences, "model.input={a: [14], b: [10]}") == """
        small.yaml:1:76: data.buckets cuts the steps of one input, but the model has 2
          expected: model.input: [steps] or [steps, channels]
          to fix:   remove buckets
        """)
    let files =
      "{format: npy, train: {inputs: a, targets: b}, buckets: [8, 24], augment: {shift: 1}}"
    #expect(
      faults(sequences, "data=\(files)") == """
        command line: data=\(files): data.buckets is for sequences, but data.augment changes images
          expected: one of both
          to fix:   remove buckets or augment
        """)
  }

  @Test("a part of the data comes in one way")
  func parts() {
    let text = smallest.replacing(
      "data: {format: generated, kind: xor}",
      with: """
        data:
          format: idx
          train: {images: a, labels: b}
          dev: {fraction: 0.5, count: 3}
          test: {}
        """)
    #expect(
      faults(text) == """
        small.yaml:4:8: data.dev has fraction and count
          expected: one of images and labels, fraction or count
          to fix:   keep one of fraction and count
        small.yaml:5:9: data.test says nothing of its samples
          expected: one of images and labels, fraction or count
          to fix:   add fraction: 0.1
        """)
    #expect(
      faults(
        text, "data.dev={images: a}", "data.test={images: a, labels: b, stratified: true}") == """
          command line: data.dev={images: a}: data.dev.labels is missing
            expected: the path of a file, absolute or relative to the configuration's
            to fix:   name both files, images and labels
          command line: data.test={images: a, labels: b, stratified: true}: data.test.stratified \
          stands beside images and labels
            expected: fraction or count, which a cut can take by classes
            to fix:   remove stratified, or cut the part from the training samples
          """)
  }

  @Test("cuts leave something, by classes where there are classes")
  func cuts() {
    let text = smallest.replacing(
      "data: {format: generated, kind: xor}",
      with: """
        data:
          format: generated
          kind: moons
          classes: 3
          dev: {fraction: 0.5, stratified: true}
          test: {fraction: 0.6}
        """
    ).replacing("softmax_cross_entropy", with: "mean_squared")
    #expect(
      faults(text) == """
        small.yaml:4:12: data.classes is 3 for moons
          expected: 2, since only blobs, spirals and images have a choice
          to fix:   remove classes, or set data.kind to blobs, spirals or images
        small.yaml:5:8: dev and test together take 1.1 of the samples
          expected: fractions whose sum is below 1, so that some are left to train on
          to fix:   make data.dev.fraction or data.test.fraction smaller
        small.yaml:5:36: data.dev.stratified is true, but the targets are numbers without classes
          expected: targets of the kind classes or multi_hot
          to fix:   remove stratified
        """)
  }

  @Test("ranks that step alone share nothing within a step")
  func localSteps() {
    let text = smallest + "\ntraining: {local_steps: 4}"
    #expect(faults(text) == "")
    #expect(
      faults(text, "communication.wire=float16") == """
        command line: communication.wire=float16: communication.wire is float16, but training.local_steps is 4
          expected: float32 where hosts exchange weights, which are not rounded
          to fix:   remove wire, or set training.local_steps to 1
        """)
    #expect(
      faults(text, "optimizer.state=sharded") == """
        command line: optimizer.state=sharded: optimizer.state is sharded, but training.local_steps is 4
          expected: a state of its own for each rank that steps alone
          to fix:   remove state, or set training.local_steps to 1
        """)
    #expect(
      faults(text, "model.layers=[{dense: 3}, {batch_norm: {statistics: batch}}]").contains(
        "takes the statistics of the whole batch, but training.local_steps is 4"))
  }

  @Test("blocks are computed again where there are any")
  func recomputation() throws {
    let text = smallest + "\ntraining: {recompute: blocks}"
    let fault = """
      small.yaml:8:23: training.recompute is blocks, but the model has none
        expected: layers inside of repeat, residual, parallel, sequence or a block of model.blocks
        to fix:   put layers that follow each other into sequence, or remove recompute
      """
    #expect(faults(text) == fault)
    let models = [
      "{repeat: {times: 2, layers: [relu]}}", "{residual: {main: [relu]}}",
      "{parallel: {branches: [[relu], []]}}", "{sequence: [{dense: 3}, relu]}",
      "{sequence: [{repeat: {times: 1, layers: [relu]}}]}",
    ]
    for layer in models {
      let spec = try read(text, "model.layers=[\(layer), {dense: 2}]").spec
      #expect(spec.training.recompute == .blocks, "\(layer)")
    }
    #expect(try read(smallest).spec.training.recompute == .nothing)
  }

  @Test("a rate that is scaled says for which batch it was found")
  func scaling() {
    #expect(
      faults(
        smallest.replacing("learning_rate: 0.1", with: "learning_rate: 0.1, scale: {rule: linear}")
      ) == """
        small.yaml:7:51: optimizer.scale.base_batch is missing
          expected: the global batch with which optimizer.learning_rate was found
          to fix:   add base_batch: 256 under optimizer.scale, or write rule: none
        """)
    #expect(
      faults(smallest, "optimizer.scale={rule: quadratic, base_batch: 0}") == """
        command line: optimizer.scale={rule: quadratic, base_batch: 0}: optimizer.scale.rule is \
        the text "quadratic"
          expected: none, linear or square_root
          to fix:   write one of these words
        command line: optimizer.scale={rule: quadratic, base_batch: 0}: optimizer.scale.base_batch \
        is 0
          expected: a whole number, at least 1
          to fix:   write, for example, base_batch: 256
        """)
    #expect(
      faults(smallest, "optimizer.trust=0.1") == """
        command line: optimizer.trust=0.1: optimizer.trust does not belong to kind: sgd
          expected: one of learning_rate, scale, weight_decay, l2, l1, decay_biases_and_norms, \
        groups, state; trust is a key of lars
          to fix:   remove trust, or write kind: lars
        """)
  }

  @Test("a schedule warms up in one way, Nesterov needs the classical form, adam does not decay")
  func learning() {
    #expect(
      faults(
        smallest + "\nschedule: {kind: cosine, warmup_steps: 5, warmup_fraction: 0.1}",
        "optimizer={kind: momentum, learning_rate: 1, nesterov: true}") == """
          small.yaml:8:60: schedule has both warmup_steps and warmup_fraction
            expected: one of the two
            to fix:   remove warmup_steps or warmup_fraction
          command line: optimizer={kind: momentum, learning_rate: 1, nesterov: true}: \
          optimizer.nesterov is true in the exponential form
            expected: the classical form, for which Nesterov's method is defined
            to fix:   add form: classical, or remove nesterov
          """)
    #expect(
      faults(
        smallest,
        "optimizer={kind: adam, learning_rate: 1, groups: [{match: a}, {match: b, weight_decay: 1}]}"
      ) == """
        command line: optimizer={kind: adam, learning_rate: 1, groups: [{match: a}, {match: b, \
        weight_decay: 1}]}: optimizer.groups.1.weight_decay does not belong to kind: adam
          expected: l2 or l1; weight_decay is a key of adamw
          to fix:   write kind: adamw with weight_decay: 0, or use l2
        """)
    #expect(
      faults(
        smallest,
        "model.layers.0={dense: {units: 2, weight_initializer: {uniform: {low: 1, high: 0}}}}"
      ) == """
        command line: model.layers.0={dense: {units: 2, weight_initializer: {uniform: {low: 1, \
        high: 0}}}}: model.layers.0.dense.weight_initializer.uniform runs from 1 to 0
          expected: low below high
          to fix:   exchange the two, or use {constant: 1}
        """)
  }

  @Test("class weights and names are counted against the model's outputs")
  func counts() throws {
    let configuration = try read(
      smallest.replacing("kind: xor", with: "kind: xor, class_names: [a, b]")
        .replacing(
          "softmax_cross_entropy", with: "{kind: softmax_cross_entropy, class_weights: [1, 2, 3]}"))
    do {
      try configuration.checkCounts(outputs: 3)
      Issue.record("two names passed for three outputs")
    } catch {
      #expect(
        "\(error)" == """
          small.yaml:1:51: data.class_names has 2 names for a model with 3 outputs
            expected: one name per output, 3 in all
            to fix:   make the list 3 long, or change the last layer
          """)
    }
    do {
      try configuration.checkCounts(outputs: 2)
      Issue.record("three weights passed for two outputs")
    } catch {
      #expect(
        "\(error)" == """
          small.yaml:6:52: loss.class_weights has 3 weights for a model with 2 outputs
            expected: one weight per output, 2 in all
            to fix:   make the list 2 long, or change the last layer
          """)
    }
  }
}
