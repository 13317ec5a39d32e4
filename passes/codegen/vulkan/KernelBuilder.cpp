// Building one kernel: function, buffers, ids and control flow. Arithmetic is in Value.cpp.
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/SPIRVConversion.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/vulkan/ToSpirv.h"

namespace xfmr::codegen {

namespace gpu = mlir::gpu;
namespace scf = mlir::scf;
namespace arith = mlir::arith;

namespace {

uint32_t elementBytes(Element element) {
  switch (element) {
  case Element::U32:
  case Element::F32:
    return 4;
  case Element::F32x2:
  case Element::U32x2:
    return 8;
  case Element::F32x4:
  case Element::U32x4:
    return 16;
  }
  return 0;
}

} // namespace

KernelBuilder::KernelBuilder(mlir::MLIRContext &context, std::string name,
                             std::vector<Binding> bindings, std::vector<Element> elements,
                             std::array<uint32_t, 3> workgroup)
    : name(std::move(name)), bindings(std::move(bindings)), workgroup(workgroup),
      module(mlir::ModuleOp::create(loadDialects(context, &registerKernelDialects))), builder(module->getLoc(), &context),
      loaded(this->bindings.size()), stored(this->bindings.size()) {
  builder.setInsertionPointToEnd(module->getBody());
  auto gpuModule = gpu::GPUModuleOp::create(builder, this->name);
  builder.setInsertionPointToEnd(gpuModule.getBody());
  llvm::SmallVector<mlir::Type> arguments;
  for (Element element : elements)
    arguments.push_back(mlir::MemRefType::get({mlir::ShapedType::kDynamic}, type(element)));
  function = gpu::GPUFuncOp::create(builder, kEntryPoint, builder.getFunctionType(arguments, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  function->setAttr(
      mlir::spirv::getEntryPointABIAttrName(),
      mlir::spirv::getEntryPointABIAttr(&context, {static_cast<int32_t>(workgroup[0]),
                                                   static_cast<int32_t>(workgroup[1]),
                                                   static_cast<int32_t>(workgroup[2])}));
  builder.setInsertionPointToStart(&function.getBody().front());
}

mlir::Type KernelBuilder::type(Element element) {
  mlir::Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
  switch (element) {
  case Element::U32:
    return i32;
  case Element::F32:
    return f32;
  case Element::F32x2:
    return mlir::VectorType::get({2}, f32);
  case Element::F32x4:
    return mlir::VectorType::get({4}, f32);
  case Element::U32x2:
    return mlir::VectorType::get({2}, i32);
  case Element::U32x4:
    return mlir::VectorType::get({4}, i32);
  }
  return {};
}

mlir::Value KernelBuilder::atEntry(llvm::function_ref<mlir::Value()> emit) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&function.getBody().front());
  return emit();
}

// --- memory ---

Buffer KernelBuilder::buffer(unsigned binding) {
  Buffer result;
  result.builder = this;
  result.memory = function.getArgument(binding);
  result.binding = static_cast<int>(binding);
  return result;
}

Buffer KernelBuilder::buffer(llvm::StringRef wanted) {
  for (unsigned i = 0; i < bindings.size(); ++i)
    if (bindings[i].name == wanted)
      return buffer(i);
  llvm_unreachable("a kernel asks for a binding that its own spec does not list");
}

Buffer KernelBuilder::shared(Element element, uint32_t size) {
  sharedBytes += size * elementBytes(element);
  Buffer result;
  result.builder = this;
  result.memory = atEntry([&]() -> mlir::Value {
    auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
    return mlir::memref::AllocOp::create(
        builder,
        mlir::MemRefType::get({size}, type(element), mlir::MemRefLayoutAttrInterface(), space));
  });
  return result;
}

Value Buffer::operator[](Value index) const {
  if (binding >= 0)
    builder->loaded[binding] = true;
  auto &ops = builder->ops();
  mlir::Value at = arith::IndexCastOp::create(ops, ops.getIndexType(), index.value);
  return builder->wrap(mlir::memref::LoadOp::create(ops, memory, mlir::ValueRange{at}));
}

Value Buffer::operator[](uint32_t index) const {
  return (*this)[builder->u32(index)];
}

void Buffer::store(Value index, Value value) const {
  if (binding >= 0)
    builder->stored[binding] = true;
  auto &ops = builder->ops();
  mlir::Value at = arith::IndexCastOp::create(ops, ops.getIndexType(), index.value);
  mlir::memref::StoreOp::create(ops, value.value, memory, mlir::ValueRange{at});
}

void Buffer::store(uint32_t index, Value value) const {
  store(builder->u32(index), value);
}

// --- constants, vectors, ids ---

Value KernelBuilder::u32(uint32_t number) {
  return wrap(
      arith::ConstantOp::create(builder, builder.getI32IntegerAttr(static_cast<int32_t>(number))));
}

Value KernelBuilder::f32(float number) {
  return wrap(arith::ConstantOp::create(builder, builder.getF32FloatAttr(number)));
}

Value KernelBuilder::zero4() {
  return splat4(f32(0));
}

Value KernelBuilder::vector2(Value a, Value b) {
  auto type = mlir::VectorType::get({2}, a.value.getType());
  return wrap(
      mlir::vector::FromElementsOp::create(builder, type, mlir::ValueRange{a.value, b.value}));
}

Value KernelBuilder::vector4(Value a, Value b, Value c, Value d) {
  auto type = mlir::VectorType::get({4}, a.value.getType());
  return wrap(mlir::vector::FromElementsOp::create(
      builder, type, mlir::ValueRange{a.value, b.value, c.value, d.value}));
}

Value KernelBuilder::splat4(Value scalar) {
  auto type = mlir::VectorType::get({4}, scalar.value.getType());
  return wrap(mlir::vector::BroadcastOp::create(builder, type, scalar.value));
}

Value KernelBuilder::shuffle(Value a, Value b, llvm::ArrayRef<int64_t> lanes) {
  return wrap(mlir::vector::ShuffleOp::create(builder, a.value, b.value, lanes));
}

Value KernelBuilder::extract(Value vector, Value lane) {
  Value result = vector[0];
  for (unsigned i = 1; i < 4; ++i)
    result = select(lane == i, vector[i], result);
  return result;
}

Value KernelBuilder::push(uint32_t word) {
  if (!pushWords[word])
    pushWords[word] = atEntry([&] {
      return mlir::spirv::getPushConstantValue(function, kPushWords, word, builder.getI32Type(),
                                               builder);
    });
  return wrap(pushWords[word]);
}

Value KernelBuilder::pushFloat(uint32_t word) {
  return asFloat(push(word));
}

Value KernelBuilder::thread() {
  if (!threadId)
    threadId = atEntry([&]() -> mlir::Value {
      return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                        gpu::ThreadIdOp::create(builder, gpu::Dimension::x));
    });
  return wrap(threadId);
}

