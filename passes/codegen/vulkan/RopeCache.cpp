// An item is one head of q, k or v of one row: eight invocations an item, eight items a workgroup.
// The head passes through workgroup memory, because an element needs its partner and q is written
// in place.
#include "passes/codegen/RopeCache.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/vulkan/CacheCodes.h"
#include "passes/codegen/vulkan/HeadTurn.h"
#include "passes/codegen/vulkan/Heads.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"
#include <cmath>

namespace xfmr::codegen {
namespace {

enum Word : uint32_t {
  kNumHeads,
  kNumKvHeads,
  kHeadDim,
  kRotaryDim,
  kMaxContext,
  kQStride,
  kQOffset,
  kKStride,
  kKOffset,
  kVStride,
  kVOffset,
  kEps,
  kInverseHeadDim,
  kQHead
};

constexpr uint32_t kLanes = 8, kItems = kRopeItems;

class RopeCache {
public:
  RopeCache(KernelBuilder &k, const RopeCacheSpec &spec)
      : k(k), spec(spec), head(k.shared(Element::F32, kItems * kMaxHeadDim)) {
    if (spec.qNorm || spec.kNorm)
      squares = k.shared(Element::F32, kItems * kLanes);
  }

  void build() {
    Buffer state = k.buffer("state");
    Value count = state[state::kCount];
    Value qHeads = spec.touchesQ() ? k.push(kNumHeads) : k.u32(0);
    Value kvHeads = k.push(kNumKvHeads), perRow = qHeads + (spec.latent ? kvHeads : kvHeads * 2);
    k.when(k.group() * kItems < count * perRow, [&] {
      Value item = k.group() * kItems + k.thread() / kLanes;
      Value number = item % perRow;
      lane = k.thread() % kLanes;
      base = k.thread() / kLanes * kMaxHeadDim;
      auto unitsOf = [&](Value columns) { return spec.unaligned ? columns : columns >> 2; };
      units = unitsOf(k.push(kHeadDim));
      staged = spec.latent ? unitsOf(k.push(kRotaryDim)) : units;
      row = item / perRow;
      position = state[state::kPosition] + row;
      Value live = (row < count) & (position < k.push(kMaxContext));
      Value isQ = live & (number < qHeads),
            isK = live & (number >= qHeads) & (number < qHeads + kvHeads);
      Value isV = live & (number >= qHeads + kvHeads);
      Value kvHead = (number - qHeads) % kvHeads;

      if (spec.touchesQ())
        k.when(isQ, [&] { stage("q", kQStride, kQOffset, number, spec.qNorm); });
      k.when(isK, [&] { stage("k", kKStride, kKOffset, kvHead, spec.kNorm); });
      if (!spec.latent)
        k.when(isV, [&] { // straight through
          Value from = start(kVStride, kVOffset, kvHead);
          toCache("v_cache", kvHead, [&](Value i) { return k.buffer("v")[from + i]; });
        });
      k.barrier();
      if (spec.touchesQ())
        k.when(isQ, [&] {
          Value to = start(kQStride, kQOffset, number), f = normFactor(spec.qNorm);
          k.loop(lane, staged, k.u32(kLanes), [&](Value i) {
            k.buffer("q").store(to + i, finished(i, spec.qNorm ? "q_norm" : "", f));
          });
        });
      k.when(isK, [&] {
        if (spec.latent) {
          Value from = start(kVStride, kVOffset, kvHead) - staged; // there is one
          return toCache("k_cache", kvHead, [&](Value i) {
            return k.choose(
                i < staged, [&] { return Values{finished(i, "", {})}; }, [&] { return Values{k.buffer("v")[from + i]}; })[0];
          });
        }
        Value f = normFactor(spec.kNorm);
        toCache("k_cache", kvHead,
                [&](Value i) { return finished(i, spec.kNorm ? "k_norm" : "", f); });
      });
    });
  }

private:
  // First unit of head `number` of the current row. A unit is a vec4, or a float if unaligned.
  Value start(uint32_t stride, uint32_t offset, Value number) {
    Value first = k.push(offset) + row * k.push(stride) + number * k.push(offset == kQOffset ? kQHead : kHeadDim);
    return spec.unaligned ? first : first >> 2;
  }

