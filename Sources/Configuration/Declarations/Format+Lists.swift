/// Lists, and the shapes that are written as one number or as a list.
extension Format {
  /// A list of such values.
  ///
  /// - Parameter expectation: What the whole list is: `a list of numbers, one per class`.
  func list(_ expectation: String, example: String, isEmptyAllowed: Bool = false) -> Format<[Value]>
  {
    Format<[Value]>(
      expectation: expectation, example: example,
      read: { node, path, faults in
        guard let items = node.items, isEmptyAllowed || !items.isEmpty else {
          faults.mismatch(node, path, expected: expectation, example: example)
          return nil
        }
        let values = items.enumerated().map {
          read($0.element, join(path, String($0.offset)), &faults)
        }
        return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
      },
      write: { .list($0.map(write)) },
      describe: { describe(join($0, "N")) })
  }

  /// A list of such values, or a single one of them.
  func oneOrMore(
    _ expectation: String, example: String, isEmptyAllowed: Bool = false
  ) -> Format<[Value]> {
    var format = list(expectation, example: example, isEmptyAllowed: isEmptyAllowed)
    let readList = format.read
    format.read = { node, path, faults in
      node.items == nil && node.entries == nil && !node.isNull
        ? read(node, path, &faults).map { [$0] } : readList(node, path, &faults)
    }
    return format
  }

  /// Two of them, `[height, width]`, or a single one for both.
  func pair() -> Format<(Value, Value)> where Value: Equatable {
    let expectation = "\(expectation), or two of them as [height, width]"
    return Format<(Value, Value)>(
      expectation: expectation, example: example,
      read: { node, path, faults in
        guard let items = node.items else {
          guard node.numberText != nil else {
            faults.mismatch(node, path, expected: expectation, example: example)
            return nil
          }
          return read(node, path, &faults).map { ($0, $0) }
        }
        guard items.count == 2 else {
          faults.mismatch(node, path, expected: expectation, example: example)
          return nil
        }
        let first = read(items[0], join(path, "0"), &faults)
        let second = read(items[1], join(path, "1"), &faults)
        guard let first, let second else { return nil }
        return (first, second)
      },
      write: { $0 == $1 ? write($0) : .list([write($0), write($1)]) })
  }
}
