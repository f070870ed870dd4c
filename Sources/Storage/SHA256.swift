import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that arrive piece by piece, computed by OpenSSL.
@safe
package final class SHA256 {
  private let state: OpaquePointer

  package init() {
    // SAFETY: a fresh state, checked before use.
    guard let state = unsafe EVP_MD_CTX_new(),
      unsafe EVP_DigestInit_ex(state, EVP_sha256(), nil) == 1
    else {
      preconditionFailure("OpenSSL offers no SHA-256")
    }
    unsafe self.state = unsafe state
  }

  deinit {
    // SAFETY: the state came from EVP_MD_CTX_new and is freed once.
    unsafe EVP_MD_CTX_free(state)
  }

  package func update(_ bytes: Block<UInt8>) {
    // SAFETY: the block holds count bytes.
    let code = unsafe EVP_DigestUpdate(state, bytes.base, bytes.count)
    precondition(code == 1, "EVP_DigestUpdate failed")
  }

  /// The digest as 64 lower-case hexadecimal digits; nothing may be added afterwards.
  package func finish() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    // SAFETY: SHA-256 writes 32 bytes.
    let code = unsafe EVP_DigestFinal_ex(state, &digest, nil)
    precondition(code == 1, "EVP_DigestFinal_ex failed")
    return digest.map(hexadecimal).joined()
  }

  package static func hex(of bytes: Block<UInt8>) -> String {
    let digest = SHA256()
    digest.update(bytes)
    return digest.finish()
  }

  package static func hex(of text: String) -> String {
    AlignedMemory(copying: Array(text.utf8)).withBlock { hex(of: $0) }
  }

  /// What `sha256sum` prints for the file.
  package static func hex(ofFile path: String) throws -> String {
    let file = try OpenFile(reading: path)
    let digest = SHA256()
    try AlignedMemory<UInt8>(count: 1 << 18).withBlock { buffer in
      var offset = 0
      while true {
        let length = try file.read(into: buffer, at: offset)
        if length == 0 { return }
        digest.update(buffer.prefix(length))
        offset += length
      }
    }
    return digest.finish()
  }
}

private func hexadecimal(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
