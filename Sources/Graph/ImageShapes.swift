// Shapes: N samples, P positions, C channels; channels-last, [N, P, C]. H, W rows and columns of an image.

/// One sample as positions and channels.
package struct ChannelShape: Equatable, Sendable {
  package var positions: Int
  package var channels: Int

  package init(positions: Int, channels: Int) {
    self.positions = positions
    self.channels = channels
  }

  package var elementCount: Int { positions * channels }
}

/// Positions, channels and groups of a group norm; group `g` has the channels `g * width..<(g + 1) * width`.
package struct GroupNormShape: Equatable, Sendable {
  package var positions: Int
  package var channels: Int
  package var groups: Int
  package var epsilon: Double

  package init(positions: Int, channels: Int, groups: Int, epsilon: Double) {
    self.positions = positions
    self.channels = channels
    self.groups = groups
    self.epsilon = epsilon
  }

  /// Channels of a group.
  package var width: Int { channels / groups }
}

/// The window of a local response norm: channel c sees `c - size / 2 ... c + (size - 1) / 2`.
package struct ResponseWindow: Equatable, Sendable {
  package var channels: Int
  package var size: Int
  package var alpha: Double
  package var beta: Double
  package var k: Double

  package init(channels: Int, size: Int, alpha: Double, beta: Double, k: Double) {
    self.channels = channels
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  /// Channels of the window before and after its own.
  package var before: Int { size / 2 }
  package var after: Int { (size - 1) / 2 }
}

/// An image before and after a change of its extents: `[N, H, W, C] -> [N, H', W', C]`.
package struct ResizeGeometry: Equatable, Sendable {
  package var input: Extent
  package var output: Extent
  package var channels: Int

  package init(input: Extent, output: Extent, channels: Int) {
    self.input = input
    self.output = output
    self.channels = channels
  }

  package var inputCount: Int { input.height * input.width * channels }
  package var outputCount: Int { output.height * output.width * channels }
}
