// Reading of shared/models/vectors: routing cases and whole layers with their expected values.
#pragma once
#include "reference/ops/Moe.h"
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace xfmr {

struct VectorCase {
  std::string name;
  reference::Routing routing;
  reference::Tensor logits, ids, weights; // [T, E], [T, K], [T, K]
  std::vector<double> routerBias, selectionBias;
};

/// Empty where the folder is absent.
std::string vectorsFolder();
std::vector<VectorCase> readRoutingVectors();

/// experts.json: whole layers, numbers in row-major order.
class LayerVectors {
public:
  LayerVectors();
  std::vector<float> numbers(const std::string &layer, const std::string &key) const;

private:
  std::string document_;
};

// Skips a test loudly where the vectors are not at hand.
#define XFMR_NEED_VECTORS()                                                                        \
  if (::xfmr::vectorsFolder().empty())                                                             \
  GTEST_SKIP() << "shared/models/vectors is not beside the repository"

} // namespace xfmr
