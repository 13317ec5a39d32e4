// See MlirOptions.h.
#include "tools/MlirOptions.h"
#include "mlir/Support/Timing.h"
#include "tools/LlvmArguments.h"
#include "tools/UsageStatus.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

namespace xfmr {

static bool printsIr = false;

std::optional<int> takeMlirOptions(int &argc, char **argv, StringRef tool) {
  SmallVector<char *> taken = {argv[0]};
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    const bool ours = StringRef(argv[i]).starts_with("--mlir-");
    printsIr |= StringRef(argv[i]).starts_with("--mlir-print-ir");
    if (ours)
      taken.push_back(argv[i]);
    else
      argv[left++] = argv[i];
  }
  argc = left;
  if (taken.size() == 1)
    return std::nullopt;
  hideOtherOptions();
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  const int count = static_cast<int>(taken.size());
  if (std::optional<int> status = checkArguments(count, taken.data(), {tool, 0}))
    return status;
  UsageStatus wrongUsage;
  llvm::cl::ParseCommandLineOptions(count, taken.data());
  return std::nullopt;
}

void applyMlirOptions(PassManager &manager) {
  if (printsIr) // whole modules, which others must not change meanwhile
    manager.getContext()->disableMultithreading();
  (void)applyPassManagerCLOptions(manager);
  applyDefaultTimingPassManagerCLOptions(manager);
}

} // namespace xfmr