  void stage(const char *name, uint32_t stride, uint32_t offset, Value number, bool norm) {
    Value from = start(stride, offset, number);
    Values s = k.loop(lane, staged, k.u32(kLanes), {spec.unaligned ? k.f32(0) : k.zero4()},
                      [&](Value unit, llvm::ArrayRef<Value> carried) {
                        Value v = k.buffer(name)[from + unit];
                        if (spec.unaligned)
                          head.store(base + unit, v);
                        else
                          for (unsigned i = 0; i < 4; ++i)
                            head.store(base + unit * 4 + i, v[i]);
                        return Values{fma(v, v, carried[0])};
                      });
    if (norm)
      squares.store(k.thread(), spec.unaligned ? s[0] : sum(s[0]));
  }

  Value normFactor(bool norm) {
    if (!norm)
      return {};
    Value first = k.thread() / kLanes * kLanes, total = squares[first];
    for (uint32_t i = 1; i < kLanes; ++i)
      total = total + squares[first + i];
    return rsqrt(fma(total, k.pushFloat(kInverseHeadDim), k.pushFloat(kEps)));
  }

  Value rotated(Value e, llvm::StringRef norm, Value factor) {
    HeadTurn turn{k, spec.style, spec.unitOffset, head, base};
    return spec.style == RopeStyle::None ? turn.normed(e, norm, factor)
                                         : turn.rotated(e, norm, factor, position, k.push(kRotaryDim));
  }

  Value finished(Value unit, llvm::StringRef norm, Value factor) {
    if (spec.unaligned)
      return rotated(unit, norm, factor);
    auto at = [&](unsigned i) { return rotated(unit * 4 + i, norm, factor); };
    return k.vector4(at(0), at(1), at(2), at(3));
  }

  // `value` gives a unit of the head; the rest of a cache row is zero.
  void toCache(const char *name, Value kvHead, llvm::function_ref<Value(Value unit)> value) {
    auto orZero = [&](Value unit, Value zero) {
      return k.choose(
          unit < units, [&] { return Values{value(unit)}; }, [&] { return Values{zero}; })[0];
    };
    Value padded = ((k.push(kHeadDim) + 7) >> 3) << 1;
    Value to = (kvHead * k.push(kMaxContext) + position) * padded;
    CacheCodes codes{k, spec.cache, k.push(kNumKvHeads), k.push(kMaxContext), padded};
    Value inverse;
    if (codes.present()) { // every lane looks at the whole head: no barrier may stand here
      Value size = k.loop(k.u32(0), units, k.u32(1), {k.f32(0)}, [&](Value unit, llvm::ArrayRef<Value> in) {
        Value v = abs(value(unit)), most = in[0];
        for (unsigned i = 0; i < v.lanes(); ++i)
          most = max(most, v.lanes() > 1 ? v[i] : v);
        return Values{most};
      })[0];
      Value isZero = size < std::ldexp(1.0, -100);
      inverse = select(isZero, k.f32(0), 127.0 / size);
      k.when(lane == 0, [&] {
        k.buffer(name).store(codes.scaleAt(kvHead, position), asInt(select(isZero, k.f32(0), size / 127.0)));
      });
    }
    k.loop(lane, padded, k.u32(kLanes), [&](Value quad) {
      auto lane = [&](unsigned i) { return orZero(quad * 4 + i, k.f32(0)); };
      Value v;
      if (spec.unaligned) {
        Value a = lane(0), b = lane(1), c = lane(2), d = lane(3);
        v = k.vector4(a, b, c, d);
      } else {
        v = orZero(quad, k.zero4());
      }
      if (codes.present())
        v = roundEven(v * inverse);
      storeCache4(k.buffer(name), spec.cache, to + quad, v);
    });
  }

  KernelBuilder &k;
  const RopeCacheSpec &spec;
  Buffer head, squares;
  Value lane, base, units, row, position;
  Value staged; // units of a head that go through workgroup memory
};

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const RopeCacheSpec &spec) {
  Element rows = HeadRows::element(spec.unaligned), cache = cacheElement(spec.cache);
  std::vector<Element> elements = {Element::U32, rows, rows, rows, cache};
  if (!spec.latent)
    elements.push_back(cache);
  elements.resize(spec.bindings().size(), Element::F32);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {kLanes * kItems, 1, 1});
  RopeCache(k, spec).build();
  return k.finish();
}

} // namespace xfmr::codegen
