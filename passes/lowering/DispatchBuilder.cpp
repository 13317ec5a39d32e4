// The buffer conventions in code: padded rows, packed weights named once, dispatches in binding order.
#include "passes/lowering/DispatchBuilder.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/Level.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

namespace {

// Prints an expression tree to a key: equal trees give equal keys.
void printExpression(Value value, raw_ostream &os) {
  Operation *op = value.getDefiningOp();
  os << op->getName() << op->getAttrDictionary() << value.getType() << '(';
  for (Value operand : op->getOperands())
    printExpression(operand, os);
  os << ')';
}

void collectNames(Value value, SmallVectorImpl<StringRef> &names) {
  Operation *op = value.getDefiningOp();
  if (auto weight = dyn_cast<WeightOp>(op))
    names.push_back(weight.getTensorName());
  for (Value operand : op->getOperands())
    collectNames(operand, names);
}

// "model.layers.0.mlp.gate_proj.weight+1": the first tensor and how many more take part.
std::string nameOf(Value value) {
  SmallVector<StringRef> names;
  collectNames(value, names);
  std::string name = names.empty() ? "weight" : names.front().str();
  return names.size() > 1 ? name + "+" + std::to_string(names.size() - 1) : name;
}

// Whether another block reads a value, or columns of it: where two engines share a model (runtime/divided) such rows go from one to the
// other, and lie alike in the programs of both targets.
bool leavesItsBlock(Value value) {
  auto region = value.getDefiningOp<FusedOp>();
  SmallVector<Value> left = {value};
  while (!left.empty())
    for (Operation *user : left.pop_back_val().getUsers()) {
      if (auto split = dyn_cast<SplitOp>(user))
        left.append(split.result_begin(), split.result_end());
      else if (auto reader = dyn_cast<FusedOp>(user); reader && region && reader.getLayer() != region.getLayer())
        return true;
    }
  return false;
}

Value cloneExpression(Value value, OpBuilder &builder, IRMapping &mapping) {
  if (mapping.contains(value))
    return mapping.lookup(value);
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneExpression(operand, builder, mapping);
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

} // namespace

OpBuilder ProgramTables::atEnd() {
  // Tables come before the phases: a reader meets names before their use.
  Block &body = program.getBody().front();
  for (Operation &op : body)
    if (isa<PhaseOp>(op))
      return OpBuilder(&op);
  return OpBuilder::atBlockEnd(&body);
}

MemRefType ProgramTables::packedType(Value expression, WeightLayout layout) {
  auto type = cast<RankedTensorType>(expression.getType());
  Encoding encoding = encodingOf(expression, layout);
  std::vector<uint64_t> stored = encoding.shape();
  SmallVector<int64_t> shape(stored.begin(), stored.end());
  if (encoding.scheme)
    return MemRefType::get(shape, IntegerType::get(type.getContext(), 8));
  return MemRefType::get(shape, encoding.vector ? Float32Type::get(type.getContext()) : type.getElementType());
}

StringRef ProgramTables::pack(Value expression, WeightLayout layout) {
  std::string key = expressionKey(expression) + (layout == WeightLayout::panels ? " panels" : "");
  std::string &symbol = packed[key];
  if (!symbol.empty())
    return symbol;
  std::string base = nameOf(expression);
  symbol = base;
  for (int i = 2; symbols.count(symbol); ++i)
    symbol = base + "#" + std::to_string(i);
  symbols[symbol] = key;

  OpBuilder builder = atEnd();
  auto op = PackedWeightOp::create(builder, expression.getLoc(), symbol, packedType(expression, layout));
  builder.createBlock(&op.getBody());
  IRMapping mapping;
  Value copy = cloneExpression(expression, builder, mapping);
  YieldOp::create(builder, expression.getLoc(), copy);
  return symbol;
}

StringRef ProgramTables::ropeTable(RopeOp rope) {
  return positionTable(rope.getLoc(), rope.getRotatedDim(), rope.getThetaAttr(), rope.getScalingAttr());
}

StringRef ProgramTables::growthTable(PositionScaleOp op) {
  return positionTable(op.getLoc(), kGrowthColumns, Builder(op).getF64FloatAttr(1.0), op.getGrowth());
}

StringRef ProgramTables::positionTable(Location loc, int64_t rotaryDim, FloatAttr theta, Attribute scaling) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << rotaryDim << ' ' << theta << ' ' << scaling;
  std::string &symbol = ropeTables[key];
  if (symbol.empty()) {
    symbol = "rope" + std::to_string(ropeTables.size() - 1);
    OpBuilder builder = atEnd();
    RopeTableOp::create(builder, loc, builder.getStringAttr(symbol), builder.getI64IntegerAttr(program.getMaxContext()),
                        builder.getI64IntegerAttr(rotaryDim), theta, scaling);
  }
  return symbol;
}

void ProgramTables::buffer(StringRef name, BufferKind kind, int64_t bytes) {
  if (!symbols.try_emplace(name, "").second)
    return;
  OpBuilder builder = atEnd();
  BufferOp::create(builder, program.getLoc(), name, kind, bytes, /*columns=*/IntegerAttr());
}

