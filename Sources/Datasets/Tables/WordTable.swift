/// Numbers distinct words in the order in which they come.
struct WordTable {
  private(set) var words: [String] = []
  private var numbers: [String: Int32] = [:]

  mutating func number(of word: String) -> Int32 {
    if let known = numbers[word] { return known }
    let number = Int32(words.count)
    numbers[word] = number
    words.append(word)
    return number
  }
}
