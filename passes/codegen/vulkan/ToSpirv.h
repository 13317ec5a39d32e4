// gpu.module -> SPIR-V words for Vulkan 1.1 (SPIR-V 1.3), in process. The input holds gpu, scf,
// arith, math, memref, vector and spirv ops as KernelBuilder makes them. bf16 is refused: MLIR
// would turn it into a 16-bit integer without a word.
#pragma once
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace xfmr::codegen {

// Every kernel declares the same push-constant block, so all pipelines of a program share one
// layout.
constexpr uint32_t kPushWords = 16;

// Of a gpu.module: the bindings through which workgroups of one dispatch pass results to each other, an array of i32.
constexpr const char *kCoherentBindings = "coherent_bindings";

// The same of the bindings that are read as texels (TexelBuffers.h).
constexpr const char *kTexelBindings = "texel_bindings";

// The variables of the bindings that one of these lists; takes the list off the module.
void eachListed(mlir::spirv::ModuleOp module, const char *bindings,
                llvm::function_ref<void(mlir::spirv::GlobalVariableOp)> body);

// What a context needs for building kernels and converting them.
void registerKernelDialects(mlir::DialectRegistry &registry);

// Turns the gpu.module in the body of an op into a spirv.module.
void buildSpirvPipeline(mlir::OpPassManager &manager);

// The words of a spirv.module; on failure MLIR has said why.
mlir::FailureOr<std::vector<uint32_t>> serializeSpirv(mlir::spirv::ModuleOp module);

// The whole way, outside of a pass. Consumes `module`, which holds exactly one gpu.module. On failure the error carries MLIR's
// diagnostics.
llvm::Expected<std::vector<uint32_t>> toSpirv(mlir::ModuleOp module);

} // namespace xfmr::codegen
