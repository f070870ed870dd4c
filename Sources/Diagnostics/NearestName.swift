/// The name among `candidates` that a user most likely meant by `name`, or nil when none is close.
///
/// Closeness is the Damerau-Levenshtein distance with adjacent transpositions (optimal string
/// alignment); a candidate counts when the distance is at most a third of its length, rounded up.
package func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
  let ranked = candidates.map { (name: $0, distance: editDistance(name, $0)) }
  let close = ranked.filter { $0.distance <= ($0.name.count + 2) / 3 }
  return close.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `source` into `target`.
package func editDistance(_ source: String, _ target: String) -> Int {
  let source = Array(source.lowercased())
  let target = Array(target.lowercased())
  var rows = [[Int]](repeating: Array(0...target.count), count: source.count + 1)
  for i in 0...source.count { rows[i][0] = i }
  for i in stride(from: 1, through: source.count, by: 1) {
    for j in stride(from: 1, through: target.count, by: 1) {
      let substitution = rows[i - 1][j - 1] + (source[i - 1] == target[j - 1] ? 0 : 1)
      rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, substitution)
      let isSwap =
        i > 1 && j > 1 && source[i - 1] == target[j - 2] && source[i - 2] == target[j - 1]
      if isSwap { rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1) }
    }
  }
  return rows[source.count][target.count]
}
