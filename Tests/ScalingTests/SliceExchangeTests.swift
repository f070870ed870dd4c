import Scaling
import Testing

@Suite("Slice exchange")
struct SliceExchangeTests {
  @Test("every host ends with every part of the slice, added once", arguments: 1...17)
  func complete(hosts: Int) {
    // By host and part of the slice: which hosts' numbers are in it. Parts are leaves of the halving.
    let parts = 16
    var held = (0..<hosts).map { host in Array(repeating: Set([host]), count: parts) }
    var span = Array(repeating: 0..<parts, count: hosts)
    for stage in SliceExchange(hosts: hosts).stages {
      let before = held
      let spans = span
      for host in 0..<hosts {
        let (target, source) = stage.partners(of: host, hosts: hosts)
        if let target { #expect(stage.partners(of: target, hosts: hosts).source == host) }
        switch stage.kind {
        case .halve:
          guard let source else { continue }
          let middle = (spans[host].lowerBound + spans[host].upperBound) / 2
          let keeps =
            host < source ? spans[host].lowerBound..<middle : middle..<spans[host].upperBound
          for part in keeps { held[host][part].formUnion(before[source][part]) }
          span[host] = keeps
          #expect(Double(keeps.count) == stage.fraction * Double(parts))
        case .double:
          guard let source else { continue }
          for part in spans[source] { held[host][part] = before[source][part] }
          span[host] =
            min(
              spans[host].lowerBound, spans[source].lowerBound)..<max(
              spans[host].upperBound, spans[source].upperBound)
        case .fold:
          if let source {
            for part in 0..<parts { held[host][part].formUnion(before[source][part]) }
          }
        case .unfold: if let source { held[host] = before[source] }
        }
      }
    }
    let all = Set(0..<hosts)
    #expect(held.allSatisfy { $0.allSatisfy { $0 == all } })
  }

  @Test("a host sends 2 (H - 1) / H of the gradient", arguments: [1, 2, 4, 8, 64])
  func volume(hosts: Int) {
    let expected = 2 * Double(hosts - 1) / Double(hosts)
    #expect(SliceExchange(hosts: hosts).sentPerByte == expected)
  }
}
