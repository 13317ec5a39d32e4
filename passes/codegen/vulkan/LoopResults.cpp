// Finds the variable of a carried value by the store of the value that goes back to the header; see LoopResults.h.
#include "passes/codegen/vulkan/LoopResults.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace xfmr::codegen {

using namespace mlir;

namespace {

void startResults(spirv::LoopOp loop) {
  Block *entry = loop.getEntryBlock(), *header = loop.getHeaderBlock();
  auto first = cast<spirv::BranchOp>(entry->getTerminator());
  OpBuilder builder(loop);
  llvm::SmallPtrSet<Value, 16> started;
  for (Block *block : header->getPredecessors()) {
    auto back = dyn_cast<spirv::BranchOp>(block->getTerminator());
    if (block == entry || !back)
      continue;
    for (auto [init, next] : llvm::zip_equal(first.getOperands(), back.getOperands()))
      for (Operation *user : next.getUsers()) {
        auto store = dyn_cast<spirv::StoreOp>(user);
        auto variable = store ? store.getPtr().getDefiningOp<spirv::VariableOp>() : spirv::VariableOp();
        if (variable && store->getBlock() == block && !loop->isProperAncestor(variable) &&
            started.insert(variable).second)
          spirv::StoreOp::create(builder, loop.getLoc(), variable, init);
      }
  }
}

} // namespace

void startLoopResults(spirv::ModuleOp module) {
  module.walk([](spirv::LoopOp loop) { startResults(loop); });
}

} // namespace xfmr::codegen
