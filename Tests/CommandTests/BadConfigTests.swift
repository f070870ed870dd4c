import Foundation
import Testing

@Suite("Bad configurations", .serialized)
struct BadConfigTests {
  @Test("an unknown key names the nearest one")
  func unknownKey() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "training.epoch=3"],
      """
      command line: training.epoch=3: unknown key training.epoch
        expected: one of epochs, batch, shards, local_steps, recompute, max_steps, clip_norm, clip_value, ema_decay, early_stopping
        to fix:   write epochs instead of epoch
      """)
  }

  private static let manyFaults = """
    bad.yaml:9:16: unknown key model.layers.0.conv2d.filtres
      expected: one of filters, kernel, stride, padding, dilation, groups, bias, weight_initializer, bias_initializer, name, from, trainable
      to fix:   write filters instead of filtres
    bad.yaml:11:7: unknown layer fltten
      expected: one of dense, conv2d, embedding, tied_dense, positions, rnn, lstm, gru, attention, conv1d, masking, class_token, first_step, last_step, batch_norm, layer_norm, rms_norm, dropout, max_pool, average_pool, global_average_pool, flatten, reshape, identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, relu6, hard_sigmoid, hard_swish, softplus, softmax, squeeze_excitation, stochastic_depth, spatial_dropout, group_norm, instance_norm, local_response_norm, conv_transpose2d, upsample, adaptive_average_pool, prelu, residual, parallel, repeat, sequence, join, shared, stop_gradient, select, channels, gaussian_sample
      to fix:   write flatten instead of fltten
    bad.yaml:13:7: unknown loss softmax_cross_entropi
      expected: one of softmax_cross_entropy, sigmoid_cross_entropy, mean_squared, mean_absolute, huber, ctc, triplet, hard_triplet, contrastive, info_nce
      to fix:   write softmax_cross_entropy instead of softmax_cross_entropi
    bad.yaml:14:19: unknown optimizer sdg
      expected: one of sgd, momentum, rmsprop, adagrad, adam, adamw, lars, lamb
      to fix:   write sgd instead of sdg
    bad.yaml:15:30: global batch 12 cannot be split evenly into 8 shards
      expected: a multiple of 8, so that every shard has the same shape
      to fix:   use 16, or set training.shards to a divisor of 12
    """

  @Test(
    "all faults of a config are said at once, in its order, and once for all ranks",
    arguments: [nil, 1, 3])
  func manyFaults(ranks: Int?) throws {
    let command = try Command.images()
    defer { command.remove() }
    let changes = [
      ("batch: 8", "batch: 12"), ("sgd", "sdg"), ("filters", "filtres"), ("flatten", "fltten"),
      ("cross_entropy", "cross_entropi"),
    ]
    let text = changes.reduce(SmallJob.images) { text, change in
      text.replacing(change.0, with: change.1)
    }
    try command.write(text, to: "bad.yaml")
    try expectRefusal(command, ["bad.yaml"], ranks: ranks, Self.manyFaults)
  }

  @Test("a warm-up that never ends, once for all ranks", arguments: [nil, 3])
  func warmup(ranks: Int?) throws {
    let command = try Command.table()
    defer { command.remove() }
    try expectRefusal(
      command, ["table.yaml", "schedule.warmup_steps=28"], ranks: ranks,
      """
      command line: schedule.warmup_steps=28: schedule.warmup_steps is 28, but the whole run has 27 steps
        expected: at most 27: 3 x 9 steps of an epoch
        to fix:   use 1 or so, or raise training.epochs
      """)
  }

  @Test("a batch that cannot be cut into the shards")
  func batch() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "training.batch=12"],
      """
      command line: training.batch=12: global batch 12 cannot be split evenly into 8 shards
        expected: a multiple of 8, so that every shard has the same shape
        to fix:   use 16, or set training.shards to a divisor of 12
      """)
  }

  @Test("more ranks than shards, said once")
  func tooManyRanks() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "training.shards=2"], ranks: 4,
      """
      launch: 4 ranks for 2 micro-shards
        expected: at most as many ranks as training.shards, so that every rank has work
        to fix:   start 2 ranks or fewer, or set training.shards to 4 or more (a divisor of training.batch = 8); other shards give other bits
      """)
  }

  @Test("a layer that does not fit its input is named, with what it got and needs")
  func shapes() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "model.layers.2=relu"],
      """
      images.yaml:12:7: layers.3 (dense) got an input of shape [2, 2, 3]
        expected: a flat input [features], or a sequence [steps, features]
        to fix:   put flatten or global_average_pool before it
      """)
    try expectRefusal(
      command, ["images.yaml", "model.layers.0.conv2d.kernel=7"],
      """
      images.yaml:9:7: layers.0 (conv2d) has a window of 7 x 7 over an input of shape [4, 4, 1]
        expected: a window no larger than the padded input
        to fix:   use a smaller kernel, padding: same, or fewer pooling layers before it
      """)
  }

  @Test("a model for other data")
  func input() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "model.input=[5, 5, 1]"],
      """
      command line: model.input=[5, 5, 1]: the model takes inputs of shape [5, 5, 1], the data have [4, 4]
        expected: [4, 4, 1], or [16] without geometry
        to fix:   set model.input to [4, 4, 1]
      """)
  }

  @Test("a config that is not there: where it was looked for, and the nearest shipped name")
  func unknownConfig() throws {
    let command = try Command.images()
    defer { command.remove() }
    let beside = Command.program.deletingLastPathComponent().deletingLastPathComponent().path
    let folders = [
      "", "configs/", "\(Command.repository.path)/configs/", "\(beside)/share/ddp-train/configs/",
    ]
    let names = ["fasion-mnist.yaml", "fasion-mnist.yml"]
    let places = (["fasion-mnist"] + folders.flatMap { folder in names.map { folder + $0 } })
      .joined(separator: "\n            ")
    try expectRefusal(
      command, ["fasion-mnist"],
      """
      command line: fasion-mnist: there is no such configuration
        expected: one of these files:
                  \(places)
        to fix:   write fashion-mnist
      """)
  }

  @Test("a mistake in the command line, said once for all ranks", arguments: [nil, 3])
  func commandLine(ranks: Int?) throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "--fesh"], ranks: ranks,
      """
      Error: Unknown option '--fesh'. Did you mean '--fresh'?
      Usage: ddp-train train <config> [<overrides> ...] [--fresh] [--dry-run] [--progress <progress>] [--trace <trace>] [--trace-steps <trace-steps>]
        See 'ddp-train train --help' for more information.
      """)
  }

  @Test("an output folder that cannot be made")
  func outputFolder() throws {
    let command = try Command.images()
    defer { command.remove() }
    try command.write("a file", to: "occupied")
    try expectRefusal(
      command, ["images.yaml", "output.folder=occupied/run"],
      """
      occupied: the folder cannot be created: File exists
        expected: that output.folder names a folder in which this user may create files
        to fix:   give this user the permission, or set output.folder to another folder
      """)
  }
}
