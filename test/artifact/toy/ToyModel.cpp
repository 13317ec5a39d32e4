// The toy artifact; see ToyModel.h.
#include "test/artifact/toy/ToyModel.h"
#include "runtime/artifact/ArtifactWriter.h"
#include <cstdio>
#include <cstdlib>
#include <fstream>

using namespace xfmr;
using program::Access;
using program::Binding;
using program::BufferKind;

namespace {

enum Buffers : uint32_t { kState, kTokens, kArena, kCache, kWeight, kLogits, kOutput };
enum Kernels : uint32_t { kEmbed, kAppend, kLogitsKernel, kSample, kLogitsAll };

constexpr uint64_t kStateBytes = 128, kTokenBytes = 4 * toy::kChunk, kArenaBytes = 512,
                   kCacheBytes = 4 * toy::kMaxContext, kWeightBytes = 32,
                   kLogitsBytes = 4 * toy::kVocab * toy::kChunk, kOutputBytes = 4 * toy::kMaxContext;

void addKernel(program::ProgramT &p, const char *name, uint32_t size, std::vector<Access> bindings) {
  auto kernel = std::make_unique<program::KernelT>();
  kernel->name = name;
  kernel->workgroup_size = {size, 1, 1};
  kernel->bindings = std::move(bindings);
  auto variant = std::make_unique<program::VariantT>();
  variant->tensor = std::string("kernel.") + name;
  variant->entry = "main";
  kernel->variants.push_back(std::move(variant));
  p.kernels.push_back(std::move(kernel));
}

struct PhaseBuilder {
  std::unique_ptr<program::PhaseT> phase = std::make_unique<program::PhaseT>();
  PhaseBuilder(const char *name, uint32_t tokens) {
    phase->name = name;
    phase->tokens = tokens;
  }
  PhaseBuilder &add(const char *label, uint32_t kernel, std::vector<Binding> bindings, bool barrier,
                    std::vector<uint32_t> push = {}) {
    auto dispatch = std::make_unique<program::DispatchT>();
    dispatch->label = label;
    dispatch->kernel = kernel;
    dispatch->bindings = std::move(bindings);
    dispatch->grid = {1, 1, 1};
    dispatch->barrier = barrier;
    dispatch->push = std::move(push);
    phase->dispatches.push_back(std::move(dispatch));
    return *this;
  }
};

} // namespace

program::ProgramT toy::makeProgram() {
  program::ProgramT p;
  p.version = artifact::kProgramVersion;
  p.producer = "toy";
  p.target = "vulkan";
  p.model_name = "toy";
  p.vocab_size = kVocab;
  p.hidden_size = 1;
  p.max_context = kMaxContext;
  p.bos_token = 1;
  p.eos_tokens = {0};
  p.kv_dtype = "f32";
  p.parameters = 8;
  auto buffer = [&](const char *name, BufferKind kind, uint64_t size) {
    auto b = std::make_unique<program::BufferT>();
    b->name = name;
    b->kind = kind;
    b->size = size;
    p.buffers.push_back(std::move(b));
  };
  buffer("state", BufferKind::state, kStateBytes);
  buffer("tokens", BufferKind::tokens, kTokenBytes);
  buffer("arena", BufferKind::arena, kArenaBytes);
  buffer("cache", BufferKind::cache, kCacheBytes);
  buffer("weight", BufferKind::weight, kWeightBytes);
  buffer("logits", BufferKind::logits, kLogitsBytes);
  buffer("output", BufferKind::output, kOutputBytes);
  addKernel(p, "embed", 64, {Access::read, Access::read, Access::write});
  addKernel(p, "append", 64, {Access::read, Access::read, Access::write});
  addKernel(p, "logits", 64, {Access::read, Access::read, Access::read, Access::write});
  addKernel(p, "sample", 1, {Access::readwrite, Access::read, Access::write, Access::write});

  // 256 is the largest alignment of bindings that a device may ask for.
  const Binding state(kState, 0, kStateBytes), tokens(kTokens, 0, kTokenBytes),
      x(kArena, 256, 4 * kChunk), cache(kCache, 0, kCacheBytes), weight(kWeight, 0, kWeightBytes),
      logits(kLogits, 0, kLogitsBytes), output(kOutput, 0, kOutputBytes);
  auto add = [&](PhaseBuilder &builder) { p.phases.push_back(std::move(builder.phase)); };
  add(PhaseBuilder("prefill", kChunk)
          .add("embedding", kEmbed, {state, tokens, x}, false)
          .add("cache", kAppend, {state, x, cache}, true));
  add(PhaseBuilder("last_logits", 1)
          .add("head", kLogitsKernel, {state, cache, weight, logits}, false, {0}));
  add(PhaseBuilder("all_logits", kChunk)
          .add("head", kLogitsKernel, {state, cache, weight, logits}, false, {1}));
  add(PhaseBuilder("decode", 1)
          .add("embedding", kEmbed, {state, tokens, x}, false)
          .add("cache", kAppend, {state, x, cache}, true)
          .add("head", kLogitsKernel, {state, cache, weight, logits}, true, {0}));
  add(PhaseBuilder("sample", 1).add("sample", kSample, {state, logits, output, tokens}, false));
  // As if the embedding were a block, and what follows another.
  for (auto &phase : p.phases)
    if (phase->dispatches.front()->kernel == kEmbed) {
      phase->borders.push_back(std::make_unique<program::BorderT>());
      phase->borders.back()->dispatch = 1;
      phase->borders.back()->live = {program::LiveRows(kArena, phase->tokens, 256, 4)};
    }
  for (auto &phase : p.phases)
    for (auto &dispatch : phase->dispatches)
      if (dispatch->kernel == kLogitsKernel) { // as if it were a product with the weight
        dispatch->work = std::make_unique<program::WorkT>();
        dispatch->work->row_operations = 2 * kVocab;
        dispatch->work->weight_bytes = kWeightBytes;
      }
  return p;
}

