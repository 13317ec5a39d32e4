// What every family's importer builds with: ops of the dialect over named tensors of a checkpoint.
// It checks each tensor against the shape the configuration implies, remembers which were used, and
// at the end refuses tensors that had no place. Low-rank adapters appear here as branches beside the
// linear layers they belong to, so importers need not know about them.
#pragma once
#include "dialect/Xfmr.h"
#include "import/Adapter.h"
#include "import/TensorNames.h"
#include "runtime/artifact/Status.h"
#include "weights/WeightSource.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringSet.h"

namespace xfmr {

/// The low-rank branch of an adapter beside one module, as weights.
struct AdapterBranch {
  mlir::Value a, b, bias; // [r, in], [out, r], [out] or null
  double scale = 1.0;
};

class ModelBuilder {
public:
  /// `checkpoint` may have no weights (a configuration alone): then every tensor exists and has
  /// `defaultElement` type. `adapter` may be null. Both must outlive the builder.
  ModelBuilder(mlir::MLIRContext &context, const WeightSource &checkpoint, Adapter *adapter,
               mlir::Type defaultElement);
  ~ModelBuilder();

  // The first error sticks; values returned after it have the right type and no meaning.
  const Status &status() const { return status_; }
  bool failed() const { return status_.failed(); }
  void refuse(const std::string &what);
  void warn(const std::string &what);

  /// While it lives, ops carry the name of this module as their location: diagnostics then name layer and part.
  class At {
  public:
    At(ModelBuilder &m, llvm::StringRef module)
        : m_(m), outer_(m.loc_) {
      m.loc_ = mlir::NameLoc::get(m.builder_.getStringAttr(module));
    }
    ~At() { m_.loc_ = outer_; }
    At(const At &) = delete;
    At &operator=(const At &) = delete;

  private:
    ModelBuilder &m_;
    mlir::Location outer_;
  };

  // ---- Frame ----------------------------------------------------------------------------------
  /// Opens the model; everything after it is inside.
  void begin(llvm::StringRef name, ConfigAttr config, int64_t outputWidth,
             mlir::DictionaryAttr sources, bool source = false);
  /// The token ids, [T]; with a source those of the decoder.
  mlir::Value tokens();
  /// The ids of the source, [S]; null where begin() was not told of one.
  mlir::Value source();
  /// One block around `body`, which maps activations to activations of the same type.
  /// `module` is its name in the checkpoint.
  mlir::Value block(int64_t layer, llvm::StringRef module, mlir::Value input,
                    llvm::function_ref<mlir::Value(mlir::Value)> body);
  /// The same with the rows of a source as a second input; null for none.
  mlir::Value block(int64_t layer, llvm::StringRef module, mlir::Value input, mlir::Value memory,
                    llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> body);
  /// Ends the model with its output and checks that every tensor of checkpoint and adapter was used.
  mlir::OwningOpRef<mlir::ModuleOp> finish(mlir::Value output);

  /// The checkpoint is that of a multimodal model around this one: names may have a prefix more, and tensors outside the
  /// text model have no place here.
  void beInsideWrapper();

  /// The checkpoint has names of its own, which must outlive the builder.
  void translateBy(const TensorNames &names) { names_ = &names; }

  // ---- Weights --------------------------------------------------------------------------------
  /// False for a configuration alone.
  bool hasWeights() const { return checkpoint_.hasWeights(); }
  bool hasTensor(const std::string &name) const;
  /// Stored as codes by another program, always [.., out, in]; so is everything in a container with names of its own.
  bool isPacked(const std::string &name) const;
  /// The shape of a tensor of the checkpoint, if it is there and there is one.
  std::optional<std::vector<int64_t>> storedShape(const std::string &name) const;
  /// A tensor of the checkpoint with the shape it must have.
  mlir::Value weight(const std::string &name, llvm::ArrayRef<int64_t> shape);
  /// The tensor [COUNT, SHAPE] of which the container has NAME as the first entry; null where it has none.
  mlir::Value wholeStack(const std::string &name, int64_t count, llvm::ArrayRef<int64_t> shape);
  /// The same stored with its last two axes exchanged: a tensor [.., in, out] as [.., out, in].
  mlir::Value transposedWeight(const std::string &name, llvm::ArrayRef<int64_t> storedShape);
  /// Rows of a stored matrix, with a warning where `key` of the configuration says otherwise (`configured`). That is
  /// the answer where the tensor is missing or no matrix.
  int64_t storedRows(const std::string &name, const std::string &key, int64_t configured);
  /// Tensors that may be there without a use (buffers, other heads).
  void ignoreWhere(std::function<bool(llvm::StringRef)> predicate);
  /// Tensors of this layer may be there without a use (a head that predicts further tokens).
  void ignoreLayer(int64_t layer);
  /// A head tied to the embedding may still be stored. True, with a warning, if it differs from `original`.
  bool hasOwnHead(const std::string &name, const std::string &original);
  /// MODULE.weight [out, in] with the adapter's branch added to it: for weights whose rows or columns the importer puts
  /// into another order, where a branch beside the layer would have the wrong one.
  mlir::Value adaptedWeight(const std::string &module, llvm::ArrayRef<int64_t> shape);

