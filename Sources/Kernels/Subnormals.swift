import CInstructionSet

/// Lets subnormal numbers, below 1.2e-38 for `Float`, count as zeros, on this thread and on those that it
/// starts.
///
/// Processors take a hundred times as long for them, and a network that has learned everything fills with them:
/// gradients that vanish leave them in the optimizer's averages.
package func flushSubnormals() { cpu_flush_subnormals() }
