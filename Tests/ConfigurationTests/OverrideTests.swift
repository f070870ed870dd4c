import Configuration
import Graph
import Optimizers
import Testing

@Suite("overrides")
struct OverrideTests {
  @Test("they replace what the file says, the last one wins")
  func replace() throws {
    let spec = try read(
      smallest + "\ntraining: {epochs: 3, batch: 64}", "training.epochs=4", "seed=7",
      "training.epochs=5", "output.folder=runs/x"
    ).spec
    #expect(spec.training.epochs == 5)
    #expect(spec.training.batch == 64)
    #expect(spec.seed == 7)
    #expect(spec.outputFolder == "runs/x")
  }

  @Test("null brings the default back")
  func null() throws {
    let text = smallest + "\ntraining: {epochs: 3, batch: 64}\nschedule: cosine"
    #expect(try read(text, "training.epochs=null").spec.training.epochs == 1)
    #expect(try read(text, "training=").spec.training.batch == 128)
    #expect(try read(text, "schedule=~").spec.schedule == ScheduleSpec(.constant))
  }

  @Test("they reach into lists, and into layers that are only a name or a main value")
  func lists() throws {
    let text = smallest.replacing(
      "- dense: 2", with: "- max_pool: 2\n    - batch_norm\n    - {dense: {units: 2}}")
    let layers = try read(
      text, "model.layers.0.max_pool.stride=1", "model.layers.1.batch_norm.momentum=0.5",
      "model.layers.2.dense=7"
    ).spec.model.layers.map(\.kind)
    var pool = PoolSpec(size: Extent(2))
    pool.stride = Extent(1)
    var norm = BatchNormSpec()
    norm.momentum = 0.5
    #expect(layers == [.maxPool(pool), .batchNorm(norm), .dense(DenseSpec(units: 7))])
    #expect(
      try read(text, "model.layers.0.max_pool=3").spec.model.layers[0].kind
        == .maxPool(PoolSpec(size: Extent(3))))
  }

  @Test("they put options beside a kind that stands alone")
  func options() throws {
    let spec = try read(
      smallest, "loss.label_smoothing=0.1", "schedule=one_cycle", "schedule.start=0.5"
    ).spec
    #expect(spec.loss == .softmaxCrossEntropy(labelSmoothing: 0.1, classWeights: nil))
    #expect(spec.schedule.shape == .oneCycle(warmupFraction: 0.3, start: 0.5, final: 0.000004))
  }

  @Test("a value is YAML and may contain = signs")
  func values() throws {
    let spec = try read(
      smallest, "model.layers=[relu, {dense: 4}, {dense: 2}]", "output.folder=runs/a=b"
    ).spec
    #expect(spec.model.layers.count == 3)
    #expect(spec.outputFolder == "runs/a=b")
  }

  @Test("a layer from the command line knows its place")
  func places() throws {
    #expect(
      try read(smallest, "model.layers.0=relu").spec.model.layers[0].place
        == "command line: model.layers.0=relu")
  }

  @Test("wrong ones are told apart, all at once, after the faults of the file")
  func faulty() {
    #expect(
      faults(
        smallest + "\naudit: {every_steps: x}", "training.bach=3", "training.batch.x=3", "training",
        "a..b=3", "training.epochs=[1", "model.layers.1.dense=3", "model.layers.0.max_pool=3",
        "training.epochs=abc") == """
          small.yaml:8:22: audit.every_steps is the text "x"
            expected: a whole number, at least 0
            to fix:   write, for example, every_steps: 50
          command line: training.bach=3: unknown key training.bach
            expected: one of epochs, batch, shards, local_steps, recompute, max_steps, clip_norm, clip_value, ema_decay, \
          early_stopping
            to fix:   write batch instead of bach
          command line: training.batch.x=3: unknown key training.batch.x
            expected: training.batch itself, which is a whole number, at least 1
            to fix:   write training.batch=128
          command line: training: the override has no = sign
            expected: section.key=value, as in training.epochs=3
            to fix:   name the key as in the configuration, with dots between the sections
          command line: a..b=3: the override has an empty key
            expected: section.key=value, as in training.epochs=3
            to fix:   name the key as in the configuration, with dots between the sections
          command line: training.epochs=[1: this is not YAML: did not find expected ',' or ']' while \
          parsing a list in brackets that starts at line 1, column 1
            expected: a list such as [3, 5]
            to fix:   close the list with ], or add the missing comma
          command line: model.layers.1.dense=3: model.layers has no entry 1
            expected: a list of 1 entry
            to fix:   count the entries of model.layers from 0, or write all of it: model.layers=[...]
          command line: model.layers.0.max_pool=3: model.layers.0 has max_pool beside dense
            expected: one layer, with its options inside: dense: {...}
            to fix:   write model.layers.0={max_pool: ...} to replace the layer
          command line: training.epochs=abc: training.epochs is the text "abc"
            expected: a whole number, at least 1
            to fix:   write, for example, epochs: 10
          """)
  }
}
