import Datasets
import Foundation
import Testing

private let folder = "/usr/share/datasets/fashion-mnist/"
private let isInstalled = FileManager.default.fileExists(
  atPath: folder + "train-images-idx3-ubyte.gz")

@Suite("Fashion-MNIST")
struct FashionMNISTTests {
  @Test(
    "the installed files have their published counts and statistics",
    .enabled(if: isInstalled, "apt-get install dataset-fashion-mnist"))
  func published() throws {
    let test = try TestFolder()
    func files(_ name: String) -> ArrayFiles {
      ArrayFiles(
        inputs: folder + name + "-images-idx3-ubyte.gz",
        targets: folder + name + "-labels-idx1-ubyte.gz")
    }
    var spec = DataSpec(source: .idx(train: files("train"), dev: nil, test: files("t10k")))
    spec.normalization = .standardize
    spec.test = .files
    let data = try test.load(spec, outputs: 10)
    #expect(data.shape.input == [28, 28])
    #expect(data.train.count == 60_000)
    #expect(data.test?.count == 10_000)
    #expect(data.train.label(at: 0) == 9)
    #expect(data.shape.target == .classes(count: 10, names: nil))
    #expect(abs(data.statistics.mean[0] / 255 - 0.2860) < 5e-5)
    #expect(abs(data.statistics.deviation[0] / 255 - 0.3530) < 5e-5)

    spec.dev = .fraction(0.1, stratified: true)
    let split = try test.load(spec, outputs: 10)
    #expect(split.train.count == 54_000)
    let dev = try #require(split.dev)
    for label in Int32(0)..<10 {
      #expect((0..<dev.count).count { dev.label(at: $0) == label } == 600)
    }
  }
}
