// A workgroup takes a row. Each place of the result is one walk over the columns: the best one behind the place before, first
// of each invocation's own columns, then of all invocations, which all do alike so that control flow stays uniform.
#include "passes/codegen/TopK.h"
#include "passes/codegen/builder/OrderedKey.h"
#include "passes/codegen/vulkan/KernelBuilder.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

enum Word : uint32_t { kWidth, kXStride, kXOffset };
constexpr uint32_t kThreads = 64;

class TopK {
public:
  TopK(KernelBuilder &k, const TopKSpec &spec)
      : k(k), spec(spec), keys(k.shared(Element::U32, kThreads)), columns(k.shared(Element::U32, kThreads)) {}

  void build() {
    Value row = k.group();
    k.when(row < k.buffer("state")[state::kCount], [&] { choose(row); });
  }

private:
  void choose(Value row) {
    Value from = k.push(kXOffset) + row * k.push(kXStride), to = row * paddedWidth(2 * spec.top);
    Buffer out = k.buffer("out");
    k.loop(k.u32(0), k.u32(spec.top), k.u32(1), {k.u32(0xffffffff), k.u32(0)},
           [&](Value place, llvm::ArrayRef<Value> last) {
             Values best = behind(from, last[0], last[1]);
             k.when(k.thread() == 0, [&] {
               out.store(to + place, k.buffer("x")[from + best[1]]);
               out.store(to + place + spec.top, toFloat(best[1]));
             });
             return best;
           });
    if (const uint32_t pad = paddedWidth(2 * spec.top) - 2 * spec.top)
      k.when(k.thread() < k.u32(pad), [&] { out.store(to + 2 * spec.top + k.thread(), k.f32(0)); });
  }

  // Key and column of the best column behind the one of `lastKey` and `lastColumn`.
  Values behind(Value from, Value lastKey, Value lastColumn) {
    Values own = k.loop(k.thread(), k.push(kWidth), k.u32(kThreads), {k.u32(0), k.u32(0)},
                        [&](Value column, llvm::ArrayRef<Value> best) {
                          Value x = k.buffer("x")[from + column];
                          Value key = orderedKey(spec.magnitude ? abs(x) : x, 1); // 0 is left for none
                          Value free = (key < lastKey) | ((key == lastKey) & (column > lastColumn));
                          Value better = free & (key > best[0]);
                          return Values{select(better, key, best[0]), select(better, column, best[1])};
                        });
    k.barrier();
    keys.store(k.thread(), own[0]);
    columns.store(k.thread(), own[1]);
    k.barrier();
    return k.loop(k.u32(1), k.u32(kThreads), k.u32(1), {keys[0], columns[0]}, [&](Value i, llvm::ArrayRef<Value> best) {
      Value key = keys[i], column = columns[i];
      Value better = (key > best[0]) | ((key == best[0]) & (column < best[1]));
      return Values{select(better, key, best[0]), select(better, column, best[1])};
    });
  }

  KernelBuilder &k;
  const TopKSpec &spec;
  Buffer keys, columns;
};

} // namespace

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const TopKSpec &spec) {
  KernelBuilder k(context, spec.name(), spec.bindings(), {Element::U32, Element::F32, Element::F32}, {kThreads, 1, 1});
  TopK(k, spec).build();
  return k.finish();
}

} // namespace xfmr::codegen
