// Opening an artifact on a device; see Model.h.
#include "runtime/vulkan/Model.h"
#include "runtime/artifact/Panels.h"
#include "runtime/plan/Hazards.h"
#include "runtime/vulkan/Verdicts.h"
#include <algorithm>
#include <cstring>

using namespace xfmr;
using namespace xfmr::vulkan;
using program::BufferKind;

constexpr uint64_t kMostAlignment = 256; // of buffers, on the devices there are
constexpr uint64_t kStagingBytes = uint64_t(32) << 20;

Status Model::open(const std::string &path, const Options &options,
                   std::shared_ptr<const Model> &out) {
  auto artifact = std::make_shared<artifact::Artifact>();
  if (Status s = artifact::Artifact::open(path, *artifact); s.failed())
    return s;
  return open(std::move(artifact), options, out);
}

Status Model::open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                   std::shared_ptr<const Model> &out) {
  auto model = std::make_shared<Model>();
  if (!artifact->program(artifact::Target::vulkan))
    return Status::error("'" + artifact->path() + "' holds a program for " + artifact->targets() +
                         ", none for Vulkan; run it with --device cpu or compile it with --target=vulkan");
  model->artifact_ = std::move(artifact);
  if (Status s = plan::verifyHazards(model->program()); s.failed())
    return Status::error("'" + model->artifact().path() + "': " + s.message());
  model->part_ = options.part ? *options.part : plan::wholeOf(model->program());
  if (Status s = Device::open(options.device, needsOf(model->program(), model->part_), model->device_); s.failed())
    return s;
  model->cache_ = std::make_unique<PipelineCache>(model->device_);
  model->kernels_ = std::make_unique<Kernels>(model->device_);
  model->memory_ = std::make_unique<Memory>(model->device_);
  model->leftOut_ = readVerdicts(*model->device_, model->artifact());
  model->tunedState_ = readTuned(tunedFile(*model->device_, model->artifact()), model->tuned_);
  if (Status s = model->kernels_->load(model->artifact(), model->part_, *model->cache_, model->leftOut_, model->tuned_);
      s.failed())
    return s;
  if (Status s = model->uploadWeights(options.forceStaging); s.failed())
    return s;
  out = std::move(model);
  return Status::success();
}

Status Model::openTuned(const Model &model, const Tuned &tuned, std::shared_ptr<const Model> &out) {
  auto made = std::make_shared<Model>();
  made->artifact_ = model.artifact_;
  made->part_ = model.part_;
  made->device_ = model.device_;
  made->cache_ = model.cache_;
  made->leftOut_ = model.leftOut_;
  made->tuned_ = tuned;
  made->memory_ = model.memory_;
  made->weights_ = model.weights_;
  made->kernels_ = std::make_unique<Kernels>(made->device_);
  if (Status s = made->kernels_->load(made->artifact(), made->part_, *made->cache_, made->leftOut_, tuned); s.failed())
    return s;
  out = std::move(made);
  return Status::success();
}

/// Bytes `begin` … `begin + bytes` of a weight as the kernels read it. Both are whole rows of a weight in panels, or lie
/// behind them.
static void fillWeight(const program::Buffer &weight, const uint8_t *tensor, uint64_t begin, uint64_t bytes,
                       uint8_t *out) {
  if (weight.layout() == program::Layout::rows) {
    std::memcpy(out, tensor + begin, bytes);
    return;
  }
  const uint64_t row = artifact::rowBytes(weight), rows = artifact::plainRows(weight);
  const uint64_t first = std::min(begin / row, rows), count = std::min(bytes / row, rows - first);
  artifact::copyRowsOfPanels(weight, tensor, first, count, out);
  std::memset(out + count * row, 0, bytes - count * row);
}

Status Model::uploadWeights(bool forceStaging) {
  const auto &buffers = *program().buffers();
  weights_.resize(buffers.size());
  std::vector<uint32_t> staged;
  auto isHere = [&](uint32_t i) { return part_.bytes[i] && buffers.Get(i)->kind() == BufferKind::weight; };
  for (uint32_t i = 0; i < buffers.size(); ++i)
    if (isHere(i))
      memory_->expect(buffers.Get(i)->size() + kMostAlignment);
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    if (!isHere(i))
      continue;
    std::string name = buffers.Get(i)->name()->str();
    if (Status s = memory_->add(buffers.Get(i)->size(), Placement::device, name, weights_[i]); s.failed())
      return s;
    const TensorView &tensor = *artifact_->tensor(name);
    if (!weights_[i].mapped || forceStaging) {
      staged.push_back(i);
      continue;
    }
    fillWeight(*buffers.Get(i), tensor.data, 0, buffers.Get(i)->size(), weights_[i].mapped);
    artifact_->file().mapping().release(tensor.data, tensor.byteSize);
  }
  return staged.empty() ? Status::success() : uploadStaged(staged);
}

