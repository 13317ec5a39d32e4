// Emit. Tensors are declared first and written in the same order, one at a time.
#include "passes/lowering/Emit.h"

#include "passes/codegen/cpu/Link.h"
#include "passes/lowering/PackWeights.h"
#include "passes/lowering/ProgramBytes.h"
#include "passes/lowering/SelfTestBytes.h"
#include "runtime/artifact/ArtifactWriter.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/plan/Counts.h"
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

LogicalResult xfmr::emitArtifact(ArrayRef<ProgramOp> programs, const WeightSources &sources,
                                 const EmitOptions &options) {
  auto check = [&](const Status &status) -> LogicalResult {
    return status.ok() ? success() : LogicalResult(ProgramOp(programs.front()).emitError(status.message()));
  };
  const TensorTable tensors(programs);
  SmallVector<flatbuffers::DetachedBuffer> bytes;
  SmallVector<std::pair<std::string, std::string>> code;
  for (ProgramOp program : programs) {
    flatbuffers::DetachedBuffer built = buildProgram(program, tensors);
    if (failed(check(plan::verifyHazards(*program::GetProgram(built.data())))))
      return failure();
    if (options.report)
      options.report(plan::describeCounts(*program::GetProgram(built.data())));
    bytes.push_back(std::move(built));
    auto more = codeTensors(program);
    if (failed(more))
      return failure();
    code.append(std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    if (flatbuffers::DetachedBuffer test = buildSelfTest(program); test.size())
      code.push_back({artifact::kSelfTestTensor, std::string(reinterpret_cast<const char *>(test.data()), test.size())});
  }

  std::optional<artifact::ArtifactWriter> file;
  options.descriptor < 0 ? file.emplace(options.path) : file.emplace(options.descriptor);
  artifact::ArtifactWriter &writer = *file;
  for (auto [program, buffer] : llvm::zip(programs, bytes))
    if (failed(check(writer.declareBytes(ProgramOp(program).targetOrPortable().isVulkan() ? artifact::kProgramTensor
                                                                               : artifact::kCpuProgramTensor,
                                         buffer.size()))))
      return failure();
  for (auto &[name, text] : code)
    if (failed(check(writer.declareBytes(name, text.size()))))
      return failure();
  for (auto &[name, text] : options.files)
    if (failed(check(writer.declareBytes(name, text.size()))))
      return failure();
  uint64_t total = writer.declaredBytes();
  for (auto &[name, op] : tensors.tensors()) {
    auto weight = dyn_cast<PackedWeightOp>(op);
    if (failed(check(weight ? declareWeight(writer, name, weight) : declareRopeTable(writer, name, cast<RopeTableOp>(op)))))
      return failure();
  }
  total = writer.declaredBytes() - total;

  if (failed(check(writer.begin())))
    return failure();
  for (auto &buffer : bytes)
    if (failed(check(writer.append(buffer.data(), buffer.size()))))
      return failure();
  for (auto &[name, text] : code)
    if (failed(check(writer.append(text.data(), text.size()))))
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
  for (auto &[name, op] : tensors.tensors()) {
    auto weight = dyn_cast<PackedWeightOp>(op);
    if (failed(weight ? writeWeight(writer, name, weight, evaluator, progress)
                      : writeRopeTable(writer, cast<RopeTableOp>(op), progress)))
      return failure();
  }
  return check(writer.finish());
}