Value KernelBuilder::groupX() {
  if (!groupId[0])
    groupId[0] = atEntry([&]() -> mlir::Value {
      return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                        gpu::BlockIdOp::create(builder, gpu::Dimension::x));
    });
  return wrap(groupId[0]);
}

Value KernelBuilder::groupY() {
  if (!groupId[1])
    groupId[1] = atEntry([&]() -> mlir::Value {
      return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                        gpu::BlockIdOp::create(builder, gpu::Dimension::y));
    });
  return wrap(groupId[1]);
}

Value KernelBuilder::group() {
  if (!linearGroup)
    linearGroup = atEntry([&]() -> mlir::Value {
      auto id = [&](gpu::Dimension d) -> mlir::Value {
        return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                          gpu::BlockIdOp::create(builder, d));
      };
      mlir::Value width = arith::IndexCastOp::create(
          builder, builder.getI32Type(), gpu::GridDimOp::create(builder, gpu::Dimension::x));
      return arith::AddIOp::create(builder,
                                   arith::MulIOp::create(builder, id(gpu::Dimension::y), width),
                                   id(gpu::Dimension::x));
    });
  return wrap(linearGroup);
}

Value KernelBuilder::subgroup() {
  if (!subgroupId)
    subgroupId = atEntry([&]() -> mlir::Value {
      return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                        gpu::SubgroupIdOp::create(builder, mlir::IntegerAttr()));
    });
  return wrap(subgroupId);
}

