// A tile is a run of rows. Each place of the result is two walks over the columns: the largest key behind the place before,
// then the lowest column that has it.
#include "passes/codegen/TopK.h"
#include "passes/codegen/builder/OrderedKey.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen::cpu {
namespace {

class TopK {
public:
  TopK(KernelBuilder &k, const TopKSpec &spec, const TopKParams &params)
      : k(k), spec(spec), p(params), in(k.buffer("x")), out(k.buffer("out")) {}

  void build() {
    k.tiles([&](Value tile) { overRows(k, tile, rowsEach(spec, p), [&](Value r) { row(r); }); });
  }

private:
  void row(Value r) {
    Value from = r * p.x.stride + p.x.offset, to = r * paddedWidth(2 * spec.top);
    Value lanes = toWord(k.lane(kLanes));
    k.loop(
        k.index(0), k.index(spec.top), 1, {k.u32(0xffffffff), k.u32(0)}, [&](Value place, llvm::ArrayRef<Value> last) {
          const Value lastKey = last[0], lastColumn = last[1];
          // Keys of 16 columns, 0 where one is no longer in the race.
          auto keysAt = [&](Value column, unsigned valid) {
            Value x = in.loadFirst(from + column, kLanes, valid), own = lanes + toWord(column);
            Value key = orderedKey(spec.magnitude ? abs(x) : x, 1);
            Value free = (key < lastKey) | ((key == lastKey) & (own > lastColumn));
            if (valid < kLanes)
              free = free & (k.lane(kLanes) < valid);
            return select(free, key, constantLike(key, int64_t(0)));
          };
          Value most = largest(alongColumns(k, p.width, k.u32(0), [&](Value soFar, Value column, unsigned valid) {
            return max(soFar, keysAt(column, valid));
          }));
          Value mirrored = largest(alongColumns(k, p.width, k.u32(0), [&](Value soFar, Value column, unsigned valid) {
            Value own = constantLike(lanes, int64_t(0xffffffff)) - (lanes + toWord(column));
            return max(soFar, select(keysAt(column, valid) == most, own, constantLike(own, int64_t(0))));
          }));
          Value column = k.u32(0xffffffff) - mirrored;
          out.store(to + place, in[from + toIndex(column)]);
          out.store(to + place + spec.top, toFloat(column));
          return Values{most, column};
        });
    if (const uint32_t pad = paddedWidth(2 * spec.top) - 2 * spec.top)
      out.storeFirst(to + 2 * spec.top, k.zeros(kLanes), pad);
  }

  KernelBuilder &k;
  const TopKSpec &spec;
  const TopKParams &p;
  Buffer in, out;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name, const TopKSpec &spec, const TopKParams &params,
                   Level level) {
  KernelBuilder k(context, name, spec.bindings(), {Element::U32, Element::F32, Element::F32}, level);
  TopK(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
