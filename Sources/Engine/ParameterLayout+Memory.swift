import Graph
import Kernels
import Storage

extension ParameterLayout {
  /// Fills a parameter's memory from its elements in the order of files.
  package func fill<Element: BitwiseCopyable>(
    _ memory: Block<Element>, fromFileOrder file: Block<Element>
  ) {
    if let (a, b, c) = fileAxes {
      memory.copy(rows: 0..<c, swappingAxesOf: file, shape: (c, b, a))
    } else {
      memory.copy(from: file)
    }
  }
}
