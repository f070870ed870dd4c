// Shapes: N samples, P positions (rows times columns), C channels; channels-last.

/// Weighs every channel of a sample by a number that a small network makes of all channels' means.
///
/// `s = gate(W2 f(W1 mean(x) + b1) + b2)`, `y[n, p, c] = x[n, p, c] * s[n, c]`.
///
/// Source: Hu et al., "Squeeze-and-excitation networks", CVPR 2018, equations 2 to 4.
package struct SqueezeExcitationSpec: Equatable, Sendable {
  /// Channels between the two dense layers; nil: the input's, divided by `reduction`.
  package var channels: Int?
  package var reduction = 16
  package var activation = Activation.relu
  /// `sigmoid` or `hardSigmoid`.
  package var gate = Activation.sigmoid

  package init() {}
}

/// As batch norm, but over the positions of a sample and the channels of a group.
///
/// Source: Wu and He, "Group normalization", ECCV 2018.
package struct GroupNormSpec: Equatable, Sendable {
  package var groups: Int
  package var epsilon = 1e-5

  package init(groups: Int) {
    self.groups = groups
  }
}

/// As batch norm, but over the positions of a sample: a group norm with one channel in each group.
///
/// Source: Ulyanov et al., "Instance normalization: the missing ingredient for fast stylization", 2016.
package struct InstanceNormSpec: Equatable, Sendable {
  package var epsilon = 1e-5
  /// Whether there are a scale and a shift per channel.
  package var affine = false

  package init() {}
}

/// `y[c] = x[c] / (k + alpha / size * sum over the window around c of x^2)^beta`.
///
/// Source: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012,
/// section 3.3; there alpha is not divided by the size, here it is, as in PyTorch.
package struct LocalResponseNormSpec: Equatable, Sendable {
  /// Channels in the window.
  package var size: Int
  package var alpha = 1e-4
  package var beta = 0.75
  package var k = 1.0

  package init(size: Int) {
    self.size = size
  }
}

/// The gradient by data of a convolution, taken as a layer: it makes images larger.
///
/// Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.
package struct ConvTranspose2DSpec: Equatable, Sendable {
  package var filters: Int
  package var kernel: Extent
  package var stride = Extent(1)
  /// Of the convolution whose gradient it is: taken off the output. `same`: the output is the input times the stride.
  package var padding = Padding.valid
  /// Rows and columns added below and on the right, below the stride.
  package var outputPadding = Extent(0)
  package var dilation = Extent(1)
  package var groups = 1
  package var bias = true
  package var weightInitializer: Initializer?
  package var biasInitializer = Initializer.zeros

  package init(filters: Int, kernel: Extent) {
    self.filters = filters
    self.kernel = kernel
  }
}

/// Makes an image larger without weights.
package struct UpsampleSpec: Equatable, Sendable {
  /// How many rows and columns one becomes.
  package var factor: Extent
  package var mode = Interpolation.nearest

  package init(factor: Extent) {
    self.factor = factor
  }
}

package enum Interpolation: String, CaseIterable, Sendable {
  case nearest
  /// Between the centres of pixels (`align_corners=False`), the image continued by its edge.
  case bilinear
}

/// `x` for x > 0, else `a x` with a trained slope.
///
/// Source: He et al., "Delving deep into rectifiers", ICCV 2015, section 2.1.
package struct PReLUSpec: Equatable, Sendable {
  package var initialSlope = 0.25
  /// Whether all channels have one slope.
  package var isShared = false

  package init() {}
}
