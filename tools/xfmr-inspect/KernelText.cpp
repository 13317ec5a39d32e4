// See KernelText.h.
#include "tools/xfmr-inspect/KernelText.h"
#include "tools/CommandLine.h"
#include "tools/xfmr-inspect/TextTable.h"
#include "weights/Diagnostics.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Target/SPIRV/Deserialization.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace xfmr::artifact;

namespace xfmr::inspect {

static Status printSpirv(const TensorView &code, std::ostream &out) {
  MLIRContext context;
  context.loadDialect<spirv::SPIRVDialect>();
  CollectedErrors errors(&context);
  const ArrayRef<uint32_t> words(reinterpret_cast<const uint32_t *>(code.data), code.byteSize / sizeof(uint32_t));
  OwningOpRef<spirv::ModuleOp> module = spirv::deserialize(words, &context);
  if (!module)
    return Status::error("\"" + code.name + "\" cannot be read as SPIR-V: " + errors.status().message());
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  out << text << "\n";
  return Status::success();
}

static Status printVariant(const Artifact &artifact, Target target, const program::Variant &variant, std::ostream &out) {
  std::string needs;
  if (variant.requires_())
    for (const flatbuffers::String *feature : *variant.requires_())
      needs += (needs.empty() ? "" : " ") + feature->str();
  const TensorView &code = *artifact.tensor(variant.tensor()->str());
  out << "// " << targetName(target) << ", " << (needs.empty() ? "portable" : needs);
  if (target == Target::vulkan)
    out << ", " << grouped(static_cast<int64_t>(code.byteSize)) << " bytes";
  out << "\n";
  if (target == Target::vulkan)
    return printSpirv(code, out);
  const std::string_view object(reinterpret_cast<const char *>(code.data), code.byteSize);
  if (Status status = printMachineCode(object, variant.entry()->str(), out); status.failed())
    return Status::error("\"" + code.name + "\": " + status.message());
  out << "\n";
  return Status::success();
}

Status printKernel(const Artifact &artifact, const std::string &name, std::ostream &out) {
  std::vector<std::string> known;
  bool found = false;
  for (Target target : kTargets) {
    const program::Program *program = artifact.program(target);
    if (!program)
      continue;
    for (const program::Kernel *kernel : *program->kernels()) {
      known.push_back(kernel->name()->str());
      if (known.back() != name)
        continue;
      found = true;
      for (const program::Variant *variant : *kernel->variants())
        if (Status status = printVariant(artifact, target, *variant, out); status.failed())
          return status;
    }
  }
  if (found)
    return Status::success();
  const std::string near = didYouMean(name, known);
  return Status::error("\"" + artifact.path() + "\" has no kernel \"" + name + "\"" +
                       (near.empty() ? "; without --kernel xfmr-inspect lists those it has" : near));
}

} // namespace xfmr::inspect
