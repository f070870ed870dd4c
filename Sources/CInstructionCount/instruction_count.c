#include "CInstructionCount.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ptrace.h>
#include <sys/wait.h>

/// What the copy says when the work is done; every single step says SIGTRAP. No thread can block it.
static const int end_signal = SIGSTOP;

/// Steps the stopped copy until it says that it is done.
static int64_t step_to_end(pid_t copy) {
  for (int64_t count = 0;; count += 1) {
    int status = 0;
    if (ptrace(PTRACE_SINGLESTEP, copy, NULL, NULL) != 0) return -1;
    if (waitpid(copy, &status, 0) != copy || !WIFSTOPPED(status)) return -1;
    if (WSTOPSIG(status) == end_signal) return count;
    if (WSTOPSIG(status) != SIGTRAP) return -1;
  }
}

int64_t count_instructions(void (*work)(void *), void *context) {
  pid_t copy = fork();
  if (copy < 0) return -1;
  if (copy == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(1);
    raise(end_signal);
    work(context);
    raise(end_signal);
    _exit(0);
  }
  int status = 0;
  if (waitpid(copy, &status, 0) != copy || !WIFSTOPPED(status)) return -1;
  int64_t count = step_to_end(copy);
  kill(copy, SIGKILL);
  waitpid(copy, &status, 0);
  return count;
}
#else
int64_t count_instructions(void (*work)(void *), void *context) {
  (void)work;
  (void)context;
  return -1;
}
#endif
