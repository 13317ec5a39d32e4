// The two things that the pool asks of an instruction set.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#else
#error "runtime/cpu needs x86-64 or aarch64"
#endif

namespace xfmr::cpu {

/// One turn of a loop that waits for another thread.
inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  asm volatile("isb" ::: "memory"); // about as long as a pause; yield is nothing at all on most CPUs
#endif
}

/// Kernels round to nearest and keep small numbers, whatever the caller has set: bits must not depend on who runs a chunk.
class DefaultRounding {
#if defined(__x86_64__)
public:
  DefaultRounding() : before_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~DefaultRounding() { _mm_setcsr(before_); }

private:
  unsigned before_;
#else
public:
  DefaultRounding() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" ::"r"(uint64_t(0)));
  }
  ~DefaultRounding() { asm volatile("msr fpcr, %0" ::"r"(before_)); }

private:
  uint64_t before_;
#endif
};

} // namespace xfmr::cpu
