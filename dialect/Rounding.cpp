// Least squared errors among candidates. The candidates of symmetric forms are those of 17 sizes around the scale that lets
// the largest magnitude meet the last code, of either sign.
#include "dialect/Rounding.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace xfmr {
namespace {

constexpr int kSizes = 17;
float sizeOf(int candidate) {
  return 0.75f + 0.4f * static_cast<float>(candidate) / 16;
}

// To the nearest integer, ties to even, for |x| < 2^22: exact, and one addition a vector lane.
inline float nearest(float x) {
  constexpr float kShift = 12582912.0f; // 1.5 * 2^23
  return (x + kShift) - kShift;
}

// The largest multiple of a scale's unit that a symmetric form reaches, with the sign of the code that reaches it.
float extreme(const QuantScheme &scheme) {
  switch (scheme.code) {
  case QuantCode::e2m1: return 6;
  case QuantCode::nf4: return 1;
  case QuantCode::iq4_nl: return -127;
  default: return -static_cast<float>(1 << (scheme.bits() - 1));
  }
}

// Sum of squared errors in four lanes, which compilers make a vector of.
float squaredError(const QuantScheme &scheme, const float *values, int64_t count, float step, float offset) {
  if (scheme.isBook()) {
    float sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      const float e = codeValue(scheme, nearestCode(scheme, values[i], step, offset), step, offset) - values[i];
      sum += e * e;
    }
    return sum;
  }
  const float low = scheme.codeValue(0), high = scheme.codeValue((1 << scheme.bits()) - 1);
  const float divisor = step == 0 ? 1.0f : step;
  float lanes[4] = {};
  auto error = [&](int64_t i) {
    const float q = nearest(std::min(std::max((values[i] - offset) / divisor, low), high));
    const float e = q * step + offset - values[i];
    return e * e;
  };
  int64_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (int lane = 0; lane < 4; ++lane)
      lanes[lane] += error(i + lane);
  for (; i < count; ++i)
    lanes[0] += error(i);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

// The same of integers without offset for several steps side by side, which is where rounding a model takes its time: each step has
// the four lanes of above, in the order of above, so the sums are the same to the bit.
constexpr int kSteps = 40; // at least the 34 of a search, a multiple of a register's lanes
#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx2", "default"))) // not FMA: a product is rounded before it is added, as above
#endif
void squaredErrors(const float *values, int64_t count, const float *steps, float low, float high, float *errors) {
  constexpr int kLanes = 8;
  for (int first = 0; first < kSteps; first += kLanes) {
    float sums[4][kLanes] = {}, divisors[kLanes];
    for (int s = 0; s < kLanes; ++s)
      divisors[s] = steps[first + s] == 0 ? 1.0f : steps[first + s];
    const int64_t whole = count / 4 * 4;
    for (int64_t i = 0; i < count; ++i) {
      float *lane = sums[i < whole ? i % 4 : 0];
      for (int s = 0; s < kLanes; ++s) {
        const float q = nearest(std::min(std::max(values[i] / divisors[s], low), high));
        const float e = q * steps[first + s] - values[i];
        lane[s] += e * e;
      }
    }
    for (int s = 0; s < kLanes; ++s)
      errors[first + s] = sums[0][s] + sums[1][s] + sums[2][s] + sums[3][s];
  }
}

float largest(const float *values, int64_t count) {
  float found = 0;
  for (int64_t i = 0; i < count; ++i)
    if (std::abs(values[i]) > std::abs(found))
      found = values[i];
  return found;
}

// MX: the exponent of the largest number less that of the largest code; search looks one up and one down too.
float powerOfTwo(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count) {
  const float most = std::abs(largest(values, count));
  if (most == 0)
    return storedScale(QuantScale::e8m0, 0);
  const int top = std::ilogb(std::abs(extreme(scheme)));
  const int exponent = std::clamp(std::ilogb(most) - top, -126, 126);
  float best = std::ldexp(1.0f, exponent), least = INFINITY;
  if (rule == QuantRule::absmax)
    return best;
  for (int shift : {0, 1, -1}) {
    const float step = std::ldexp(1.0f, exponent + shift);
    const float error = squaredError(scheme, values, count, step, 0);
    if (error < least)
      best = step, least = error;
  }
  return best;
}

// `store` rounds a candidate as it will be stored, or not at all.
template <typename Store>
float symmetricScale(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, Store store) {
  const float most = largest(values, count), reach = extreme(scheme);
  float best = store(most / reach);
  if (rule == QuantRule::absmax)
    return scheme.code == QuantCode::e2m1 || scheme.code == QuantCode::nf4 ? std::abs(best) : best;
  float steps[kSteps] = {}, errors[kSteps], least = INFINITY;
  constexpr int kTried = 2 * kSizes;
  static_assert(kTried <= kSteps);
  for (int k = 0; k < kTried; ++k)
    steps[k] = store((k < kSizes ? 1.0f : -1.0f) * most / reach * sizeOf(k % kSizes));
  if (scheme.isBook())
    for (int k = 0; k < kTried; ++k)
      errors[k] = squaredError(scheme, values, count, steps[k], 0);
  else
    squaredErrors(values, count, steps, scheme.codeValue(0), scheme.codeValue((1 << scheme.bits()) - 1), errors);
  for (int k = 0; k < kTried; ++k)
    if (errors[k] < least)
      best = steps[k], least = errors[k];
  return best;
}

struct Line {
  float step = 0, offset = 0;
};

// step u + offset. `mostOffset`: offsets above are not possible (k-quants store only minima that are not positive).
template <typename Store>
Line lineOf(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, float mostOffset,
            Store store) {
  const auto [lowest, highest] = std::minmax_element(values, values + count);
  const float codes = static_cast<float>((1 << scheme.bits()) - 1);
  const float low = std::min(*lowest, mostOffset), range = std::max(*highest, low) - low;
  Line best{store(range / codes), store(low)};
  if (rule == QuantRule::absmax)
    return best;
  float least = squaredError(scheme, values, count, best.step, best.offset);
  auto consider = [&](Line line) {
    line = {store(line.step), store(std::min(line.offset, mostOffset))};
    if (!(line.step > 0))
      return;
    const float error = squaredError(scheme, values, count, line.step, line.offset);
    if (error < least)
      best = line, least = error;
  };
  for (int k = 0; k < 2 * kSizes; ++k) {
    const float size = 0.6f + 0.5f * static_cast<float>(k) / (2 * kSizes - 1);
    for (float at : {0.0f, 0.5f, 1.0f}) { // where the range that is left out lies
      const Line tried{range / codes * size, low + (1 - size) * range * at};
      if (tried.step <= 0)
        continue;
      consider(tried);
      // The line of least squares through these codes.
      double n = static_cast<double>(count), su = 0, suu = 0, sv = 0, suv = 0;
      for (int64_t i = 0; i < count; ++i) {
        const double u = nearest(std::min(std::max((values[i] - tried.offset) / tried.step, 0.0f), codes));
        su += u, suu += u * u, sv += values[i], suv += u * values[i];
      }
      const double determinant = n * suu - su * su;
      if (determinant <= 0)
        continue;
      const double step = (n * suv - su * sv) / determinant, offset = (sv - step * su) / n;
      if (offset <= mostOffset)
        consider({static_cast<float>(step), static_cast<float>(offset)});
      else if (suu > 0)
        consider({static_cast<float>((suv - mostOffset * su) / suu), mostOffset});
    }
  }
  return best;
}

// A second level: each group's own best scale first, then integers for them, then what those integers are times.
RunScales twoLevels(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count) {
  const int64_t groups = (count + scheme.group - 1) / scheme.group;
  auto size = [&](int64_t group) { return std::min(scheme.group, count - group * scheme.group); };
  auto exact = [](float value) { return value; };
  std::vector<Line> wanted(groups);
  float mostStep = 0, mostOffset = 0;
  for (int64_t g = 0; g < groups; ++g) {
    const float *own = values + g * scheme.group;
    if (scheme.minimum)
      wanted[g] = lineOf(scheme, rule, own, size(g), 0, exact);
    else
      wanted[g].step = symmetricScale(scheme, rule, own, size(g), exact);
    if (std::abs(wanted[g].step) > std::abs(mostStep))
      mostStep = wanted[g].step;
    mostOffset = std::max(mostOffset, -wanted[g].offset);
  }
  const float stepReach = static_cast<float>(scheme.minimum ? scheme.subMost() : scheme.subLeast());
  const float offsetReach = static_cast<float>(scheme.subMost());
  const float least = static_cast<float>(scheme.subLeast()), most = static_cast<float>(scheme.subMost());

  auto scalesFor = [&](float d, float e) {
    RunScales run;
    run.scale = storedScale(scheme.scale, d);
    run.minimum = scheme.minimum ? storedScale(scheme.scale, e) : 0;
    for (int64_t g = 0; g < groups; ++g) {
      auto integer = [&](float value, float unit) {
        return unit == 0 ? 0.0f : std::clamp(nearest(std::clamp(value / unit, -1024.0f, 1024.0f)), least, most);
      };
      run.subScales.push_back(integer(wanted[g].step, run.scale));
      if (scheme.minimum)
        run.subMins.push_back(integer(-wanted[g].offset, run.minimum));
    }
    setSteps(scheme, groups, run);
    return run;
  };
  auto errorOf = [&](const RunScales &run) {
    float error = 0;
    for (int64_t g = 0; g < groups; ++g)
      error += squaredError(scheme, values + g * scheme.group, size(g), run.steps[g], run.offsets[g]);
    return error;
  };
  RunScales best = scalesFor(mostStep / stepReach, mostOffset / offsetReach);
  if (rule == QuantRule::absmax)
    return best;
  // Neighbouring integers for each group, one after the other.
  auto improve = [&](RunScales &run) {
    for (int64_t g = 0; g < groups; ++g) {
      const float *own = values + g * scheme.group;
      float bestError = squaredError(scheme, own, size(g), run.steps[g], run.offsets[g]);
      const float a = run.subScales[g], b = scheme.minimum ? run.subMins[g] : 0;
      for (float da : {-1.0f, 0.0f, 1.0f})
        for (float db : {-1.0f, 0.0f, 1.0f}) {
          if ((da == 0 && db == 0) || (db != 0 && !scheme.minimum) || a + da < least || a + da > most || b + db < 0 ||
              b + db > most)
            continue;
          const float step = run.scale * (a + da), offset = -run.minimum * (b + db);
          const float error = squaredError(scheme, own, size(g), step, offset);
          if (error < bestError) {
            bestError = error;
            run.subScales[g] = a + da;
            if (scheme.minimum)
              run.subMins[g] = b + db;
          }
        }
    }
    setSteps(scheme, groups, run);
  };
  improve(best);
  float leastError = errorOf(best);
  for (float factor : {0.94f, 0.97f, 1.03f, 1.06f}) {
    RunScales tried = scalesFor(mostStep / stepReach * factor, mostOffset / offsetReach * factor);
    improve(tried);
    if (const float error = errorOf(tried); error < leastError)
      best = std::move(tried), leastError = error;
  }
  return best;
}

} // namespace

