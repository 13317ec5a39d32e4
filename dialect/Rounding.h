// Numbers to codes: how the scales of a run of columns are chosen, and the code of a number once they are. Everything is
// judged with scales as they are stored. Formulas of the forms: passes/codegen/QuantScheme.h. This is what
// xfmr.weight_quantize means, so it lies beside the op.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// The scales of one run: of a group, or of the groups under one scale of a second level.
struct RunScales {
  float scale = 0, minimum = 0;                    // s and m, or d and e
  llvm::SmallVector<float, 16> subScales, subMins; // a and b, one a group; empty where there is one level
  llvm::SmallVector<float, 16> steps, offsets;     // what they amount to: a group's values are step c(u) + offset
};

/// Rounds a scale to what its type holds: f16 and bf16 to nearest even, e8m0 to the nearest power of two above 0.
float storedScale(QuantScale type, float value);

/// Sets steps and offsets of `groups` groups from the stored numbers.
void setSteps(const QuantScheme &scheme, int64_t groups, RunScales &scales);

/// The scales for `count` numbers, a run or the shorter end of a row. `columns`: of the row.
RunScales chooseScales(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, int64_t columns);

/// The scales among which search chooses for numbers under one scale without minimum; empty for other schemes.
std::vector<float> scaleCandidates(const QuantScheme &scheme, const float *values, int64_t count);

/// The nearest code, the lower one of two, and what it stands for.
int nearestCode(const QuantScheme &scheme, float value, float step, float offset);
inline float codeValue(const QuantScheme &scheme, int code, float step, float offset) {
  return static_cast<float>(static_cast<double>(step) * scheme.codeValue(code) + offset);
}

/// Writes a plane of the quantised form of `count` neighbouring numbers of a row, from the first of a run to the last of one.
/// `columns`: of the row.
void quantiseRow(const QuantScheme &scheme, QuantRule rule, const float *values, int64_t count, int64_t columns,
                 WeightPlane plane, float *out);

} // namespace xfmr
