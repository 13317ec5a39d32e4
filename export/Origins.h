// Weight expressions solved for their tensors. An importer says how the weights of a model are made of stored tensors:
// "the query weight is rows 0 to 63 of qkv_proj". Given the weights of another model of the same form, Origins tells what
// its stored tensors are.
#pragma once
#include "export/TensorFile.h"
#include "llvm/ADT/StringMap.h"

namespace xfmr::exports {

class Origins {
public:
  explicit Origins(const WeightSources &sources) : sources(sources), evaluator(sources) {}

  /// Where the importer's model has `wanted`, the model at hand has `found`, of the same shape. New weight ops appear
  /// behind `found`. Refuses expressions that cannot be solved.
  Status assign(mlir::Value wanted, mlir::Value found);

  /// Every tensor that the importer's model names, in its order, with its new value. Entries that no part of the model reads
  /// (rows for padding) are those of the base; refuses what is only partly known without that, and values that
  /// must agree and do not: tied tensors, shared rows, padding.
  Status finish(ModelOp wanted, std::vector<NamedPiece> &out);

private:
  using Places = llvm::SmallVector<int64_t>; // entries along an axis
  /// `value` is the tensor, or its entries `places` along `axis`.
  struct Part {
    mlir::Value value;
    int64_t axis = -1; // -1: the whole
    Places places;
  };

  Status solve(mlir::Value wanted, const Part &part);
  Status solveAlike(mlir::Value wanted, mlir::Value found);
  Status solveSlices(WeightConcatOp concat, const Part &part);
  Status solveStack(WeightStackOp stack, const Part &part);
  Status solvePlaces(mlir::Value input, int64_t axis, llvm::ArrayRef<int64_t> indices, const Part &part);
  Status join(const std::string &name, mlir::RankedTensorType type, llvm::ArrayRef<Part> parts, mlir::Value &out);
  mlir::Value unreadEntries(const std::string &name, mlir::RankedTensorType type, int64_t axis, const Places &entries,
                            mlir::Value beside);
  Status expectSame(const std::string &name, mlir::Value a, mlir::Value b);
  Status expectZero(mlir::Value value);

  const WeightSources &sources;
  WeightEvaluator evaluator;
  llvm::StringMap<llvm::SmallVector<Part>> tensors;
};

} // namespace xfmr::exports
