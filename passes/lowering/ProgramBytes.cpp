// Serialisation of a program at the stage emit: buffers and kernels get indices, dispatches refer to them. What the ops and
// xfmr-verify-stage check is not checked again: there is code, and every buffer of a dispatch is an xfmr.buffer_ref.
#include "passes/lowering/ProgramBytes.h"

#include "passes/codegen/vulkan/Kernels.h"
#include "passes/lowering/Borders.h"
#include "passes/lowering/PackWeights.h"
#include "runtime/artifact/Format.h"
#include "runtime/artifact/Program_generated.h"
#include "runtime/plan/Work.h"
#include "weights/DistinctElements.h"
#include "weights/Encoding.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace xfmr;

namespace {

uint64_t bytesOf(Type type) { return static_cast<uint64_t>(xfmr::bytesOf(cast<MemRefType>(type))); }

program::Element elementOf(codegen::WeightType type) {
  switch (type) {
  case codegen::WeightType::F32: return program::Element::f32;
  case codegen::WeightType::F16: return program::Element::f16;
  case codegen::WeightType::BF16: return program::Element::bf16;
  case codegen::WeightType::Q8:
  case codegen::WeightType::Q8Wide:
  case codegen::WeightType::Q8Fine:
  case codegen::WeightType::Q6Fine:
  case codegen::WeightType::Q8FineWide: return program::Element::q8;
  case codegen::WeightType::Q4:
  case codegen::WeightType::Q4Wide:
  case codegen::WeightType::Q4Fine:
  case codegen::WeightType::Q4FineWide: return program::Element::q4;
  }
  llvm_unreachable("unknown weight type");
}

class Serializer {
public:
  Serializer(ProgramOp op, const TensorTable &tensors) : op(op), tensors(tensors), onCpu(!op.targetOrPortable().isVulkan()) {}

  flatbuffers::DetachedBuffer run() {
    describeModel();
    for (Operation &entry : op.getBody().front()) {
      if (auto weight = dyn_cast<PackedWeightOp>(entry))
        addWeight(weight);
      else if (auto table = dyn_cast<RopeTableOp>(entry))
        addBuffer(table.getSymName(), program::BufferKind::weight,
                  table.getRows() * codegen::paddedWidth(static_cast<uint32_t>(table.getRotaryDim())) * 4),
            result.buffers.back()->name = tensors.of(table).name;
      else if (auto buffer = dyn_cast<BufferOp>(entry))
        addBuffer(buffer.getSymName(), static_cast<program::BufferKind>(buffer.getKind()), buffer.getSize()),
            result.buffers.back()->columns = static_cast<uint64_t>(buffer.getColumns().value_or(0));
    }
    for (auto executable : op.getBody().getOps<ExecutableOp>())
      addKernel(executable);
    for (auto phase : op.getBody().getOps<PhaseOp>())
      addPhase(phase);
    flatbuffers::FlatBufferBuilder builder;
    program::FinishProgramBuffer(builder, program::Program::Pack(builder, &result));
    return builder.Release();
  }

private:
  void describeModel() {
    ConfigAttr config = op.getConfig();
    result.version = artifact::kProgramVersion;
    result.producer = "xfmr";
    result.target = onCpu ? "cpu" : "vulkan";
    result.model_name = op.getSymName().str();
    result.vocab_size = static_cast<uint32_t>(config.getVocabSize());
    result.hidden_size = static_cast<uint32_t>(config.getHiddenSize());
    result.max_context = static_cast<uint32_t>(op.getMaxContext());
    result.max_position = static_cast<uint32_t>(config.getMaxPosition());
    result.bos_token = static_cast<int32_t>(config.getBosToken().value_or(-1));
    if (config.getEosTokens())
      for (int64_t id : config.getEosTokens().asArrayRef())
        result.eos_tokens.push_back(static_cast<int32_t>(id));
    result.kv_dtype = op.getKvType().isF32() ? "f32" : op.getKvType().isF16() ? "f16" : "q8";
    for (auto layer : op.getBody().getOps<MoeLayerOp>()) {
      auto table = std::make_unique<program::MoeLayerT>();
      table->layer = static_cast<uint32_t>(layer.getLayer());
      table->num_experts = static_cast<uint32_t>(layer.getExperts());
      table->stats_offset = layer.getStats();
      result.moe_layers.push_back(std::move(table));
    }
    for (auto weight : op.getBody().getOps<PackedWeightOp>()) // what passes left; a tied head is packed once
      result.parameters += distinctElements(cast<YieldOp>(weight.getBody().front().back()).getValues().front());
  }

