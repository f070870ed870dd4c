extension OperationKind {
  /// Floating-point operations for one sample, a multiply-add counted as two.
  ///
  /// Only matrix products and convolutions count, as papers do; the rest is bound by memory.
  package var flops: Int {
    switch self {
    case .dense(let inputs, let units, let positions),
      .denseInputGradient(let inputs, let units, let positions),
      .denseWeightGradient(let inputs, let units, let positions),
      .tiedDense(let inputs, let units, let positions):
      2 * inputs * units * positions
    case .recurrence(let shape), .recurrenceGradient(let shape),
      .recurrenceWeightGradient(let shape):
      2 * shape.units * shape.width * shape.steps
    case .attention(let shape): 2 * shape.productCount
    case .attentionGradient(let shape): 5 * shape.productCount
    case .convolution(let geometry), .convolutionInputGradient(let geometry),
      .convolutionWeightGradient(let geometry):
      2 * geometry.vertical.output * geometry.horizontal.output * geometry.weightCount
    default: 0
    }
  }

  /// A short name for the printed plan and for traces.
  package var name: String {
    switch self {
    case .dense: "dense"
    case .denseInputGradient: "dense_input_gradient"
    case .denseWeightGradient: "dense_weight_gradient"
    case .convolution: "conv2d"
    case .convolutionInputGradient: "conv2d_input_gradient"
    case .convolutionWeightGradient: "conv2d_weight_gradient"
    case .biasGradient: "bias_gradient"
    case .activation(let activation): activation.name
    case .activationGradient(let activation): "\(activation.name)_gradient"
    case .batchNorm(let shape): "batch_norm\(shape.fusedSuffix)"
    case .batchNormGradient(let shape): "batch_norm\(shape.fusedSuffix)_gradient"
    case .batchMoments: "batch_moments"
    case .batchSquares: "batch_squares"
    case .wholeBatchNorm(let shape): "whole_batch_norm\(shape.fusedSuffix)"
    case .wholeBatchNormShares(let shape): "whole_batch_norm\(shape.fusedSuffix)_shares"
    case .wholeBatchNormGradient(let shape): "whole_batch_norm\(shape.fusedSuffix)_gradient"
    case .batchStatistics: "batch_statistics"
    case .batchNormInference(let shape): "batch_norm_inference\(shape.fusedSuffix)"
    case .batchNormInferenceGradient(let shape):
      "batch_norm_inference\(shape.fusedSuffix)_gradient"
    case .layerNorm: "layer_norm"
    case .layerNormGradient: "layer_norm_gradient"
    case .maxPool: "max_pool"
    case .maxPoolGradient: "max_pool_gradient"
    case .averagePool: "average_pool"
    case .averagePoolGradient: "average_pool_gradient"
    case .globalAveragePool: "global_average_pool"
    case .globalAveragePoolGradient: "global_average_pool_gradient"
    case .dropout: "dropout"
    case .softmax: "softmax"
    case .softmaxGradient: "softmax_gradient"
    case .add: "add"
    case .multiply: "multiply"
    case .concatenate: "concatenate"
    case .slice: "slice"
    case .sliceGradient: "slice_gradient"
    case .stopGradient: "stop_gradient"
    case .gaussianSample: "gaussian_sample"
    case .gaussianSampleGradient: "gaussian_sample_gradient"
    case .lossTerm: "auxiliary_loss"
    case .transpose: "transpose"
    case .scaleChannels: "scale_channels"
    case .scaleChannelsGradient: "scale_channels_gradient"
    case .addBias: "add_bias"
    case .channelDropout(let shape, _, _):
      shape.channels == 1 ? "stochastic_depth" : "spatial_dropout"
    case .groupNorm: "group_norm"
    case .groupNormGradient: "group_norm_gradient"
    case .localResponseNorm: "local_response_norm"
    case .localResponseNormGradient: "local_response_norm_gradient"
    case .adaptiveAveragePool: "adaptive_average_pool"
    case .adaptiveAveragePoolGradient: "adaptive_average_pool_gradient"
    case .upsample(_, let mode): "upsample_\(mode.rawValue)"
    case .upsampleGradient(_, let mode): "upsample_\(mode.rawValue)_gradient"
    case .prelu: "prelu"
    case .preluGradient: "prelu_gradient"
    case .loss: "loss"
    case .temporalLoss: "temporal_loss"
    case .countSpelled: "count_spelled"
    case .answerWeights: "answer_weights"
    case .sumLosses: "sum_losses"
    case .sumShares: "sum_shares"
    case .countCorrect: "count_correct"
    case .embedding: "embedding"
    case .embeddingGradient: "embedding_gradient"
    case .tiedDense: "tied_dense"
    case .addPositions: "add_positions"
    case .addSinusoidalPositions: "add_sinusoidal_positions"
    case .rotate(_, let direction): direction > 0 ? "rotate" : "rotate_gradient"
    case .prepend: "prepend"
    case .prependGradient: "prepend_gradient"
    case .step: "step"
    case .stepGradient: "step_gradient"
    case .recurrence(let shape): shape.cell.name
    case .recurrenceGradient(let shape): "\(shape.cell.name)_gradient"
    case .recurrenceWeightGradient(let shape): "\(shape.cell.name)_weight_gradient"
    case .recallState: "recall_state"
    case .keepState: "keep_state"
    case .attention: "attention"
    case .attentionGradient: "attention_gradient"
    case .rmsNorm: "rms_norm"
    case .rmsNormGradient: "rms_norm_gradient"
    case .sequenceLengths: "sequence_lengths"
    case .extendLengths: "extend_lengths"
    case .keepSteps: "keep_steps"
    case .lastStep: "last_step"
    case .lastStepGradient: "last_step_gradient"
    case .averageSteps: "average_steps"
    case .averageStepsGradient: "average_steps_gradient"
    }
  }
}

