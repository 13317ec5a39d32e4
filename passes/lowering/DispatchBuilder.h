// What select-kernels builds with: views of activations inside buffers, packed weights, kernels, dispatches.
// It holds the buffer conventions of docs/Architecture.md and knows nothing about particular ops.
#pragma once
#include "dialect/kernels/AttributeOf.h"
#include "weights/Encoding.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace xfmr {

/// Where the rows of an activation lie: column c of row t is float rows.offset + t * rows.stride + c of `buffer`.
struct View {
  mlir::Value buffer;
  codegen::Rows rows;
  int64_t width = 0;

  bool isWholeBuffer() const { return rows.offset == 0; }
};

/// Program-level tables shared by all phases: each weight is packed once, each kernel named once.
class ProgramTables {
public:
  /// `bindingBytes`: the most bytes of a weight that one binding holds. `rowCodes`: products of codes may read rows of codes.
  ProgramTables(ProgramOp program, int64_t bindingBytes, bool rowCodes = true)
      : program(program), bindingBytes(bindingBytes), rowCodes(rowCodes) {}

  /// Symbol of the packed form of a weight expression: matrices keep their element type, vectors become f32.
  /// Equal expressions share one symbol.
  llvm::StringRef pack(mlir::Value expression, WeightLayout layout);
  /// Type of a packed weight: the shape of its encoding (weights/Encoding.h).
  static mlir::MemRefType packedType(mlir::Value expression, WeightLayout layout);
  bool onCpu() { return !program.targetOrPortable().isVulkan(); }
  /// Matrices of products lie in panels on the CPU, quantised ones everywhere.
  WeightLayout layout() { return onCpu() ? WeightLayout::panels : WeightLayout::rows; }
  /// Symbol of the cos/sin table a rope needs.
  llvm::StringRef ropeTable(RopeOp rope);
  /// Symbol of the table whose column 0 is what a position_scale multiplies by; it has paddedWidth(kGrowthColumns) columns.
  llvm::StringRef growthTable(PositionScaleOp op);
  static constexpr int64_t kGrowthColumns = 2; // a cosine and a sine: no table is narrower
  /// Declares a buffer if no other phase did.
  void buffer(llvm::StringRef name, BufferKind kind, int64_t bytes);
  /// Declares the buffer of a probe's rows, as many as a phase has, if no other phase did.
  void probe(llvm::StringRef name, int64_t columns);
  /// Records mixture number `index` of the model and returns where its statistics lie, in bytes.
  int64_t moeLayer(uint32_t index, int64_t layer, uint32_t experts);
  /// Symbol of the executable of a kernel, on the CPU of a kernel and its params.
  llvm::StringRef executable(KernelAttrInterface kernel, KernelParamsAttrInterface params);

  ProgramOp program;
  const int64_t bindingBytes;
  const bool rowCodes;

  /// Symbol of the table of these rotations, or of a growth.
  llvm::StringRef positionTable(mlir::Location loc, int64_t rotaryDim, mlir::FloatAttr theta, mlir::Attribute scaling);

private:
  mlir::OpBuilder atEnd();

  llvm::StringMap<std::string> packed;     // printed expression -> symbol
  llvm::StringMap<std::string> ropeTables; // printed parameters -> symbol
  llvm::StringMap<std::string> symbols;    // symbols in use
  llvm::StringMap<unsigned> kernels;       // on the CPU: how many executables a kernel has
  llvm::SmallVector<MoeLayerOp> moeLayers;
  int64_t statsBytes = 0;
};

class DispatchBuilder {
public:
  using NamedBuffer = std::pair<llvm::StringRef, mlir::Value>;

  /// Appends to `block`, whose phase computes `rows` rows.
  DispatchBuilder(mlir::OpBuilder &builder, ProgramTables &tables, PhaseKind kind, int64_t rows)
      : loc(builder.getUnknownLoc()), builder(builder), tables(tables), kind(kind), rows(rows) {}

  /// The view of a value already lowered. Emits an error at its op when it has none.
  mlir::FailureOr<View> view(mlir::Value value);
  void setView(mlir::Value value, View view) { views[value] = view; }
  bool hasView(mlir::Value value) const { return views.count(value); }
  /// Where `value` is to be written: its destination if one was set, else a fresh temporary.
  View result(mlir::Value value);
  /// Makes `value` land in a named buffer instead of a temporary.
  void setDestination(mlir::Value value, View destination) { destinations[value] = destination; }

