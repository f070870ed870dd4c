import Datasets
import Foundation
import Storage
import Testing

@Suite("Texts")
struct TextTests {
  private func spec(_ path: String, window: Int, stride: Int? = nil) -> DataSpec {
    var text = TextSpec(train: [path], window: window)
    text.stride = stride
    return DataSpec(source: .text(text))
  }

  /// Inputs and targets of every sample of a part.
  private func samples(_ part: DataPart) -> [(inputs: [Float], targets: [Int32])] {
    let loader = BatchLoader<Float>(
      part: part, statistics: NormalizationStatistics(.none, of: part))
    let width = loader.elementCount
    let inputs = AlignedMemory<Float>(count: part.count * width)
    let classes = AlignedMemory<Int32>(count: part.count * loader.targetCount)
    loader.loadInputs(0..<part.count, order: nil, into: inputs.block)
    loader.loadClasses(0..<part.count, order: nil, into: classes.block)
    return (0..<part.count).map { sample in
      let range = sample * width..<(sample + 1) * width
      return (inputs.block[range].array, classes.block[range].array)
    }
  }

  @Test("windows follow each other, and each step's target is the token after it")
  func windows() throws {
    let folder = try TestFolder()
    let data = try folder.load(spec(try folder.write("t.txt", "abcabdabcx"), window: 3))
    // a b c d x are 0 to 4.
    let found = samples(data.train)
    #expect(found.map(\.inputs) == [[0, 1, 2], [0, 1, 3], [0, 1, 2]])
    #expect(found.map(\.targets) == [[1, 2, 0], [1, 3, 0], [1, 2, 4]])
    #expect(
      data.shape.target
        == .classSequence(count: 5, steps: 3, names: ["a", "b", "c", "d", "x"]))
    #expect(data.shape.input == [3])
  }

  @Test("a stride of 1 makes a sample of every start")
  func overlapping() throws {
    let folder = try TestFolder()
    let data = try folder.load(spec(try folder.write("t.txt", "abcd"), window: 2, stride: 1))
    #expect(samples(data.train).map(\.inputs) == [[0, 1], [1, 2]])
    #expect(samples(data.train).map(\.targets) == [[1, 2], [2, 3]])
  }

  @Test("parts are cut from the end and share no token; files follow each other")
  func parts() throws {
    let folder = try TestFolder()
    var text = TextSpec(
      train: [try folder.write("1.txt", "aaaaaaaa"), try folder.write("2.txt", "aabbbccc")],
      window: 2)
    text.level = .byte
    var spec = DataSpec(source: .text(text))
    spec.dev = .count(1, stratified: false)
    spec.test = .count(1, stratified: false)
    let data = try folder.load(spec)
    #expect(Set(samples(data.train).flatMap(\.inputs)) == [97])
    #expect(samples(try #require(data.dev)).map(\.inputs) == [[98, 98]])
    #expect(samples(try #require(data.test)).map(\.targets) == [[99, 99]])
    #expect(data.shape.target == .classSequence(count: 256, steps: 2, names: nil))
  }

  @Test("a vocabulary turns text into tokens and back")
  func vocabulary() throws {
    let vocabulary = try Vocabulary(level: .character, names: ["\n", "a", "é"])
    #expect(vocabulary.tokens(of: Array("aé\na?".utf8)) == [1, 2, 0, 1])
    #expect(vocabulary.text(of: [2, 1]) == Array("éa".utf8))
    #expect(try Vocabulary(level: .byte, names: nil).tokens(of: [200, 1]) == [200, 1])
  }

  @Test("faults say what is wrong with the text")
  func faults() throws {
    let folder = try TestFolder()
    let short = spec(try folder.write("short.txt", "abc"), window: 3)
    #expect(
      try folder.message { _ = try folder.load(short) } == """
        data: the train part has 3 tokens
          expected: at least 4: data.window and the token after it
          to fix:   use a longer text or a smaller window
        """)
    let latin = spec(try folder.write("latin.txt", [0x61, 0xE9, 0x62, 0x63]), window: 2)
    #expect(
      try folder.message { _ = try folder.load(latin) } == """
        latin.txt: the text is not UTF-8
          expected: UTF-8 where characters are tokens
          to fix:   convert it, or set data.level: byte
        """)
    var numbers = spec(try folder.write("fine.txt", "abcdef"), window: 2)
    numbers.target = .values
    numbers.normalization = .standardize
    #expect(
      try folder.message { _ = try folder.load(numbers) } == """
        data.target_kind: a text's targets are its tokens
          expected: classes
          to fix:   use loss: softmax_cross_entropy, remove target_kind
        data.normalize: tokens are names, not amounts
          expected: none
          to fix:   remove data.normalize
        """)
  }

  @Test("a model with other answers than the text is refused")
  func answers() throws {
    let folder = try TestFolder()
    let spec = spec(try folder.write("t.txt", "abcabcabc"), window: 2)
    #expect(
      try folder.message {
        _ = try LoadedData.open(spec, seed: 1, outputs: 2, answers: 2, cache: folder.cache)
      } == """
        data: the data have 3 different tokens
          expected: at most 2, since the model has 2 outputs
          to fix:   give the embedding and the last layer 3
        """)
    #expect(
      try folder.message {
        _ = try LoadedData.open(spec, seed: 1, outputs: 3, answers: 1, cache: folder.cache)
      } == """
        data: samples have 2 classes each
          expected: 1, since the model gives logits for 1 steps of a sample
          to fix:   end the model with a dense layer over a sequence of 2 steps
        """)
  }
}

