/// The tensors of a checkpoint.
package struct CheckpointPayload {
  /// What `model.safetensors` holds: weights under the names and in the layout PyTorch users know.
  package var model: [NamedTensor]
  /// What `state.safetensors` holds: everything else that a resume needs.
  package var state: [NamedTensor]

  package init(model: [NamedTensor], state: [NamedTensor]) {
    self.model = model
    self.state = state
  }

  package var byteCount: Int { (model + state).reduce(0) { $0 + $1.byteCount } }
}

/// A checkpoint that was read back and found whole.
package struct LoadedCheckpoint {
  /// The name of its folder, `step-00000120`.
  package let name: String
  package let path: String
  package let record: CheckpointRecord
  package let model: SafetensorsFile
  package let state: SafetensorsFile
  /// SHA-256 of `model.safetensors`.
  package let modelDigest: String
}
