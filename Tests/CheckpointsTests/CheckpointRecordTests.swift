import Checkpoints
import Testing

@Suite("Checkpoint records")
struct CheckpointRecordTests {
  static var full: CheckpointRecord {
    var record = CheckpointRecord(
      step: 120, epoch: 2, samplesIntoEpoch: 5120, seed: UInt64.max - 1)
    record.modelFingerprint = "ab12"
    record.bestMetric = 0.1 + 0.2
    record.isBest = true
    record.normalization = ["mean": [0.1, -1e-300], "deviation": [1, .leastNonzeroMagnitude]]
    record.counters = ["early_stopping_wait": 3, "negative": -1]
    record.metrics = ["dev_loss": .infinity, "accuracy": 1]
    record.settings = ["training.batch": "512", "name": "größe \"x\"\n"]
    record.resolvedConfig = "name: x\nmodel:\n\t- relu\n"
    return record
  }

  @Test("a record reads back as it was written, to the last bit")
  func roundTrip() throws {
    var bare = CheckpointRecord(step: 0, epoch: 0, samplesIntoEpoch: 0, seed: 0)
    for record in [Self.full, bare] {
      #expect(try CheckpointRecord(json: Array(record.text.utf8), path: "c") == record)
      #expect(record.text == record.text)
    }
    bare.bestMetric = .nan
    let read = try CheckpointRecord(json: Array(bare.text.utf8), path: "c")
    #expect(read.bestMetric?.isNaN == true)
  }

  @Test("the text is one field a line, in a fixed order")
  func text() {
    var record = CheckpointRecord(step: 7, epoch: 1, samplesIntoEpoch: 64, seed: 3)
    record.counters = ["b": 2, "a": 1]
    #expect(
      record.text == """
        {
          "format_version": 1,
          "step": 7,
          "epoch": 1,
          "samples_into_epoch": 64,
          "seed": 3,
          "model_fingerprint": "",
          "best_metric": null,
          "is_best": false,
          "normalization": {},
          "counters": {
            "a": 1,
            "b": 2
          },
          "metrics": {},
          "settings": {},
          "resolved_config": ""
        }

        """)
  }

  @Test(
    "a damaged record says what is wrong at which byte",
    arguments: [
      ("", 0, "the file is not valid JSON: a value is missing; the end of the text is there"),
      ("[1]", 0, "the file does not hold a JSON object"),
      (#"{"format_version": 1}"#, 0, "the field 'step' is missing"),
      (#"{"format_version": 1, "step": "7"}"#, 30, "the field 'step' is not a whole number"),
      (#"{"format_version": 1, "step": 1.5}"#, 30, "the field 'step' is not a whole number"),
    ])
  func damaged(text: String, offset: Int, problem: String) {
    #expect(
      message { _ = try CheckpointRecord(json: Array(text.utf8), path: "c/checkpoint.json") } == """
        c/checkpoint.json: byte \(offset): \(problem)
          expected: the file as it was saved
          to fix:   restore the file, or delete this checkpoint's folder
        """)
  }

  @Test("a record of a later format is refused")
  func laterFormat() {
    #expect(
      message { _ = try CheckpointRecord(json: Array(#"{"format_version": 2}"#.utf8), path: "c") }
        == """
        c: the checkpoint has format version 2
          expected: version 1, the one this program reads
          to fix:   use the program that wrote it, or start over with --fresh
        """)
  }
}