Value KernelBuilder::lane() {
  if (!laneId)
    laneId = atEntry([&]() -> mlir::Value {
      return arith::IndexCastOp::create(builder, builder.getI32Type(),
                                        gpu::LaneIdOp::create(builder, mlir::IntegerAttr()));
    });
  return wrap(laneId);
}

Value KernelBuilder::broadcast(Value value, uint32_t lane) {
  // A shuffle rather than a broadcast: software drivers turn one with a constant lane into one
  // instruction, but search for the first active lane in a broadcast.
  return wrap(mlir::spirv::GroupNonUniformShuffleOp::create(
      builder, value.value.getType(), mlir::spirv::Scope::Subgroup, value.value, u32(lane).value));
}

// --- control flow ---

void KernelBuilder::barrier() {
  gpu::BarrierOp::create(builder);
}

void KernelBuilder::deviceBarrier() {
  using S = mlir::spirv::MemorySemantics;
  mlir::spirv::ControlBarrierOp::create(builder, mlir::spirv::Scope::Workgroup, mlir::spirv::Scope::Device,
                                        S::WorkgroupMemory | S::UniformMemory | S::AcquireRelease);
}

void KernelBuilder::listBinding(const char *attribute, const Buffer &buffer) {
  mlir::Operation *gpuModule = function->getParentOp();
  llvm::SmallVector<int32_t> all = {buffer.binding};
  if (auto others = gpuModule->getAttrOfType<mlir::DenseI32ArrayAttr>(attribute))
    all.append(others.asArrayRef().begin(), others.asArrayRef().end());
  gpuModule->setAttr(attribute, builder.getDenseI32ArrayAttr(all));
}

void KernelBuilder::shareAmongGroups(const Buffer &buffer) {
  listBinding(kCoherentBindings, buffer);
}

void KernelBuilder::readAsTexels(const Buffer &buffer) {
  listBinding(kTexelBindings, buffer);
}

Value KernelBuilder::atomicAdd(const Buffer &buffer, Value index, Value value) {
  if (buffer.binding >= 0)
    loaded[buffer.binding] = stored[buffer.binding] = true;
  mlir::Value at = arith::IndexCastOp::create(builder, builder.getIndexType(), index.value);
  return wrap(mlir::memref::AtomicRMWOp::create(builder, arith::AtomicRMWKind::addi, value.value, buffer.memory,
                                                mlir::ValueRange{at}));
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
    return [this, body](mlir::OpBuilder &inner, mlir::Location) {
      mlir::OpBuilder::InsertionGuard guard(builder);
      builder.restoreInsertionPoint(inner.saveInsertionPoint());
      Values results = body();
      scf::YieldOp::create(builder, raw(results));
    };
  };
  auto branch = scf::IfOp::create(builder, condition.value, side(yes), side(no));
  return llvm::map_to_vector<8>(branch.getResults(), [&](mlir::Value v) { return wrap(v); });
}

// Whether low < high is known here.
static bool surelyRuns(Value low, Value high) {
  llvm::APInt first, last;
  return mlir::matchPattern(low.value, mlir::m_ConstantInt(&first)) &&
         mlir::matchPattern(high.value, mlir::m_ConstantInt(&last)) && first.ult(last);
}

// A loop that may not run stands inside an `if`, for two reasons. MLIR's conversion leaves the results of a loop that
// never runs undefined instead of `init`. And lavapipe of Mesa 26.1 computes a descriptor's address where a loop's
// body first uses it, in active lanes only: a subgroup that never enters the loop goes through the body masked and
// follows an address of 0. A branch that no lane takes is skipped.
Values KernelBuilder::loop(Value low, Value high, Value step, Values init,
                           llvm::function_ref<Values(Value, llvm::ArrayRef<Value>)> body) {
  auto run = [&] { return runningLoop(low, high, step, init, body); };
  if (surelyRuns(low, high))
    return run();
  if (init.empty()) {
    when(low < high, [&] { run(); });
    return {};
  }
  return choose(low < high, run, [&] { return init; });
}

