// LLVM's option parser ends a program with status 1 on wrong usage; every tool of ours ends with 2 then. While an object of
// this class lives, exit(1) is the parser's.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace xfmr {

class UsageStatus {
public:
  UsageStatus() {
    parsing_ = true;
    on_exit(
        [](int status, void *) {
          if (!parsing_ || status != 1)
            return;
          std::fflush(nullptr);
          _exit(2);
        },
        nullptr);
  }
  ~UsageStatus() { parsing_ = false; }
  UsageStatus(const UsageStatus &) = delete;
  UsageStatus &operator=(const UsageStatus &) = delete;

private:
  static inline bool parsing_ = false;
};

} // namespace xfmr
