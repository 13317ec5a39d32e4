// The stages of the compiler as one pass pipeline. xfmr-compile and `xfmr-opt --xfmr-pipeline=` call the same function.
#pragma once

#include "passes/lowering/Stage.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace xfmr {

/// Adds the passes of an MLIR textual pipeline over the module to `manager` (anchored on builtin.module). Passes on
/// models and blocks nest by themselves: `xfmr-fuse-glu,xfmr-fuse-qkv`. `registerXfmrPasses` must have run.
/// On failure `error` says what is unknown or malformed.
mlir::LogicalResult parseNestedPipeline(llvm::StringRef text, mlir::OpPassManager &manager,
                                        std::string &error);

struct CompilerOptions : mlir::PassPipelineOptions<CompilerOptions> {
  Option<std::string> until{*this, "until", llvm::cl::desc("last stage: optimize … emit (serialised)"),
                            llvm::cl::init("codegen")};
  Option<std::string> target{*this, "target", llvm::cl::desc("what to compile for: vulkan or cpu"), llvm::cl::init("vulkan")};
  Option<std::string> triple{*this, "triple", llvm::cl::desc("CPU to compile for: x86_64-linux-gnu or aarch64-linux-gnu"),
                             llvm::cl::init("x86_64-linux-gnu")};
  Option<std::string> levels{*this, "levels", llvm::cl::desc("levels of that CPU to compile for, as v3,v4; all where empty")};
  Option<std::string> passes{*this, "passes", llvm::cl::desc("the user's pipeline, run before the fusions")};
  Option<std::string> type{*this, "type", llvm::cl::desc("element type of matrices: f32, f16 or bf16; else as they are")};
  Option<bool> fuse{*this, "fuse", llvm::cl::desc("fuse projections, fold all adapters"), llvm::cl::init(true)};
  Option<int64_t> maxContext{*this, "max-context", llvm::cl::desc("positions of the cache; 0: the model's, at most 8192"),
                             llvm::cl::init(0)};
  Option<int64_t> chunk{*this, "chunk", llvm::cl::desc("most tokens of one prefill run; 0: chosen"), llvm::cl::init(0)};
  Option<std::string> kv{*this, "kv", llvm::cl::desc("cache type: auto, f32 or f16"), llvm::cl::init("auto")};
  Option<std::string> moe{*this, "moe", llvm::cl::desc("route of mixtures: auto, grouped or by-id"),
                          llvm::cl::init("auto")};
  Option<bool> rowCodes{*this, "row-codes", llvm::cl::desc("on the CPU, activations in codes where weights are codes"),
                        llvm::cl::init(true)};
  Option<int64_t> bindingBytes{*this, "binding-bytes", llvm::cl::desc("most of a weight in one binding"),
                               llvm::cl::init(int64_t(1) << 27)};
  Option<std::string> deviceProfile{*this, "device-profile", llvm::cl::desc("family of Vulkan devices to compile for; else any"),
                                    llvm::cl::init("")};
};

/// Adds every stage up to `options.until` to `manager` (anchored on builtin.module), each followed by its verifier. A
/// stage that the module has behind it is skipped, so the text of any stage goes on from there; what comes in is verified
/// as what its stage says. On failure `error` says which option is wrong.
/// `from` is the first stage to run: `optimize` leaves no mark on a module, so who has run it says so.
mlir::LogicalResult buildPipeline(mlir::OpPassManager &manager, const CompilerOptions &options, std::string &error,
                                  Stage from = Stage::Optimize);

/// `--xfmr-pipeline="target=vulkan until=plan"` for command lines and textual pipelines.
void registerXfmrPipeline();

} // namespace xfmr
