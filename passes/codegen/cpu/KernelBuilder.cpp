// Building one kernel: function, buffers, tiles and control flow. Arithmetic is in Value.cpp.
#include "passes/codegen/cpu/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "passes/codegen/cpu/Lower.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace vector = mlir::vector;

Element elementOf(WeightType type) {
  switch (type) {
  case WeightType::F32:
    return Element::F32;
  case WeightType::F16:
    return Element::F16;
  case WeightType::BF16:
    return Element::BF16;
  case WeightType::Q8:
  case WeightType::Q4:
  case WeightType::Q8Wide:
  case WeightType::Q4Wide:
  case WeightType::Q8Fine:
  case WeightType::Q6Fine:
  case WeightType::Q4Fine:
  case WeightType::Q8FineWide:
  case WeightType::Q4FineWide:
    return Element::U32; // words of codes and of scales
  }
  llvm_unreachable("unknown weight type");
}

Element elementOf(CacheType type) {
  return type == CacheType::F32 ? Element::F32 : type == CacheType::F16 ? Element::F16 : Element::I8;
}

KernelBuilder::KernelBuilder(mlir::MLIRContext &context, llvm::StringRef name,
                             std::vector<Binding> bindings, std::vector<Element> elements,
                             Level level)
    : level_(level), name((name + "." + cpu::facts(level).name).str()),
      bindings(std::move(bindings)), elements(std::move(elements)),
      module(mlir::ModuleOp::create(loadDialects(context, &registerKernelDialects))), builder(module->getLoc(), &context),
      stateWords(state::kWords), loaded(this->bindings.size()), stored(this->bindings.size()) {
  builder.setInsertionPointToEnd(module->getBody());
  llvm::SmallVector<mlir::Type> arguments;
  for (Element element : this->elements)
    arguments.push_back(mlir::MemRefType::get({mlir::ShapedType::kDynamic}, type(element)));
  arguments.append(2, builder.getIndexType());
  auto function =
      mlir::func::FuncOp::create(builder, this->name, builder.getFunctionType(arguments, {}));
  entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
}

mlir::Type KernelBuilder::type(Element element) {
  switch (element) {
  case Element::U32:
    return builder.getI32Type();
  case Element::F32:
    return builder.getF32Type();
  case Element::F16:
    return builder.getF16Type();
  case Element::BF16: // bits: no level has arithmetic on it
    return builder.getI16Type();
  case Element::I8:
    return builder.getI8Type();
  }
  return {};
}

mlir::Value KernelBuilder::atEntry(llvm::function_ref<mlir::Value()> emit) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(entry);
  return emit();
}

// --- memory ---

Buffer KernelBuilder::buffer(unsigned binding) {
  Buffer result;
  result.builder = this;
  result.memory = entry->getArgument(binding);
  result.element = elements[binding];
  result.binding = static_cast<int>(binding);
  return result;
}

Buffer KernelBuilder::buffer(llvm::StringRef wanted) {
  for (unsigned i = 0; i < bindings.size(); ++i)
    if (bindings[i].name == wanted)
      return buffer(i);
  llvm_unreachable("a kernel asks for a binding that its own spec does not list");
}

Buffer KernelBuilder::stack(Element element, uint64_t size) {
  Buffer result;
  result.builder = this;
  result.element = element;
  result.memory = atEntry([&]() -> mlir::Value {
    auto array = mlir::MemRefType::get({static_cast<int64_t>(size)}, type(element));
    return mlir::memref::AllocaOp::create(builder, array, builder.getI64IntegerAttr(64));
  });
  return result;
}

void Buffer::noteLoad() const {
  if (binding >= 0)
    builder->loaded[binding] = true;
}
void Buffer::noteStore() const {
  if (binding >= 0)
    builder->stored[binding] = true;
}

mlir::Value Buffer::raw(Value index, unsigned lanes) const {
  noteLoad();
  auto &ops = builder->ops();
  if (lanes == 1)
    return mlir::memref::LoadOp::create(ops, memory, mlir::ValueRange{index.value});
  auto type = mlir::VectorType::get({lanes}, builder->type(element));
  return vector::LoadOp::create(ops, type, memory, mlir::ValueRange{index.value});
}

Value Buffer::widen(mlir::Value in) const {
  auto &ops = builder->ops();
  auto as = [&](mlir::Type element) -> mlir::Type {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(in.getType()))
      return mlir::VectorType::get(vector.getShape(), element);
    return element;
  };
  if (element == Element::F16)
    return builder->wrap(arith::ExtFOp::create(ops, as(ops.getF32Type()), in));
  if (element == Element::BF16)
    return asFloat(builder->wrap(arith::ExtUIOp::create(ops, as(ops.getI32Type()), in)) << 16);
  if (element == Element::I8)
    return builder->wrap(arith::SIToFPOp::create(ops, as(ops.getF32Type()), in));
  return builder->wrap(in);
}