void ProgramTables::probe(StringRef name, int64_t columns) {
  if (!symbols.try_emplace(name, "").second)
    return;
  OpBuilder builder = atEnd();
  const int64_t bytes = static_cast<int64_t>(program.getChunk()) * paddedWidth(columns) * 4;
  BufferOp::create(builder, program.getLoc(), name, BufferKind::probe, bytes, builder.getI64IntegerAttr(columns));
}

int64_t ProgramTables::moeLayer(uint32_t index, int64_t layer, uint32_t experts) {
  if (index < moeLayers.size())
    return static_cast<int64_t>(moeLayers[index].getStats());
  int64_t offset = statsBytes;
  statsBytes += static_cast<int64_t>(llvm::alignTo(8 * uint64_t(experts), program.targetOrPortable().getAlignment()));
  buffer("moe_stats", BufferKind::stats, statsBytes);
  for (auto op : program.getBody().getOps<BufferOp>())
    if (op.getSymName() == "moe_stats")
      op.setSize(statsBytes);
  OpBuilder builder = atEnd();
  moeLayers.push_back(MoeLayerOp::create(builder, program.getLoc(), layer, experts, offset));
  return offset;
}

StringRef ProgramTables::executable(KernelAttrInterface kernel, KernelParamsAttrInterface params) {
  const std::string name = kernel.getKernelName();
  std::string key = "kernel." + name;
  if (onCpu())
    llvm::raw_string_ostream(key) << ' ' << params;
  else
    params = {};
  auto [entry, isNew] = symbols.try_emplace(key, name);
  if (!isNew)
    return entry->second;
  if (params)
    entry->second += "_" + std::to_string(kernels[name]++);
  OpBuilder builder = atEnd();
  ExecutableOp::create(builder, program.getLoc(), entry->second, kernel, params);
  return entry->second;
}

