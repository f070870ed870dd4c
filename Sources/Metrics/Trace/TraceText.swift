/// Renders timelines as Chrome's trace events, which Perfetto and chrome://tracing read.
///
/// A rank is a process of the trace; its steps, phases and instructions are complete events (`X`) of one
/// thread, its sums asynchronous events (`b`, `e`). Times are microseconds with three digits behind the
/// point, so nothing is rounded.
///
/// Source: "Trace Event Format", Google 2016.
package struct TraceText: Sendable {
  /// The moment that is shown as 0, by rank 0's clock.
  private let origin: MonotonicInstant

  package init(origin: MonotonicInstant) {
    self.origin = origin
  }

  /// What stands before the events.
  ///
  /// - Parameter plan: The text of the plan whose instructions the events name.
  package func head(run: String, plan: String, notes: [(key: String, value: String)]) -> String {
    let members = [("run", run)] + notes.map { ($0.key, $0.value) }
    let words = members.map { "\(quoted($0.0)):\(quoted($0.1))" }
    let lines = plan.split(separator: "\n").map { quoted(String($0)) }.joined(separator: ",\n")
    return """
      {"displayTimeUnit":"ms",
      "otherData":{\(words.joined(separator: ",")),
      "plan":[
      \(lines)]},
      "traceEvents":[

      """
  }

  /// What stands behind the events.
  package var tail: String { "\n]}\n" }

  /// The names of a rank and its rows.
  package func names(rank: Int, of ranks: Int, host: String) -> String {
    let process = quoted("rank \(rank) (\(host))")
    let lines = [
      #"{"ph":"M","pid":\#(rank),"name":"process_name","args":{"name":\#(process)}}"#,
      #"{"ph":"M","pid":\#(rank),"name":"process_sort_index","args":{"sort_index":\#(rank)}}"#,
      threadName(rank, .work, "steps, phases, instructions"),
      threadName(rank, .writer, "checkpoint writer"),
    ]
    return (rank == 0 ? "" : ",\n") + lines.joined(separator: ",\n")
  }

  /// One line for each span, two for each sum; each begins with a comma.
  package func events(_ spans: [TraceSpan], rank: Int, clock: ClockLine) -> String {
    var text = ""
    for span in spans {
      let start = clock.corrected(span.start).nanoseconds - origin.nanoseconds
      let end = clock.corrected(span.end).nanoseconds - origin.nanoseconds
      text += ",\n"
      if span.row == .sums {
        let head = asynchronousHead(span, rank: rank)
        text += "{\"ph\":\"b\",\(head),\"ts\":\(microseconds(start)),\"args\":{\(arguments(span))}}"
        text += ",\n{\"ph\":\"e\",\(head),\"ts\":\(microseconds(end))}"
      } else {
        text += "{\"ph\":\"X\",\(head(span, rank: rank)),\"ts\":\(microseconds(start)),"
        text += "\"dur\":\(microseconds(end - start)),\"args\":{\(arguments(span))}}"
      }
    }
    return text
  }

  private func threadName(_ rank: Int, _ row: TraceSpan.Row, _ name: String) -> String {
    "{\"ph\":\"M\",\"pid\":\(rank),\"tid\":\(row.rawValue),\"name\":\"thread_name\","
      + "\"args\":{\"name\":\(quoted(name))}}"
  }

  private func head(_ span: TraceSpan, rank: Int) -> String {
    "\"pid\":\(rank),\"tid\":\(span.row.rawValue),\"cat\":\"\(span.category.rawValue)\","
      + "\"name\":\(quoted(span.name))"
  }

  /// A sum's two events find each other by category and id.
  private func asynchronousHead(_ span: TraceSpan, rank: Int) -> String {
    let id = "\"\(rank).\(span.step ?? 0).\(span.bucket ?? 0)\""
    return head(span, rank: rank) + ",\"id\":\(id)"
  }

  private func arguments(_ span: TraceSpan) -> String {
    let numbers = [
      ("step", span.step.map { $0 + 1 }), ("instruction", span.instruction),
      ("micro_shard", span.shard), ("bucket", span.bucket),
    ]
    return numbers.compactMap { name, number in number.map { "\"\(name)\":\($0)" } }
      .joined(separator: ",")
  }

  private func microseconds(_ nanoseconds: Int64) -> String {
    let digits = String(nanoseconds.magnitude % 1000)
    let sign = nanoseconds < 0 ? "-" : ""
    let zeros = String(repeating: "0", count: 3 - digits.count)
    return "\(sign)\(nanoseconds.magnitude / 1000).\(zeros)\(digits)"
  }
}

/// A JSON string; layers, hosts and runs are named by users.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
