import Diagnostics

extension ArrayHeader {
  /// Reads the magic, the version and the dictionary `{'descr': ..., 'fortran_order': ..., 'shape': ...}`.
  ///
  /// Source: Kern, "A simple file format for NumPy arrays", numpy.lib.format, versions 1.0 to 3.0.
  init(npy file: inout InputFile) throws {
    let magic = try file.read(upTo: 8)
    guard magic.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else {
      throw notNPY(magic, path: file.path)
    }
    let lengthBytes = (magic.count > 6 ? magic[6] : 0) == 1 ? 2 : 4
    let length = try file.read(upTo: lengthBytes)
    guard magic.count == 8, length.count == lengthBytes else {
      throw headerTooShort(file, expected: "a version and the length of the header")
    }
    let byteCount = length.reversed().reduce(0) { $0 << 8 | Int($1) }
    let bytes = try file.read(upTo: min(byteCount, 1 << 20))
    guard bytes.count == byteCount else {
      throw headerTooShort(file, expected: "a header of \(byteCount) bytes")
    }
    let place = "\(file.path), byte \(8 + lengthBytes)"
    try self.init(npyText: String(decoding: bytes, as: UTF8.self), place: place)
  }

  private init(npyText text: String, place: String) throws {
    guard let type = entry("descr", of: text), let order = entry("fortran_order", of: text),
      let sizes = entry("shape", of: text)
    else {
      throw Diagnostic(
        place: place, problem: "the header \(text.trimmed) cannot be read",
        expected: "a dictionary with descr, fortran_order and shape",
        remedy: "write the file by numpy.save")
    }
    guard let number = npyNumber(type) else {
      throw Diagnostic(
        place: place, problem: "elements of type \(type) cannot be read",
        expected: "integers of 1 to 8 bytes (u1, i4, i8, ...) or floats of 4 or 8 (f4, f8)",
        remedy: "save it by numpy.save(path, array.astype('<f4'))")
    }
    guard order == "False" else {
      throw Diagnostic(
        place: place, problem: "the array is stored column by column (Fortran order)",
        expected: "rows first (C order)",
        remedy: "save it by numpy.save(path, numpy.ascontiguousarray(array))")
    }
    let numbers = sizes.split(separator: ",").map { Int(String($0).trimmed) }
    guard !numbers.isEmpty, !numbers.contains(where: { ($0 ?? -1) < 0 }) else {
      throw Diagnostic(
        place: place, problem: "the shape (\(sizes)) has no samples",
        expected: "at least one dimension", remedy: "save an array whose first axis counts samples")
    }
    self.init(shape: numbers.compactMap { $0 }, number: number)
  }
}

/// The value after `'name':`, without quotes or parentheses.
private func entry(_ name: String, of text: String) -> String? {
  guard let key = text.firstRange(of: "'\(name)':") else { return nil }
  let rest = text[key.upperBound...].drop { $0 == " " }
  switch rest.first {
  case "'": return String(rest.dropFirst().prefix { $0 != "'" })
  case "(": return String(rest.dropFirst().prefix { $0 != ")" })
  default: return String(rest.prefix { $0 != "," && $0 != "}" }).trimmed
  }
}

/// `<f4`, `|u1`, `>i8`: byte order, kind, bytes.
private func npyNumber(_ type: String) -> NumberFormat? {
  let letters = Array(type)
  guard letters.count == 3, let byteCount = Int(String(letters[2])) else { return nil }
  let isBigEndian = letters[0] == ">"
  switch (letters[1], byteCount) {
  case ("u", 1), ("u", 2), ("u", 4), ("u", 8), ("b", 1):
    return NumberFormat(kind: .unsigned, byteCount: byteCount, isBigEndian: isBigEndian)
  case ("i", 1), ("i", 2), ("i", 4), ("i", 8):
    return NumberFormat(kind: .signed, byteCount: byteCount, isBigEndian: isBigEndian)
  case ("f", 4), ("f", 8):
    return NumberFormat(kind: .float, byteCount: byteCount, isBigEndian: isBigEndian)
  default: return nil
  }
}

private func notNPY(_ magic: [UInt8], path: String) -> Diagnostic {
  Diagnostic(
    place: "\(path), byte 0", problem: "the file does not start as an NPY file does",
    expected: "the bytes 93 4e 55 4d 50 59 (\\x93NUMPY)",
    remedy: magic.starts(with: [0x50, 0x4B])
      ? "this is an archive (.npz): save the arrays one by one with numpy.save"
      : "write the file by numpy.save, or set data.format to what this file is")
}

extension String {
  var trimmed: String {
    let front = drop(while: \.isWhitespace)
    return String(front.prefix(front.count - front.reversed().prefix(while: \.isWhitespace).count))
  }
}