// Keeps the upper bits, to nearest even.
static float withoutBits(float value, int bits) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  word += (1u << (bits - 1)) - 1 + (word >> bits & 1);
  word &= ~((1u << bits) - 1);
  std::memcpy(&value, &word, 4);
  return value;
}

float storedScale(QuantScale type, float value) {
  switch (type) {
  case QuantScale::f16:
    value = std::clamp(value, -65504.0f, 65504.0f);
    if (std::abs(value) < 6.103515625e-05f) // below 2^-14 multiples of 2^-24, as floats near 0.75 are
      return std::copysign(std::abs(value) + 0.75f - 0.75f, value);
    return withoutBits(value, 13);
  case QuantScale::bf16: return withoutBits(value, 16);
  case QuantScale::f32: return value;
  case QuantScale::e8m0: break;
  }
  if (!(value > 0))
    return std::ldexp(1.0f, -127);
  return std::ldexp(1.0f, std::clamp(static_cast<int>(std::lround(std::log2(value))), -127, 127));
}

void setSteps(const QuantScheme &scheme, int64_t groups, RunScales &scales) {
  if (!scheme.twoLevels()) {
    scales.steps.assign(1, scales.scale);
    scales.offsets.assign(1, scales.minimum);
    return;
  }
  scales.steps.resize(groups);
  scales.offsets.assign(groups, 0.0f);
  for (int64_t g = 0; g < groups; ++g) { // products of 11 and 8 bits: exact
    scales.steps[g] = scales.scale * scales.subScales[g];
    if (scheme.minimum)
      scales.offsets[g] = -scales.minimum * scales.subMins[g];
  }
}

