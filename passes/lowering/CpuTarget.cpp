// See CpuTarget.h.
#include "passes/lowering/CpuTarget.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace xfmr {

TargetAttr cpuTarget(MLIRContext *context, StringRef triple, StringRef names, std::string &error) {
  const TargetAttr all = TargetAttr::cpu(context, triple);
  if (!all)
    return error = "triple must be x86_64-linux-gnu or aarch64-linux-gnu, got '" + triple.str() + "'", TargetAttr();
  if (names.empty())
    return all;
  SmallVector<StringRef> asked;
  names.split(asked, ',');
  SmallVector<CpuLevel> levels;
  for (CpuLevel level : all.getLevels()) // in their order
    if (llvm::is_contained(asked, stringifyCpuLevel(level)))
      levels.push_back(level);
  for (StringRef name : asked)
    if (std::optional<CpuLevel> level = symbolizeCpuLevel(name); !level || !llvm::is_contained(levels, *level)) {
      auto known = llvm::map_range(all.getLevels(), [](CpuLevel level) { return stringifyCpuLevel(level); });
      return error = "levels must be some of " + llvm::join(known, ", ") + ", got '" + name.str() + "'", TargetAttr();
    }
  return TargetAttr::get(context, TargetKind::cpu, all.getBindingBytes(), all.getPushWords(), all.getGrid(),
                         all.getAlignment(), levels);
}

} // namespace xfmr
