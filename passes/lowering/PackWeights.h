// Writes packed weights and rope tables in streaming order: a few megabytes at a time, whatever their size.
#pragma once
#include "dialect/Xfmr.h"
#include "runtime/artifact/ArtifactWriter.h"
#include "weights/Encoding.h"
#include "weights/WeightEvaluator.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace xfmr {

/// How a packed weight lies in the artifact.
Encoding storedAs(PackedWeightOp op);

/// Announces the tensor of a packed weight or rope table.
Status declareWeight(artifact::ArtifactWriter &writer, llvm::StringRef name, PackedWeightOp op);
Status declareRopeTable(artifact::ArtifactWriter &writer, llvm::StringRef name, RopeTableOp op);

/// Evaluates and appends it. Errors of the weights are emitted at their ops; errors of the file are
/// emitted at `op`. `progress` hears of the bytes written.
mlir::LogicalResult writeWeight(artifact::ArtifactWriter &writer, llvm::StringRef name, PackedWeightOp op,
                                const WeightEvaluator &evaluator,
                                llvm::function_ref<void(uint64_t bytes)> progress);
mlir::LogicalResult writeRopeTable(artifact::ArtifactWriter &writer, RopeTableOp op,
                                   llvm::function_ref<void(uint64_t bytes)> progress);

} // namespace xfmr