  // ---- Layers ---------------------------------------------------------------------------------
  /// MODULE.weight [out, in] and, if asked, MODULE.bias [out]; plus the adapter's branch.
  mlir::Value linear(mlir::Value x, const std::string &module, int64_t out, bool bias = false);
  /// The same over a weight stored [in, out] (GPT-2's Conv1D).
  mlir::Value linearTransposed(mlir::Value x, const std::string &module, int64_t out, bool bias);
  /// A linear layer over a given weight plus the adapter's branch of `module`.
  mlir::Value linearWith(mlir::Value x, mlir::Value weight, const std::string &module);
  /// A linear layer over a given weight; no adapter.
  mlir::Value linearOver(mlir::Value x, mlir::Value weight, mlir::Value bias = {});
  /// The adapter's branch for a module, shapes checked, or nothing. For importers that place it
  /// themselves (experts); linear() does it alone.
  std::optional<AdapterBranch> adapterBranch(const std::string &module, int64_t in, int64_t out);
  /// MODULE.weight [rows, width]; `positions` [P, width] may be null.
  mlir::Value embedding(const std::string &module, int64_t rows, int64_t width,
                        mlir::Value positions = {});
  /// The same of other ids than tokens().
  mlir::Value embeddingOf(mlir::Value ids, const std::string &module, int64_t rows, int64_t width,
                          mlir::Value positions = {});
  /// MODULE.weight [width]; the last axis of x is a multiple of it.
  mlir::Value rmsNorm(mlir::Value x, const std::string &module, int64_t width, double eps,
                      bool unitOffset = false);
  /// MODULE.weight and, if asked, MODULE.bias, as wide as x.
  mlir::Value layerNorm(mlir::Value x, const std::string &module, double eps, bool bias = true);

  // ---- Arithmetic -----------------------------------------------------------------------------
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  /// Each row of x times one number, factor [T, 1].
  mlir::Value rowScale(mlir::Value x, mlir::Value factor);
  /// x itself when the factor is 1.
  mlir::Value scale(mlir::Value x, double factor);
  mlir::Value softcap(mlir::Value x, double cap);
  mlir::Value clamp(mlir::Value x, double limit);
  mlir::Value activation(ActivationKind kind, mlir::Value x);
  llvm::SmallVector<mlir::Value> split(mlir::Value x, llvm::ArrayRef<int64_t> widths);

  mlir::OpBuilder &ops() { return builder_; }
  mlir::Location loc() const { return loc_; }
  /// tensor<?xWIDTHxf32>.
  mlir::RankedTensorType activationType(int64_t width) const;
  static int64_t widthOf(mlir::Value x);
  Adapter *adapter() const { return adapter_; }

private:
  /// A tensor by its full name, by the one it has where the inner model was saved alone, without "model." in front, or by
  /// the one inside a wrapper.
  const TensorView *find(llvm::StringRef name) const;
  /// A tensor by the name it has in the checkpoint.
  mlir::Value storedWeight(const std::string &name, const TensorView *tensor, llvm::ArrayRef<int64_t> shape);
  mlir::Value storedWeight(const std::string &name, llvm::ArrayRef<int64_t> shape);
  /// What the container's tensors make of `name`.
  mlir::Value translatedWeight(const std::string &name, const TensorPlace &place, llvm::ArrayRef<int64_t> shape);
  mlir::Value keyValueWeight(const TensorPlace &place, llvm::ArrayRef<int64_t> shape);
  mlir::Value adapterWeight(const AdapterTensor &tensor);
  mlir::Value withAdapter(mlir::Value y, mlir::Value x, const std::string &module, int64_t in,
                          int64_t out);
  void checkUnused();

  const WeightSource &checkpoint_;
  Adapter *adapter_;
  const TensorNames *names_ = nullptr;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  mlir::Type defaultElement_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  ModelOp model_;
  Status status_ = Status::success();
  bool insideWrapper_ = false;
  llvm::StringSet<> used_;
  std::vector<std::function<bool(llvm::StringRef)>> ignored_;
};

} // namespace xfmr
