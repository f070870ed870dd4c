import Metrics
import Testing

@Suite("Progress")
struct ProgressTests {
  private let progress = TrainingProgress(
    epoch: 1.5, epochCount: 3, step: 120, stepCount: 318, loss: 0.43214, metric: 0.852,
    samplesPerSecond: 12_345)

  @Test("a line for a log file")
  func line() {
    #expect(
      progress.line(.accuracy, timeLeft: .seconds(12))
        == "epoch 1.50/3  step 120/318  loss 0.4321  accuracy 85.2%  12.3k samples/s  0:12 left")
    var bare = progress
    bare.metric = nil
    #expect(
      bare.line(.accuracy, timeLeft: nil)
        == "epoch 1.50/3  step 120/318  loss 0.4321  12.3k samples/s")
  }

  @Test(
    "a bar gives up its least important parts as the terminal narrows",
    arguments: [
      (
        200,
        "epoch 2/3 [===========>                  ] 120/318  loss 0.4321  accuracy 85.2%  12.3k/s"
          + "  0:12 left"
      ),
      (79, "epoch 2/3 [===>      ] 120/318  loss 0.4321  accuracy 85.2%  12.3k/s  0:12 left"),
      (70, "epoch 2/3 120/318  loss 0.4321  accuracy 85.2%  12.3k/s  0:12 left"),
      (60, "epoch 2/3 120/318  loss 0.4321  accuracy 85.2%  0:12 left"),
      (50, "epoch 2/3 [==>   ] 120/318  loss 0.4321  0:12 left"),
      (32, "epoch 2/3 120/318  loss 0.4321"), (18, "epoch 2/3 120/318"), (5, "epoch"), (0, ""),
    ])
  func bar(width: Int, text: String) {
    let bar = progress.bar(.accuracy, timeLeft: .seconds(12), width: width)
    #expect(bar == text)
    #expect(bar.count <= max(0, width))
  }

  @Test("the bar is empty at the start and full at the end")
  func ends() {
    var progress = progress
    (progress.step, progress.epoch) = (0, 0)
    #expect(
      progress.bar(.accuracy, timeLeft: nil, width: 79).hasPrefix("epoch 1/3 [>        "))
    (progress.step, progress.epoch) = (318, 3)
    #expect(
      progress.bar(.accuracy, timeLeft: .zero, width: 79)
        == "epoch 3/3 [==========] 318/318  loss 0.4321  accuracy 85.2%  12.3k/s  0:00 left")
  }

  @Test("time left follows the pace since the start")
  func pace() {
    #expect(timeLeft(elapsed: .seconds(10), done: 20, remaining: 40) == .seconds(20))
    #expect(timeLeft(elapsed: .seconds(10), done: 0, remaining: 40) == nil)
  }

  @Test(
    "auto draws a bar only where a person looks on",
    arguments: [
      ([:], true, ProgressStyle.bar), ([:], false, .lines),
      (["OMPI_COMM_WORLD_RANK": "0"], true, .lines),
      (["OMPI_COMM_WORLD_RANK": "0", "DDP_TRAIN_TERMINAL": "1"], true, .bar),
      (["DDP_TRAIN_TERMINAL": "0"], true, .lines),
    ])
  func auto(environment: [String: String], terminal: Bool, style: ProgressStyle) {
    #expect(
      ProgressOption.auto.style(environment: environment, outputIsTerminal: terminal) == style)
  }

  @Test("a named style is taken as it is")
  func named() {
    let found = ["bar", "lines", "none"].compactMap(ProgressOption.init).map {
      $0.style(environment: [:], outputIsTerminal: false)
    }
    #expect(found == [.bar, .lines, .none])
  }

  @Test("the width comes from the launcher, then the shell, then it is 80")
  func width() {
    #expect(terminalColumns(environment: ["DDP_TRAIN_COLUMNS": "120", "COLUMNS": "90"]) == 120)
    #expect(terminalColumns(environment: ["COLUMNS": "90"]) == 90)
    #expect(terminalColumns(environment: ["COLUMNS": "wide"]) == 80)
  }
}