@Suite("Generated sequences")
struct GeneratedSequencesTests {
  private func load(
    _ kind: GeneratedSequenceKind, _ target: TargetKind, steps: Int, ignored: Int? = nil
  ) throws -> LoadedData {
    var spec = DataSpec(
      source: .generatedSequences(GeneratedSequencesSpec(kind: kind, samples: 12, steps: steps)))
    spec.target = target
    spec.ignoredClass = ignored
    spec.firstClass = kind == .symbols ? 1 : 0
    return try TestFolder().load(spec)
  }

  private func classes(_ data: LoadedData) -> [[Int]] {
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    let classes = AlignedMemory<Int32>(count: 12 * loader.targetCount)
    loader.loadClasses(0..<12, order: nil, into: classes.block)
    return (0..<12).map { sample in
      (0..<loader.targetCount).map { Int(classes.block[sample * loader.targetCount + $0]) }
    }
  }

  @Test("padded tags are those of the tokens before the end", arguments: [nil, -1])
  func paddedTags(ignored: Int?) throws {
    let data = try load(.paddedTags, .classes, steps: 9, ignored: ignored)
    var lengths = Set<Int>()
    for (sample, tags) in classes(data).enumerated() {
      let tokens = data.train.dataset.inputs(of: sample)
      let length = tokens.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
      lengths.insert(length)
      #expect(length >= 3 && tokens.prefix(length).allSatisfy { $0 >= 1 && $0 <= 20 })
      let expected = (0..<9).map { step in
        step < length
          ? [step - 1, step + 1].filter { (0..<length).contains($0) }
            .count { tokens[$0] > tokens[step] } : ignored ?? 0
      }
      #expect(tags == expected)
    }
    #expect(lengths.count > 3)
  }