extension AttentionShape {
  /// Multiply-adds of scores, as many again of outputs, each counted as two operations; hidden keys are not counted.
  fileprivate var productCount: Int {
    let pairs = isCausal ? queries * (queries + 1) / 2 : queries * keys
    return 2 * pairs * channels
  }
}

extension RecurrentCell {
  /// In configs, plans and traces.
  fileprivate var name: String {
    switch self {
    case .tanh, .relu: "rnn"
    case .lstm: "lstm"
    case .gru: "gru"
    }
  }
}

extension NormShape {
  fileprivate var fusedSuffix: String {
    activation == .identity ? "" : "_\(activation.name)"
  }
}

extension Activation {
  /// The word in the config.
  package var name: String {
    switch self {
    case .identity: "identity"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    case .relu: "relu"
    case .leakyRelu: "leaky_relu"
    case .elu: "elu"
    case .gelu: "gelu"
    case .geluTanh: "gelu_tanh"
    case .silu: "silu"
    case .relu6: "relu6"
    case .hardSigmoid: "hard_sigmoid"
    case .hardSwish: "hard_swish"
    case .softplus: "softplus"
    }
  }
}

extension LayerKind {
  /// The word in the config.
  package var configName: String {
    switch self {
    case .dense: "dense"
    case .conv2d: "conv2d"
    case .maxPool: "max_pool"
    case .averagePool: "average_pool"
    case .globalAveragePool: "global_average_pool"
    case .batchNorm: "batch_norm"
    case .layerNorm: "layer_norm"
    case .dropout: "dropout"
    case .flatten: "flatten"
    case .reshape: "reshape"
    case .activation(.geluTanh): "gelu"
    case .activation(let activation): activation.name
    case .softmax: "softmax"
    case .conv1d: "conv1d"
    case .embedding: "embedding"
    case .tiedDense: "tied_dense"
    case .positions: "positions"
    case .recurrent(let spec): spec.cell.name
    case .attention: "attention"
    case .rmsNorm: "rms_norm"
    case .classToken: "class_token"
    case .masking: "masking"
    case .lastStep: "last_step"
    case .firstStep: "first_step"
    case .squeezeExcitation: "squeeze_excitation"
    case .stochasticDepth: "stochastic_depth"
    case .spatialDropout: "spatial_dropout"
    case .groupNorm: "group_norm"
    case .instanceNorm: "instance_norm"
    case .localResponseNorm: "local_response_norm"
    case .convTranspose2d: "conv_transpose2d"
    case .upsample: "upsample"
    case .adaptiveAveragePool: "adaptive_average_pool"
    case .prelu: "prelu"
    case .sequence: "sequence"
    case .residual: "residual"
    case .parallel: "parallel"
    case .repeat: "repeat"
    case .join: "join"
    case .shared: "shared"
    case .stopGradient: "stop_gradient"
    case .select: "select"
    case .channels: "channels"
    case .gaussianSample: "gaussian_sample"
    }
  }

  /// Whether it is made of other layers, which are listed themselves.
  var isContainer: Bool {
    switch self {
    case .residual, .parallel, .repeat, .sequence: true
    default: false
    }
  }
}
