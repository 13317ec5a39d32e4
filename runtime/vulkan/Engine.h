// The engine over Vulkan: a model on a device, and sessions' memories whose phases are recorded once and replayed.
#pragma once
#include "runtime/engine/Engine.h"
#include "runtime/vulkan/Model.h"

namespace xfmr::vulkan {

/// Opens the artifact's program for Vulkan; see Model::open.
Status openEngine(std::shared_ptr<const artifact::Artifact> artifact, const Model::Options &options,
                  std::shared_ptr<const engine::Engine> &out);
std::shared_ptr<const engine::Engine> engineOf(std::shared_ptr<const Model> model);

} // namespace xfmr::vulkan
