import Diagnostics
import Testing

@Suite("Nearest name")
struct NearestNameTests {
  @Test(
    "a slip of the finger finds the name that was meant",
    arguments: [
      ("learning_rat", "learning_rate"), ("btach", "batch"), ("Dropuot", "dropout"),
      ("cov2d", "conv2d"),
    ])
  func closeName(typed: String, meant: String) {
    #expect(
      nearestName(to: typed, among: ["batch", "conv2d", "dropout", "learning_rate"]) == meant)
  }

  @Test("a word that resembles nothing gets no suggestion")
  func farName() {
    #expect(nearestName(to: "zebra", among: ["batch", "conv2d"]) == nil)
  }

  @Test("a swap of two neighbours is one edit")
  func swapIsOneEdit() {
    #expect(editDistance("ab", "ba") == 1)
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("kitten", "sitting") == 3)
  }
}