  // A weight's buffer has the name of its tensor, which another target's program may have put in panels.
  void addWeight(PackedWeightOp weight) {
    addBuffer(weight.getSymName(), program::BufferKind::weight, bytesOf(weight.getType()));
    const TensorTable::Tensor &tensor = tensors.of(weight);
    result.buffers.back()->name = tensor.name;
    const Encoding encoding = storedAs(cast<PackedWeightOp>(tensor.op));
    if (encoding.layout != WeightLayout::panels || encoding.scheme) // codes are read as they lie
      return;
    program::BufferT &buffer = *result.buffers.back();
    buffer.layout = program::Layout::panels;
    buffer.element = encoding.element == DType::f32   ? program::Element::f32
                     : encoding.element == DType::f16 ? program::Element::f16
                                                      : program::Element::bf16;
    buffer.groups = static_cast<uint32_t>(encoding.groups);
    buffer.rows = static_cast<uint64_t>(encoding.rows);
    buffer.columns = static_cast<uint64_t>(encoding.storedColumns());
  }

  void addBuffer(StringRef name, program::BufferKind kind, uint64_t size) {
    buffers[name] = static_cast<uint32_t>(result.buffers.size());
    auto buffer = std::make_unique<program::BufferT>();
    buffer->name = name.str();
    buffer->kind = kind;
    buffer->size = size;
    result.buffers.push_back(std::move(buffer));
  }

  void addKernel(ExecutableOp executable) {
    kernelIndex[executable.getSymName()] = static_cast<uint32_t>(result.kernels.size());
    auto table = std::make_unique<program::KernelT>();
    table->name = executable.getSymName().str();
    SmallVector<VariantOp> variants = variantsOf(executable);
    ArrayRef<int32_t> workgroup = variants.back().getWorkgroup(); // others may have fewer invocations
    table->workgroup_size.assign(workgroup.begin(), workgroup.end());
    // What another one needs beyond the 16 KiB that are sure comes with the features it requires.
    table->shared_bytes = static_cast<uint32_t>(variants.back().getShared());
    for (const codegen::Binding &binding : executable.getKernel().getBindings())
      table->bindings.push_back(static_cast<program::Access>(binding.access));
    for (VariantOp op : variants) {
      assert(op.getCode() && "xfmr-verify-stage was here");
      auto variant = std::make_unique<program::VariantT>();
      variant->tensor = codeTensorName(op);
      variant->entry = onCpu ? (executable.getSymName() + "." + op.getName()).str() : codegen::kEntryPoint;
      if (op.getFeatures())
        for (auto feature : op.getFeatures()->getAsRange<StringAttr>())
          variant->requires_.push_back(feature.str());
      table->variants.push_back(std::move(variant));
    }
    result.kernels.push_back(std::move(table));
  }

  // Operations from the kernel's contract, bytes from what is bound.
  void addWork(program::DispatchT &item, DispatchOp dispatch, KernelAttrInterface kernel) {
    const codegen::DispatchWork work = kernel.getWork(dispatch.getParams());
    uint64_t bytes = 0;
    const std::vector<codegen::Binding> bindings = kernel.getBindings();
    for (size_t i = 0; i < bindings.size(); ++i)
      if (bindings[i].name == "weight" || bindings[i].name == "table")
        bytes = item.bindings[i].range();
    if (!work.rowOperations && !work.keyOperations && !work.tableRows)
      return;
    item.work = std::make_unique<program::WorkT>();
    item.work->row_operations = work.rowOperations;
    item.work->key_operations = work.keyOperations;
    item.work->key_bytes = work.keyBytes;
    item.work->window = work.window;
    item.work->all_keys = work.allKeys;
    item.work->weights = elementOf(work.weights);
    (work.tableRows ? item.work->row_bytes : item.work->weight_bytes) = work.tableRows ? bytes / work.tableRows : bytes;
    const uint64_t all = work.chosen ? expertsOf(dispatch) : 0;
    if (!all)
      return;
    // A part of a mixture does a part of the work: rows spread over all experts.
    const uint64_t bound = std::min<uint64_t>(work.experts, all - std::min<uint64_t>(all, work.firstExpert));
    item.work->experts = static_cast<uint32_t>(bound);
    item.work->chosen = static_cast<float>(work.chosen * bound) / static_cast<float>(all);
    item.work->row_operations = work.rowOperations * bound / all;
  }

