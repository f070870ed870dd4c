import Configuration
import Testing

@Suite("faults of YAML")
struct SyntaxFaultTests {
  @Test("a list that is not closed")
  func list() {
    #expect(
      faults("model:\n  input: [28, 28, 1\nloss: huber") == """
        small.yaml:3:5: this is not YAML: did not find expected ',' or ']' while parsing a list in \
        brackets that starts at line 2, column 10
          expected: a list such as [3, 5]
          to fix:   close the list with ], or add the missing comma
        """)
  }

  @Test("a table that is not closed")
  func table() {
    #expect(
      faults("training: {epochs: 3\nloss: huber") == """
        small.yaml:2:5: this is not YAML: did not find expected ',' or '}' while parsing a table in \
        braces that starts at line 1, column 11
          expected: a table such as {kernel: 3, stride: 2}
          to fix:   close the table with }, or add the missing comma
        """)
  }

  @Test("a tab before the first word, also after Windows line ends")
  func tab() {
    #expect(
      faults("name: x\r\ntraining:\r\n\tepochs: 1") == """
        small.yaml:3:1: this is not YAML: found character that cannot start any token
          expected: spaces before the first word of a line
          to fix:   replace the tab by spaces
        """)
  }

  @Test("a second colon")
  func colon() {
    #expect(
      faults("name: a: b") == """
        small.yaml:1:8: this is not YAML: found a second colon, or a wrong indent
          expected: one key: value on a line
          to fix:   indent the line like its neighbours, or put a text that contains a colon in quotes
        """)
  }

  @Test("an indent that fits no other")
  func indent() {
    #expect(
      faults("training:\n  epochs: 1\n batch: 8") == """
        small.yaml:3:2: this is not YAML: did not find expected key while parsing a table that \
        starts at line 1, column 1
          expected: lines of the form key: value, indented by spaces
          to fix:   compare the indentation and the quotes of this line and the one before it
        """)
  }

  @Test("quotes that are not closed")
  func quotes() {
    #expect(
      faults("name: \"x\n") == """
        small.yaml:2:1: this is not YAML: found the end of the file while scanning a text in quotes \
        that starts at line 1, column 7
          expected: a text whose quotes are closed
          to fix:   add the missing quote
        """)
  }

  @Test("a second document")
  func documents() {
    #expect(
      faults("name: x\n---\nname: y") == """
        small.yaml:2:1: this is not YAML: found a second document
          expected: one document
          to fix:   remove the line --- and what follows it
        """)
  }

  @Test("an alias of nothing")
  func alias() {
    #expect(
      faults("name: *x") == """
        small.yaml:1:7: this is not YAML: found undefined alias
          expected: an alias *name after its anchor &name
          to fix:   define it, or put the text in quotes
        """)
  }

  @Test("a character that no text has")
  func control() {
    #expect(
      faults("name: x\nseed: \u{1}") == """
        small.yaml:2:7: this is not YAML: control characters are not allowed
          expected: printable characters in UTF-8
          to fix:   remove the character at this place
        """)
  }

  @Test("a text in place of sections")
  func text() {
    #expect(
      faults("hello") == """
        small.yaml:1:1: the configuration is the text "hello"
          expected: sections such as data, model, loss and optimizer
          to fix:   start with a line such as name: first
        """)
  }

  @Test("a key that is a list")
  func listAsKey() {
    #expect(
      faults(smallest + "\n[1]: 2") == """
        small.yaml:8:1: a key is a list or a table
          expected: a word as the key
          to fix:   remove the brackets, or put the text in quotes
        """)
  }

  @Test("an alias repeats what its anchor holds")
  func anchors() throws {
    let spec = try varied(
      "model: {input: [2], layers: [&hidden {dense: 4}, relu, *hidden, {dense: 2}]}")
    #expect(spec.model.layers.count == 4)
    #expect(spec.model.layers[0].kind == spec.model.layers[2].kind)
  }
}