FailureOr<View> DispatchBuilder::view(Value value) {
  auto found = views.find(value);
  if (found != views.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  return emitError(op ? op->getLoc() : value.getLoc(), "no dispatch computes the value of ")
         << (op ? op->getName().getStringRef() : StringRef("a block argument"));
}

View DispatchBuilder::result(Value value) {
  auto found = destinations.find(value);
  View view = found != destinations.end()
                  ? found->second
                  : temporary(rows, cast<RankedTensorType>(value.getType()).getDimSize(1), !leavesItsBlock(value));
  views[value] = view;
  return view;
}

View DispatchBuilder::temporary(int64_t rowCount, int64_t width, bool apart) {
  int64_t stride = paddedWidth(width);
  if (apart && rowCount > 1 && tables.onCpu())
    stride = codegen::rowStride(static_cast<uint32_t>(stride));
  auto type = MemRefType::get({rowCount, stride}, builder.getF32Type());
  Value buffer = memref::AllocOp::create(builder, loc, type);
  return {buffer, {static_cast<uint32_t>(stride), 0}, width};
}

Value DispatchBuilder::scratch(int64_t count, Type elementType) {
  return memref::AllocOp::create(builder, loc, MemRefType::get({count}, elementType));
}

Value DispatchBuilder::named(StringRef buffer, Type elementType, ArrayRef<int64_t> shape, int64_t offset) {
  return BufferRefOp::create(builder, loc, MemRefType::get(shape, elementType), buffer, offset);
}

Value DispatchBuilder::weight(Value expression) { return packed(expression, tables.layout()); }

Value DispatchBuilder::weightAsRows(Value expression) { return packed(expression, WeightLayout::rows); }

Value DispatchBuilder::packed(Value expression, WeightLayout layout) {
  StringRef symbol = tables.pack(expression, layout);
  return BufferRefOp::create(builder, loc, ProgramTables::packedType(expression, layout), symbol, 0);
}

Value DispatchBuilder::weightRows(Value expression, int64_t firstRow, int64_t rowCount) {
  if (tables.onCpu()) // whose bindings hold anything
    return weight(expression);
  StringRef symbol = tables.pack(expression, WeightLayout::rows);
  MemRefType whole = ProgramTables::packedType(expression, WeightLayout::rows);
  const Encoding encoding = encodingOf(expression);
  if (encoding.layout == WeightLayout::panels) { // `firstRow` begins one
    const int64_t begin = encoding.rowOffset(firstRow), last = encoding.rowOffset(firstRow + rowCount - 1);
    const int64_t panelBytes = Encoding::kPanelRows * encoding.rowBytes(), panels = (last - begin) / panelBytes + 1;
    auto part = MemRefType::get({panels, whole.getDimSize(1), whole.getDimSize(2)}, whole.getElementType());
    return BufferRefOp::create(builder, loc, part, symbol, begin);
  }
  int64_t stored = std::min<int64_t>(paddedWidth(rowCount), whole.getDimSize(0) - firstRow);
  auto part = MemRefType::get({stored, whole.getDimSize(1)}, whole.getElementType());
  return BufferRefOp::create(builder, loc, part, symbol, encoding.rowOffset(firstRow));
}

template <class Spec, class Params>
Value DispatchBuilder::formOf(const Spec &spec, const View &x, int64_t columns, int64_t rowsAToken, int64_t words, int64_t rowsBehind,
                              StringRef binding, StringRef what) {
  Params params;
  params.width = static_cast<uint32_t>(columns);
  params.maxRows = static_cast<uint32_t>(rows);
  params.rowsAToken = static_cast<uint32_t>(rowsAToken);
  params.x = x.rows;
  auto [entry, isNew] = forms.try_emplace({x.buffer.getAsOpaquePointer(), x.rows.offset, x.rows.stride, spec.name()});
  // A buffer of a name may have been written again since.
  if (!isNew && x.buffer.getDefiningOp<memref::AllocOp>())
    return entry->second;
  Value made = scratch((rows * rowsAToken + rowsBehind) * words, builder.getI32Type());
  entry->second = made;
  const std::string product = label;
  setLabel(what);
  dispatch(spec, params, {{"x", x.buffer}, {binding, made}});
  setLabel(product);
  return made;
}

Value DispatchBuilder::codesOf(const View &x, int64_t columns, codegen::WeightType weight, int64_t rowsAToken) {
  const codegen::RowCodesSpec spec{codegen::isFine(weight)};
  return formOf<codegen::RowCodesSpec, codegen::RowCodesParams>(
      spec, x, columns, rowsAToken, codegen::codeWords(static_cast<uint32_t>(columns), spec.halves), 0, "codes", "codes of rows");
}

Value DispatchBuilder::pairsOf(const View &x, int64_t columns, int64_t rowsAToken) {
  return formOf<codegen::RowPairsSpec, codegen::RowPairsParams>(
      {}, x, columns, rowsAToken, codegen::pairWords(static_cast<uint32_t>(columns)), codegen::kRowsBehind, "pairs", "pairs of rows");
}

bool DispatchBuilder::readsPairs(codegen::WeightType weight, int64_t outputs, int64_t columns, int64_t experts) const {
  auto multiplies = [](CpuLevel level) { return codegen::cpu::facts(static_cast<codegen::cpu::Level>(level)).bfloatDots; };
  return rows > 1 && tables.onCpu() &&
         codegen::cpu::pairsPay(weight, static_cast<uint32_t>(outputs), static_cast<uint32_t>(columns),
                                static_cast<uint32_t>(experts)) &&
         llvm::any_of(tables.program.targetOrPortable().getLevels(), multiplies);
}

Value DispatchBuilder::state() { return named("state", builder.getI32Type(), {32}); }

void DispatchBuilder::append(KernelAttrInterface kernel, KernelParamsAttrInterface params,
                             ArrayRef<NamedBuffer> buffers, Value indirect, int64_t indirectOffset) {
  SmallVector<Value> operands;
  SmallVector<int32_t> access;
  for (const codegen::Binding &binding : kernel.getBindings()) {
    Value buffer;
    for (auto &[name, value] : buffers)
      if (name == binding.name)
        buffer = value;
    if (!buffer && binding.name == "state")
      buffer = state();
    if (!buffer) { // a mistake of the caller, not of the user
      isBroken = true;
      emitError(loc, "dispatch of ") << kernel.getKernelName() << " lacks binding " << binding.name;
      return;
    }
    operands.push_back(buffer);
    access.push_back(static_cast<int32_t>(binding.access));
  }
  DispatchOp::create(builder, loc, tables.executable(kernel, params), scope + label, operands, indirect, access, params,
                     indirectOffset);
  ++numDispatches;
}

codegen::WeightType xfmr::weightTypeOf(Value expression) {
  const Encoding encoding = encodingOf(expression);
  if (encoding.scheme) // xfmr-expand-quantized left only what a kernel's type holds
    return codegen::weightTypeOf(*encoding.scheme).value_or(codegen::WeightType::F32);
  switch (encoding.element) {
  case DType::f32:
    return codegen::WeightType::F32;
  case DType::f16:
    return codegen::WeightType::F16;
  default: // the only other element an encoding has
    return codegen::WeightType::BF16;
  }
}

std::string xfmr::expressionKey(Value expression) {
  std::string key;
  llvm::raw_string_ostream os(key);
  printExpression(expression, os);
  return key;
}

Encoding xfmr::encodingOf(Value expression, WeightLayout layout) {
  // Ops take weights of one to three axes, and so does xfmr.packed_weight (C1): each has an encoding.
  Encoding encoding = Encoding::of(expression.getType(), layout).value_or(Encoding());
  if (encoding.scheme) { // stored as kernels read it, whatever its groups and scales were (PackWeights.cpp)
    if (!encoding.vector)
      encoding.layout = WeightLayout::panels;
    if (std::optional<codegen::WeightType> type = codegen::weightTypeOf(*encoding.scheme))
      encoding.scheme = codegen::schemeOf(*type);
  }
  return encoding;
}

int64_t DispatchBuilder::rowsPerBinding(Value expression) const {
  return std::max<int64_t>(tables.bindingBytes / encodingOf(expression).rowBytes() / 64 * 64, 64);
}
