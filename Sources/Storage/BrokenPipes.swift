#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Lets a write to a reader that has gone (`ddp-train ... | head`) fail instead of ending the process:
/// a run's results are in its folder too.
package func ignoreBrokenPipes() {
  _ = signal(SIGPIPE, SIG_IGN)
}
