import Configuration
import Diagnostics
import Foundation
import Graph
import Testing

@Suite("shipped configurations")
struct ShippedConfigurationTests {
  let shipped = ConfigurationSearch(workingDirectory: "/", folders: [shippedFolder])

  @Test("all of them are there")
  func names() {
    #expect(
      shippedNames == [
        "alexnet", "character-gpt", "character-lstm", "date-attention", "date-translation",
        "efficientnet-b0", "fashion-mnist",
        "fashion-mnist-best", "fashion-mnist-large-batch", "flower", "googlenet", "gpt-2",
        "inception", "lenet", "lenet-5", "logistic-regression", "mlp", "mobilenet-v2", "moons",
        "padded-tagger", "residual", "resnet-18", "resnet-20", "resnet-50", "spelling", "spirals",
        "tagger", "time-series", "trigger-word", "triplet", "vae", "vgg-16", "vit-b-16", "xor",
      ])
  }

  @Test("each is valid, named as its file, and its layers fit", arguments: shippedNames)
  func valid(name: String) throws {
    let spec = try RunConfiguration.load(name, search: shipped).spec
    #expect(spec.name == name)
    #expect(spec.outputFolder == "runs/\(name)")
    let graph = try GraphBuilder.forward(
      spec.model, loss: spec.loss, target: spec.lossTarget, auxiliary: spec.auxiliaryLosses,
      mode: .training)
    let outputs = graph.outputShape.reduce(1, *)
    try RunConfiguration.load(name, search: shipped).checkCounts(outputs: outputs)
  }

  @Test("its resolved form is a configuration of the same run", arguments: shippedNames)
  func roundTrip(name: String) throws {
    let first = try RunConfiguration.load(name, search: shipped)
    let second = try RunConfiguration(
      reading: first.resolvedText, file: "runs/elsewhere/config.resolved.yaml", search: search)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
    #expect(second.flattened == first.flattened)
    #expect(second.resolvedText == first.resolvedText)
  }
}
