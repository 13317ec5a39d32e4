// The products whose matrices a quantising pass rounds, and the names they are chosen by.
#pragma once

#include "dialect/Xfmr.h"

namespace xfmr {

/// One matrix where a product reads it: of a linear or GLU, in a block, or in the expert region of a mixture.
struct QuantSite {
  mlir::OpOperand *weight;
  MoeOp mixture;    // whose expert region the product is in, or null
  std::string name; // of its first tensor

  mlir::Operation *op() const { return weight->getOwner(); }
  mlir::Value value() const { return weight->get(); }
  mlir::Value input() const { return op()->getOperand(0); }
  mlir::Value bias() const;
};

/// Patterns of tensor names.
class NameFilter {
public:
  static mlir::FailureOr<NameFilter> make(ModelOp model, llvm::ArrayRef<std::string> include,
                                          llvm::ArrayRef<std::string> exclude);
  bool accepts(mlir::Value weight) const;

private:
  std::vector<std::string> include_, exclude_;
};

/// Names of the tensors that an expression is made of, the first one first; through arguments of expert regions.
llvm::SmallVector<std::string> tensorNamesOf(mlir::Value weight);

/// The matrices of a block, in program order: of more than one row, not quantised yet, and accepted. What cannot be rounded
/// in place (an expert's matrix that is an expression over slices) is reported with a remark.
llvm::SmallVector<QuantSite> findSites(BlockOp block, const NameFilter &filter);

/// What is asked for: codes and groups of which the last of a row may be shorter, or a form of GGUF, whose rows are whole blocks.
struct AskedScheme {
  QuantScheme scheme;
  bool blocks = false;

  /// What rows of so many columns become: of a form that they do not fill, the one that llama.cpp's quantiser takes instead, or
  /// nothing.
  std::optional<QuantScheme> of(int64_t columns) const;
};

/// A scheme by its words. Errors are emitted at the model.
mlir::FailureOr<AskedScheme> parseScheme(ModelOp model, const std::string &name, int64_t group,
                                         const std::string &scale);
/// Of a matrix; a remark says so where it stays as it is.
std::optional<QuantScheme> schemeFor(const AskedScheme &asked, mlir::Operation *op, mlir::Value weight);
/// "int4 group 32", "q4_k".
std::string describe(const QuantScheme &scheme);

} // namespace xfmr
