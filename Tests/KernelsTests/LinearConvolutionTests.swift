import Graph
import Kernels
import Storage
import Testing

@Suite struct LinearConvolutionTests {
  @Test("forward equals plain loops", arguments: ConvolutionCase.all)
  func forward(problem: ConvolutionCase) {
    checkForward(ConvolutionProblem<Float>(problem))
    checkForward(ConvolutionProblem<Double>(problem))
  }

  private func checkForward<S: Scalar>(_ problem: ConvolutionProblem<S>) {
    let geometry = problem.geometry
    let depth = geometry.weightCount / geometry.outputChannels
    problem.forward(bias: false).expect(problem.convolve(bias: false), depth: depth)
    problem.forward(bias: true).expect(problem.convolve(bias: true), depth: depth + 1)
  }

  @Test("the gradient by data equals plain loops", arguments: ConvolutionCase.all)
  func inputGradient(problem: ConvolutionCase) {
    checkInputGradient(ConvolutionProblem<Float>(problem))
    checkInputGradient(ConvolutionProblem<Double>(problem))
  }

  private func checkInputGradient<S: Scalar>(_ problem: ConvolutionProblem<S>) {
    let geometry = problem.geometry
    let depth =
      geometry.vertical.kernel * geometry.horizontal.kernel * geometry.outputChannelsPerGroup
    problem.inputGradient().expect(problem.convolveInputGradient(), depth: depth)
  }

  @Test("the gradient by weights equals plain loops", arguments: ConvolutionCase.all)
  func weightGradient(problem: ConvolutionCase) {
    checkWeightGradient(ConvolutionProblem<Float>(problem))
    checkWeightGradient(ConvolutionProblem<Double>(problem))
  }

  private func checkWeightGradient<S: Scalar>(_ problem: ConvolutionProblem<S>) {
    let geometry = problem.geometry
    let depth = problem.images * geometry.vertical.output * geometry.horizontal.output
    problem.weightGradient().expect(problem.convolveWeightGradient(), depth: depth)
    #expect(problem.convolveWeightGradient() == problem.convolveWeightGradient())
  }

  @Test("an image has the same bits alone as among others", arguments: ConvolutionCase.all)
  func imageIndependence(problem: ConvolutionCase) {
    var many = problem
    many.images = 37
    let together = ConvolutionProblem<Float>(many)
    let outputs = together.convolve(bias: true)
    let gradients = together.convolveInputGradient()
    let geometry = problem.geometry
    for images in [0..<1, 7..<9, 20..<37] {
      let part = together.part(images)
      #expect(part.convolve(bias: true) == Array(outputs[images, times: geometry.outputCount]))
      #expect(part.convolveInputGradient() == Array(gradients[images, times: geometry.inputCount]))
    }
  }

  @Test("both gradients are the derivatives of the output", arguments: ConvolutionCase.all)
  func centralDifferences(problem: ConvolutionCase) {
    let problem = ConvolutionProblem<Double>(problem)
    let loss = {
      zip(problem.convolve(bias: false), problem.outputGradient.block.array)
        .reduce(0) { $0 + $1.0 * $1.1 }
    }
    compare(problem.convolveInputGradient(), with: problem.input.block, loss: loss)
    compare(problem.convolveWeightGradient(), with: problem.weights.block, loss: loss)
  }

  /// `||difference quotient - gradient|| / (||difference quotient|| + ||gradient||)` over some elements.
  private func compare(_ gradient: [Double], with place: Block<Double>, loss: () -> Double) {
    let indices = stride(from: 0, to: place.count, by: max(1, place.count / 23))
    var (distance, size) = (0.0, 0.0)
    for index in indices {
      let old = place[index]
      // The loss is linear in each operand, so a large step has no truncation error.
      place[index] = old + 0.5
      let above = loss()
      place[index] = old - 0.5
      let below = loss()
      place[index] = old
      let quotient = above - below
      distance += (quotient - gradient[index]) * (quotient - gradient[index])
      size += quotient * quotient + gradient[index] * gradient[index]
    }
    #expect(distance.squareRoot() <= 1e-11 * size.squareRoot() + 1e-12)
  }
}

extension Array {
  /// The elements of `images`, each `count` long.
  fileprivate subscript(_ images: Range<Int>, times count: Int) -> ArraySlice<Element> {
    self[(images.lowerBound * count)..<(images.upperBound * count)]
  }
}

extension ConvolutionProblem {
  /// The same problem on some of its images.
  fileprivate func part(_ images: Range<Int>) -> ConvolutionProblem {
    ConvolutionProblem(
      geometry: geometry, images: images.count, plan: plan,
      input: FencedBlock(Array(input.block.array[images, times: geometry.inputCount])),
      weights: weights, bias: bias,
      outputGradient: FencedBlock(
        Array(outputGradient.block.array[images, times: geometry.outputCount])))
  }

  private init(
    geometry: ConvolutionGeometry, images: Int, plan: ConvolutionPlan, input: FencedBlock<S>,
    weights: FencedBlock<S>, bias: FencedBlock<S>, outputGradient: FencedBlock<S>
  ) {
    self.geometry = geometry
    self.images = images
    self.plan = plan
    self.input = input
    self.weights = weights
    self.bias = bias
    self.outputGradient = outputGradient
  }
}
