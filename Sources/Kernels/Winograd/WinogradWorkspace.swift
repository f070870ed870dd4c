import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block; C channels rounded up to whole vectors.

/// How the scratch of a convolution by tiles is divided.
///
/// ```text
/// lines      n² vectors       one tile between its column and its row transform
/// patch      n² vectors       one tile with zeros where it leaves the image
/// sources    [n², T, Cin]     transformed inputs of a block of tiles
/// targets    [n², T, Cout]    their products, or transformed output gradients
/// weights    [n², Cin, Cout]  transformed weights by panels, or their gradients
/// turned     9 Cin Cout       weights turned over, for the gradient by data
/// ```
struct WinogradWorkspace<S: Scalar> {
  let tiles: TileWorkspace<S>
  let lines: UnsafeMutablePointer<S>
  let patch: UnsafeMutablePointer<S>
  let sources: UnsafeMutablePointer<S>
  let targets: UnsafeMutablePointer<S>
  let weights: UnsafeMutablePointer<S>
  let turned: UnsafeMutablePointer<S>

  init(_ scratch: Block<S>, _ plan: WinogradPlan) {
    let sizes = WinogradSizes<S>(plan)
    tiles = TileWorkspace(scratch)
    lines = tiles.rest
    patch = lines + sizes.tileCount
    sources = patch + sizes.tileCount
    targets = sources + plan.products * sizes.sourcePlane
    weights = targets + plan.products * sizes.targetPlane
    turned = weights + plan.products * sizes.weightPlane
  }

  static func elementCount(_ plan: WinogradPlan, turnsWeights: Bool) -> Int {
    let sizes = WinogradSizes<S>(plan)
    return TileWorkspace<S>.elementCount + 2 * sizes.tileCount
      + plan.products * (sizes.sourcePlane + sizes.targetPlane + sizes.weightPlane)
      // The last vectors of the last rows reach beyond them.
      + (turnsWeights ? plan.weightCount : 0) + S.Vector.scalarCount
  }
}

/// The sizes of a workspace, in elements.
struct WinogradSizes<S: Scalar>: Equatable {
  /// T
  let blockTiles: Int
  let sourceChannels: Int
  let targetChannels: Int
  let weightPlane: Int
  /// n² vectors.
  let tileCount: Int

  init(_ plan: WinogradPlan) {
    let lanes = S.Vector.scalarCount
    func wholeVectors(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }
    sourceChannels = wholeVectors(plan.source.channels)
    targetChannels = wholeVectors(plan.target.channels)
    weightPlane = plan.source.channels * targetChannels
    tileCount = plan.products * lanes
    let bytes = plan.products * (sourceChannels + targetChannels) * MemoryLayout<S>.size
    let rows = TileLimits.rows(of: S.self)
    blockTiles = max(Self.residentBytes / bytes / rows, 1) * rows
  }

  /// Elements of one of the n² planes of a block's inputs.
  var sourcePlane: Int { blockTiles * sourceChannels }
  var targetPlane: Int { blockTiles * targetChannels }

  /// What a block of tiles may take of a second-level cache.
  private static var residentBytes: Int { 512 * 1024 }
}
