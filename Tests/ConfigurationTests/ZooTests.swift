import Configuration
import Graph
import Testing

/// The published networks in `configs/`, against their papers and torchvision.
@Suite("the zoo")
struct ZooTests {
  struct Network: CustomTestStringConvertible, Sendable {
    var name: String
    var parameters: Int
    /// Multiply-adds of a forward pass, in millions; nil: the paper does not say.
    var multiplyAdds: Double?

    var testDescription: String { name }
  }

  /// Parameters and multiply-adds (`num_params`, `_ops`) as torchvision 0.20 documents its weights; LeNet-5 as LeCun et al.
  /// (1998) with all sums of its second layer; ResNet-20 is counted in its file.
  static let networks = [
    Network(name: "lenet-5", parameters: 61_706),
    Network(name: "alexnet", parameters: 61_100_840, multiplyAdds: 714),
    Network(name: "vgg-16", parameters: 138_357_544, multiplyAdds: 15_470),
    Network(name: "googlenet", parameters: 6_624_904, multiplyAdds: 1_498),
    Network(name: "resnet-18", parameters: 11_689_512, multiplyAdds: 1_814),
    Network(name: "resnet-50", parameters: 25_557_032, multiplyAdds: 4_089),
    Network(name: "resnet-20", parameters: 272_186),
    Network(name: "mobilenet-v2", parameters: 3_504_872, multiplyAdds: 301),
    Network(name: "efficientnet-b0", parameters: 5_288_548, multiplyAdds: 386),
    Network(name: "vit-b-16", parameters: 86_567_656, multiplyAdds: 17_564),
    Network(name: "gpt-2", parameters: 124_439_808),
  ]

  private func graph(_ name: String, _ mode: GraphMode) throws -> (RunConfiguration, ModelGraph) {
    let shipped = ConfigurationSearch(workingDirectory: "/", folders: [shippedFolder])
    let configuration = try RunConfiguration.load(name, search: shipped)
    let graph = try GraphBuilder.forward(
      configuration.spec.model, loss: configuration.spec.loss, mode: mode)
    return (configuration, graph)
  }

  @Test("has exactly the published number of parameters", arguments: networks)
  func parameters(network: Network) throws {
    let (_, graph) = try graph(network.name, .training)
    #expect(graph.parameterCount == network.parameters)
    #expect(
      graph.layers.reduce(0) { $0 + $1.parameterCount } == network.parameters)
  }

  @Test("needs the published multiply-adds, within 2%", arguments: networks)
  func multiplyAdds(network: Network) throws {
    guard let published = network.multiplyAdds else { return }
    for mode in [GraphMode.training, .evaluation] {
      let (_, graph) = try graph(network.name, mode)
      let found = Double(graph.layers.reduce(0) { $0 + $1.forwardFLOPs }) / 2e6
      #expect(abs(found / published - 1) < 0.02, "\(found) million, published \(published)")
    }
  }

  @Test("is a short file, because of blocks", arguments: networks)
  func short(network: Network) throws {
    let (configuration, graph) = try graph(network.name, .training)
    let places = Set(configuration.spec.model.layers.map(\.place))
    #expect(places.count < 30)
    #expect(graph.differentiated().operations.count > graph.operations.count)
  }
}