  /// A temporary of [rows, width] floats; `apart`: on the CPU with rows at the distance that its products like
  /// (codegen::rowStride), else paddedWidth(width) apart.
  View temporary(int64_t rowCount, int64_t width, bool apart = true);
  /// A flat temporary of `count` 32-bit elements.
  mlir::Value scratch(int64_t count, mlir::Type elementType);
  mlir::Value named(llvm::StringRef buffer, mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                    int64_t offset = 0);
  /// The packed form of a weight expression; `firstRow` and `rowCount` choose a part of a matrix.
  mlir::Value weight(mlir::Value expression);
  /// A matrix that no product takes, biases of experts, row by row on every target.
  mlir::Value weightAsRows(mlir::Value expression);
  mlir::Value weightRows(mlir::Value expression, int64_t firstRow, int64_t rowCount);
  /// Rows of a weight that one binding may hold, a multiple of 64.
  int64_t rowsPerBinding(mlir::Value expression) const;
  mlir::Value state();
  /// Rows of `x` as codes for products with a quantised weight (passes/codegen/RowCodes.h), made once for all whose weights need
  /// the same sums.
  mlir::Value codesOf(const View &x, int64_t columns, codegen::WeightType weight, int64_t rowsAToken = 1);
  /// Whether a product reads codes of its rows: Vulkan multiplies floats.
  bool readsCodes(codegen::WeightType weight, uint32_t columns) const {
    return tables.rowCodes && tables.onCpu() && codegen::codesPay(weight, columns);
  }

  /// The same for rows as pairs of bf16 (passes/codegen/RowPairs.h).
  mlir::Value pairsOf(const View &x, int64_t columns, int64_t rowsAToken = 1);
  /// Whether a product of several rows with `outputs` reads pairs of them: where a level of the target multiplies them. Of a mixture
  /// a row goes to `experts`.
  bool readsPairs(codegen::WeightType weight, int64_t outputs, int64_t columns, int64_t experts = 1) const;

  /// Appends a dispatch; `buffers` are given by the names of spec.bindings() ("state" is added).
  template <class Spec, class Params>
  void dispatch(const Spec &spec, const Params &params, llvm::ArrayRef<NamedBuffer> buffers) {
    append(attributeOf(builder.getContext(), spec), attributeOf(builder.getContext(), params), buffers);
  }

  /// The same with a grid that the device reads from three u32 at byte `offset` of `arguments`.
  template <class Spec, class Params>
  void dispatchIndirect(const Spec &spec, const Params &params, llvm::ArrayRef<NamedBuffer> buffers,
                        mlir::Value arguments, int64_t offset) {
    append(attributeOf(builder.getContext(), spec), attributeOf(builder.getContext(), params), buffers, arguments,
           offset);
  }

  /// Prefix of the labels that follow, e.g. "block 3 ".
  void setScope(std::string text) { scope = std::move(text); }
  void setLabel(llvm::StringRef text) { label = text.str(); }
  mlir::Location loc;

  mlir::OpBuilder &builder;
  ProgramTables &tables;
  const PhaseKind kind;
  const int64_t rows;
  int64_t numDispatches = 0;
  bool isBroken = false; // a dispatch was refused, with an error

private:
  void append(KernelAttrInterface kernel, KernelParamsAttrInterface params, llvm::ArrayRef<NamedBuffer> buffers,
              mlir::Value indirect = {}, int64_t indirectOffset = 0);
  mlir::Value packed(mlir::Value expression, WeightLayout layout);
  /// The buffer with the rows of `x` in another form, `words` of a row and `rowsBehind` rows of room behind the last; made by a dispatch
  /// with the label `what`, once for all readers.
  template <class Spec, class Params>
  mlir::Value formOf(const Spec &spec, const View &x, int64_t columns, int64_t rowsAToken, int64_t words, int64_t rowsBehind,
                     llvm::StringRef binding, llvm::StringRef what);

  llvm::DenseMap<mlir::Value, View> views, destinations;
  /// Rows in another form, by buffer, offset, stride and the kernel that made them.
  std::map<std::tuple<void *, uint32_t, uint32_t, std::string>, mlir::Value> forms;
  std::string scope, label;
};

/// The weight type of a matrix expression as kernels name it.
codegen::WeightType weightTypeOf(mlir::Value expression);
/// Equal for equal expressions.
std::string expressionKey(mlir::Value expression);
/// How the value of a weight expression is stored; quantised matrices in panels on every target.
Encoding encodingOf(mlir::Value expression, WeightLayout layout = WeightLayout::rows);

} // namespace xfmr
