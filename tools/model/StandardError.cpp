// See StandardError.h.
#include "tools/model/StandardError.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <unistd.h>

namespace xfmr {

std::string standardErrorOf(llvm::function_ref<void()> work) {
  std::FILE *file = std::tmpfile();
  const int before = file ? dup(STDERR_FILENO) : -1;
  if (before < 0) { // then it is shown
    if (file)
      std::fclose(file);
    work();
    return "";
  }
  llvm::errs().flush();
  std::fflush(stderr);
  dup2(fileno(file), STDERR_FILENO);
  work();
  llvm::errs().flush();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  std::string text;
  std::rewind(file);
  char part[512];
  while (const size_t count = std::fread(part, 1, sizeof part, file))
    text.append(part, count);
  std::fclose(file);
  return text;
}

} // namespace xfmr
