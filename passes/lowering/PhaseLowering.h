// Turns the tensor ops of one phase into dispatches. Analysis first decides which ops become part of another
// op's kernel; then every remaining op is lowered in order by the function of its family, one file each.
#pragma once
#include "passes/lowering/DispatchBuilder.h"
#include "passes/lowering/MoeRoute.h"

namespace xfmr {

/// A matrix product and what follows it in one kernel:
/// linear or glu [-> activation] [-> scale] [-> softcap] [-> add of a residual].
struct ProductChain {
  mlir::Operation *head = nullptr; // LinearOp or GluOp
  mlir::Operation *last = nullptr; // op whose result the kernel writes; `head` itself without epilogue
  RmsNormOp prologue;              // rms_norm folded into the product (one row only)
  std::optional<ActivationKind> activation;
  std::optional<double> scale, softcap;
  mlir::Value residual;
};

/// Query or key on its way into a cached attention: source [-> per-head rms_norm] [-> rope].
struct HeadInput {
  mlir::Value source;
  RmsNormOp norm;
  RopeOp rope;
};

/// A mixture and what joins its routed sum: [+ shared expert, gated or not] [+ residual].
struct MoeChain {
  mlir::Operation *last = nullptr; // op whose result the kernels write
  RmsNormOp prologue;              // rms_norm folded into the router (one row only)
  mlir::Value shared, gate;        // `gate`: the logit of the shared expert's sigmoid gate
  mlir::Value residual;
};

class PhaseLowering {
public:
  PhaseLowering(DispatchBuilder &build, PhaseOp phase, MoeRoute moeRoute)
      : build(build), phase(phase), moeRoute(moeRoute) {}

  /// Decides fusions, then lowers every op of the phase's (inlined) body.
  mlir::LogicalResult run(const llvm::DenseMap<mlir::Operation *, int64_t> &layerOf);
  /// Ops that became a prologue or an epilogue.
  int64_t numFused() const { return static_cast<int64_t>(absorbed.size()); }

private:
  void analyze();
  ProductChain findChain(mlir::Operation *head);
  void absorbPrologues();
  mlir::LogicalResult lower(mlir::Operation *op);

  // ProductDispatch.cpp
  mlir::LogicalResult lowerProduct(const ProductChain &chain);
  // AttentionDispatch.cpp
  static HeadInput matchHead(mlir::Value value, int64_t headDim);
  void analyzeAttention(CachedAttentionOp op);
  mlir::LogicalResult lowerAttention(CachedAttentionOp op);
  // MoeChains.cpp, MoeDispatch.cpp
  void analyzeMoe(MoeOp op);
  mlir::LogicalResult lowerMoe(const MoeChain &chain, MoeOp op);
  // RowDispatch.cpp: embedding, norms, elementwise, split, last_row, sample
  mlir::LogicalResult lowerEmbedding(EmbeddingOp op);
  mlir::LogicalResult lowerNorm(mlir::Operation *op, mlir::Value input, mlir::Value weight,
                                mlir::Value bias, double eps, bool unitOffset);
  mlir::LogicalResult lowerElementwise(mlir::Operation *op);
  mlir::LogicalResult lowerSplit(SplitOp op);
  mlir::LogicalResult lowerSample();
  mlir::LogicalResult copyInto(mlir::Value value, View to);

  DispatchBuilder &build;
  PhaseOp phase;
  const MoeRoute moeRoute;
  int64_t layer = -1;  // of the op being lowered; -1 outside of blocks
  uint32_t numMoe = 0; // mixtures lowered so far
  llvm::DenseMap<mlir::Operation *, MoeChain> moes;  // by the last op of each
  llvm::DenseMap<mlir::Operation *, MoeOp> moeOf;    // likewise
  llvm::DenseSet<mlir::Operation *> absorbed;
  llvm::DenseMap<mlir::Operation *, ProductChain> chains; // by the last op of each
  llvm::DenseMap<mlir::Operation *, std::pair<HeadInput, HeadInput>> heads; // query and key of an attention
};

/// The kernels' activation for a kind, if they have it.
std::optional<codegen::Activation> kernelActivation(ActivationKind kind);

} // namespace xfmr
