import Training

extension Section where Root == PreemptionSpec {
  static var preemption: Section {
    Section(
      defaults: PreemptionSpec(),
      keys: [
        Key(
          "grace_seconds", \.graceSeconds, .number(.atLeast(0), example: 60),
          "Seconds before the job's end at which the run saves and stops; a save's time comes on top."
        ),
        Key(
          "end_time", \.endTime, endTime.optional,
          "The job's end; auto: DDP_TRAIN_END_TIME or SLURM_JOB_END_TIME in the environment; null: none."
        ),
      ])
  }

  private static var endTime: Format<JobEndTime> {
    let expectation = "auto, or a time with its zone in the form 2026-03-01T18:00:00Z"
    return Format(
      expectation: expectation, example: "2026-03-01T18:00:00Z",
      read: { node, path, faults in
        if node.text == "auto" { return .automatic }
        if let time = node.text.flatMap(JobEndTime.init(text:)) { return time }
        faults.mismatch(node, path, expected: expectation, example: "2026-03-01T18:00:00Z")
        return nil
      },
      write: { time in
        switch time {
        case .automatic: .plain("auto")
        case .at(let seconds): YAMLWriter.text(JobEndTime.text(seconds))
        }
      })
  }
}
