import Datasets

/// A part of the data besides the training samples: files of its own, or a cut of the training file.
struct PartOptions {
  var file: String?
  var inputs: [String]?
  var targets: String?
  var fraction: Double?
  var count: Int?
  var stratified = false

  var arrays: ArrayFiles? {
    guard let inputs, let targets else { return nil }
    var files = ArrayFiles(inputs: "", targets: targets)
    files.allInputs = inputs
    return files
  }

  var hasFiles: Bool { file != nil || inputs != nil || targets != nil }

  init() {}

  /// What a spec says of a part; nil when there is none.
  init?(_ part: PartSpec, file: String? = nil, arrays: ArrayFiles? = nil) {
    switch part {
    case .none: return nil
    case .files:
      self.file = file
      inputs = arrays?.allInputs
      targets = arrays?.targets
    case .fraction(let fraction, let stratified):
      self.fraction = fraction
      self.stratified = stratified
    case .count(let count, let stratified):
      self.count = count
      self.stratified = stratified
    }
  }
}

extension ArrayFiles {
  /// At least one.
  fileprivate var allInputs: [String] {
    get { [inputs] + otherInputs }
    set { (inputs, otherInputs) = (newValue[0], Array(newValue.dropFirst())) }
  }
}

extension PartSpec {
  init(_ options: PartOptions?) {
    if let fraction = options?.fraction {
      self = .fraction(fraction, stratified: options?.stratified ?? false)
    } else if let count = options?.count {
      self = .count(count, stratified: options?.stratified ?? false)
    } else {
      self = options?.hasFiles == true ? .files : .none
    }
  }
}

/// The names of the two files that arrays come in: images and labels, or inputs and targets.
struct ArrayNames {
  var inputs: String
  var inputsAlias: String
  var targets: String
  var targetsAlias: String
  /// How files of this format end.
  var suffix: String
  /// Whether several files may hold the inputs.
  var hasLists = false

  static let idx = ArrayNames(
    inputs: "images", inputsAlias: "inputs", targets: "labels", targetsAlias: "targets",
    suffix: "-ubyte.gz")
  static let npy = ArrayNames(
    inputs: "inputs", inputsAlias: "images", targets: "targets", targetsAlias: "labels",
    suffix: ".npy", hasLists: true)

  var inputsFiles: Format<[String]> {
    let file = PartSection.path("data/\(inputs)\(suffix)")
    guard hasLists else { return file.map({ [$0] }, from: { $0[0] }) }
    var files = file.oneOrMore(
      "\(file.expectation), or a list of such paths", example: file.example)
    let writeList = files.write
    files.write = { $0.count == 1 ? file.write($0[0]) : writeList($0) }
    return files
  }

  var inputsText: String {
    hasLists
      ? "The file of the inputs; several in a list hold a sample's numbers side by side."
      : "The file of the inputs."
  }

  var targetsFile: Format<String> { PartSection.path("data/\(targets)\(suffix)") }
}

enum PartSection {
  /// The training files.
  static func arrays(_ names: ArrayNames) -> Format<ArrayFiles> {
    Section(
      defaults: ArrayFiles(inputs: "", targets: ""),
      keys: [
        Key(
          names.inputs, \.allInputs, names.inputsFiles, names.inputsText,
          aliases: [names.inputsAlias],
          isRequired: true),
        Key(
          names.targets, \.targets, names.targetsFile, "The file of the targets.",
          aliases: [names.targetsAlias], isRequired: true),
      ]
    ).format
  }

  /// A part of two files, or a cut.
  static func part(_ names: ArrayNames) -> Format<PartOptions> {
    let files = [
      Key(
        names.inputs, \PartOptions.inputs, names.inputsFiles.optional, names.inputsText,
        aliases: [names.inputsAlias], isWritten: { $0.inputs != nil }),
      Key(
        names.targets, \.targets, names.targetsFile.optional, "The file of the targets.",
        aliases: [names.targetsAlias], isWritten: { $0.targets != nil }),
    ]
    return section(files, fileNames: [names.inputs, names.targets]).format
  }

  /// A part of one file, or a cut.
  static var filePart: Format<PartOptions> {
    let file = Key(
      "file", \PartOptions.file, path("data/test.csv").optional, "The file of the samples.",
      isWritten: { $0.file != nil })
    var section = section([file], fileNames: ["file"])
    section.mainKey = "file"
    return section.format
  }

  /// A cut.
  static var cut: Format<PartOptions> { section([], fileNames: []).format }

  static func path(_ example: String) -> Format<String> {
    .text("the path of a file, absolute or relative to the configuration's", example: example)
  }

  private static func section(
    _ files: [Key<PartOptions>], fileNames: [String]
  ) -> Section<PartOptions> {
    Section(
      defaults: PartOptions(),
      keys: files + [
        Key(
          "fraction", \.fraction, Format.number(.between(0, 1), example: 0.1).optional,
          "A part of the training samples.", isWritten: { $0.fraction != nil }),
        Key(
          "count", \.count, Format.wholeNumber(.atLeast(1), example: 1000).optional,
          "So many of the training samples.", isWritten: { $0.count != nil }),
        Key(
          "stratified", \.stratified, .truth, "Whether the cut keeps the shares of the classes.",
          isWritten: { !$0.hasFiles }),
      ],
      check: { check($0, fileNames, $1, &$2) })
  }

  /// A part comes in one of three ways.
  private static func check(
    _ part: PartOptions, _ fileNames: [String], _ site: SectionSite, _ faults: inout Faults
  ) {
    guard !faults.touch(site.path) else { return }
    let files = fileNames.joined(separator: " and ")
    let ways = (fileNames.isEmpty ? [] : [files]) + ["fraction", "count"]
    let given =
      (part.hasFiles ? [files] : []) + (part.fraction == nil ? [] : ["fraction"])
      + (part.count == nil ? [] : ["count"])
    if given.count != 1 {
      let problem =
        given.isEmpty ? "says nothing of its samples" : "has \(alternatives(given, "and"))"
      faults.add(
        at: site.place, path: site.path, "\(site.path) \(problem)",
        expected: "one of \(alternatives(ways))",
        remedy: given.isEmpty ? "add fraction: 0.1" : "keep one of \(alternatives(given, "and"))")
    } else if part.hasFiles, part.file == nil, part.arrays == nil {
      let missing = part.inputs == nil ? fileNames[0] : fileNames[1]
      faults.add(
        at: site.place, path: site.path, "\(site.path).\(missing) is missing",
        expected: path("").expectation, remedy: "name both files, \(files)")
    } else if part.hasFiles, part.stratified {
      faults.add(
        at: site.place(of: "stratified"), path: site.path,
        "\(site.path).stratified stands beside \(files)",
        expected: "fraction or count, which a cut can take by classes",
        remedy: "remove stratified, or cut the part from the training samples")
    }
  }
}
