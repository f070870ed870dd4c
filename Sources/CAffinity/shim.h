#pragma once

#include <sys/syscall.h>
#include <unistd.h>

/// `sched_setaffinity` of the calling thread, which the C library declares for GNU programs only.
/// The bit mask has `byteCount` bytes. Returns 0, or -1 with `errno` set.
static inline int set_thread_affinity(const unsigned long *mask, unsigned long byteCount) {
  return (int)syscall(SYS_sched_setaffinity, 0, byteCount, mask);
}
