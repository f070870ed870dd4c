import Kernels

/// What of a gradient is rounded on its way between hosts, and to what.
package struct WireRounding: Equatable, Sendable {
  package var format: WireFormat
  /// Elements at the beginning that travel as they are: statistics, losses, counts, requests.
  package var exactCount: Int

  /// - Returns: nil for a format that does not round.
  package init?(_ format: WireFormat, exactCount: Int) {
    guard format.isRounded else { return nil }
    self.format = format
    self.exactCount = exactCount
  }
}