mlir::Value Buffer::narrow(Value value) const {
  auto &ops = builder->ops();
  auto as = [&](mlir::Type element) -> mlir::Type {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(value.value.getType()))
      return mlir::VectorType::get(vector.getShape(), element);
    return element;
  };
  if (element == Element::F16)
    return arith::TruncFOp::create(ops, as(ops.getF16Type()), value.value);
  if (element == Element::BF16) { // ties to even; a NaN stays one
    Value bits = asInt(value);
    Value rounded = bits + 0x7fff + ((bits >> 16) & 1);
    bits = select(value != value, bits | 0x400000, rounded) >> 16;
    return arith::TruncIOp::create(ops, as(ops.getI16Type()), bits.value);
  }
  if (element == Element::I8)
    return arith::FPToSIOp::create(ops, as(ops.getI8Type()), value.value);
  return value.value;
}

Value Buffer::loadFloats(Value byte, unsigned lanes) const {
  auto &ops = builder->ops();
  auto type = mlir::VectorType::get({lanes}, ops.getF32Type());
  return builder->wrap(vector::BitCastOp::create(ops, type, raw(byte, 4 * lanes)));
}

void Buffer::storeFloat(Value byte, Value number) const {
  noteStore();
  auto &ops = builder->ops();
  mlir::Value one = vector::FromElementsOp::create(ops, mlir::VectorType::get({1}, ops.getF32Type()), number.value);
  mlir::Value bytes = vector::BitCastOp::create(ops, mlir::VectorType::get({4}, ops.getI8Type()), one);
  vector::StoreOp::create(ops, bytes, memory, mlir::ValueRange{byte.value});
}

Value Buffer::operator[](Value index) const {
  return load(index, 1);
}
Value Buffer::operator[](uint64_t index) const {
  return load(builder->index(index), 1);
}
Value Buffer::load(Value index, unsigned lanes) const {
  return widen(raw(index, lanes));
}

Value Buffer::loadFirst(Value index, unsigned lanes, unsigned valid) const {
  if (valid >= lanes)
    return load(index, lanes);
  if (2 * valid == lanes) {
    Value half = load(index, valid);
    return concat(half, constantLike(half, int64_t(0)));
  }
  return loadFirst(index, lanes, builder->index(valid));
}

Value Buffer::loadFirst(Value index, unsigned lanes, Value valid) const {
  noteLoad();
  auto &ops = builder->ops();
  auto type = mlir::VectorType::get({lanes}, builder->type(element));
  auto maskType = mlir::VectorType::get({lanes}, ops.getI1Type());
  mlir::Value mask = vector::CreateMaskOp::create(ops, maskType, mlir::ValueRange{valid.value});
  mlir::Value zero = arith::ConstantOp::create(ops, type, ops.getZeroAttr(type));
  return widen(vector::MaskedLoadOp::create(ops, type, memory, mlir::ValueRange{index.value}, mask,
                                            zero));
}

void Buffer::copy(Value index, Buffer from, Value at) const {
  assert(element == from.element);
  noteStore();
  mlir::memref::StoreOp::create(builder->ops(), from.raw(at, 1), memory, mlir::ValueRange{index.value});
}

void Buffer::store(Value index, Value value) const {
  noteStore();
  auto &ops = builder->ops();
  mlir::Value stored = narrow(value);
  if (value.lanes() == 1)
    mlir::memref::StoreOp::create(ops, stored, memory, mlir::ValueRange{index.value});
  else
    vector::StoreOp::create(ops, stored, memory, mlir::ValueRange{index.value});
}
void Buffer::store(uint64_t index, Value value) const {
  store(builder->index(index), value);
}

void Buffer::storeFirst(Value index, Value value, unsigned valid) const {
  unsigned lanes = value.lanes();
  if (valid >= lanes)
    return store(index, value);
  if (2 * valid == lanes) {
    llvm::SmallVector<int64_t> half;
    for (unsigned i = 0; i < valid; ++i)
      half.push_back(i);
    return store(index, permute(value, value, half));
  }
  storeFirst(index, value, builder->index(valid));
}

void Buffer::storeFirst(Value index, Value value, Value valid) const {
  noteStore();
  auto &ops = builder->ops();
  auto maskType = mlir::VectorType::get({static_cast<int64_t>(value.lanes())}, ops.getI1Type());
  mlir::Value stored = narrow(value);
  mlir::Value mask = vector::CreateMaskOp::create(ops, maskType, mlir::ValueRange{valid.value});
  vector::MaskedStoreOp::create(ops, memory, mlir::ValueRange{index.value}, mask, stored);
}

mlir::Value Buffer::address(Value index) const {
  noteLoad();
  auto &ops = builder->ops();
  Value start = builder->wrap(mlir::memref::ExtractAlignedPointerAsIndexOp::create(ops, memory));
  Value at = start + index * uint64_t(builder->type(element).getIntOrFloatBitWidth() / 8);
  mlir::Value number = arith::IndexCastOp::create(ops, ops.getI64Type(), at.value);
  return mlir::LLVM::IntToPtrOp::create(ops, mlir::LLVM::LLVMPointerType::get(ops.getContext()), number);
}

void Buffer::prefetch(Value index) const {
  constexpr uint32_t kRead = 0, kNearest = 3, kData = 1;
  mlir::LLVM::Prefetch::create(builder->ops(), address(index), kRead, kNearest, kData);
}