std::string toy::spirv(const std::string &kernel) {
  std::ifstream in(std::string(XFMR_TOY_KERNELS "/") + kernel + ".spv", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string toy::cpuCode() {
  std::ifstream in(XFMR_TOY_KERNELS "/cpu.so", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

program::ProgramT toy::makeCpuProgram(const std::vector<std::string> &levels) {
  program::ProgramT p = makeProgram();
  p.target = "cpu";
  addKernel(p, "logits_all", 1, p.kernels[kLogitsKernel]->bindings);
  for (auto &kernel : p.kernels) {
    kernel->workgroup_size = {1, 1, 1};
    kernel->variants.clear();
    for (const std::string &level : levels) {
      kernel->variants.push_back(std::make_unique<program::VariantT>());
      kernel->variants.back()->tensor = artifact::kCpuCodeTensor;
      kernel->variants.back()->entry = kernel->name + "." + level;
      kernel->variants.back()->requires_ = {level};
    }
  }
  for (auto &phase : p.phases)
    for (auto &dispatch : phase->dispatches) {
      if (dispatch->kernel == kLogitsKernel) {
        const bool all = phase->name == "all_logits";
        dispatch->kernel = all ? kLogitsAll : kLogitsKernel;
        dispatch->grid = {kVocab, all ? uint32_t(kChunk) : 1u, 1};
      } else if (dispatch->kernel != kSample) {
        dispatch->grid = {kChunk, 1, 1};
      }
      dispatch->push.clear();
    }
  return p;
}

toy::Contents toy::cpuContents() {
  Contents contents = bothContents();
  contents.program.reset();
  return contents;
}

toy::Contents toy::bothContents() {
  Contents contents;
  contents.cpuProgram = makeCpuProgram();
  return contents;
}

void toy::addMixture(program::ProgramT &program) {
  program.buffers.push_back(std::make_unique<program::BufferT>());
  program.buffers.back()->name = "stats";
  program.buffers.back()->kind = BufferKind::stats;
  program.buffers.back()->size = 64;
  program.moe_layers.push_back(std::make_unique<program::MoeLayerT>());
  program.moe_layers.back()->num_experts = 2;
  program.moe_layers.back()->stats_offset = 16;
}

static std::string packed(const program::ProgramT &program) {
  flatbuffers::FlatBufferBuilder builder;
  program::FinishProgramBuffer(builder, program::Program::Pack(builder, &program));
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
}

Status toy::write(const std::string &path, const Contents &contents) {
  std::map<std::string, std::string> bytes = contents.tensors;
  std::vector<std::pair<std::string, std::string>> programs;
  if (contents.program) {
    programs.emplace_back(artifact::kProgramTensor, packed(*contents.program));
    for (const char *name : {"embed", "append", "logits", "sample"})
      bytes.emplace(std::string("kernel.") + name, spirv(name));
  }
  if (contents.cpuProgram) {
    programs.emplace_back(artifact::kCpuProgramTensor, packed(*contents.cpuProgram));
    bytes.emplace(artifact::kCpuCodeTensor, cpuCode());
  }
  const std::vector<float> &weight = contents.weight;

  artifact::ArtifactWriter writer(path);
  Status status = Status::success();
  for (const auto &[name, content] : programs)
    if (status.ok())
      status = writer.declareBytes(name, content.size());
  if (status.ok())
    status = writer.declare("weight", "F32", {weight.size()});
  for (const auto &[name, content] : bytes)
    if (status.ok())
      status = writer.declareBytes(name, content.size());
  if (status.ok())
    status = writer.begin();
  for (const auto &[name, content] : programs)
    if (status.ok())
      status = writer.append(content.data(), content.size());
  if (status.ok())
    status = writer.append(weight.data(), 4 * weight.size());
  for (const auto &[name, content] : bytes)
    if (status.ok())
      status = writer.append(content.data(), content.size());
  return status.ok() ? writer.finish() : status;
}

void toy::writeOrDie(const std::string &path) {
  if (Status status = write(path, Contents()); status.failed()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    std::abort();
  }
}

std::vector<int32_t> toy::continuation(std::vector<int32_t> prompt, int n) {
  int sum = kOffset;
  for (int32_t id : prompt)
    sum += id;
  std::vector<int32_t> ids;
  for (int i = 0; i < n; ++i) {
    ids.push_back(sum % kVocab);
    sum += ids.back();
  }
  return ids;
}
