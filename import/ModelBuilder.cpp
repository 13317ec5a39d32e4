// See ModelBuilder.h.
#include "import/ModelBuilder.h"
#include "weights/Diagnostics.h"
#include "weights/Conversion.h"
#include "weights/Expressions.h"
#include "weights/GgufBlocks.h"
#include "weights/PackedRows.h"
#include "mlir/IR/Verifier.h"
#include <cstring>

using namespace mlir;

namespace xfmr {

// What the names of tensors begin with, but where the inner model was saved alone.
static constexpr StringLiteral kRoots[] = {"model.", "gpt_neox."};
// What they begin with in multimodal checkpoints, before the whole name and in place of "model.".
static constexpr StringLiteral kWrapperPrefix = "language_model.";
static constexpr StringLiteral kWrapperRoots[] = {"model.language_model.", "model.text_model.", "language_model."};

ModelBuilder::ModelBuilder(MLIRContext &context, const WeightSource &checkpoint, Adapter *adapter,
                           Type defaultElement)
    : checkpoint_(checkpoint), adapter_(adapter), builder_(&context),
      loc_(UnknownLoc::get(&context)), defaultElement_(defaultElement) {
  ignoreWhere([](StringRef name) { return name.ends_with("rotary_emb.inv_freq"); });
}

ModelBuilder::~ModelBuilder() = default;

void ModelBuilder::refuse(const std::string &what) {
  if (status_.ok())
    status_ = Status::error(what);
}

// ---- Frame ------------------------------------------------------------------------------------

void ModelBuilder::begin(StringRef name, ConfigAttr config, int64_t outputWidth,
                         DictionaryAttr sources, bool source) {
  module_ = ModuleOp::create(loc_);
  builder_.setInsertionPointToEnd(module_->getBody());
  model_ = ModelOp::create(builder_, loc_, builder_.getStringAttr(name),
                           TypeAttr::get(activationType(outputWidth)), config, sources);
  Block *body = builder_.createBlock(&model_.getBody());
  for (int i = 0; i < (source ? 2 : 1); ++i)
    body->addArgument(RankedTensorType::get({ShapedType::kDynamic}, builder_.getI32Type()), loc_);
}

Value ModelBuilder::tokens() { return model_.getTokens(); }
Value ModelBuilder::source() { return model_.getSource(); }

Value ModelBuilder::block(int64_t layer, StringRef module, Value input, llvm::function_ref<Value(Value)> body) {
  return block(layer, module, input, Value(), [&](Value h, Value) { return body(h); });
}

Value ModelBuilder::block(int64_t layer, StringRef module, Value input, Value memory,
                          llvm::function_ref<Value(Value, Value)> body) {
  At at(*this, module);
  SmallVector<Value> inputs = {input};
  if (memory)
    inputs.push_back(memory);
  auto block = BlockOp::create(builder_, loc_, TypeRange{input.getType()}, builder_.getI64IntegerAttr(layer), inputs);
  OpBuilder::InsertionGuard guard(builder_);
  Block *entry = builder_.createBlock(&block.getBody());
  Value h = entry->addArgument(input.getType(), loc_);
  Value m = memory ? entry->addArgument(memory.getType(), loc_) : Value();
  YieldOp::create(builder_, loc_, ValueRange{body(h, m)});
  return block.getResult(0);
}

OwningOpRef<ModuleOp> ModelBuilder::finish(Value output) {
  YieldOp::create(builder_, loc_, ValueRange{output});
  checkUnused();
  CollectedErrors errors(builder_.getContext());
  if (status_.ok() && mlir::failed(verify(*module_)))
    status_ = errors.status();
  if (status_.failed())
    return {};
  return std::move(module_);
}

void ModelBuilder::checkUnused() {
  checkpoint_.forEach([&](const TensorView &tensor) {
    if (used_.contains(tensor.name))
      return;
    for (const auto &ignored : ignored_)
      if (ignored(tensor.name) || (!insideWrapper_ && ignored(kRoots[0].str() + tensor.name)))
        return;
    refuse("tensor \"" + tensor.name + "\" " + shapeText(tensor.shape) + " in \"" +
           checkpoint_.fileOf(tensor) + "\" has no place in a model of this configuration");
  });
  if (!adapter_)
    return;
  if (std::string unused = adapter_->firstUnused(); !unused.empty())
    refuse("adapter \"" + adapter_->path() + "\": module \"" + unused +
           "\" is no linear layer or embedding of the base model");
}

void ModelBuilder::warn(const std::string &what) { emitWarning(loc_) << what; }

// ---- Weights ----------------------------------------------------------------------------------

void ModelBuilder::ignoreWhere(std::function<bool(StringRef)> predicate) {
  ignored_.push_back(std::move(predicate));
}

void ModelBuilder::ignoreLayer(int64_t layer) {
  ignoreWhere([prefix = "model.layers." + std::to_string(layer) + "."](StringRef name) {
    return name.starts_with(prefix);
  });
}

bool ModelBuilder::hasTensor(const std::string &name) const {
  if (names_ && !checkpoint_.hasWeights())
    return names_->find(name).has_value();
  return !checkpoint_.hasWeights() || find(name);
}

bool ModelBuilder::isPacked(const std::string &name) const {
  const TensorView *tensor = find(name);
  return names_ || (tensor && tensor->packed);
}

const TensorView *ModelBuilder::find(StringRef name) const {
  if (names_) {
    std::optional<TensorPlace> place = names_->find(name);
    return place ? checkpoint_.find(place->tensors.front()) : nullptr;
  }
  if (const TensorView *tensor = checkpoint_.find(name))
    return tensor;
  if (insideWrapper_) {
    if (const TensorView *tensor = checkpoint_.find(kWrapperPrefix.str() + name.str()))
      return tensor;
    for (StringRef root : kWrapperRoots)
      if (name.starts_with(kRoots[0]))
        if (const TensorView *tensor = checkpoint_.find(root.str() + name.drop_front(kRoots[0].size()).str()))
          return tensor;
  }
  for (StringRef root : kRoots)
    if (name.starts_with(root))
      return checkpoint_.find(name.drop_front(root.size()));
  return nullptr;
}

void ModelBuilder::beInsideWrapper() {
  insideWrapper_ = true;
  ignoreWhere([](StringRef name) {
    static constexpr StringLiteral text[] = {"model.layers.", "model.embed_tokens.", "model.norm.", "lm_head."};
    return !name.starts_with(kWrapperPrefix) && !name.starts_with(kWrapperRoots[0]) && !name.starts_with(kWrapperRoots[1]) &&
           llvm::none_of(text, [&](StringRef part) { return name.starts_with(part); });
  });
}

std::optional<std::vector<int64_t>> ModelBuilder::storedShape(const std::string &name) const {
  const TensorView *tensor = names_ ? nullptr : find(name);
  return tensor ? std::optional<std::vector<int64_t>>(tensor->shape) : std::nullopt;
}

static Type elementType(MLIRContext *context, DType dtype) {
  if (dtype == DType::f16)
    return Float16Type::get(context);
  if (dtype == DType::bf16)
    return BFloat16Type::get(context);
  return Float32Type::get(context);
}

Value ModelBuilder::weight(const std::string &name, ArrayRef<int64_t> shape) {
  At at(*this, StringRef(name).rsplit('.').first); // "q_proj.weight" belongs to q_proj
  if (!names_)
    return storedWeight(name, find(name), shape);
  if (std::optional<TensorPlace> place = names_->find(name))
    return translatedWeight(name, *place, shape);
  refuse("tensor \"" + name + "\" has no place in a file of this architecture"); // untested: tables hold what importers ask for
  return storedWeight(name, nullptr, shape);
}

Value ModelBuilder::storedWeight(const std::string &name, ArrayRef<int64_t> shape) {
  return storedWeight(name, checkpoint_.find(name), shape);
}

Value ModelBuilder::storedWeight(const std::string &name, const TensorView *tensor, ArrayRef<int64_t> shape) {
  const std::vector<int64_t> expected(shape.begin(), shape.end());
  uint64_t bytes = 0;
  if (!tensorByteSize(DType::f64, expected, bytes) || bytes > (uint64_t(1) << 50))
    refuse("tensor \"" + name + "\" of \"" + checkpoint_.path() + "\": shape " + shapeText(expected) +
           " is too large, expected at most 2^50 bytes in f64");
  Type element = defaultElement_;
  std::string stored = name;
  if (checkpoint_.hasWeights()) {
    if (tensor) {
      used_.insert(tensor->name);
      stored = tensor->name;
      const std::string where = "tensor \"" + stored + "\" in \"" + checkpoint_.fileOf(*tensor) + "\"";
      if (tensor->shape != expected)
        refuse(where + ": found shape " + shapeText(tensor->shape) + ", expected " +
               shapeText(expected));
      if (tensor->blocks && shape.size() < 2)
        refuse(where + ": found a vector of type " + ggufTypeName(tensor->blocks) + ", expected F32, F16 or BF16");
      if (!tensor->blocks && !tensor->packed && !isWeightDType(tensor->dtype))
        refuse(where + ": found dtype " + std::string(dtypeName(tensor->dtype)) +
               ", expected F32, F16 or BF16");
      std::optional<QuantScheme> packed = tensor->packed ? packedScheme(*tensor->packed) : std::nullopt;
      element = tensor->packed ? (packed ? Type(QuantType::get(builder_.getContext(), *packed)) : Type(builder_.getF32Type()))
                : tensor->blocks && shape.size() > 1
                    ? Type(QuantType::get(builder_.getContext(), *ggufScheme(tensor->blocks)))
                    : elementType(builder_.getContext(), tensor->dtype);
    } else {
      refuse("tensor \"" + name + "\" is missing from \"" + checkpoint_.path() +
             "\", expected shape " + shapeText(expected));
    }
  }
  return WeightOp::create(builder_, loc_, RankedTensorType::get(shape, element),
                          builder_.getStringAttr(stored), StringAttr());
}

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

Value ModelBuilder::translatedWeight(const std::string &name, const TensorPlace &place, ArrayRef<int64_t> shape) {
  const std::string &tensor = place.tensors.front();
  SmallVector<int64_t> stored(shape);
  switch (place.form) {
  case TensorForm::same: return storedWeight(tensor, shape);
  case TensorForm::vector: {
    Value vector = storedWeight(tensor, shape.drop_front());
    return WeightStackOp::create(builder_, loc_, RankedTensorType::get(shape, typeOf(vector).getElementType()), ValueRange{vector});
  }
  case TensorForm::transposed: {
    std::swap(stored[stored.size() - 2], stored[stored.size() - 1]);
    Value turned = numbersOf(builder_, loc_, storedWeight(tensor, stored));
    return WeightTransposeOp::create(builder_, loc_, RankedTensorType::get(shape, typeOf(turned).getElementType()), turned);
  }
  case TensorForm::rows:
    if (static_cast<int64_t>(place.rows.size()) != shape.front()) {
      refuse("tensor \"" + tensor + "\" has no rows for the shape " + shapeText(std::vector<int64_t>(shape)));
      return storedWeight(tensor, shape);
    }
    return gatherWeight(builder_, loc_, storedWeight(tensor, shape), 0, place.rows);
  case TensorForm::entry: {
    stored.insert(stored.begin(), place.count);
    Value stack = storedWeight(tensor, stored);
    return WeightSelectOp::create(builder_, loc_, RankedTensorType::get(shape, typeOf(stack).getElementType()), stack,
                                  builder_.getI64IntegerAttr(place.index));
  }
  case TensorForm::halves:
  case TensorForm::alternating: {
    stored[1] /= 2;
    Value parts[] = {storedWeight(tensor, stored), storedWeight(place.tensors.back(), stored)};
    if (parts[0].getType() != parts[1].getType())
      refuse("tensors \"" + tensor + "\" and \"" + place.tensors.back() + "\" have different types, expected one");
    auto type = RankedTensorType::get(shape, typeOf(parts[0]).getElementType());
    Value whole = WeightConcatOp::create(builder_, loc_, type, ValueRange(parts), builder_.getI64IntegerAttr(1));
    return place.form == TensorForm::halves ? whole : WeightInterleaveOp::create(builder_, loc_, type, whole, 1).getResult();
  }
  case TensorForm::keyValue: return keyValueWeight(place, shape);
  }
  llvm_unreachable("a form of TensorForm");
}

/// Of each head the rows of keys, stored as columns, then those of values.
Value ModelBuilder::keyValueWeight(const TensorPlace &place, ArrayRef<int64_t> shape) {
  const int64_t heads = place.count, keys = place.index, values = shape[0] / heads - keys, rank = shape[1];
  Value k = numbersOf(builder_, loc_, storedWeight(place.tensors.front(), {heads, rank, keys}));
  Value v = numbersOf(builder_, loc_, storedWeight(place.tensors.back(), {heads, values, rank}));
  Type element = typeOf(k).getElementType();
  if (typeOf(v).getElementType() != element)
    v = WeightCastOp::create(builder_, loc_, typeOf(v).clone(element), v);
  SmallVector<Value> parts;
  for (int64_t head = 0; head < heads; ++head) {
    IntegerAttr index = builder_.getI64IntegerAttr(head);
    Value columns = WeightSelectOp::create(builder_, loc_, RankedTensorType::get({rank, keys}, element), k, index);
    parts.push_back(WeightTransposeOp::create(builder_, loc_, RankedTensorType::get({keys, rank}, element), columns));
    parts.push_back(WeightSelectOp::create(builder_, loc_, RankedTensorType::get({values, rank}, element), v, index));
  }
  return WeightConcatOp::create(builder_, loc_, RankedTensorType::get(shape, element), parts, builder_.getI64IntegerAttr(0));
}

Value ModelBuilder::wholeStack(const std::string &name, int64_t count, ArrayRef<int64_t> shape) {
  std::optional<TensorPlace> place = names_ ? names_->find(name) : std::nullopt;
  if (!place || place->form != TensorForm::entry || place->count != count)
    return {};
  SmallVector<int64_t> whole(shape);
  whole.insert(whole.begin(), count);
  At at(*this, StringRef(name).rsplit('.').first);
  return storedWeight(place->tensors.front(), whole);
}

Value ModelBuilder::transposedWeight(const std::string &name, ArrayRef<int64_t> storedShape) {
  SmallVector<int64_t> shape(storedShape);
  std::swap(shape[shape.size() - 2], shape[shape.size() - 1]);
  if (std::optional<TensorPlace> place = names_ ? names_->find(name) : std::nullopt;
      place && place->form == TensorForm::transposed) {
    At at(*this, StringRef(name).rsplit('.').first);
    return storedWeight(place->tensors.front(), shape); // codes stay codes
  }
  Value stored = numbersOf(builder_, loc_, weight(name, storedShape));
  Type element = cast<RankedTensorType>(stored.getType()).getElementType();
  return WeightTransposeOp::create(builder_, loc_, RankedTensorType::get(shape, element), stored);
}

int64_t ModelBuilder::storedRows(const std::string &name, const std::string &key, int64_t configured) {
  const TensorView *tensor = find(name);
  if (!tensor || tensor->shape.size() != 2 || tensor->shape[0] == configured)
    return configured;
  warn("tensor \"" + tensor->name + "\" in \"" + checkpoint_.fileOf(*tensor) + "\" has " +
       std::to_string(tensor->shape[0]) + " rows where \"" + key + "\" of the configuration says " +
       std::to_string(configured) + "; the tensor decides");
  return tensor->shape[0];
}

bool ModelBuilder::hasOwnHead(const std::string &name, const std::string &original) {
  const TensorView *copy = find(name), *first = find(original);
  if (!copy)
    return false;
  used_.insert(copy->name);
  if (!first || (copy->byteSize == first->byteSize && std::memcmp(copy->data, first->data, copy->byteSize) == 0))
    return false;
  warn("tensor \"" + copy->name + "\" differs from \"" + first->name +
       "\", to which the configuration ties it (tie_word_embeddings); the stored head is used");
  return true;
}

Value ModelBuilder::adaptedWeight(const std::string &module, ArrayRef<int64_t> shape) {
  At at(*this, module);
  Value plain = weight(module + ".weight", shape);
  std::optional<AdapterBranch> branch = adapterBranch(module, shape[1], shape[0]);
  if (!branch)
    return plain;
  if (branch->bias)
    refuse("adapter of \"" + module + "\": a bias on this module cannot be imported");
  plain = numbersOf(builder_, loc_, plain);
  return WeightAddLowrankOp::create(builder_, loc_, plain.getType(), plain, branch->b, branch->a,
                                    builder_.getF64FloatAttr(branch->scale));
}

Value ModelBuilder::adapterWeight(const AdapterTensor &tensor) {
  return WeightOp::create(
      builder_, loc_,
      RankedTensorType::get(tensor.view->shape,
                            elementType(builder_.getContext(), tensor.view->dtype)),
      builder_.getStringAttr(tensor.name), builder_.getStringAttr("adapter"));
}

// ---- Layers -----------------------------------------------------------------------------------

RankedTensorType ModelBuilder::activationType(int64_t width) const {
  return RankedTensorType::get({ShapedType::kDynamic, width},
                               Float32Type::get(builder_.getContext()));
}

int64_t ModelBuilder::widthOf(Value x) { return cast<RankedTensorType>(x.getType()).getDimSize(1); }

Value ModelBuilder::linearOver(Value x, Value weight, Value bias) {
  const int64_t out = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  return LinearOp::create(builder_, loc_, activationType(out), x, weight, bias);
}

Value ModelBuilder::linear(Value x, const std::string &module, int64_t out, bool bias) {
  At at(*this, module);
  Value w = weight(module + ".weight", {out, widthOf(x)});
  Value b = bias ? weight(module + ".bias", {out}) : Value();
  return withAdapter(linearOver(x, w, b), x, module, widthOf(x), out);
}

Value ModelBuilder::linearWith(Value x, Value weight, const std::string &module) {
  At at(*this, module);
  const int64_t out = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  return withAdapter(linearOver(x, weight), x, module, widthOf(x), out);
}

Value ModelBuilder::linearTransposed(Value x, const std::string &module, int64_t out, bool bias) {
  At at(*this, module);
  Value w = transposedWeight(module + ".weight", {widthOf(x), out});
  Value b = bias ? weight(module + ".bias", {out}) : Value();
  return withAdapter(linearOver(x, w, b), x, module, widthOf(x), out);
}

std::optional<AdapterBranch> ModelBuilder::adapterBranch(const std::string &module, int64_t in,
                                                         int64_t out) {
  At at(*this, module);
  const LowRank *lowRank = adapter_ ? adapter_->use(module) : nullptr;
  if (!lowRank)
    return std::nullopt;
  auto check = [&](const AdapterTensor &tensor, std::vector<int64_t> expected) {
    if (tensor && tensor.view->shape != expected)
      refuse("adapter \"" + adapter_->path() + "\": tensor \"" + tensor.name + "\": found shape " +
             shapeText(tensor.view->shape) + ", expected " + shapeText(expected));
    return status_.ok();
  };
  if (!check(lowRank->a, {lowRank->rank, in}) || !check(lowRank->b, {out, lowRank->rank}) ||
      !check(lowRank->bBias, {out}))
    return std::nullopt;
  AdapterBranch branch;
  branch.a = adapterWeight(lowRank->a);
  branch.b = adapterWeight(lowRank->b);
  if (lowRank->bBias)
    branch.bias = adapterWeight(lowRank->bBias);
  branch.scale = lowRank->scale;
  return branch;
}

/// y + scale * (B (A x) + bias), where the adapter has a branch for the module.
Value ModelBuilder::withAdapter(Value y, Value x, const std::string &module, int64_t in,
                                int64_t out) {
  std::optional<AdapterBranch> branch = adapterBranch(module, in, out);
  if (!branch)
    return y;
  Value narrow = linearOver(x, branch->a);
  return add(y, scale(linearOver(narrow, branch->b, branch->bias), branch->scale));
}

Value ModelBuilder::embedding(const std::string &module, int64_t rows, int64_t width,
                              Value positions) {
  return embeddingOf(tokens(), module, rows, width, positions);
}

Value ModelBuilder::embeddingOf(Value ids, const std::string &module, int64_t rows, int64_t width, Value positions) {
  At at(*this, module);
  Value table = weight(module + ".weight", {rows, width});
  Value x = EmbeddingOp::create(builder_, loc_, activationType(width), ids, table, positions,
                                Value());
  const LowRank *lowRank = adapter_ ? adapter_->use(module) : nullptr;
  if (!lowRank)
    return x;
  // Stored as A [r, rows], B [width, r]: the branch looks up a column of A.
  if (lowRank->a.view->shape != std::vector<int64_t>{lowRank->rank, rows} ||
      lowRank->b.view->shape != std::vector<int64_t>{width, lowRank->rank}) {
    refuse("adapter \"" + adapter_->path() + "\": module \"" + module + "\": found shapes " +
           shapeText(lowRank->a.view->shape) + " and " + shapeText(lowRank->b.view->shape) +
           ", expected [r, " + std::to_string(rows) + "] and [" + std::to_string(width) + ", r]");
    return x;
  }
  Value a = adapterWeight(lowRank->a);
  Type element = cast<RankedTensorType>(a.getType()).getElementType();
  Value columns = WeightTransposeOp::create(
      builder_, loc_, RankedTensorType::get({rows, lowRank->rank}, element), a);
  Value narrow = EmbeddingOp::create(builder_, loc_, activationType(lowRank->rank), ids,
                                     columns, Value(), Value());
  return add(x, scale(linearOver(narrow, adapterWeight(lowRank->b)), lowRank->scale));
}

Value ModelBuilder::rmsNorm(Value x, const std::string &module, int64_t width, double eps,
                            bool unitOffset) {
  At at(*this, module);
  return RmsNormOp::create(builder_, loc_, x.getType(), x, weight(module + ".weight", {width}),
                           builder_.getF64FloatAttr(eps),
                           unitOffset ? builder_.getUnitAttr() : UnitAttr());
}

Value ModelBuilder::layerNorm(Value x, const std::string &module, double eps, bool bias) {
  At at(*this, module);
  Value w = weight(module + ".weight", {widthOf(x)});
  Value b = bias ? weight(module + ".bias", {widthOf(x)}) : Value();
  return LayerNormOp::create(builder_, loc_, x.getType(), x, w, b, builder_.getF64FloatAttr(eps));
}

// ---- Arithmetic -------------------------------------------------------------------------------

Value ModelBuilder::add(Value a, Value b) {
  return AddOp::create(builder_, loc_, a.getType(), a, b);
}

Value ModelBuilder::mul(Value a, Value b) {
  return MulOp::create(builder_, loc_, a.getType(), a, b);
}

Value ModelBuilder::rowScale(Value x, Value factor) {
  return RowScaleOp::create(builder_, loc_, x.getType(), x, factor);
}

Value ModelBuilder::scale(Value x, double factor) {
  if (factor == 1.0)
    return x;
  return ScaleOp::create(builder_, loc_, x.getType(), x, builder_.getF64FloatAttr(factor));
}

Value ModelBuilder::softcap(Value x, double cap) {
  return SoftcapOp::create(builder_, loc_, x.getType(), x, builder_.getF64FloatAttr(cap));
}

Value ModelBuilder::clamp(Value x, double limit) {
  return ClampOp::create(builder_, loc_, x.getType(), x, builder_.getF64FloatAttr(limit));
}

Value ModelBuilder::activation(ActivationKind kind, Value x) {
  return ActivationOp::create(builder_, loc_, x.getType(), x, kind);
}

SmallVector<Value> ModelBuilder::split(Value x, ArrayRef<int64_t> widths) {
  SmallVector<Type> types;
  for (int64_t width : widths)
    types.push_back(activationType(width));
  return llvm::to_vector_of<Value>(SplitOp::create(builder_, loc_, types, x)->getResults());
}

} // namespace xfmr
