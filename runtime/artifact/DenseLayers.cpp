// See DenseLayers.h.
#include "runtime/artifact/DenseLayers.h"
#include <cmath>
#include <cstring>

namespace xfmr::artifact {

static double activated(DenseActivation activation, double x) {
  switch (activation) {
  case DenseActivation::identity: return x;
  case DenseActivation::tanh: return std::tanh(x);
  case DenseActivation::relu: return x > 0 ? x : 0;
  case DenseActivation::gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  }
  return x;
}

std::vector<float> DenseLayer::apply(const std::vector<float> &x) const {
  std::vector<float> y(out);
  for (uint32_t row = 0; row < out; ++row) {
    double sum = bias.empty() ? 0 : bias[row];
    for (uint32_t i = 0; i < in; ++i)
      sum += static_cast<double>(weight[size_t(row) * in + i]) * x[i];
    y[row] = static_cast<float>(activated(activation, sum));
  }
  return y;
}

std::string denseBytes(const std::vector<DenseLayer> &layers) {
  std::string bytes;
  const auto put = [&](const void *data, size_t size) { bytes.append(static_cast<const char *>(data), size); };
  for (const DenseLayer &layer : layers) {
    const uint32_t head[] = {layer.in, layer.out, static_cast<uint32_t>(layer.activation), !layer.bias.empty()};
    put(head, sizeof head);
    put(layer.weight.data(), 4 * layer.weight.size());
    put(layer.bias.data(), 4 * layer.bias.size());
  }
  return bytes;
}

Status readDenseLayers(std::string_view bytes, uint32_t width, std::vector<DenseLayer> &out) {
  out.clear();
  const auto fail = [&](const std::string &what) {
    return Status::error("dense layer " + std::to_string(out.size()) + " of the artifact " + what);
  };
  const auto take = [&](void *to, size_t size) {
    std::memcpy(to, bytes.data(), size);
    bytes.remove_prefix(size);
  };
  while (!bytes.empty()) {
    uint32_t head[4];
    if (bytes.size() < sizeof head)
      return fail("ends within its sizes");
    take(head, sizeof head);
    const auto [in, rows, activation, hasBias] = head;
    if (in != width)
      return fail("takes vectors of " + std::to_string(in) + " numbers, expected " + std::to_string(width));
    if (rows < 1 || rows > 1u << 24 || activation > static_cast<uint32_t>(DenseActivation::gelu) || hasBias > 1)
      return fail("has " + std::to_string(rows) + " rows, activation " + std::to_string(activation) + " and bias " +
                  std::to_string(hasBias) + ", expected 1 to 2^24, 0 to 3 and 0 or 1");
    const uint64_t weights = uint64_t(rows) * in, numbers = weights + (hasBias ? rows : 0);
    if (numbers > bytes.size() / 4)
      return fail("holds " + std::to_string(bytes.size()) + " bytes of numbers, expected " + std::to_string(4 * numbers));
    DenseLayer layer{in, rows, static_cast<DenseActivation>(activation), std::vector<float>(weights), {}};
    take(layer.weight.data(), 4 * weights);
    if (hasBias) {
      layer.bias.resize(rows);
      take(layer.bias.data(), 4 * uint64_t(rows));
    }
    width = rows;
    out.push_back(std::move(layer));
  }
  return Status::success();
}

} // namespace xfmr::artifact