  @Test("symbols can be read off the bands, each in its turn")
  func symbols() throws {
    let data = try load(.symbols, .classes, steps: 33, ignored: -1)
    #expect(data.shape.input == [33, 8])
    #expect(data.shape.target == .classSequence(count: 7, steps: 8, names: nil))
    for (sample, labels) in classes(data).enumerated() {
      let bands = data.train.dataset.inputs(of: sample)
      let path = (0..<33).map { step in (1...6).first { bands[step * 8 + $0] >= 1 } ?? 0 }
      let read = path.indices.filter { path[$0] > 0 && ($0 == 0 || path[$0] != path[$0 - 1]) }
        .map { path[$0] }
      #expect(read == labels.filter { $0 > 0 }, "\(path)")
      #expect(labels == read + [Int](repeating: -1, count: 8 - read.count))
    }
  }

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
  ]
  private static let weekdays = [
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
  ]

  /// All ways to write a day, with the weekday as Foundation knows it.
  private func forms(_ standard: String) throws -> [String] {
    let numbers = standard.split(separator: "-").compactMap { Int($0) }
    try #require(numbers.count == 3)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    let parts = DateComponents(year: numbers[0], month: numbers[1], day: numbers[2])
    try #require(parts.isValidDate(in: calendar), "\(standard)")
    let date = try #require(calendar.date(from: parts))
    let weekday = Self.weekdays[calendar.component(.weekday, from: date) - 1]
    let (year, month, day) = (numbers[0], Self.months[numbers[1] - 1], numbers[2])
    let (yy, mm, dd) = (
      standard.dropFirst(2).prefix(2), standard.dropFirst(5).prefix(2), standard.suffix(2)
    )
    let mmm = month.prefix(3)
    return [
      "\(numbers[1])/\(day)/\(yy)", "\(dd).\(mm).\(yy)", "\(dd) \(mm) \(yy)",
      "\(mmm) \(day) \(year)", "\(month) \(day) \(year)", "\(weekday) \(month) \(day) \(year)",
      "\(day) \(mmm) \(year)", "\(day) \(month) \(year)", "\(dd) \(mmm) \(year)",
    ]
  }

  @Test("dates are written in many ways, and their answers are the same days")
  func dates() throws {
    let count = 600
    var spec = DataSpec(
      source: .generatedSequences(GeneratedSequencesSpec(kind: .dates, samples: count, steps: 30)))
    spec.target = .classes
    let data = try TestFolder().load(spec, outputs: 11, answers: 10)
    #expect(data.shape.input == [40] && data.shape.vocabularyCount == 42)
    guard case .classSequence(11, 10, let names?) = data.shape.target else {
      Issue.record("\(data.shape.target)")
      return
    }
    #expect(names == "0123456789-".map(String.init))
    let alphabet = Array("_0123456789- /.abcdefghijklmnopqrstuvwxyz>")
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    let classes = AlignedMemory<Int32>(count: count * 10)
    loader.loadClasses(0..<count, order: nil, into: classes.block)
    var used = Set<Int>()
    var years = Set<Substring>()
    for sample in 0..<count {
      let text = String(data.train.dataset.inputs(of: sample).map { alphabet[Int($0)] })
      let answer = (0..<10).map { names[Int(classes.block[sample * 10 + $0])] }.joined()
      #expect(text.suffix(10) == ">" + answer.dropLast(), "shifted by one behind a start mark")
      let human = text.prefix(30).prefix { $0 != "_" }
      #expect(text.prefix(30).dropFirst(human.count).allSatisfy { $0 == "_" })
      let form = try #require(
        try forms(answer).firstIndex(of: String(human)), "\(human): \(answer)")
      used.insert(form)
      years.insert(answer.prefix(4))
    }
    #expect(used.count == 9)
    #expect(years.count > 90 && years.allSatisfy { $0 >= "1969" && $0 <= "2068" })
  }

  @Test("dates need room for their longest form")
  func shortDates() throws {
    let folder = try TestFolder()
    var spec = DataSpec(
      source: .generatedSequences(GeneratedSequencesSpec(kind: .dates, samples: 12, steps: 26)))
    spec.target = .classes
    #expect(
      try folder.message { _ = try folder.load(spec, outputs: 11, answers: 10) } == """
        data.steps: 26 steps are too few for dates
          expected: at least 27
          to fix:   use more steps
        """)
  }

  @Test("answers of another kind than the loss reads are told, with the loss that does")
  func losses() throws {
    let folder = try TestFolder()
    let symbols = DataSpec(
      source: .generatedSequences(
        GeneratedSequencesSpec(kind: .symbols, samples: 12, steps: 20)))
    #expect(
      try folder.message { _ = try folder.load(symbols) } == """
        loss: the answers of symbols are lists of labels
          expected: a loss for them
          to fix:   use loss: {kind: ctc, labels: 5}
        """)
    var tags = DataSpec(
      source: .generatedSequences(
        GeneratedSequencesSpec(kind: .paddedTags, samples: 12, steps: 20)))
    tags.firstClass = 1
    #expect(
      try folder.message { _ = try folder.load(tags) } == """
        loss: the answers of padded_tags are classes
          expected: a loss for them
          to fix:   use loss: softmax_cross_entropy
        """)
  }

  @Test("tags count the higher neighbours")
  func tags() throws {
    let data = try load(.tags, .classes, steps: 9)
    let set = data.train.dataset
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    let classes = AlignedMemory<Int32>(count: 12 * 9)
    loader.loadClasses(0..<12, order: nil, into: classes.block)
    for sample in 0..<12 {
      let tokens = set.inputs(of: sample)
      #expect(tokens.allSatisfy { $0 >= 0 && $0 < 20 && $0 == $0.rounded() })
      for step in 0..<9 {
        let higher = [step - 1, step + 1].filter { (0..<9).contains($0) }
          .count { tokens[$0] > tokens[step] }
        #expect(Int(classes.block[sample * 9 + step]) == higher)
      }
    }
  }

  @Test("series are waves with one value to find, sounds have answers at 1,375 steps")
  func shapes() throws {
    let series = try load(.series, .values, steps: 30)
    #expect(series.shape.input == [30, 1] && series.shape.target.width == 1)
    #expect(series.train.dataset.inputs(of: 3) != series.train.dataset.inputs(of: 4))
    let trigger = try load(.trigger, .multiHot, steps: 5511)
    #expect(trigger.shape.input == [5511, 101] && trigger.shape.target.width == 1375)
    let answers = (0..<12).map { trigger.train.dataset.values(of: $0).reduce(0, +) }
    #expect(
      answers.contains(0) && answers.contains { $0 >= 25 } && answers.allSatisfy { $0 <= 100 })
  }
}
