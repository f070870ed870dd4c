import Graph
import Kernels
import Storage

extension ShardEngine {
  /// Operations of image networks.
  func runImages(_ index: Int) {
    let x = input(index, 0)
    let y = output(index)
    switch operations[index].kind {
    case .scaleChannels(let shape):
      scaleChannels(shape, images: rows, input: x, scale: input(index, 1), into: y)
    case .scaleChannelsGradient(let shape):
      scaleChannelsGradient(
        shape, images: rows, input: x, outputGradient: input(index, 1), into: y)
    case .addBias(let channels):
      addChannelBias(
        x, rows: x.count / channels, channels: channels, bias: input(index, 1), into: y)
    case .channelDropout(let shape, let rate, _):
      channelDropout(
        shape, images: rows, input: x, rate: rate, stream: stream(index), step: step,
        firstSample: firstSample, into: y, scratch: scratch)
    case .groupNorm(let shape): runGroupNorm(index, shape)
    case .groupNormGradient(let shape): runGroupNormGradient(index, shape)
    case .localResponseNorm(let window):
      localResponseNorm(
        window, rows: x.count / window.channels, input: x, into: y, base: output(index, 1),
        scratch: scratch)
    case .localResponseNormGradient(let window):
      localResponseNormGradient(
        window, rows: x.count / window.channels, input: x, base: input(index, 1),
        outputGradient: input(index, 2), into: y, scratch: scratch)
    default: runResize(index)
    }
  }

  private func runResize(_ index: Int) {
    let x = input(index, 0)
    let y = output(index)
    switch operations[index].kind {
    case .adaptiveAveragePool(let geometry):
      adaptiveAveragePool(geometry, images: rows, input: x, into: y)
    case .adaptiveAveragePoolGradient(let geometry):
      adaptiveAveragePoolGradient(geometry, images: rows, outputGradient: x, into: y)
    case .upsample(let geometry, let mode):
      upsample(geometry, mode, images: rows, input: x, into: y)
    case .upsampleGradient(let geometry, let mode):
      upsampleGradient(geometry, mode, images: rows, outputGradient: x, into: y)
    case .prelu(let channels, _):
      prelu(
        input: x, rows: x.count / channels, channels: channels, slope: input(index, 1), into: y)
    case .preluGradient(let channels, _):
      preluGradient(
        input: x, outputGradient: input(index, 1), rows: x.count / channels, channels: channels,
        slope: input(index, 2), into: y, slopeGradient: output(index, 1), scratch: scratch)
    default: preconditionFailure("\(operations[index].kind.name) is no operation on images")
    }
  }

  private func runGroupNorm(_ index: Int, _ shape: GroupNormShape) {
    let hasScale = inputCount(index) == 3
    groupNorm(
      shape, images: rows, input: input(index, 0), gamma: hasScale ? input(index, 1) : nil,
      beta: hasScale ? input(index, 2) : nil, into: output(index), mean: output(index, 1),
      inverseDeviation: output(index, 2), scratch: scratch)
  }

  private func runGroupNormGradient(_ index: Int, _ shape: GroupNormShape) {
    let scale = inputCount(index) == 5 ? 1 : 0
    groupNormGradient(
      shape, images: rows, input: input(index, 0), outputGradient: input(index, 1),
      gamma: scale == 1 ? input(index, 2) : nil, mean: input(index, 2 + scale),
      inverseDeviation: input(index, 3 + scale), into: output(index),
      gammaGradient: scale == 1 ? output(index, 1) : nil,
      betaGradient: scale == 1 ? output(index, 2) : nil, scratch: scratch)
  }
}

extension OperationKind {
  /// The stream of random bits that the operation draws masks from.
  var dropoutStream: String? {
    switch self {
    case .dropout(_, let stream), .channelDropout(_, _, let stream), .gaussianSample(_, let stream),
      .gaussianSampleGradient(_, let stream):
      stream
    default: nil
    }
  }

  /// Elements of scratch memory that the kernels of image networks ask for.
  func imageScratchCount<S: Scalar>(of scalar: S.Type) -> Int {
    switch self {
    case .channelDropout(let shape, _, _): shape.channels
    case .groupNorm(let shape), .groupNormGradient(let shape):
      groupNormScratchCount(shape, of: scalar)
    case .localResponseNorm(let window), .localResponseNormGradient(let window):
      localResponseNormScratchCount(window, of: scalar)
    case .preluGradient(let channels, _): channels
    default: 0
    }
  }
}
