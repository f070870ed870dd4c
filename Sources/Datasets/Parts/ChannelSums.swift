// Letters: N samples of a part, E elements of a sample, C channels (or columns).

/// How often each byte occurs in each channel: all that mean and deviation need.
struct ByteHistogram {
  let channels: Int
  /// `[C, 256]`
  private(set) var counts: [Int]

  /// - Complexity: N·E additions.
  init(of part: DataPart, channels: Int) {
    self.channels = channels
    counts = [Int](repeating: 0, count: channels * 256)
    if channels == 1 { countOneChannel(part) } else { countChannels(part) }
  }

  /// Four tables, so that equal neighbours (black borders) do not wait for each other's sums.
  private mutating func countOneChannel(_ part: DataPart) {
    var tables = [Int](repeating: 0, count: 4 * 256)
    let elements = part.dataset.shape.elementCount
    unsafe tables.withUnsafeMutableBufferPointer { table in
      for position in 0..<part.count {
        // SAFETY: a sample has `elements` bytes; a byte is below 256, so every index is below 1024.
        let bytes = unsafe part.dataset.inputBytes(of: part.sample(at: position))
        var element = 0
        while element &+ 4 <= elements {
          unsafe table[Int(bytes[element])] &+= 1
          unsafe table[256 &+ Int(bytes[element &+ 1])] &+= 1
          unsafe table[512 &+ Int(bytes[element &+ 2])] &+= 1
          unsafe table[768 &+ Int(bytes[element &+ 3])] &+= 1
          element &+= 4
        }
        while element < elements {
          unsafe table[Int(bytes[element])] &+= 1
          element &+= 1
        }
      }
    }
    for value in 0..<256 {
      counts[value] = (0..<4).reduce(0) { $0 + tables[$1 * 256 + value] }
    }
  }

  private mutating func countChannels(_ part: DataPart) {
    let channels = channels
    unsafe counts.withUnsafeMutableBufferPointer { table in
      for position in 0..<part.count {
        // SAFETY: channel < channels and a byte is below 256, so every index is in the table.
        let bytes = unsafe part.dataset.inputBytes(of: part.sample(at: position))
        var channel = 0
        for element in 0..<bytes.count {
          unsafe table[channel &* 256 &+ Int(bytes[element])] &+= 1
          channel &+= 1
          if channel == channels { channel = 0 }
        }
      }
    }
  }
}

/// Means and sums of squared distances per channel of float samples, in two passes.
struct FloatMoments {
  /// Numbers per channel.
  let total: Double
  /// `[C]`
  private(set) var mean: [Double]
  private(set) var squares: [Double]
  private var lowest: [Float]
  private var highest: [Float]

  /// - Complexity: 2·N·E additions.
  init(of part: DataPart, channels: Int) {
    total = Double(part.count * part.dataset.shape.elementCount / channels)
    mean = [Double](repeating: 0, count: channels)
    squares = mean
    lowest = [Float](repeating: .infinity, count: channels)
    highest = [Float](repeating: -.infinity, count: channels)
    Self.visit(part, channels: channels) { channel, value in
      mean[channel] += Double(value)
      lowest[channel] = min(lowest[channel], value)
      highest[channel] = max(highest[channel], value)
    }
    for channel in mean.indices {
      mean[channel] = isConstant(channel) ? Double(lowest[channel]) : mean[channel] / total
    }
    Self.visit(part, channels: channels) { channel, value in
      let distance = Double(value) - mean[channel]
      squares[channel] += distance * distance
    }
  }

  /// Exactly, where sums of rounded numbers would leave a tiny rest.
  func isConstant(_ channel: Int) -> Bool { lowest[channel] == highest[channel] }

  @inline(__always)
  private static func visit(_ part: DataPart, channels: Int, _ body: (Int, Float) -> Void) {
    for position in 0..<part.count {
      // SAFETY: a sample of float32 elements is aligned and whole.
      let values = unsafe part.dataset.inputBytes(of: part.sample(at: position))
        .bindMemory(to: Float.self)
      var channel = 0
      for element in 0..<values.count {
        unsafe body(channel, values[element])
        channel &+= 1
        if channel == channels { channel = 0 }
      }
    }
  }
}