Values KernelBuilder::runningLoop(Value low, Value high, Value step, const Values &init,
                                  llvm::function_ref<Values(Value, llvm::ArrayRef<Value>)> body) {
  auto loop = scf::ForOp::create(
      builder, low.value, high.value, step.value, raw(init),
      [&](mlir::OpBuilder &inner, mlir::Location, mlir::Value i, mlir::ValueRange carried) {
        mlir::OpBuilder::InsertionGuard guard(builder);
        builder.restoreInsertionPoint(inner.saveInsertionPoint());
        Values in = llvm::map_to_vector<8>(carried, [&](mlir::Value v) { return wrap(v); });
        Values out = body(wrap(i), in);
        scf::YieldOp::create(builder, raw(out));
      });
  return llvm::map_to_vector<8>(loop.getResults(), [&](mlir::Value v) { return wrap(v); });
}

void KernelBuilder::loop(Value low, Value high, Value step, llvm::function_ref<void(Value)> body) {
  loop(low, high, step, Values{}, [&](Value i, llvm::ArrayRef<Value>) {
    body(i);
    return Values{};
  });
}

void KernelBuilder::eachShare(uint32_t threads, uint32_t count, Value condition, llvm::function_ref<void(Value)> body) {
  if (count <= threads)
    return when(condition & (thread() < count), [&] { body(thread()); });
  when(condition, [&] { loop(thread(), u32(count), u32(threads), body); });
}

// Two levels of eight: invocations 0..7 each fold eight values, then everyone folds those eight.
void KernelBuilder::rotate(Value count, const Values &vectors,
                           llvm::function_ref<void(Value i, Value vector)> body) {
  loop(u32(0), count, u32(1), vectors, [&](Value i, llvm::ArrayRef<Value> in) {
    body(i, in[0]);
    Values rotated(in.begin() + 1, in.end());
    rotated.push_back(in[0]);
    return rotated;
  });
}

Value KernelBuilder::reduce(const Buffer &scratch, Value value,
                            llvm::function_ref<Value(Value, Value)> combine) {
  Value t = thread();
  const uint32_t eighth = workgroup[0] / 8;
  auto fold = [&](Value first, uint32_t count) {
    Value result = scratch[first];
    for (uint32_t i = 1; i < count; ++i)
      result = combine(result, scratch[first + i]);
    return result;
  };
  barrier(); // an earlier reduction may still be reading
  scratch.store(t, value);
  barrier();
  when(t < eighth, [&] { scratch.store(t + workgroup[0], fold(t * 8, 8)); });
  barrier();
  return fold(u32(workgroup[0]), eighth);
}

Value KernelBuilder::reduceSum(const Buffer &scratch, Value value) {
  return reduce(scratch, value, [](Value a, Value b) { return a + b; });
}

Value KernelBuilder::reduceMax(const Buffer &scratch, Value value) {
  return reduce(scratch, value, [](Value a, Value b) { return max(a, b); });
}

llvm::Expected<BuiltKernel> KernelBuilder::finish(std::vector<std::string> features) {
  gpu::ReturnOp::create(builder);
  for (size_t i = 0; i < bindings.size(); ++i) {
    Access access = bindings[i].access;
    const char *declared = access == Access::Read    ? "read"
                           : access == Access::Write ? "write"
                                                     : "read-write";
    const char *found = access == Access::Read && stored[i]    ? "stored to"
                        : access != Access::Read && !stored[i] ? "never stored to"
                        : access == Access::Write && loaded[i] ? "loaded"
                                                               : nullptr;
    if (found)
      return llvm::createStringError("kernel %s: binding %zu (%s) is declared %s but is %s",
                                     name.c_str(), i, bindings[i].name.c_str(), declared, found);
  }
  if (function->getParentOp()->hasAttr(kTexelBindings))
    features.push_back("texel_buffers");
  const bool ofMatrixUnits = !features.empty() && features.front().rfind("cooperative_matrix", 0) == 0;
  if (const uint32_t most = ofMatrixUnits ? 32768 : 16384; sharedBytes > most)
    return llvm::createStringError("kernel %s: %u bytes of workgroup memory, at most %u are sure", name.c_str(),
                                   sharedBytes, most);
  BuiltKernel result{name, bindings, {}};
  result.variants.push_back({std::move(features), workgroup, sharedBytes, std::move(module)});
  return result;
}

} // namespace xfmr::codegen