  /// Experts of the mixture that a dispatch belongs to; 0 where its label names no block with one.
  uint64_t expertsOf(DispatchOp dispatch) {
    for (auto layer : op.getBody().getOps<MoeLayerOp>())
      if (plan::layerOf(dispatch.getLabel()) == static_cast<int64_t>(layer.getLayer()))
        return layer.getExperts();
    return 0;
  }

  void addLaunch(program::DispatchT &item, DispatchOp dispatch) {
    if (!onCpu) {
      VulkanLaunch launch = dispatch.getVulkanLaunch();
      item.push = launch.push;
      item.grid.assign(launch.grid.begin(), launch.grid.end());
      return;
    }
    item.grid = {static_cast<uint32_t>(dispatch.getExecutable().getKernel().getCpuTile(dispatch.getParams()).count), 1, 1};
  }

  void addPhase(PhaseOp phase) {
    auto table = std::make_unique<program::PhaseT>();
    table->name = stringifyPhaseKind(phase.getKind()).str();
    table->tokens = static_cast<uint32_t>(phase.getRows());
    bool barrier = false;
    for (Operation &entry : phase.getBody().front()) {
      barrier |= isa<BarrierOp>(entry);
      auto dispatch = dyn_cast<DispatchOp>(entry);
      if (!dispatch)
        continue;
      auto item = std::make_unique<program::DispatchT>();
      item->label = dispatch.getLabel().str();
      item->kernel = kernelIndex.at(dispatch.getKernel());
      for (Value operand : dispatch.getBuffers()) {
        auto ref = operand.getDefiningOp<BufferRefOp>();
        item->bindings.emplace_back(buffers.at(ref.getBuffer()), ref.getOffset(), bytesOf(ref.getType()));
      }
      addLaunch(*item, dispatch);
      addWork(*item, dispatch, dispatch.getExecutable().getKernel());
      if (Value indirect = dispatch.getIndirect()) {
        item->grid.assign(3, 1); // not read
        auto ref = indirect.getDefiningOp<BufferRefOp>();
        item->indirect_buffer = static_cast<int32_t>(buffers.at(ref.getBuffer()));
        item->indirect_offset = ref.getOffset() + dispatch.getIndirectOffset();
      }
      item->barrier = barrier;
      barrier = false;
      table->dispatches.push_back(std::move(item));
    }
    for (const Border &border : bordersOf(phase))
      addBorder(*table, border);
    result.phases.push_back(std::move(table));
  }

  void addBorder(program::PhaseT &phase, const Border &border) {
    auto item = std::make_unique<program::BorderT>();
    item->dispatch = border.dispatch;
    item->fault = border.fault;
    for (BufferRefOp rows : border.live)
      item->live.emplace_back(buffers.at(rows.getBuffer()), phase.tokens, rows.getOffset(), bytesOf(rows.getType()) / phase.tokens);
    phase.borders.push_back(std::move(item));
  }

  ProgramOp op;
  const TensorTable &tensors;
  const bool onCpu;
  program::ProgramT result;
  llvm::StringMap<uint32_t> buffers, kernelIndex;
};

} // namespace

std::string xfmr::codeTensorName(VariantOp variant) {
  auto executable = cast<ExecutableOp>(variant->getParentOp());
  if (!executable->getParentOfType<ProgramOp>().targetOrPortable().isVulkan())
    return artifact::kCpuCodeTensor;
  SmallVector<VariantOp> variants = variantsOf(executable);
  std::string name = artifact::kKernelPrefix + executable.getSymName().str();
  return variant == variants.back() ? name : name + "." + std::to_string(llvm::find(variants, variant) - variants.begin());
}

flatbuffers::DetachedBuffer xfmr::buildProgram(ProgramOp program, const TensorTable &tensors) {
  return Serializer(program, tensors).run();
}
