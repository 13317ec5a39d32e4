// Dense layers behind the pooling of an encoder (sentence-transformers' Dense): y = activation(W x + b), W [out, in], b [out] or none, in
// f32. An artifact holds them in one tensor of bytes, little-endian: of each layer u32 in, out, activation and whether there is a bias,
// then W and b.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xfmr::artifact {

constexpr const char *kDenseTensor = "xfmr.dense";

enum class DenseActivation : uint32_t { identity, tanh, relu, gelu };

struct DenseLayer {
  uint32_t in = 0, out = 0;
  DenseActivation activation = DenseActivation::identity;
  std::vector<float> weight, bias; // bias may be empty

  /// [in] -> [out]; sums in double.
  std::vector<float> apply(const std::vector<float> &x) const;
};

std::string denseBytes(const std::vector<DenseLayer> &layers);

/// `width` is that of the pooled vector: the first layer takes it and each the next one's. No bytes are no layers. Damaged bytes are an
/// error.
Status readDenseLayers(std::string_view bytes, uint32_t width, std::vector<DenseLayer> &out);

} // namespace xfmr::artifact
