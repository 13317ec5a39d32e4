// Turns the regions of one phase into dispatches, in order: each region by the function of its kind, one file each.
// What shares a kernel was decided when the regions were formed; here kernels are chosen and buffers laid out.
#pragma once
#include "passes/lowering/DispatchBuilder.h"
#include "passes/lowering/MoeRoute.h"

namespace xfmr {

/// A matrix product and what lies around it in its region:
/// [rms_norm ->] linear or glu [-> activation] [-> scale] [-> softcap] [-> add of a residual].
struct ProductRegion {
  mlir::Operation *head = nullptr; // LinearOp or GluOp
  mlir::Value result;              // what the last op computes
  RmsNormOp prologue;
  std::optional<ActivationKind> activation;
  std::optional<double> scale, softcap;
  mlir::Value residual;

  /// Emits an error where the region's ops are no such chain.
  static mlir::FailureOr<ProductRegion> read(FusedOp region);
};

/// Query or key on its way into a cached attention: source [-> norm of heads] [-> rope].
struct HeadInput {
  mlir::Value source;
  RmsNormOp norm;
  RopeOp rope;
};
struct AttentionRegion {
  CachedAttentionOp op;
  HeadInput query, key;

  static mlir::FailureOr<AttentionRegion> read(FusedOp region);
};

/// A mixture and what joins its routed sum: [+ shared expert, gated or not] [+ residual].
struct MixtureRegion {
  MoeOp op;
  mlir::Value result;          // what the last op computes
  RmsNormOp prologue;          // rms_norm folded into the router
  mlir::Value shared, gate;    // `gate`: the logit of the shared expert's sigmoid gate
  mlir::Value residual;

  static mlir::FailureOr<MixtureRegion> read(FusedOp region);
};

/// The caches of one attention.
struct CacheBuffers {
  mlir::Value keys, values;
  codegen::CacheType type = codegen::CacheType::F32;
};

/// Query, key and value of the rows of a phase on their way: norms, rotation, into the caches.
struct RowToCache {
  codegen::RopeCacheSpec spec;
  codegen::RopeCacheParams params;
  llvm::SmallVector<DispatchBuilder::NamedBuffer> buffers;
};

/// The cache of a latent attention, and what this run puts into it.
struct LatentRows {
  CachedLatentAttentionOp op;
  codegen::CacheType type;
  mlir::Value rows;
  View key, latent;
};

/// What a kernel of attention does with scores.
struct AttentionKernel {
  bool causal = true, cross = false;
  float scale = 1.0f, alibi = 0.0f;
  std::optional<float> softcap;
  uint32_t window = 0, chunk = 0;
  mlir::Value sinks, bias; // null for none; bias f32 [heads, biasSpan]
};

class PhaseLowering {
public:
  /// `firstMoe`: mixtures of the model in front of this phase.
  PhaseLowering(DispatchBuilder &build, PhaseOp phase, MoeRoute moeRoute, uint32_t firstMoe)
      : build(build), phase(phase), moeRoute(moeRoute), numMoe(firstMoe) {}

  /// Lowers every region of the phase; what it yields ends up at `destination`.
  mlir::LogicalResult run(const View &destination);

  /// Where a value of a region lies: an argument where the value outside does, another where its dispatch put it.
  mlir::FailureOr<View> view(mlir::Value value);
  /// The same for kernels that read rows from a multiple of 4 on and up to their pad: a part of a wider row that is
  /// not such goes through a copy first.
  mlir::FailureOr<View> aligned(mlir::Value value);
  /// Where a value of the region being lowered is to be written.
  View result(mlir::Value value);

private:
  mlir::LogicalResult lower(FusedOp region);
  /// Each value that the region yields must be one that its kernels write.
  mlir::LogicalResult checkYields(llvm::ArrayRef<mlir::Value> written);

  // ProductDispatch.cpp
  mlir::LogicalResult lowerProduct();
  // AttentionDispatch.cpp
  mlir::LogicalResult lowerAttention();
  mlir::LogicalResult lowerCacheWrite();
  mlir::LogicalResult lowerCrossAttention();
  /// The buffers of a cache, declared if they are not yet.
  mlir::FailureOr<CacheBuffers> cacheBuffers(mlir::Operation *op, llvm::StringRef name, int64_t kvHeads, int64_t headDim);
  /// `own`: the kernel takes its row to the caches itself.
  template <class Op>
  void attend(Op op, const CacheBuffers &caches, const View &q, const View &out, const AttentionKernel &kernel,
              const RowToCache *own = nullptr);
  // LatentDispatch.cpp
  mlir::LogicalResult lowerLatentAttention();
  /// What turns of queries, whose heads lie `qHead` columns apart, and the rows of this run into the cache.
  void turnLatents(const LatentRows &cached, const View &q, int64_t qHead);
  /// Queries [T, H*(r+c)] over the rows of the cache, sums of whole rows.
  void attendLatents(const LatentRows &cached, const View &q, const View &out);
  // LatentExpand.cpp
  /// The weight that expands the rows of the cache where that pays in this phase, else null; a remark says why.
  mlir::Value expandingWeight(const LatentRows &cached);
  /// Queries [T, H*head], which are turned in place, over keys and values made of the rows.
  void attendExpanded(const LatentRows &cached, mlir::Value weight, const View &q);
  // MoeDispatch.cpp
  mlir::LogicalResult lowerMixture();
  // RowDispatch.cpp: embedding, norms, elementwise, split, sample, probe
  mlir::LogicalResult lowerEmbedding();
  mlir::LogicalResult lowerNorm();
  mlir::LogicalResult lowerElementwise();
  mlir::LogicalResult lowerSplit(SplitOp op);
  mlir::LogicalResult lowerSample();
  mlir::LogicalResult lowerProbe(ProbeOp op);
  void copyInto(const View &from, const View &to, llvm::StringRef label = "copy");
  View copied(const View &from);

  DispatchBuilder &build;
  PhaseOp phase;
  const MoeRoute moeRoute;
  FusedOp region;      // being lowered
  uint32_t numMoe;     // mixtures lowered so far
  llvm::DenseSet<mlir::Value> rough; // parts of wider rows that are not aligned, or have something in their pad
  llvm::DenseMap<mlir::Value, View> copies; // aligned copies of those
};

} // namespace xfmr
