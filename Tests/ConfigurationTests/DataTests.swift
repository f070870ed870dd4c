import Configuration
import Datasets
import Testing

@Suite("data")
struct DataTests {
  @Test("IDX files lie beside the configuration, at home, or where they say")
  func idx() throws {
    let spec = try read(
      """
      data:
        format: idx
        train: {images: files/a.gz, labels: ../b.gz}
        test: {images: ~/c.gz, labels: /d.gz}
        dev: {fraction: 0.1, stratified: true}
        normalize: standardize
        class_names: [cat, "2"]
        augment: {flip_horizontal: true, shift: 2}
      model: {input: [28, 28, 1], layers: [flatten, {dense: 2}]}
      loss: softmax_cross_entropy
      optimizer: {kind: sgd, learning_rate: 0.1}
      """
    ).spec.data
    var expected = DataSpec(
      source: .idx(
        train: ArrayFiles(inputs: "/srv/place/files/a.gz", targets: "/srv/b.gz"), dev: nil,
        test: ArrayFiles(inputs: "/home/user/c.gz", targets: "/d.gz")))
    expected.dev = .fraction(0.1, stratified: true)
    expected.test = .files
    expected.normalization = .standardize
    expected.classNames = ["cat", "2"]
    expected.augment = AugmentSpec(flipHorizontal: true, shift: 2)
    #expect(spec == expected)
  }

  @Test("arrays of NumPy are inputs and targets, or images and labels")
  func npy() throws {
    for (inputs, targets) in [("inputs", "targets"), ("images", "labels")] {
      let spec = try varied(
        """
        data:
          format: npy
          train: {\(inputs): /x.npy, \(targets): /y.npy}
          dev: {\(inputs): /v.npy, \(targets): /w.npy}
          test: {count: 100}
          normalize: {divide: 255}
        """
      ).data
      var expected = DataSpec(
        source: .npy(
          train: ArrayFiles(inputs: "/x.npy", targets: "/y.npy"),
          dev: ArrayFiles(inputs: "/v.npy", targets: "/w.npy"), test: nil))
      expected.dev = .files
      expected.test = .count(100, stratified: false)
      expected.normalization = .divide(by: 255)
      #expect(spec == expected)
    }
  }

  @Test("inputs of NumPy may lie in several files")
  func severalInputs() throws {
    let spec = try varied(
      """
      data:
        format: npy
        train: {inputs: [/a.npy, b.npy], targets: /y.npy}
        test: {inputs: [/c.npy, /d.npy], targets: /z.npy}
      """
    ).data
    var expected = DataSpec(
      source: .npy(
        train: ArrayFiles(
          inputs: "/a.npy", otherInputs: ["/srv/place/b.npy"], targets: "/y.npy"), dev: nil,
        test: ArrayFiles(inputs: "/c.npy", otherInputs: ["/d.npy"], targets: "/z.npy")))
    expected.test = .files
    #expect(spec == expected)
    #expect(
      faults(smallest, "data={format: idx, train: {images: [a, b], labels: c}}").contains(
        "data.train.images is a list of 2 entries"))
  }

  @Test("CSV has columns of several roles")
  func csv() throws {
    let spec = try varied(
      """
      data:
        format: csv
        train: /t.csv
        dev: {fraction: 0.2}
        test: /e.csv
        target: [red, round]
        categorical: colour
        ignore: [id, note]
        separator: "\\t"
        target_kind: multi_hot
        normalize: none
      """
    ).data
    var csv = CSVSpec(train: "/t.csv", targets: ["red", "round"])
    csv.test = "/e.csv"
    csv.categorical = ["colour"]
    csv.ignored = ["id", "note"]
    csv.separator = "\t"
    var expected = DataSpec(source: .csv(csv))
    expected.dev = .fraction(0.2, stratified: false)
    expected.test = .files
    expected.target = .multiHot
    #expect(spec == expected)
  }

  @Test("sequences have windows, and vocabularies in files beside the configuration")
  func sequences() throws {
    var text = TextSpec(train: ["/a.txt", "/srv/place/b.txt"], window: 8)
    text.level = .bytePair(
      BytePairFiles(vocabulary: "/srv/place/v.json", merges: "/home/user/m.txt"))
    text.windows = .random
    for key in ["level", "vocabulary"] {
      let spec = try varied(
        "data: {format: text, train: [/a.txt, b.txt], window: 8, windows: random, "
          + "\(key): {byte_pair: {vocab: v.json, merges: ~/m.txt}}}")
      #expect(spec.data == DataSpec(source: .text(text)))
    }
    var tokens = TokensSpec(train: "/t.bin", vocabulary: 99, window: 8)
    tokens.stride = 2
    tokens.test = "/e.npy"
    var expected = DataSpec(source: .tokens(tokens))
    expected.test = .files
    #expect(
      try varied(
        "data: {format: tokens, train: /t.bin, vocabulary: 99, window: 8, stride: 2, test: /e.npy}"
      ).data == expected)
    var series = SeriesSpec(train: "/t.csv", targets: ["a"], window: 8)
    series.ignored = ["d"]
    series.horizon = 2
    expected = DataSpec(source: .series(series))
    expected.target = .classes
    expected.normalization = .standardize
    #expect(
      try varied(
        "data: {format: time_series, train: /t.csv, target: a, ignore: d, window: 8, horizon: 2, "
          + "normalize: standardize}"
      ).data == expected)
  }

  @Test("generated data has a kind, a size and noise")
  func generated() throws {
    let spec = try varied(
      "data: {format: generated, kind: blobs, samples: 90, noise: 0.5, classes: 3}"
    ).data
    var generated = GeneratedSpec(kind: .blobs, samples: 90, noise: 0.5)
    generated.classes = 3
    #expect(spec == DataSpec(source: .generated(generated)))
  }

  @Test(
    "the loss says what targets are, unless the data does",
    arguments: [
      ("softmax_cross_entropy", "", TargetKind.classes),
      ("sigmoid_cross_entropy", "", .multiHot), ("mean_squared", "", .values),
      ("mean_absolute", "", .values), ("huber", "", .values),
      ("softmax_cross_entropy", ", target_kind: values", .values),
      ("mean_squared", ", target: multi_hot", .multiHot),
    ])
  func target(loss: String, key: String, expected: TargetKind) throws {
    let spec = try read(
      smallest.replacing("kind: xor", with: "kind: xor\(key)"), "loss=\(loss)"
    ).spec
    #expect(spec.data.target == expected)
  }
}
