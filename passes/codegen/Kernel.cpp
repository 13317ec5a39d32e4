// The parts of kernel descriptions that every kernel shares.
#include "passes/codegen/Kernel.h"
#include <algorithm>

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

std::array<uint32_t, 3> linearGrid(uint64_t groups) {
  return {static_cast<uint32_t>(std::min<uint64_t>(groups, UINT32_MAX)), 1, 1};
}

std::array<uint32_t, 3> foldGrid(std::array<uint32_t, 3> grid, uint64_t most) {
  const uint64_t groups = grid[0];
  if (groups <= most || grid[1] != 1 || grid[2] != 1)
    return grid;
  const uint64_t rows = (groups + most - 1) / most;
  return {static_cast<uint32_t>((groups + rows - 1) / rows), static_cast<uint32_t>(rows), 1};
}

void Epilogue::appendBindings(std::vector<Binding> &bindings) const {
  if (bias)
    bindings.push_back({"bias", Access::Read});
  if (residual)
    bindings.push_back({"residual", Access::Read});
}

uint32_t Epilogue::outBlocks(uint32_t n) const {
  return glu ? paddedWidth(n / 2) / 2 : paddedWidth(n) / 4;
}

void EpilogueParams::push(std::vector<uint32_t> &words) const {
  words.insert(words.end(), {biasOffset, residual.offset, residual.stride, floatBits(scale), floatBits(softcap)});
}

std::string EpilogueParams::fault(const Epilogue &epilogue, uint32_t n) const {
  if (epilogue.glu && n % 2)
    return "glu needs gate and up rows in pairs, got n = " + std::to_string(n);
  return firstFault({needsQuads("bias_offset", biasOffset), needsQuads("residual", residual)});
}

std::string firstFault(std::initializer_list<std::string> faults) {
  for (const std::string &fault : faults)
    if (!fault.empty())
      return fault;
  return "";
}

std::string codesFault(bool codes, WeightType weight) {
  return codes && !schemeOf(weight) ? std::string("codes need a quantised weight, got ") + toString(weight) : "";
}

std::string pairsFault(bool pairs, WeightType weight) {
  return pairs && weight != WeightType::BF16 ? std::string("pairs need a weight of bf16, got ") + toString(weight) : "";
}

std::optional<WeightType> weightTypeOf(const QuantScheme &scheme) {
  if (scheme.group % 16 || scheme.code == QuantCode::nf4)
    return std::nullopt;
  if (scheme.group % 32) { // e2m1 holds halves up to 6, iq4_nl integers of eight bits
    const int bits = scheme.code == QuantCode::e2m1 ? 5 : scheme.isBook() ? 8 : scheme.bits();
    if (scheme.minimum)
      return bits > 4 ? WeightType::Q8FineWide : WeightType::Q4FineWide;
    return bits > 6 ? WeightType::Q8Fine : bits > 4 ? WeightType::Q6Fine : WeightType::Q4Fine;
  }
  const bool eight = scheme.bits() > 4 || scheme.isBook(); // books hold integers (e2m1: halves) of eight bits
  const bool wide = scheme.minimum || scheme.twoLevels() || scheme.scale != QuantScale::f16 || scheme.code == QuantCode::e2m1;
  if (wide)
    return eight ? WeightType::Q8Wide : WeightType::Q4Wide;
  return eight ? WeightType::Q8 : WeightType::Q4;
}

// The sum of the sections of weights/QuantRows.h, each padded to four bytes, the row to sixteen.
uint64_t rowBytes(WeightType type, uint32_t columns) {
  const std::optional<QuantScheme> scheme = schemeOf(type);
  if (!scheme)
    return uint64_t(paddedWidth(columns)) * (type == WeightType::F32 ? 4 : 2);
  const uint64_t blocks = (uint64_t(columns) + 31) / 32, groups = blocks * (isFine(type) ? 2 : 1);
  const uint64_t codes = blocks * 4 * static_cast<unsigned>(scheme->bits());
  const uint64_t scales = (groups * static_cast<unsigned>(scheme->scaleBytes()) + 3) / 4 * 4;
  return (codes + (scheme->minimum ? 2 : 1) * scales + 15) / 16 * 16;
}

std::string needsPositive(const char *field, uint32_t value) {
  return value ? "" : std::string(field) + " must be positive";
}

std::string needsQuads(const char *field, uint32_t value) {
  return value % 4 ? std::string(field) + " must be a multiple of 4, got " + std::to_string(value) : "";
}

std::string needsQuads(const char *field, const Rows &rows) {
  if (rows.stride % 4 || rows.offset % 4)
    return std::string(field) + " must have a stride and an offset that are multiples of 4, got " +
           std::to_string(rows.stride) + " and " + std::to_string(rows.offset);
  return "";
}

std::string needsAligned(bool specUnaligned, bool paramsUnaligned) {
  return paramsUnaligned && !specUnaligned ? "rows that begin anywhere need a kernel that is unaligned" : "";
}

bool keepsZero(Activation activation) {
  switch (activation) {
  case Activation::None:
    return true;
#define XFMR_ACTIVATION(Name, word, keepsZero, formula)                                                                \
  case Activation::Name:                                                                                               \
    return keepsZero;
#include "passes/codegen/Activations.def"
#undef XFMR_ACTIVATION
  }
  return false;
}

} // namespace xfmr::codegen
