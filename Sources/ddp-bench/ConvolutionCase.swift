import Graph
import Kernels
import Storage

/// A convolutional layer on square images.
struct ConvolutionCase {
  let kernel: Int
  let inputChannels: Int
  let outputChannels: Int
  let size: Int
  var stride = 1
  var groups = 1

  var name: String {
    let kind = groups > 1 ? "depthwise" : "convolution"
    let step = stride > 1 ? ", stride \(stride)" : ""
    return "\(kind) \(kernel)x\(kernel) \(inputChannels)->\(outputChannels) @\(size)\(step)"
  }

  static var all: [ConvolutionCase] {
    [
      ConvolutionCase(kernel: 3, inputChannels: 16, outputChannels: 16, size: 32),
      ConvolutionCase(kernel: 3, inputChannels: 32, outputChannels: 32, size: 28),
      ConvolutionCase(kernel: 3, inputChannels: 32, outputChannels: 64, size: 14),
      ConvolutionCase(kernel: 3, inputChannels: 64, outputChannels: 64, size: 14),
      ConvolutionCase(kernel: 3, inputChannels: 64, outputChannels: 64, size: 56),
      ConvolutionCase(kernel: 3, inputChannels: 128, outputChannels: 128, size: 7),
      ConvolutionCase(kernel: 5, inputChannels: 1, outputChannels: 6, size: 28),
      ConvolutionCase(kernel: 5, inputChannels: 6, outputChannels: 16, size: 14),
      ConvolutionCase(kernel: 3, inputChannels: 1, outputChannels: 32, size: 28),
      ConvolutionCase(kernel: 3, inputChannels: 3, outputChannels: 32, size: 32),
      ConvolutionCase(kernel: 5, inputChannels: 3, outputChannels: 6, size: 32),
      ConvolutionCase(kernel: 3, inputChannels: 8, outputChannels: 8, size: 32),
      ConvolutionCase(kernel: 3, inputChannels: 32, outputChannels: 1, size: 28),
      ConvolutionCase(kernel: 7, inputChannels: 3, outputChannels: 64, size: 56, stride: 2),
      ConvolutionCase(kernel: 1, inputChannels: 64, outputChannels: 128, size: 14),
      ConvolutionCase(kernel: 3, inputChannels: 32, outputChannels: 64, size: 28, stride: 2),
      ConvolutionCase(kernel: 3, inputChannels: 64, outputChannels: 64, size: 28, groups: 64),
    ]
  }

  private var geometry: ConvolutionGeometry {
    let before = (kernel - 1) / 2
    let axis = WindowAxis(
      input: size, kernel: kernel, stride: stride, padBefore: before, padAfter: kernel - 1 - before)
    return ConvolutionGeometry(
      vertical: axis, horizontal: axis, inputChannels: inputChannels,
      outputChannels: outputChannels,
      groups: groups)
  }

  /// Sixteen images, one micro-shard of the default run.
  func measure<S: Scalar>(
    _ type: S.Type, _ algorithm: ConvolutionAlgorithm, _ stopwatch: Stopwatch
  ) -> Speeds {
    let images = 16
    var geometry = geometry
    geometry.algorithm = algorithm
    let plan = ConvolutionPlan(geometry)
    let scratch = AlignedMemory<S>(
      count: max(
        convolutionScratchCount(plan, images: images, of: S.self),
        convolutionInputGradientScratchCount(plan, images: images, of: S.self),
        convolutionWeightGradientScratchCount(plan, images: images, of: S.self)))
    let input = AlignedMemory<S>.pattern(count: images * geometry.inputCount)
    let output = AlignedMemory<S>.pattern(count: images * geometry.outputCount)
    let weights = AlignedMemory<S>.pattern(count: geometry.weightCount)
    let result = AlignedMemory<S>(
      count: max(input.block.count, output.block.count, weights.block.count))
    let operations = 2 * Double(plan.multiplyAddCount * images)
    return Speeds(
      forward: stopwatch.speed(operations: operations) {
        convolve(
          plan, images: images, input: input.block, weights: weights.block,
          into: result.block, scratch: scratch.block)
      },
      byData: stopwatch.speed(operations: operations) {
        convolveInputGradient(
          plan, images: images, outputGradient: output.block, weights: weights.block,
          into: result.block, scratch: scratch.block)
      },
      byWeights: stopwatch.speed(operations: operations) {
        convolveWeightGradient(
          plan, images: images, input: input.block, outputGradient: output.block,
          into: result.block, scratch: scratch.block)
      })
  }
}