RunScales chooseScales(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, int64_t columns) {
  if (scheme.twoLevels())
    return twoLevels(scheme, rule, values, count);
  RunScales run;
  auto store = [&](float value) { return storedScale(scheme.scale, value); };
  if (scheme.minimum) {
    const Line line = lineOf(scheme, rule, values, count, INFINITY, store);
    run.scale = line.step, run.minimum = line.offset;
  } else {
    run.scale = scheme.scale == QuantScale::e8m0 ? powerOfTwo(scheme, rule, values, count)
                                                 : symmetricScale(scheme, rule, values, count, store);
  }
  setSteps(scheme, 1, run);
  return run;
}

std::vector<float> scaleCandidates(const QuantScheme &scheme, const float *values, int64_t count) {
  std::vector<float> candidates;
  if (scheme.twoLevels() || scheme.minimum)
    return candidates;
  const float most = largest(values, count), reach = extreme(scheme);
  if (scheme.scale == QuantScale::e8m0) {
    const int exponent = most == 0 ? -126 : std::ilogb(std::abs(most)) - std::ilogb(std::abs(reach));
    for (int shift : {0, 1, -1})
      candidates.push_back(std::ldexp(1.0f, std::clamp(exponent + shift, -126, 126)));
    return candidates;
  }
  for (float sign : {1.0f, -1.0f})
    for (int k = 0; k < kSizes; ++k)
      candidates.push_back(storedScale(scheme.scale, sign * most / reach * sizeOf(k)));
  return candidates;
}

