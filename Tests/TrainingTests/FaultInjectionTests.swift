import Diagnostics
import Testing
import Training

@Suite("Fault injection")
struct FaultInjectionTests {
  @Test("a fault says what, on which rank, in which step")
  func words() throws {
    let flip = try FaultInjection(
      parsing: "flip-bit:rank=1,step=20,tensor=layers.0.weight,element=3,bit=12")
    #expect(flip.kind == .flipBit)
    #expect((flip.rank, flip.step, flip.element, flip.bit) == (1, 20, 3, 12))
    #expect(flip.tensor == "layers.0.weight")
    let stop = try FaultInjection(parsing: "stop:rank=0,step=7,at=compute,marker=once")
    #expect((stop.kind, stop.moment, stop.marker) == (.stop, .compute, "once"))
    let start = try FaultInjection(parsing: "kill:rank=2,at=start")
    #expect((start.kind, start.moment, start.rank) == (.kill, .start, 2))
  }

  @Test(
    "a wrong word is refused with what is accepted",
    arguments: [
      (
        "flipbit:rank=1,step=2",
        """
        --inject flipbit:rank=1,step=2: unknown fault flipbit
          expected: one of flip-bit, stall-loader, stop, kill, exit, throw
          to fix:   write for example flip-bit:rank=1,step=20
        """
      ),
      (
        "stop:rnk=1",
        """
        --inject stop:rnk=1: rank is missing
          expected: a whole number from 0
          to fix:   add for example rank=0
        --inject stop:rnk=1: step is missing
          expected: a whole number from 1
          to fix:   add for example step=1
        --inject stop:rnk=1: unknown key rnk
          expected: one of at, rank, step, tensor, element, bit, marker
          to fix:   write rank instead of rnk
        """
      ),
      (
        "throw:rank=-1,step=x,at=compute,bit=40,loud",
        """
        --inject throw:rank=-1,step=x,at=compute,bit=40,loud: loud has no = sign
          expected: key=value
          to fix:   write for example throw:rank=1,step=20
        --inject throw:rank=-1,step=x,at=compute,bit=40,loud: at is compute
          expected: one of start, data, evaluation
          to fix:   use at=start
        --inject throw:rank=-1,step=x,at=compute,bit=40,loud: rank is -1
          expected: a whole number from 0
          to fix:   use for example rank=0
        --inject throw:rank=-1,step=x,at=compute,bit=40,loud: step is x
          expected: a whole number from 1
          to fix:   use for example step=1
        --inject throw:rank=-1,step=x,at=compute,bit=40,loud: bit is 40
          expected: a whole number from 0 to 31
          to fix:   use for example bit=0
        """
      ),
    ])
  func refused(text: String, message: String) {
    do {
      _ = try FaultInjection(parsing: text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect("\(error)" == message)
    }
  }
}
