// The parts of kernel descriptions that every kernel shares.
#include "passes/codegen/Kernel.h"
#include <algorithm>
#include <cstring>
#include <iterator>

namespace xfmr::codegen {

std::string Epilogue::suffix() const {
  std::string s;
  if (bias)
    s += "_bias";
  if (glu)
    s += "_glu";
  if (activation != Activation::None)
    s += std::string("_") + toString(activation);
  if (scale)
    s += "_scale";
  if (softcap)
    s += "_softcap";
  if (residual)
    s += "_residual";
  return s;
}

std::array<uint32_t, 3> foldGrid(uint64_t groups) {
  constexpr uint64_t kMost = 65535;
  if (groups <= kMost)
    return {static_cast<uint32_t>(groups), 1, 1};
  uint64_t rows = (groups + kMost - 1) / kMost;
  return {static_cast<uint32_t>((groups + rows - 1) / rows), static_cast<uint32_t>(rows), 1};
}

void CompiledKernel::prefer(CompiledKernel tuned) {
  sharedBytes = std::max(sharedBytes, tuned.sharedBytes);
  variants.insert(variants.begin(), std::make_move_iterator(tuned.variants.begin()),
                  std::make_move_iterator(tuned.variants.end()));
}

uint32_t floatBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

const char *toString(WeightType type) {
  switch (type) {
  case WeightType::F32:
    return "f32";
  case WeightType::F16:
    return "f16";
  case WeightType::BF16:
    return "bf16";
  }
  return "?";
}

const char *toString(CacheType type) {
  return type == CacheType::F32 ? "f32" : "f16";
}

const char *toString(Activation activation) {
  switch (activation) {
  case Activation::None:
    return "none";
  case Activation::Silu:
    return "silu";
  case Activation::Gelu:
    return "gelu";
  case Activation::GeluTanh:
    return "gelu_tanh";
  case Activation::Relu:
    return "relu";
  case Activation::Sigmoid:
    return "sigmoid";
  case Activation::Tanh:
    return "tanh";
  }
  return "?";
}

bool keepsZero(Activation activation) { return activation != Activation::Sigmoid; }

} // namespace xfmr::codegen
