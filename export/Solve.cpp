// See Solve.h.
#include "export/Solve.h"
#include "export/AlignedForms.h"
#include "export/Origins.h"
#include "export/RotaryOrder.h"
#include "export/SameForm.h"

using namespace mlir;

namespace xfmr::exports {

Status solveTensors(ModuleOp imported, ModelOp model, const WeightSources &sources, std::vector<std::string> &notes,
                    std::vector<NamedPiece> &tensors) {
  Status status = orderRotationsAs(modelOf(imported), model);
  if (status.ok())
    status = alignForms(imported, model);
  if (status.failed())
    return status;
  const llvm::DenseMap<Value, float> offsets = alignNorms(modelOf(imported), model);
  Origins origins(sources);
  status = walkSameForm(modelOf(imported), model, notes,
                        [&](Value wanted, Value found) { return origins.assign(wanted, found); });
  if (status.ok())
    status = origins.finish(modelOf(imported), tensors);
  for (NamedPiece &tensor : tensors)
    tensor.piece.offset = offsets.lookup(tensor.piece.value);
  return status;
}

} // namespace xfmr::exports
