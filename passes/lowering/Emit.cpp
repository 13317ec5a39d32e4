// Emit. Tensors are declared first and written in the same order, one at a time.
#include "passes/lowering/Emit.h"

#include "passes/lowering/PackWeights.h"
#include "passes/lowering/ProgramBytes.h"
#include "runtime/artifact/ArtifactWriter.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/plan/Hazards.h"

using namespace mlir;
using namespace xfmr;

static ArrayRef<char> codeOf(VariantOp variant) { return cast<DenseElementsAttr>(*variant.getCode()).getRawData(); }

LogicalResult xfmr::emitArtifact(ProgramOp program, const WeightSources &sources, const EmitOptions &options) {
  FailureOr<flatbuffers::DetachedBuffer> bytes = buildProgram(program);
  if (failed(bytes))
    return failure();
  auto check = [&](const Status &status) -> LogicalResult {
    return status.ok() ? success() : LogicalResult(program.emitError(status.message()));
  };
  if (failed(check(plan::verifyHazards(*program::GetProgram(bytes->data())))))
    return failure();

  artifact::ArtifactWriter writer(options.path);
  if (failed(check(writer.declareBytes(artifact::kProgramTensor, bytes->size()))))
    return failure();
  SmallVector<VariantOp> variants;
  for (auto executable : program.getBody().getOps<ExecutableOp>())
    variants.append(variantsOf(executable));
  for (VariantOp variant : variants)
    if (failed(check(writer.declareBytes(codeTensorName(variant), codeOf(variant).size()))))
      return failure();
  for (auto &[name, text] : options.files)
    if (failed(check(writer.declareBytes(name, text.size()))))
      return failure();
  uint64_t total = writer.declaredBytes();
  for (Operation &op : program.getBody().front()) {
    if (auto weight = dyn_cast<PackedWeightOp>(op)) {
      if (failed(check(declareWeight(writer, weight))))
        return failure();
    } else if (auto table = dyn_cast<RopeTableOp>(op)) {
      if (failed(check(declareRopeTable(writer, table))))
        return failure();
    }
  }
  total = writer.declaredBytes() - total;

  if (failed(check(writer.begin())) || failed(check(writer.append(bytes->data(), bytes->size()))))
    return failure();
  for (VariantOp variant : variants)
    if (failed(check(writer.append(codeOf(variant).data(), codeOf(variant).size()))))
      return failure();
  for (auto &[name, text] : options.files)
    if (failed(check(writer.append(text.data(), text.size()))))
      return failure();
  WeightEvaluator evaluator(sources);
  uint64_t done = 0;
  auto progress = [&](uint64_t count) {
    done += count;
    if (options.progress)
      options.progress(done, total);
  };
  for (Operation &op : program.getBody().front()) {
    if (auto weight = dyn_cast<PackedWeightOp>(op)) {
      if (failed(writeWeight(writer, weight, evaluator, progress)))
        return failure();
    } else if (auto table = dyn_cast<RopeTableOp>(op)) {
      if (failed(writeRopeTable(writer, table, progress)))
        return failure();
    }
  }
  return check(writer.finish());
}