Status Model::uploadStaged(const std::vector<uint32_t> &indices) {
  // Two halves: while the device copies from one, the host fills the other.
  Memory memory(device_);
  Commands commands(device_);
  Buffer staging[2];
  VkCommandBuffer recording[2];
  if (Status s = commands.create(2); s.failed())
    return s;
  uint64_t largest = 0, widestRow = 0;
  for (uint32_t i : indices) {
    largest = std::max(largest, weights_[i].size);
    if (program().buffers()->Get(i)->layout() == program::Layout::panels)
      widestRow = std::max(widestRow, artifact::rowBytes(*program().buffers()->Get(i)));
  }
  uint64_t half = std::max(std::min(kStagingBytes, largest), widestRow);
  for (int slot : {0, 1}) {
    if (Status s = memory.add(half, Placement::upload, "staging", staging[slot]); s.failed())
      return s;
    if (Status s = commands.allocate(recording[slot]); s.failed())
      return s;
  }
  uint32_t slot = 0;
  for (uint32_t i : indices) {
    const program::Buffer &weight = *program().buffers()->Get(i);
    const TensorView &tensor = *artifact_->tensor(weight.name()->string_view());
    // A weight in panels goes by whole rows.
    const uint64_t row = weight.layout() == program::Layout::panels ? artifact::rowBytes(weight) : 4;
    const uint64_t step = half / row * row;
    for (uint64_t at = 0; at < weight.size(); at += step, slot ^= 1) {
      uint64_t bytes = std::min(step, weight.size() - at);
      if (Status s = commands.wait(slot); s.failed())
        return s;
      fillWeight(weight, tensor.data, at, bytes, staging[slot].mapped);
      if (Status s = commands.begin(recording[slot], false); s.failed())
        return s;
      VkBufferCopy copy{0, at, bytes};
      vkCmdCopyBuffer(recording[slot], staging[slot].handle, weights_[i].handle, 1, &copy);
      fullBarrier(recording[slot]);
      if (Status s = commands.end(recording[slot]); s.failed())
        return s;
      if (Status s = commands.submit({recording[slot]}, slot); s.failed())
        return s;
    }
    artifact_->file().mapping().release(tensor.data, tensor.byteSize);
  }
  for (uint32_t last : {0u, 1u})
    if (Status s = commands.wait(last); s.failed())
      return s;
  return Status::success();
}

std::string Model::report() const {
  const DeviceFacts &facts = device_->facts();
  auto mib = [](uint64_t bytes) { return std::to_string((bytes + (1 << 19)) >> 20) + " MiB"; };
  std::string text = "device: " + facts.name + " (" + device_->reason() + "), Vulkan " +
                     std::to_string(facts.apiMajor) + "." + std::to_string(facts.apiMinor) + ", " +
                     facts.driver + "\n";
  text += "memory: weights " + mib(memory_->allocatedBytes()) + " in " + std::to_string(memory_->allocations()) +
          (memory_->allocations() == 1 ? " allocation" : " allocations") +
          (facts.unifiedMemory ? ", unified\n" : ", device-local through staging\n");
  text += "pipeline cache: " +
          (cache_->path().empty() ? "no place for it" : cache_->path()) +
          (cache_->warm() ? " (found)\n" : " (new)\n");
  if (const program::Phase *few = artifact::findPhase(program(), "prefill_few"))
    text += "prefill: at most " + std::to_string(artifact::findPhase(program(), "prefill")->tokens()) +
            " tokens at once, at most " + std::to_string(few->tokens()) + " by phase prefill_few\n";
  for (const std::string &variant : leftOut_)
    text += "variant " + variant + ": left out, a self-test found it wrong on this driver\n";
  if (tunedState_ == TunedState::damaged)
    text += "tuned choice: '" + tunedFile(*device_, artifact()) + "' is damaged and ignored; xfmr-run --tune makes it anew\n";
  if (tunedState_ == TunedState::found)
    text += "tuned choice: " + tunedFile(*device_, artifact()) + "\n";
  for (uint32_t index = 0; index < program().kernels()->size(); ++index) {
    if (!kernels_->at(index).pipeline) // of another part
      continue;
    const program::Kernel *kernel = program().kernels()->Get(index);
    const uint32_t variant = kernels_->at(index).variant;
    const program::Variant &chosen = *kernel->variants()->Get(variant);
    text += "kernel " + kernel->name()->str() + ": ";
    if (!chosen.requires_() || chosen.requires_()->size() == 0) {
      text += variant != chooseVariant(*kernel, facts.features, leftOut_) ? "portable variant, measured to be the fastest"
              : kernel->variants()->size() > 1                            ? "portable variant, the device lacks what the others need"
                                             : "portable variant, the only one";
    } else {
      text += chosen.tensor()->str() + ", the device has";
      for (const flatbuffers::String *feature : *chosen.requires_())
        text += " " + feature->str();
    }
    text += "\n";
  }
  return text;
}
