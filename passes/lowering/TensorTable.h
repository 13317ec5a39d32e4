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

  /// What the weights of several programs take in one artifact.
  struct Bytes {
    uint64_t first = 0; // of the first program: what others have alike lies in these
    uint64_t more = 0;  // that only other programs read
  };
  Bytes bytes() const;

private:
  llvm::SmallVector<Tensor> all; // those of the first program first
  llvm::DenseMap<mlir::Operation *, size_t> places;
};

} // namespace xfmr
