// Measuring the variants of an artifact's kernels on the device that will run them, and keeping the choice for later openings
// (runtime/vulkan/TunedChoice.h). Every kernel is timed where the model uses it, on the model's own weights: a round runs a prompt
// and some tokens with the first variant of each kernel, the next one with the second, and so on.
#pragma once
#include "runtime/artifact/Artifact.h"
#include <functional>
#include <memory>

namespace xfmr::engines {

/// A variant's time over a round; 0: the round does not run the kernel.
struct Candidate {
  std::string variant; // its label
  double seconds = 0;
};

/// Which of several to take, best first by the order of the artifact: the fastest, unless the first is as good but for `kMargin`.
constexpr double kMargin = 0.03;
size_t fastest(const std::vector<Candidate> &candidates);

/// A kernel with a choice and what became of it.
struct TunedKernel {
  std::string device, kernel;
  std::vector<Candidate> candidates;
  size_t chosen = 0;
};

/// On a Vulkan device ("auto", an index or a part of its name). `path`: the file that keeps the choice, "" if there is no place.
Status tune(std::shared_ptr<const artifact::Artifact> artifact, const std::string &device,
            const std::function<void(const TunedKernel &)> &tuned, std::string &path);

} // namespace xfmr::engines
