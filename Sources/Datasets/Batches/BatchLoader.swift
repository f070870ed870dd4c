import CPrefetch
import Storage

// Shapes: B samples of a batch, E elements of a sample, T targets.

/// Fills a batch's memory with normalised inputs and targets, allocating nothing.
package struct BatchLoader<S: BinaryFloatingPoint & BitwiseCopyable & Sendable>: Sendable {
  package let part: DataPart
  private let normalization: ElementNormalization<S>
  private let augmentation: ImageAugmentation?
  private let windows: WindowDraw?
  /// nil: targets stay as they are.
  private let targetScale: ElementNormalization<S>?
  /// Numbers per sample.
  package private(set) var elementCount: Int
  /// Class numbers, or target numbers, of a sample.
  package private(set) var targetCount: Int

  /// - Parameters:
  ///   - augmentation: nil for evaluation.
  ///   - windows: Random windows of an epoch; nil: each sample lies where it lies.
  package init(
    part: DataPart, statistics: NormalizationStatistics, augmentation: ImageAugmentation? = nil,
    windows: WindowDraw? = nil
  ) {
    self.part = part
    self.augmentation = augmentation
    self.windows = windows
    targetScale =
      statistics.targetMean.isEmpty
      ? nil
      : ElementNormalization(
        mean: statistics.targetMean, deviation: statistics.targetDeviation,
        elements: part.dataset.shape.target.width)
    elementCount = part.dataset.shape.elementCount
    targetCount = part.dataset.shape.target.width
    normalization = ElementNormalization(statistics, elements: elementCount)
  }

  /// Loads only the beginning of every sample: the steps up to which it is not padded.
  package func first(elements: Int, targets: Int) -> BatchLoader {
    precondition(
      elements <= elementCount && targets <= targetCount,
      "\(elements) of \(elementCount) numbers, \(targets) of \(targetCount) targets")
    precondition(augmentation == nil, "images have no length")
    var loader = self
    (loader.elementCount, loader.targetCount) = (elements, targets)
    return loader
  }

  /// Fills `inputs[b, e] = (x - mean) / deviation` for the samples at `positions`.
  ///
  /// - Parameters:
  ///   - positions: Places in the epoch's order, or in the part where `order` is nil.
  ///   - epoch: Decides augmentation and random windows, together with the sample; without it there are none.
  ///   - inputs: `[B, E]`
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func loadInputs(
    _ positions: Range<Int>, order: (any SampleOrder)?, epoch: Int? = nil, into inputs: Block<S>
  ) {
    let elements = elementCount
    precondition(
      inputs.count == positions.count * elements,
      "\(positions.count) samples of \(elements) elements into \(inputs.count)")
    for (row, position) in positions.enumerated() {
      let sample = sample(at: position, order: order)
      if position + 2 < positions.upperBound { prefetch(position + 2, order: order, epoch) }
      // SAFETY: the row lies in the block, whose size was checked.
      let output = unsafe UnsafeMutableBufferPointer(
        start: inputs.base + row * elements, count: elements)
      if let epoch, let augmentation {
        let change = augmentation.change(epoch: epoch, sample: sample)
        unsafe load(sample, changed: change, extent: augmentation.extent, into: output)
      } else {
        unsafe load(from: start(of: sample, epoch: epoch), into: output)
      }
    }
  }

  /// Checks tokens of a mapped file, which nobody has read before.
  ///
  /// - Throws: A `Diagnostic` of the first token at these positions that the vocabulary does not have.
  package func checkTokens(_ positions: Range<Int>, order: (any SampleOrder)?, epoch: Int?) throws {
    guard part.dataset.uncheckedFile != nil else { return }
    for position in positions {
      let sample = sample(at: position, order: order)
      try part.dataset.checkTokens(from: start(of: sample, epoch: epoch))
    }
  }

  /// The row at which a sample starts.
  @inline(__always)
  private func start(of sample: Int, epoch: Int?) -> Int {
    if let windows, let epoch { return windows.start(epoch: epoch, sample: sample) }
    return part.dataset.start(of: sample)
  }

  /// Fills `classes[b, t]`.
  ///
  /// - Parameters:
  ///   - epoch: As for the inputs.
  ///   - classes: `[B, T]`, T answers for each sample.
  package func loadClasses(
    _ positions: Range<Int>, order: (any SampleOrder)?, epoch: Int? = nil,
    into classes: Block<Int32>
  ) {
    let answers = targetCount
    let isTokens = part.dataset.windows.targetElement == part.dataset.element
    precondition(
      classes.count == positions.count * answers, "\(positions.count) into \(classes.count)")
    for (row, position) in positions.enumerated() {
      let start = start(of: sample(at: position, order: order), epoch: epoch)
      // SAFETY: a sample has `answers` targets, and row * answers + step < count of the block.
      let stored = unsafe part.dataset.targetBytes(from: start)
      for step in 0..<answers {
        unsafe classes.base[row * answers + step] =
          isTokens
          ? unsafe part.dataset.token(step, of: stored)
          : unsafe stored.loadUnaligned(fromByteOffset: 4 * step, as: Int32.self)
      }
    }
  }

  /// Fills `values[b, t]`, scaled as the statistics say.
  ///
  /// - Parameter values: `[B, T]`
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func loadValues(_ positions: Range<Int>, order: (any SampleOrder)?, into values: Block<S>)
  {
    let width = targetCount
    precondition(values.count == positions.count * width, "\(positions.count) into \(values.count)")
    for (row, position) in positions.enumerated() {
      let start = part.dataset.start(of: sample(at: position, order: order))
      // SAFETY: a sample has `width` Float targets, and the row lies in the block.
      let stored = unsafe part.dataset.targetBytes(from: start).bindMemory(to: Float.self)
      let output = unsafe UnsafeMutableBufferPointer(
        start: values.base + row * width, count: width)
      if let targetScale {
        unsafe targetScale.apply(stored, into: output)
      } else {
        for target in 0..<width { unsafe output[target] = S(stored[target]) }
      }
    }
  }

  /// The sample of the file at a position: what augmentation and reports know it by.
  package func sample(at position: Int, order: (any SampleOrder)?) -> Int {
    guard let order else { return part.sample(at: position) }
    precondition(order.count == part.count, "order of \(order.count), part of \(part.count)")
    return part.sample(at: order.sample(at: position))
  }

  /// Samples lie scattered in an epoch's order, and waiting for memory costs more than the arithmetic:
  /// asking two samples ahead doubles the speed.
  @inline(__always)
  private func prefetch(_ position: Int, order: (any SampleOrder)?, _ epoch: Int?) {
    let start = start(of: sample(at: position, order: order), epoch: epoch)
    // SAFETY: a hint about bytes of the mapping.
    let bytes = unsafe part.dataset.inputBytes(from: start)
    unsafe prefetch_bytes(bytes.baseAddress, bytes.count)
  }

  @inline(__always)
  private func load(from start: Int, into output: UnsafeMutableBufferPointer<S>) {
    // SAFETY: the data set's storage lives as long as the part; a sample has E whole elements.
    let bytes = unsafe part.dataset.inputBytes(from: start)
    switch part.dataset.element {
    case .uint8:
      unsafe normalization.apply(bytes.bindMemory(to: UInt8.self), into: output)
    case .float32:
      unsafe normalization.apply(bytes.bindMemory(to: Float.self), into: output)
    case .uint16, .int32, .int64:
      for index in 0..<output.count {
        unsafe output[index] = S(unsafe part.dataset.token(index, of: bytes))
      }
    }
  }

  @inline(__always)
  private func load(
    _ sample: Int, changed change: ImageChange, extent: ImageExtent,
    into output: UnsafeMutableBufferPointer<S>
  ) {
    // SAFETY: as above.
    let bytes = unsafe part.dataset.inputBytes(of: sample)
    switch part.dataset.element {
    case .uint8:
      unsafe normalization.apply(
        bytes.bindMemory(to: UInt8.self), change: change, extent: extent, into: output)
    case .float32:
      unsafe normalization.apply(
        bytes.bindMemory(to: Float.self), change: change, extent: extent, into: output)
    case .uint16, .int32, .int64: preconditionFailure("tokens are no images")
    }
  }
}

/// What inputs are stored as.
protocol BatchElement: BitwiseCopyable {
  func converted<S: BinaryFloatingPoint>(to type: S.Type) -> S
}

extension UInt8: BatchElement {
  @inline(__always) func converted<S: BinaryFloatingPoint>(to type: S.Type) -> S { S(self) }
}

extension Float: BatchElement {
  @inline(__always) func converted<S: BinaryFloatingPoint>(to type: S.Type) -> S { S(self) }
}
