// Equal expressions are one tensor; a name that stands for two is told apart by the target.
#include "passes/lowering/TensorTable.h"
#include "passes/codegen/Kernel.h"
#include "passes/lowering/DispatchBuilder.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace xfmr;

// Equal keys: equal bytes, but for the order of a matrix.
static std::string keyOf(Operation *op) {
  if (auto weight = dyn_cast<PackedWeightOp>(op))
    return expressionKey(cast<YieldOp>(weight.getBody().front().back()).getValues().front());
  auto table = cast<RopeTableOp>(op);
  std::string key;
  llvm::raw_string_ostream(key) << "rope " << table.getRows() << ' ' << table.getRotaryDim() << ' '
                                << table.getThetaAttr() << ' ' << table.getScalingAttr();
  return key;
}

TensorTable::TensorTable(ArrayRef<ProgramOp> programs) {
  llvm::StringMap<size_t> byKey;
  llvm::StringSet<> names;
  for (ProgramOp program : programs)
    for (Operation &op : program.getBody().front()) {
      if (!isa<PackedWeightOp, RopeTableOp>(op))
        continue;
      auto [entry, isNew] = byKey.try_emplace(keyOf(&op), all.size());
      places[&op] = entry->second;
      if (!isNew)
        continue;
      std::string name = SymbolTable::getSymbolName(&op).str();
      if (!names.insert(name).second) {
        name += ("." + stringifyTargetKind(program.targetOrPortable().getKind())).str();
        names.insert(name);
      }
      all.push_back({name, &op});
    }
}

TensorTable::Bytes TensorTable::bytes() const {
  Bytes sum;
  for (const Tensor &tensor : all) {
    uint64_t size = 0;
    if (auto weight = dyn_cast<PackedWeightOp>(tensor.op))
      size = bytesOf(cast<MemRefType>(weight.getType()));
    else if (auto table = dyn_cast<RopeTableOp>(tensor.op))
      size = table.getRows() * codegen::paddedWidth(static_cast<uint32_t>(table.getRotaryDim())) * sizeof(float);
    (tensor.op->getParentOp() == all.front().op->getParentOp() ? sum.first : sum.more) += size;
  }
  return sum;
}
