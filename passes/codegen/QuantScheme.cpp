// Tables and small arithmetic of quantised forms. Sources: ggml's block structures (q*, iq4), OCP Microscaling v1.0 (e2m1,
// e8m0), Dettmers et al. 2023 (nf4).
#include "passes/codegen/QuantScheme.h"

namespace xfmr {
namespace {

constexpr std::string_view kCodes[] = {"int2", "int3", "int4", "int5", "int6", "int8", "e2m1", "iq4_nl", "nf4"};
constexpr std::string_view kScales[] = {"f16", "bf16", "f32", "e8m0"};
constexpr std::string_view kSubs[] = {"none", "u4", "u6", "i6", "i8"};

constexpr float kE2m1[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
constexpr float kIq4Nl[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr float kNf4[16] = {-1.0f,
                            -0.6961928009986877f,
                            -0.5250730514526367f,
                            -0.39491748809814453f,
                            -0.28444138169288635f,
                            -0.18477343022823334f,
                            -0.09105003625154495f,
                            0.0f,
                            0.07958029955625534f,
                            0.16093020141124725f,
                            0.24611230194568634f,
                            0.33791524171829224f,
                            0.44070982933044434f,
                            0.5626170039176941f,
                            0.7229568362236023f,
                            1.0f};

struct Named {
  std::string_view name;
  QuantScheme scheme;
};
constexpr QuantScale kF16 = QuantScale::f16;
constexpr Named kNamed[] = {
    {"q4_0", {QuantCode::int4, 32, kF16, false, 0, QuantSub::none}},
    {"q4_1", {QuantCode::int4, 32, kF16, true, 0, QuantSub::none}},
    {"q5_0", {QuantCode::int5, 32, kF16, false, 0, QuantSub::none}},
    {"q5_1", {QuantCode::int5, 32, kF16, true, 0, QuantSub::none}},
    {"q8_0", {QuantCode::int8, 32, kF16, false, 0, QuantSub::none}},
    {"q2_k", {QuantCode::int2, 16, kF16, true, 256, QuantSub::u4}},
    {"q3_k", {QuantCode::int3, 16, kF16, false, 256, QuantSub::i6}},
    {"q4_k", {QuantCode::int4, 32, kF16, true, 256, QuantSub::u6}},
    {"q5_k", {QuantCode::int5, 32, kF16, true, 256, QuantSub::u6}},
    {"q6_k", {QuantCode::int6, 16, kF16, false, 256, QuantSub::i8}},
    {"iq4_nl", {QuantCode::iq4_nl, 32, kF16, false, 0, QuantSub::none}},
    {"iq4_xs", {QuantCode::iq4_nl, 32, kF16, false, 256, QuantSub::i6}},
    {"mxfp4", {QuantCode::e2m1, 32, QuantScale::e8m0, false, 0, QuantSub::none}},
    {"nf4", {QuantCode::nf4, 64, QuantScale::f32, false, 0, QuantSub::none}},
};

template <typename E, size_t N> bool parse(const std::string_view (&words)[N], std::string_view word, E &out) {
  for (size_t i = 0; i < N; ++i)
    if (words[i] == word)
      return out = static_cast<E>(i), true;
  return false;
}

} // namespace

std::string_view quantWord(QuantCode code) {
  return kCodes[static_cast<size_t>(code)];
}
std::string_view quantWord(QuantScale scale) {
  return kScales[static_cast<size_t>(scale)];
}
std::string_view quantWord(QuantSub sub) {
  return kSubs[static_cast<size_t>(sub)];
}
bool parseQuantWord(std::string_view word, QuantCode &code) {
  return parse(kCodes, word, code);
}
bool parseQuantWord(std::string_view word, QuantScale &scale) {
  return parse(kScales, word, scale);
}
bool parseQuantWord(std::string_view word, QuantSub &sub) {
  return parse(kSubs, word, sub);
}

const float *codeBook(QuantCode code) {
  switch (code) {
  case QuantCode::e2m1: return kE2m1;
  case QuantCode::iq4_nl: return kIq4Nl;
  case QuantCode::nf4: return kNf4;
  default: return nullptr;
  }
}

int QuantScheme::bits() const {
  constexpr int kBits[] = {2, 3, 4, 5, 6, 8, 4, 4, 4};
  return kBits[static_cast<size_t>(code)];
}

float QuantScheme::codeValue(int u) const {
  if (const float *book = codeBook(code))
    return book[u];
  return static_cast<float>(minimum ? u : u - (1 << (bits() - 1)));
}

std::optional<int> QuantScheme::zeroCode() const {
  if (minimum || code == QuantCode::iq4_nl)
    return std::nullopt;
  if (isBook())
    return code == QuantCode::nf4 ? 7 : 0;
  return 1 << (bits() - 1);
}

int64_t QuantScheme::unit(WeightPlane plane, int64_t columns) const {
  switch (plane) {
  case WeightPlane::values:
  case WeightPlane::codes: return 1;
  case WeightPlane::scales:
  case WeightPlane::mins: return runColumns(columns);
  case WeightPlane::subScales:
  case WeightPlane::subMins: return groupColumns(columns);
  }
  return 1;
}

bool QuantScheme::has(WeightPlane plane) const {
  switch (plane) {
  case WeightPlane::mins: return minimum;
  case WeightPlane::subScales: return twoLevels();
  case WeightPlane::subMins: return twoLevels() && minimum;
  default: return true;
  }
}

double QuantScheme::bitsPerWeight(int64_t columns) const {
  const int subBits = sub == QuantSub::u4 ? 4 : sub == QuantSub::i8 ? 8 : sub == QuantSub::none ? 0 : 6;
  const auto runs = static_cast<double>(planeColumns(WeightPlane::scales, columns));
  const auto groups = static_cast<double>(planeColumns(WeightPlane::subScales, columns));
  return bits() + (8.0 * scaleBytes() * runs + subBits * groups) * (minimum ? 2 : 1) / static_cast<double>(columns);
}

const char *QuantScheme::fault() const {
  if (group < 0 || group > (1 << 24))
    return "group must be row or 1 to 16777216 columns";
  if (super < 0 || (super != 0) != (sub != QuantSub::none))
    return "super and sub come together";
  if (super && (group == 0 || super % group != 0 || super > 65536))
    return "super must be a multiple of group, at most 65536";
  if (super && minimum != (sub == QuantSub::u4 || sub == QuantSub::u6))
    return "sub is u4 or u6 with a minimum, i6 or i8 without";
  if (minimum && (isBook() || scale == QuantScale::e8m0))
    return "a minimum needs integer codes and a scale that is no e8m0";
  if (super && scale == QuantScale::e8m0)
    return "two levels need a scale that is no e8m0";
  return nullptr;
}

std::optional<QuantScheme> QuantScheme::named(std::string_view name) {
  for (const Named &one : kNamed)
    if (one.name == name)
      return one.scheme;
  return std::nullopt;
}

std::string_view QuantScheme::name() const {
  for (const Named &one : kNamed)
    if (one.scheme == *this)
      return one.name;
  return {};
}

} // namespace xfmr
