// Which variants were fastest when somebody measured them (xfmr-run --tune), kept beside the pipeline cache: one file a device,
// driver version and artifact. Without it, or where it is damaged, the first usable variant of each kernel is taken.
//
//   xfmr tuned 1
//   KERNEL<tab>TENSOR        a line a kernel that has a choice
//   sum HASH                 XXH3-64 of all before it, 16 digits
#pragma once
#include "runtime/artifact/Artifact.h"
#include "runtime/vulkan/Device.h"
#include "runtime/vulkan/VariantChoice.h"

namespace xfmr::vulkan {

std::string tunedText(const Tuned &tuned);
/// Whether `text` is whole; only then `tuned` is what it says.
bool parseTuned(const std::string &text, Tuned &tuned);

/// Where the choice for an artifact on this device lies: another artifact, or the same compiled anew to other code, has another
/// file. "" if there is no place for it.
std::string tunedFile(const Device &device, const artifact::Artifact &artifact);

enum class TunedState { none, found, damaged };
TunedState readTuned(const std::string &path, Tuned &tuned);
Status writeTuned(const std::string &path, const Tuned &tuned);

} // namespace xfmr::vulkan
