import Datasets
import Testing

@Suite("Faults in array files")
struct ArrayFaultTests {
  /// The message for one pair of files.
  private func message(
    images: [UInt8], labels: [UInt8], outputs: Int? = nil, isNPY: Bool = false,
    target: TargetKind = .classes
  ) throws -> String {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write("x", images), targets: try folder.write("y", labels))
    var spec = DataSpec(
      source: isNPY
        ? .npy(train: files, dev: nil, test: nil) : .idx(train: files, dev: nil, test: nil))
    spec.target = target
    return try folder.message { _ = try folder.load(spec, outputs: outputs) }
  }

  @Test("missing files are all named, with what brings them")
  func missing() throws {
    let folder = try TestFolder()
    let missing = "/usr/share/datasets/fashion-mnist/no-such-images.gz"
    _ = try folder.write("labels.gz", "x")
    let files = ArrayFiles(inputs: missing, targets: folder.path + "/labels")
    let test = ArrayFiles(inputs: folder.path, targets: folder.path + "/none")
    let spec = DataSpec(source: .idx(train: files, dev: nil, test: test))
    let message = try folder.message { _ = try folder.load(spec) }
    #expect(
      message.replacing(folder.path, with: "FOLDER") == """
        /usr/share/datasets/fashion-mnist/no-such-images.gz: the file cannot be opened: No such file or directory
          expected: a readable data file
          to fix:   install the data set: apt-get install dataset-fashion-mnist
        labels: the file cannot be opened: No such file or directory
          expected: a readable data file
          to fix:   name labels.gz, which exists
        FOLDER: this is a folder or a device
          expected: a regular file
          to fix:   name the data file itself
        none: the file cannot be opened: No such file or directory
          expected: a readable data file
          to fix:   correct the path in the data section, or put the file there
        """)
  }

  @Test("a truncated image file and labels out of range are told together")
  func truncated() throws {
    let message = try message(
      images: idx(0x08, [3, 2, 2], [1, 2, 3, 4, 5]), labels: idx(0x08, [3], [1, 12, 11]),
      outputs: 10)
    #expect(
      message == """
        y, byte 9: label 12 of sample 1 is out of range (and 1 more)
          expected: a class number from 0 to 9, since the model has 10 outputs
          to fix:   make the model's last layer as wide as there are classes, or repair the file
        x, byte 21: the file ends after 5 of 12 data bytes
          expected: 3 x 2 x 2 elements of 1 byte, as its header says
          to fix:   download or copy the file again
        """)
  }

  @Test("a truncated gzip file is told with the place in the compressed file")
  func truncatedGzip() throws {
    let whole = gzip(idx(0x08, [3, 2, 2], [UInt8](repeating: 1, count: 12)))
    let message = try message(images: Array(whole.dropLast(12)), labels: idx(0x08, [3], [0, 0, 0]))
    #expect(
      message == """
        x, byte 39: the compressed data end too early
          expected: a whole gzip file, which inflates to more than 24 bytes
          to fix:   download or copy the file again
        """)
  }

  @Test("a damaged gzip file is told with zlib's reason")
  func damagedGzip() throws {
    var bytes = gzip(idx(0x08, [3, 2, 2], [UInt8](repeating: 1, count: 12)))
    bytes[bytes.count - 6] ^= 1
    let message = try message(images: bytes, labels: idx(0x08, [3], [0, 0, 0]))
    #expect(
      message == """
        x, byte 47: the compressed data are damaged: incorrect data check
          expected: a gzip file whose checksum is right
          to fix:   download or copy the file again
        """)
  }

  @Test("wrong magic numbers are shown")
  func magic() throws {
    let message = try message(images: npy("|u1", "1", [1]), labels: [0, 0, 7, 1, 0, 0, 0, 1, 0])
    let expected =
      "0x000008 and the number of dimensions for bytes (0x00000803 for grey images,"
      + " 0x00000801 for labels), or type 09, 0b, 0c, 0d or 0e for wider numbers"
    #expect(
      message == """
        y, byte 0: magic number 0x00000701 is not one of an IDX file
          expected: \(expected)
          to fix:   name an IDX file, or set data.format to what this file is
        x, byte 0: magic number 0x934e554d is not one of an IDX file
          expected: \(expected)
          to fix:   set data.format to npy, which this file is
        """)
  }

  @Test("headers that end too early are told")
  func shortHeaders() throws {
    let message = try message(images: [0, 0, 8, 3, 0, 0], labels: [])
    #expect(
      message == """
        y, byte 0: the file ends inside its header
          expected: a magic number of 4 bytes
          to fix:   download or copy the file again
        x, byte 6: the file ends inside its header
          expected: 3 sizes of 4 bytes
          to fix:   download or copy the file again
        """)
  }

  @Test("images and labels of different number are told")
  func counts() throws {
    let message = try message(
      images: idx(0x08, [3, 1], [1, 2, 3]), labels: idx(0x08, [2], [1, 0]))
    #expect(
      message == """
        y: 2 labels for 3 inputs
          expected: as many labels as x has samples: 3
          to fix:   name files that belong together
        """)
  }

  @Test("files without samples or with too many bytes are told")
  func emptyAndLong() throws {
    #expect(
      try message(images: idx(0x08, [0, 2, 2], []), labels: idx(0x08, [0], [])) == """
        x: the file has no samples
          expected: at least one sample
          to fix:   name a file with data
        """)
    #expect(
      try message(images: idx(0x08, [1, 2], [1, 2, 3]), labels: idx(0x08, [1], [0])) == """
        x, byte 14: the file goes on after its 2 data bytes
          expected: 1 x 2 elements of 1 byte, as its header says
          to fix:   download or copy the file again
        """)
  }

  @Test("a number that is not finite is told with its sample")
  func notFinite() throws {
    let bytes = [Float(1), 2, 3, .nan].flatMap { littleEndian($0.bitPattern) }
    let message = try message(
      images: npy("<f4", "2, 2", bytes), labels: npy("|u1", "2,", [0, 1]), isNPY: true)
    #expect(
      message == """
        x, byte 82: element 1 of sample 1 is nan
          expected: finite numbers within the range of 32-bit floats
          to fix:   remove or replace such values
        """)
  }

  @Test("NPY files of another layout are told how to be saved")
  func npyLayouts() throws {
    let message = try message(
      images: npy("<f4", "1, 1", [0, 0, 0, 0], order: "True"), labels: npy("<c8", "1,", []),
      isNPY: true)
    #expect(
      message == """
        y, byte 10: elements of type <c8 cannot be read
          expected: integers of 1 to 8 bytes (u1, i4, i8, ...) or floats of 4 or 8 (f4, f8)
          to fix:   save it by numpy.save(path, array.astype('<f4'))
        x, byte 10: the array is stored column by column (Fortran order)
          expected: rows first (C order)
          to fix:   save it by numpy.save(path, numpy.ascontiguousarray(array))
        """)
  }

  @Test("files that are no NPY files are told")
  func notNPY() throws {
    let message = try message(
      images: Array("PK..archive".utf8), labels: Array("text of some kind".utf8), isNPY: true)
    #expect(
      message == """
        y, byte 0: the file does not start as an NPY file does
          expected: the bytes 93 4e 55 4d 50 59 (\\x93NUMPY)
          to fix:   write the file by numpy.save, or set data.format to what this file is
        x, byte 0: the file does not start as an NPY file does
          expected: the bytes 93 4e 55 4d 50 59 (\\x93NUMPY)
          to fix:   this is an archive (.npz): save the arrays one by one with numpy.save
        """)
  }

  @Test("targets of the wrong width or value are told")
  func targets() throws {
    let images = npy("|u1", "2, 1", [1, 2])
    #expect(
      try message(images: images, labels: npy("|u1", "2, 2", [0, 1, 1, 0]), isNPY: true) == """
        y: targets of shape [2, 2] have 2 numbers per sample
          expected: one class number per sample
          to fix:   set data.target_kind to multi_hot or values, or store class numbers
        """)
    #expect(
      try message(
        images: images, labels: npy("|u1", "2, 2", [0, 1, 3, 0]), isNPY: true, target: .multiHot)
          == """
          y, byte 72: label 3 of sample 1 is out of range
            expected: 0 or 1
            to fix:   set data.target_kind to classes or values, or repair the file
          """)
  }

  @Test("files of inputs that do not belong together are told, each of them")
  func severalInputs() throws {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write("a", npy("|u1", "3,", [1, 2, 3])),
      otherInputs: [
        try folder.write("b", npy("|u1", "2,", [1, 2])),
        try folder.write("c", npy("|u1", "4,", [1, 2, 3, 4])),
      ], targets: try folder.write("y", npy("|u1", "3,", [1, 0, 1])))
    let spec = DataSpec(source: .npy(train: files, dev: nil, test: nil))
    #expect(
      try folder.message { _ = try folder.load(spec) } == """
        b: 2 samples beside 3
          expected: as many as a has: 3
          to fix:   name files that belong together
        c: 4 samples beside 3
          expected: as many as a has: 3
          to fix:   name files that belong together
        """)
  }

  @Test("a class that stands for none is one only where the loss says so, also in the cache")
  func ignoredClass() throws {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write("x", npy("|u1", "2, 3", [1, 2, 3, 4, 5, 6])),
      targets: try folder.write("y", npy("|i1", "2, 3", [0, 255, 1, 2, 2, 255])))
    var spec = DataSpec(source: .npy(train: files, dev: nil, test: nil))
    spec.ignoredClass = -1
    let data = try folder.load(spec, outputs: 3, answers: 3)
    #expect(data.shape.target == .classSequence(count: 3, steps: 3, names: nil))
    spec.ignoredClass = nil
    #expect(
      try folder.message { _ = try folder.load(spec, outputs: 3, answers: 3) } == """
        y, byte 71: label -1 of sample 0 is out of range (and 1 more)
          expected: a class number from 0 to 2, since the model has 3 outputs
          to fix:   make the model's last layer as wide as there are classes, or repair the file
        """)
    (spec.ignoredClass, spec.firstClass) = (-1, 1)
    #expect(
      try folder.message { _ = try folder.load(spec, outputs: 3, answers: 3) } == """
        y, byte 70: label 0 of sample 0 is out of range
          expected: a class number from 1 to 2, or -1 for none, since the model has 3 outputs
          to fix:   make the model's last layer as wide as there are classes, or repair the file
        """)
    #expect(
      try folder.message { _ = try folder.load(spec, outputs: 3, answers: 5) } == """
        y: targets of shape [2, 3] have 3 numbers per sample
          expected: 5 class numbers per sample, as loss.labels says
          to fix:   set loss.labels to 3
        """)
  }

  @Test("a test set of another shape is told")
  func shapes() throws {
    let folder = try TestFolder()
    let test = ArrayFiles(
      inputs: try folder.write("t", idx(0x08, [1, 3, 2], [1, 2, 3, 4, 5, 6])),
      targets: try folder.write("u", idx(0x08, [1], [0])))
    let spec = DataSpec(source: .idx(train: try folder.images([0, 1]), dev: nil, test: test))
    let message = try folder.message { _ = try folder.load(spec) }
    #expect(
      message == """
        t: samples have the shape [3, 2]
          expected: [2, 2], as in train-images
          to fix:   name files of one data set
        """)
  }

  @Test("prepared data are checked against another model's outputs as well")
  func outputsLater() throws {
    let folder = try TestFolder()
    let spec = DataSpec(source: .idx(train: try folder.images([0, 4, 1]), dev: nil, test: nil))
    _ = try folder.load(spec, outputs: 5)
    let message = try folder.message { _ = try folder.load(spec, outputs: 3) }
    #expect(
      message == """
        train-labels, byte 9: label 4 of sample 1 is out of range
          expected: a class number from 0 to 2, since the model has 3 outputs
          to fix:   make the model's last layer as wide as there are classes, or repair the file
        """)
  }
}
