// Where another container keeps what a family calls by its Hugging Face names. Importers ask for "model.layers.0.mlp.gate_proj.weight";
// with names of a container, ModelBuilder makes that of the tensors that are there.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xfmr {

/// How a tensor of the family is made of tensors of the container.
enum class TensorForm {
  same,
  vector,      // [1, N] of a vector [N]
  transposed,  // the last two axes are exchanged
  rows,        // row i is row rows[i] of the stored one
  entry,       // entry `index` of a stack of `count`
  halves,      // [E, 2F, D] or [E, 2F]: two stacks, one behind the other along axis 1
  alternating, // the same, their rows in turn
  keyValue     // rows of keys, then of values, head by head, of [H, rank, nope] and [H, value, rank]
};

struct TensorPlace {
  TensorForm form = TensorForm::same;
  std::vector<std::string> tensors; // names in the container
  int64_t index = 0, count = 0;
  llvm::SmallVector<int64_t> rows;
};

class TensorNames {
public:
  virtual ~TensorNames() = default;
  /// Nothing where the container has no such tensor.
  virtual std::optional<TensorPlace> find(llvm::StringRef name) const = 0;
};

} // namespace xfmr
