// Every kernel of Vulkan: from a spec to its variants in MLIR's gpu dialect (one file a kernel), and from there to
// SPIR-V. The passes keep the variants in the program; `compile` goes the whole way for tests and benchmarks.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/codegen/AllKernels.h"
#include "llvm/Support/Error.h"

namespace xfmr::codegen {

// The entry point of every variant.
constexpr const char *kEntryPoint = "main";

struct BuiltVariant {
  std::vector<std::string> features; // device features it needs ("subgroup_arithmetic"); empty: portable
  std::array<uint32_t, 3> workgroupSize;
  uint32_t sharedBytes = 0;                  // workgroup memory
  mlir::OwningOpRef<mlir::ModuleOp> module; // holds one gpu.module
};

struct BuiltKernel {
  std::string name; // the spec's name()
  std::vector<Binding> bindings;
  // Best first, the portable one last; all take the same push words and grid.
  std::vector<BuiltVariant> variants;
};

// `kernel` with the variants of another build of it in front; the first error of the two.
llvm::Expected<BuiltKernel> preferring(llvm::Expected<BuiltKernel> kernel, llvm::Expected<BuiltKernel> tuned);

#define XFMR_BUILD(Name)                                                                           \
  llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const Name##Spec &spec);
XFMR_KERNELS(XFMR_BUILD)
#undef XFMR_BUILD

struct Variant {
  std::string entry; // name of the entry point
  std::vector<std::string> features;
  std::vector<uint32_t> words; // SPIR-V 1.3 for Vulkan 1.1
};

struct CompiledKernel {
  std::string name;
  std::array<uint32_t, 3> workgroupSize; // of the portable variant; others may have fewer invocations
  std::vector<Binding> bindings;
  uint32_t sharedBytes = 0; // the largest of the variants
  std::vector<Variant> variants;
};

llvm::Expected<CompiledKernel> compile(BuiltKernel kernel);

template <class Spec>
llvm::Expected<CompiledKernel> compile(mlir::MLIRContext &context, const Spec &spec) {
  if (std::string fault = spec.fault(); !fault.empty())
    return llvm::createStringError(spec.name() + ": " + fault);
  llvm::Expected<BuiltKernel> built = buildVariants(context, spec);
  return built ? compile(std::move(*built)) : built.takeError();
}

} // namespace xfmr::codegen
