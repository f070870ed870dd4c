/// The factor that brings a gradient of this L2 norm down to `limit`: `min(1, limit / (norm + 1e-6))`.
///
/// Source: Pascanu, Mikolov, Bengio, ICML 2013, algorithm 1, with the guard of PyTorch's `clip_grad_norm_`.
package func clipScale(norm: Double, limit: Double) -> Double {
  min(1, limit / (norm + 1e-6))
}
