// A tile is a run of rows. Codes are the low bytes of x / scale + 1.5 * 2^23, whose last bit is 1: the sum rounds, and the
// integer stands in two's complement in the number's low bits.
#include "passes/codegen/RowCodes.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"
#include <cmath>

namespace xfmr::codegen::cpu {
namespace {

constexpr float kRound = 12582912; // 1.5 * 2^23
const uint32_t kLeast = floatBits(std::ldexp(1.0f, -100));

// Codes, scale and sum of the block that begins at column 32 * block; `valid` columns of it are stored.
void codeBlock(KernelBuilder &k, const RowCodesSpec &spec, const RowCodesParams &params, Value from, Value to,
               Value block, unsigned valid) {
  Buffer x = k.buffer("x"), codes = k.buffer("codes");
  Value first = x.loadFirst(from + block * kCodeBlock, kLanes, std::min(valid, kLanes));
  Value second = valid > kLanes ? x.loadFirst(from + block * kCodeBlock + kLanes, kLanes, valid - kLanes) : k.zeros(kLanes);
  // As integers magnitudes are in the same order, and nothing asks for NaN.
  auto magnitude = [](Value v) { return asInt(v) & 0x7fffffff; };
  Value most = largest(max(magnitude(first), magnitude(second))), isZero = most < kLeast;
  Value size = asFloat(most);
  Value scale = select(isZero, k.f32(0), size / 127.0f), inverse = select(isZero, k.f32(0), 127.0f / size);
  auto rounded = [&](Value v) { return fma(v, splat(inverse, kLanes), splat(k.f32(kRound), kLanes)); };
  first = rounded(first), second = rounded(second);
  codes.store(to + block * (kCodeBlock / 4), lowBytes(concat(asInt(first), asInt(second))));
  codes.store(to + block + codeScalesAt(params.width), asInt(scale));
  codes.store(to + block + codeSumsAt(params.width), toInt(-sum((first - kRound) + (second - kRound))));
  if (spec.halves)
    codes.store(to + block + codeHalvesAt(params.width), toInt(-sum(first - kRound)));
}

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const RowCodesSpec &spec,
                   const RowCodesParams &params, Level level) {
  KernelBuilder k(context, name, spec.bindings(), {Element::U32, Element::F32, Element::U32}, level);
  const uint32_t columns = paddedWidth(params.width), whole = columns / kCodeBlock;
  k.tiles([&](Value tile) {
    Value begin = tile * rowsEach(params);
    k.loop(begin, min(begin + rowsEach(params), k.state(state::kCount) * params.rowsAToken), 1, [&](Value row) {
      Value from = row * uint64_t(params.x.stride) + params.x.offset,
            to = row * uint64_t(codeWords(params.width, spec.halves));
      if (facts(level).byteDots == ByteDots::None) // nobody reads it
        return k.buffer("codes").store(to, k.u32(0));
      if (whole)
        k.loop(0, whole, 1, [&](Value block) { codeBlock(k, spec, params, from, to, block, kCodeBlock); });
      if (columns % kCodeBlock)
        codeBlock(k, spec, params, from, to, k.index(whole), columns % kCodeBlock);
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
