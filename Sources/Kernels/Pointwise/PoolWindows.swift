import Graph

// Shapes: N images, H x W positions, C channels; channels-last, [N, H, W, C].

/// The taps of one output position that lie inside the image: `rows * columns` of them.
struct PoolWindow {
  /// Element of the output's first channel.
  var output: Int
  /// Element of the first tap's first channel.
  var input: Int
  var rows: Int
  var columns: Int
  /// Up to which element the first tap's line consists of taps; 0: not known.
  var lineEnd: Int

  @inline(__always) var tapCount: Int { rows &* columns }
}

/// Elements between taps that are neighbours.
struct TapSteps {
  let row: Int
  let column: Int

  @inline(__always)
  init(_ geometry: PoolGeometry) {
    row = geometry.vertical.dilation &* geometry.horizontal.input &* geometry.channels
    column = geometry.horizontal.dilation &* geometry.channels
  }
}

/// Visits the windows in the order of the output's positions.
@inline(__always)
func forEachWindow(_ geometry: PoolGeometry, images: Int, _ body: (PoolWindow) -> Void) {
  let (vertical, horizontal, channels) = (
    geometry.vertical, geometry.horizontal, geometry.channels
  )
  if vertical.isPairs && horizontal.isPairs {
    forEachSquare(geometry, images: images, body)
    return
  }
  let covered = horizontal.coveredInputs
  var output = 0
  for image in 0..<images {
    for y in 0..<vertical.output {
      let rows = vertical.insideTaps(y)
      let line = (image &* vertical.input &+ rows.first) &* horizontal.input
      for x in 0..<horizontal.output {
        let columns = horizontal.insideTaps(x)
        body(
          PoolWindow(
            output: output, input: (line &+ columns.first) &* channels, rows: rows.count,
            columns: columns.count, lineEnd: covered == 0 ? 0 : (line &+ covered) &* channels))
        output &+= channels
      }
    }
  }
}

/// Windows of 2 x 2 side by side, the usual ones: nothing is left to find out about each.
@inline(__always)
private func forEachSquare(_ geometry: PoolGeometry, images: Int, _ body: (PoolWindow) -> Void) {
  let (rows, columns, channels) = (
    geometry.vertical.output, geometry.horizontal.output, geometry.channels
  )
  let line = geometry.horizontal.input &* channels
  var output = 0
  for image in 0..<images {
    for y in 0..<rows {
      var input = (image &* geometry.vertical.input &+ 2 &* y) &* line
      let end = input &+ 2 &* columns &* channels
      for _ in 0..<columns {
        body(PoolWindow(output: output, input: input, rows: 2, columns: 2, lineEnd: end))
        output &+= channels
        input &+= 2 &* channels
      }
    }
  }
}

extension WindowAxis {
  /// Whether output `o` sees inputs `2 o` and `2 o + 1`, for all o.
  @inline(__always)
  fileprivate var isPairs: Bool {
    kernel == 2 && stride == 2 && dilation == 1 && padBefore == 0 && 2 &* output <= input
  }

  /// The first input and the number of taps of output `o` that are not padding.
  @inline(__always)
  fileprivate func insideTaps(_ o: Int) -> (first: Int, count: Int) {
    let start = o &* stride &- padBefore
    if start >= 0, start &+ (kernel &- 1) &* dilation < input { return (start, kernel) }
    let skipped = start < 0 ? (dilation &- 1 &- start) / dilation : 0
    let first = start &+ skipped &* dilation
    let room = (input &- first &+ dilation &- 1) / dilation
    return (first, max(0, min(kernel &- skipped, room)))
  }

  /// Whether no input is seen by two outputs.
  @inline(__always)
  var isDisjoint: Bool { output <= 1 || stride > dilation &* (kernel &- 1) }

  /// The inputs `0..<coveredInputs` are seen by exactly one output each; 0: not known.
  @inline(__always)
  var coveredInputs: Int {
    dilation == 1 && stride == kernel ? max(0, min(input, output &* stride &- padBefore)) : 0
  }

  /// Whether every input is seen by exactly one output.
  @inline(__always)
  var isPartition: Bool {
    dilation == 1 && stride == kernel && padBefore == 0 && padAfter == 0
      && output &* stride == input
  }
}

extension PoolGeometry {
  @inline(__always) var isDisjoint: Bool { vertical.isDisjoint && horizontal.isDisjoint }
  @inline(__always) var isPartition: Bool { vertical.isPartition && horizontal.isPartition }
}

/// Writes the gradients of windows into the taps they came from, the channels as the vector:
/// `gradient(plan(window, channel), tap)` for every tap.
///
/// Windows that share no tap write; others add, in the order of the output's positions. Taps of no
/// window get zero.
@inline(__always)
func scatterWindows<S: Scalar, Plan>(
  _ geometry: PoolGeometry, images: Int, into target: UnsafeMutablePointer<S>,
  plan: (PoolWindow, Int) -> Plan, gradient: (Plan, Int) -> S.Vector
) {
  let channels = geometry.channels
  let steps = TapSteps(geometry)
  let adds = !geometry.isDisjoint
  if !geometry.isPartition { target.fill(0, count: images &* geometry.inputCount) }
  let writesAhead = !adds && channels < S.lanes
  @inline(__always) func visit(_ window: PoolWindow) {
    var channel = 0
    while channel < channels {
      let plan = plan(window, channel)
      var tap = 0
      for row in 0..<window.rows {
        let end = writesAhead ? window.lineEnd &+ row &* steps.row : 0
        for column in 0..<window.columns {
          let element =
            window.input &+ row &* steps.row &+ column &* steps.column &+ channel
          let value = gradient(plan, tap)
          if element &+ S.lanes <= end {
            // What this spoils in its line belongs to taps that come later.
            target.setVector(value, at: element)
          } else {
            target.setVector(
              adds ? target.vector(at: element) + value : value, at: element, channel: channel,
              of: channels)
          }
          tap &+= 1
        }
      }
      channel &+= S.lanes
    }
  }
  forEachWindow(geometry, images: images, visit)
}
