import CAllocationCount
import Glibc
import Storage
import Synchronization
import Testing

@Suite("Memory and threads of the process")
struct ProcessTests {
  @Test("the peak is at least what is resident, and follows memory that is touched")
  func memoryUse() throws {
    let before = try #require(ProcessMemory.read())
    #expect(before.residentByteCount > 1 << 20)
    let large = AlignedMemory<UInt8>(count: 64 << 20)
    large.withBlock { $0.fill(1) }
    let after = try #require(ProcessMemory.read())
    #expect(after.peakByteCount >= after.residentByteCount)
    #expect(after.peakByteCount >= 64 << 20)
    #expect(large.withBlock { $0[12345] } == 1)
  }

  @Test("allocations of this thread are counted: arrays, classes, aligned memory")
  func counting() {
    _ = AlignedMemory<Float>(count: 10)  // the first one also makes the type's description
    let numbers = [Int](0..<100)
    var total = 0
    let quiet = allocation_count_of_thread()
    for number in numbers { total += number }
    let afterLoop = allocation_count_of_thread()
    let array = [Int](repeating: total, count: 1000 + total % 3)
    let afterArray = allocation_count_of_thread()
    let aligned = AlignedMemory<Float>(count: 10)
    let afterAligned = allocation_count_of_thread()
    #expect(afterLoop == quiet)
    #expect(afterArray == afterLoop + 1)
    #expect(afterAligned == afterArray + 2, "the object and its memory")
    #expect(array[total % 1000] == 4950 && aligned.block.count == 10)
  }

  @Test("other threads count for the process, not for this thread")
  func otherThreads() {
    let process = allocation_count()
    let thread = BackgroundThread { [Int](repeating: 1, count: 100).count }
    let mine = allocation_count_of_thread()
    let result = thread.wait()
    let afterwards = allocation_count_of_thread()
    #expect(result == 100)
    #expect(afterwards == mine)
    #expect(allocation_count() > process)
  }

  @Test("a background thread gives its result, at its own lower priority")
  func background() {
    let thread = BackgroundThread { getpriority(numericCast(PRIO_PROCESS.rawValue), 0) }
    #expect(thread.wait() == 10 + getpriority(numericCast(PRIO_PROCESS.rawValue), 0))
    #expect(thread.isFinished)
    #expect(thread.wait() == 10)
  }

  @Test("dropping a thread waits for its work")
  func dropped() {
    let box = SharedFlag()
    _ = BackgroundThread {
      usleep(20_000)
      box.flag.store(true, ordering: .releasing)
    }
    let isDone = box.flag.load(ordering: .acquiring)
    #expect(isDone)
  }
}

private final class SharedFlag: Sendable {
  let flag = Atomic<Bool>(false)
}
