// Emit. Tensors are declared first and written in the same order, one at a time.
#include "passes/lowering/Emit.h"

#include "passes/codegen/cpu/Link.h"
#include "passes/lowering/PackWeights.h"
#include "passes/lowering/ProgramBytes.h"
#include "runtime/artifact/ArtifactWriter.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/plan/Hazards.h"

using namespace mlir;
using namespace xfmr;

static StringRef codeOf(VariantOp variant) {
  ArrayRef<char> bytes = cast<DenseElementsAttr>(*variant.getCode()).getRawData();
  return StringRef(bytes.data(), bytes.size());
}

// Tensors of code by name: one a variant, on the CPU one for all.
static FailureOr<SmallVector<std::pair<std::string, std::string>>> codeTensors(ProgramOp program) {
  SmallVector<VariantOp> variants;
  for (auto executable : program.getBody().getOps<ExecutableOp>())
    variants.append(variantsOf(executable));
  SmallVector<std::pair<std::string, std::string>> tensors;
  std::vector<std::string> objects;
  const bool onCpu = !program.targetOrPortable().isVulkan();
  for (VariantOp variant : variants)
    if (onCpu)
      objects.push_back(codeOf(variant).str());
    else
      tensors.push_back({codeTensorName(variant), codeOf(variant).str()});
  if (onCpu) {
    llvm::Expected<std::string> linked = codegen::cpu::link(objects);
    if (!linked)
      return program.emitError(llvm::toString(linked.takeError()));
    tensors.push_back({artifact::kCpuCodeTensor, std::move(*linked)});
  }
  return tensors;
}

LogicalResult xfmr::emitArtifact(ProgramOp program, const WeightSources &sources, const EmitOptions &options) {
  FailureOr<flatbuffers::DetachedBuffer> bytes = buildProgram(program);
  if (failed(bytes))
    return failure();
  auto check = [&](const Status &status) -> LogicalResult {
    return status.ok() ? success() : LogicalResult(program.emitError(status.message()));
  };
  if (failed(check(plan::verifyHazards(*program::GetProgram(bytes->data())))))
    return failure();

  const char *programTensor = program.targetOrPortable().isVulkan() ? artifact::kProgramTensor : artifact::kCpuProgramTensor;
  artifact::ArtifactWriter writer(options.path);
  if (failed(check(writer.declareBytes(programTensor, bytes->size()))))
    return failure();
  auto tensors = codeTensors(program);
  if (failed(tensors))
    return failure();
  for (auto &[name, code] : *tensors)
    if (failed(check(writer.declareBytes(name, code.size()))))
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
  for (auto &[name, code] : *tensors)
    if (failed(check(writer.append(code.data(), code.size()))))
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