int nearestCode(const QuantScheme &scheme, float value, float step, float offset) {
  if (!scheme.isBook()) {
    if (step == 0)
      return scheme.zeroCode().value_or(0);
    const float low = scheme.codeValue(0), high = scheme.codeValue((1 << scheme.bits()) - 1);
    return static_cast<int>(nearest(std::min(std::max((value - offset) / step, low), high)) - low);
  }
  int best = scheme.zeroCode().value_or(0);
  if (step == 0)
    return best;
  float least = INFINITY;
  for (int u = 0; u < (1 << scheme.bits()); ++u)
    if (const float error = std::abs(step * scheme.codeValue(u) - value); error < least)
      best = u, least = error;
  return best;
}

void quantiseRow(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, int64_t columns,
                 WeightPlane plane, float *out) {
  const int64_t run = scheme.runColumns(columns), group = scheme.groupColumns(columns);
  for (int64_t begin = 0; begin < count; begin += run) {
    const int64_t size = std::min(run, count - begin);
    const RunScales scales = chooseScales(scheme, rule, values + begin, size, columns);
    switch (plane) {
    case WeightPlane::scales: *out++ = scales.scale; break;
    case WeightPlane::mins: *out++ = scales.minimum; break;
    case WeightPlane::subScales: out = std::copy(scales.subScales.begin(), scales.subScales.end(), out); break;
    case WeightPlane::subMins: out = std::copy(scales.subMins.begin(), scales.subMins.end(), out); break;
    case WeightPlane::codes:
    case WeightPlane::values:
      for (int64_t i = 0; i < size; ++i) {
        const float step = scales.steps[i / group], offset = scales.offsets[i / group];
        const int code = nearestCode(scheme, values[begin + i], step, offset);
        *out++ = plane == WeightPlane::codes ? static_cast<float>(code) : codeValue(scheme, code, step, offset);
      }
      break;
    }
  }
}

} // namespace xfmr
