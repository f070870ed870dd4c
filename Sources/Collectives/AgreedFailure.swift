import Diagnostics

/// A failure that every rank knows of: rank 0 prints it once, and all ranks end.
package struct AgreedFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package var message: String
  package var exitCode: Int32
  /// Whether all ranks are well and may part as after a success, only with another exit code.
  package var isOrderly: Bool

  package init(message: String, exitCode: Int32, isOrderly: Bool = false) {
    self.message = message
    self.exitCode = exitCode
    self.isOrderly = isOrderly
  }

  /// For an error that all ranks raise from the same facts, so that they need not ask each other.
  package init(_ error: any Error) {
    self.init(message: describe(error), exitCode: Self.exitCode(for: error))
  }

  package var description: String { message }

  /// What the process ends with: 2 when the user's input is at fault, 1 otherwise.
  package static func exitCode(for error: any Error) -> Int32 {
    switch error {
    case let failure as AgreedFailure: failure.exitCode
    case is Diagnostic, is DiagnosticList: 2
    default: 1
    }
  }
}

func describe(_ error: any Error) -> String { String(describing: error) }
