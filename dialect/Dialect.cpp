// Registration of the dialect and the verifiers of its attributes.
#include "dialect/AsmNames.h"
#include "dialect/Xfmr.h"
#include "dialect/kernels/Syntax.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace xfmr;

namespace xfmr {
// Parser of the f64 parameters of attributes; refuses what is not finite.
static FailureOr<APFloat> parseDouble(AsmParser &parser) {
  double value;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseFloat(value))
    return failure();
  if (!std::isfinite(value))
    return parser.emitError(loc, "expected a finite number"), failure();
  return APFloat(value);
}
} // namespace xfmr

#include "dialect/Dialect.cpp.inc"
#include "dialect/Enums.cpp.inc"
#include "dialect/OpInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/Types.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/Attributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialect/Ops.cpp.inc"

// MLIR calls the files of --mlir-print-ir-tree-dir after an op's symbol. A block has a number instead: where its symbol is asked
// for it answers with its layer, so that each block has its own file. Nothing is stored and nothing is printed.
struct NumberedBlock : BlockOp {
  using BlockOp::BlockOp;
  static std::optional<Attribute> getInherentAttr(MLIRContext *context, const Properties &properties, StringRef name) {
    if (name == SymbolTable::getSymbolAttrName())
      return StringAttr::get(context, Twine(properties.layer.getInt()));
    return BlockOp::getInherentAttr(context, properties, name);
  }
};

// It is a BlockOp to isa and cast.
template <> struct mlir::detail::TypeIDResolver<NumberedBlock> {
  static TypeID resolveTypeID() { return TypeID::get<BlockOp>(); }
};

template <typename Op> static void registerOp(XfmrDialect &dialect) {
  RegisteredOperationName::insert<std::conditional_t<std::is_same_v<Op, BlockOp>, NumberedBlock, Op>>(dialect);
}

template <typename... Ops> static void registerOps(XfmrDialect &dialect) { (registerOp<Ops>(dialect), ...); }

void XfmrDialect::initialize() {
  registerOps<
#define GET_OP_LIST
#include "dialect/Ops.cpp.inc"
      >(*this);
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/Attributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/Types.cpp.inc"
      >();
}

LogicalResult ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef architecture, int64_t hiddenSize, int64_t vocabSize,
                                 int64_t maxPosition, std::optional<int64_t> bosToken,
                                 DenseI64ArrayAttr eosTokens) {
  if (hiddenSize <= 0 || vocabSize <= 0 || maxPosition <= 0)
    return emitError() << "hidden_size, vocab_size and max_position must be positive, got "
                       << hiddenSize << ", " << vocabSize << " and " << maxPosition;
  auto inVocabulary = [&](int64_t id) { return id >= 0 && id < vocabSize; };
  if (bosToken && !inVocabulary(*bosToken))
    return emitError() << "bos_token " << *bosToken << " is outside the vocabulary of " << vocabSize;
  if (eosTokens)
    for (int64_t id : eosTokens.asArrayRef())
      if (!inVocabulary(id))
        return emitError() << "eos token " << id << " is outside the vocabulary of " << vocabSize;
  return success();
}
