// The engine as a view of vulkan::Model; see Engine.h.
#include "runtime/vulkan/Engine.h"
#include "runtime/vulkan/SessionMemory.h"

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

class VulkanEngine : public engine::Engine {
public:
  explicit VulkanEngine(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  const artifact::Artifact &artifact() const override { return model_->artifact(); }
  const program::Program &program() const override { return model_->program(); }
  const char *name() const override { return "vulkan"; }
  std::string device() const override { return model_->device()->facts().name; }
  std::string report() const override { return model_->report(); }
  // Two under way, so that the device need not wait for the host; a submission of 50 ms costs little and a stop
  // throws away no more than two.
  engine::Pace pace() const override { return {2, 0.05}; }
  Status createMemory(std::unique_ptr<engine::Memory> &out) const override {
    auto memory = std::make_unique<SessionMemory>(model_);
    Status status = memory->create();
    if (status.ok())
      out = std::move(memory);
    return status;
  }

private:
  std::shared_ptr<const Model> model_;
};

} // namespace

std::shared_ptr<const engine::Engine> xfmr::vulkan::engineOf(std::shared_ptr<const Model> model) {
  return std::make_shared<VulkanEngine>(std::move(model));
}

Status xfmr::vulkan::openEngine(std::shared_ptr<const artifact::Artifact> artifact, const Model::Options &options,
                                std::shared_ptr<const engine::Engine> &out) {
  std::shared_ptr<const Model> model;
  if (Status s = Model::open(std::move(artifact), options, model); s.failed())
    return s;
  out = engineOf(std::move(model));
  return Status::success();
}
