// Codegen and emit. Tensors are declared first and written in the same order, one at a time.
#include "passes/lowering/Emit.h"

#include "passes/lowering/KernelSpecs.h"
#include "passes/lowering/PackWeights.h"
#include "passes/lowering/ProgramBytes.h"
#include "runtime/artifact/ArtifactWriter.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/plan/Hazards.h"

using namespace mlir;
using namespace xfmr;

FailureOr<std::vector<codegen::CompiledKernel>> xfmr::generateKernels(ProgramOp program) {
  std::vector<codegen::CompiledKernel> kernels;
  for (auto op : program.getBody().getOps<KernelOp>()) {
    auto kernel = compileKernel(*program.getContext(), op);
    if (!kernel)
      return op.emitError("kernel @") << op.getSymName() << ": " << llvm::toString(kernel.takeError());
    kernels.push_back(std::move(*kernel));
  }
  return kernels;
}

LogicalResult xfmr::emitArtifact(ProgramOp program, const std::vector<codegen::CompiledKernel> &kernels,
                                 const WeightSources &sources, const EmitOptions &options) {
  FailureOr<flatbuffers::DetachedBuffer> bytes = buildProgram(program, kernels);
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
  for (const codegen::CompiledKernel &kernel : kernels)
    for (size_t i = 0; i < kernel.variants.size(); ++i)
      if (failed(check(writer.declareBytes(kernelTensorName(kernel, i), kernel.variants[i].words.size() * 4))))
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
  for (const codegen::CompiledKernel &kernel : kernels)
    for (const codegen::Variant &variant : kernel.variants)
      if (failed(check(writer.append(variant.words.data(), variant.words.size() * 4))))
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
