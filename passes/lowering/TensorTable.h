// Which tensors of an artifact hold the weights of its programs. Programs for several targets share what they store alike:
// a matrix is written once, in the order of the first program that has it.
#pragma once
#include "dialect/Xfmr.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace xfmr {

class TensorTable {
public:
  explicit TensorTable(llvm::ArrayRef<ProgramOp> programs);

  struct Tensor {
    std::string name;
    mlir::Operation *op; // packed_weight or rope_table that says what is written
  };
  llvm::ArrayRef<Tensor> tensors() const { return all; }
  /// The tensor of a packed weight or rope table of any of the programs.
  const Tensor &of(mlir::Operation *op) const { return all[places.lookup(op)]; }

private:
  llvm::SmallVector<Tensor> all;
  llvm::DenseMap<mlir::Operation *, size_t> places;
};

} // namespace xfmr
