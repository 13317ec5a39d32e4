// A program made ready on a device: kernels compiled, weights in device memory. Sessions share it.
#pragma once
#include "runtime/plan/Part.h"
#include "runtime/vulkan/Commands.h"
#include "runtime/vulkan/Kernels.h"
#include "runtime/vulkan/Memory.h"
#include "runtime/vulkan/TunedChoice.h"

namespace xfmr::vulkan {

class Model {
public:
  struct Options {
    std::string device = "auto"; // auto, an index, or a part of a name
    bool forceStaging = false;   // copy weights through staging buffers even on unified memory (tests)
    const plan::Part *part = nullptr; // of the program, its weights and kernels; null: all of it
  };

  /// Checks the program's barriers, chooses a device, compiles the kernels and moves the weights there.
  static Status open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                     std::shared_ptr<const Model> &out);
  static Status open(const std::string &path, const Options &options,
                     std::shared_ptr<const Model> &out);

  /// The same on the same device, its weights shared, with the variants that `tuned` names instead of those kept for it.
  static Status openTuned(const Model &model, const Tuned &tuned, std::shared_ptr<const Model> &out);

  const artifact::Artifact &artifact() const { return *artifact_; }
  const program::Program &program() const { return *artifact_->program(artifact::Target::vulkan); }
  const plan::Part &part() const { return part_; }
  const std::shared_ptr<Device> &device() const { return device_; }
  const Kernels &kernels() const { return *kernels_; }
  const LeftOut &leftOut() const { return leftOut_; }
  /// Buffer `index` of the program if it is a weight.
  const Buffer &weight(uint32_t index) const { return weights_[index]; }

  /// Lines for --verbose: device and why, memory, pipeline cache, variants that are not the portable one.
  std::string report() const;

private:
  Status uploadWeights(bool forceStaging);
  Status uploadStaged(const std::vector<uint32_t> &indices);

  std::shared_ptr<const artifact::Artifact> artifact_;
  plan::Part part_;
  std::shared_ptr<Device> device_;
  std::shared_ptr<PipelineCache> cache_;
  LeftOut leftOut_; // by an earlier self-test
  Tuned tuned_;     // by an earlier --tune
  TunedState tunedState_ = TunedState::none;
  std::unique_ptr<Kernels> kernels_;
  std::shared_ptr<Memory> memory_;
  std::vector<Buffer> weights_;
};

} // namespace xfmr::vulkan