// --- constants and vectors ---

Value KernelBuilder::state(uint32_t word) {
  Value &value = stateWords[word];
  if (!value.value)
    atEntry([&]() -> mlir::Value {
      value = toIndex(buffer(0)[word]);
      return value.value;
    });
  return value;
}

Value KernelBuilder::index(uint64_t number) {
  return wrap(arith::ConstantIndexOp::create(builder, static_cast<int64_t>(number)));
}
Value KernelBuilder::u32(uint32_t number) {
  auto attr = builder.getI32IntegerAttr(static_cast<int32_t>(number));
  return wrap(arith::ConstantOp::create(builder, attr));
}
Value KernelBuilder::f32(float number) {
  return wrap(arith::ConstantOp::create(builder, builder.getF32FloatAttr(number)));
}
Value KernelBuilder::zeros(unsigned lanes) {
  return splat(f32(0), lanes);
}

Value KernelBuilder::lane(unsigned lanes) {
  llvm::SmallVector<int64_t> numbers;
  for (unsigned i = 0; i < lanes; ++i)
    numbers.push_back(i);
  return wrap(arith::ConstantOp::create(builder, builder.getIndexVectorAttr(numbers)));
}

Value KernelBuilder::vector(llvm::ArrayRef<Value> scalars) {
  auto type = mlir::VectorType::get({static_cast<int64_t>(scalars.size())},
                                    scalars.front().value.getType());
  return wrap(vector::FromElementsOp::create(builder, type, raw(scalars)));
}

// --- control flow ---

void KernelBuilder::tiles(llvm::function_ref<void(Value)> body) {
  auto first = static_cast<unsigned>(bindings.size());
  loop(wrap(entry->getArgument(first)), wrap(entry->getArgument(first + 1)), 1, body);
}

void KernelBuilder::when(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(builder, condition.value, /*withElseRegion=*/false);
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  body();
}

Values KernelBuilder::choose(Value condition, llvm::function_ref<Values()> yes,
                             llvm::function_ref<Values()> no) {
  auto side = [&](llvm::function_ref<Values()> body) {
    return [this, body](mlir::OpBuilder &inner, mlir::Location location) {
      mlir::OpBuilder::InsertionGuard guard(builder);
      builder.restoreInsertionPoint(inner.saveInsertionPoint());
      llvm::SmallVector<mlir::Value> results = raw(body());
      inner.restoreInsertionPoint(builder.saveInsertionPoint());
      scf::YieldOp::create(inner, location, results);
    };
  };
  auto branch = scf::IfOp::create(builder, condition.value, side(yes), side(no));
  Values results;
  for (mlir::Value result : branch.getResults())
    results.push_back(wrap(result));
  return results;
}

Values KernelBuilder::loop(Value low, Value high, uint64_t step, llvm::ArrayRef<Value> init,
                           llvm::function_ref<Values(Value, llvm::ArrayRef<Value>)> body) {
  auto loop = scf::ForOp::create(
      builder, low.value, high.value, index(step).value, raw(init),
      [&](mlir::OpBuilder &inner, mlir::Location location, mlir::Value i, mlir::ValueRange in) {
        mlir::OpBuilder::InsertionGuard guard(builder);
        builder.restoreInsertionPoint(inner.saveInsertionPoint());
        Values carried;
        for (mlir::Value value : in)
          carried.push_back(wrap(value));
        llvm::SmallVector<mlir::Value> results = raw(body(wrap(i), carried));
        inner.restoreInsertionPoint(builder.saveInsertionPoint());
        scf::YieldOp::create(inner, location, results);
      });
  Values results;
  for (mlir::Value result : loop.getResults())
    results.push_back(wrap(result));
  return results;
}

void KernelBuilder::loop(Value low, Value high, uint64_t step,
                         llvm::function_ref<void(Value)> body) {
  loop(low, high, step, {}, [&](Value i, llvm::ArrayRef<Value>) {
    body(i);
    return Values();
  });
}

void KernelBuilder::loop(uint64_t low, uint64_t high, uint64_t step,
                         llvm::function_ref<void(Value)> body) {
  loop(index(low), index(high), step, body);
}

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> KernelBuilder::finish() {
  mlir::func::ReturnOp::create(builder);
  for (size_t i = 0; i < bindings.size(); ++i) {
    auto fail = [&](const char *what) {
      return llvm::createStringError("kernel '" + name + "': binding '" + bindings[i].name + "' " +
                                     what);
    };
    if (bindings[i].access == Access::Read && stored[i])
      return fail("is declared read, but the kernel writes it");
    if (bindings[i].access == Access::Write && loaded[i])
      return fail("is declared write, but the kernel reads it");
    if (bindings[i].access != Access::Read && !stored[i])
      return fail("is declared written, but the kernel never writes it");
  }
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler collect(builder.getContext(), [&](mlir::Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(*module)))
    return llvm::createStringError("kernel '" + name + "': " + diagnostics);
  return std::move(module);
}

} // namespace xfmr::codegen::cpu
