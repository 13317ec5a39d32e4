// attention_decode: a tile is one kv head and one split of the keys, for all heads of the group, of latent attention for some.
// attention_combine: a tile is a head.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen::cpu {
namespace {

AttentionSplit::Range seenBy(KernelBuilder &k, uint32_t window, uint32_t chunk, bool cross) {
  if (cross)
    return {k.index(0), k.state(state::kSource), {}, {}};
  Value position = k.state(state::kPosition);
  return visibleKeys(k, position, position + 1, window, chunk);
}

// Floats of a row of `partial`.
uint32_t partialRow(uint32_t headDim) {
  return paddedWidth(headDim) + 8;
}

class Decode {
public:
  Decode(KernelBuilder &k, const AttentionDecodeSpec &spec, const AttentionDecodeParams &params)
      : k(k), spec(spec), p(params),
        facts{spec.headDim, p.numHeads, p.numKvHeads, p.maxContext,
              spec.cache,   spec.softcap, p.scale,    p.softcap, p.alibi, spec.bias, spec.latent},
        each(headsEach(spec, p)), heads(std::min(each, kMostQueries)), splits(spec.single ? 1 : decodeSplits(p.maxContext)),
        split(k, facts, heads, AttentionSplit::Way::Stream), result(k, heads, spec.headDim) {}

  void build() {
    Value count = k.state(state::kCount);
    k.tiles([&](Value tile) {
      all = seenBy(k, p.window, p.chunk, spec.cross);
      number = tile % splits, firstHead = tile / splits * each, kvHead = firstHead / facts.group();
      Value first = number * kDecodeSplit;
      k.when((count != 0) & (first < all.end) & (first + kDecodeSplit > all.begin), [&] {
        const uint32_t whole = each / heads * heads;
        k.loop(0, whole, heads, [&](Value head) { run(head, heads); });
        if (whole < each)
          run(k.index(whole), each - whole);
      });
    });
  }

private:
  void run(Value first, uint32_t size) {
    auto headOf = [&](Value query) { return firstHead + first + query; };
    k.loop(0, size, 1, [&](Value query) {
      split.setQuery(query, k.buffer("q"), headOf(query) * spec.headDim + p.qOffset);
    });
    split.run(
        kvHead, number, k.index(size), all,
        [&](Value query) {
          AttentionSplit::Range range = all;
          range.position = k.state(state::kPosition), range.head = headOf(query);
          return range;
        },
        [&](Value query, Value maximum, Value total) {
          Value head = headOf(query);
          if (!spec.single)
            return storePartial(query, head, maximum, total);
          Buffer out = k.buffer("out");
          result.start(query, spec.sinks ? std::optional(k.buffer("sinks")[head]) : std::nullopt);
          result.join(query, maximum, total, split.values(), split.valuesAt(query));
          result.finish(query, out, head * spec.headDim + p.outOffset);
          const uint32_t width = p.numHeads * spec.headDim;
          k.when(head == p.numHeads - 1,
                 [&] { storeAttentionPad(k, out, k.index(p.outOffset + width), width); });
        });
  }

  void storePartial(Value query, Value head, Value maximum, Value total) {
    Buffer partial = k.buffer("partial");
    Value to = (head * splits + number) * partialRow(spec.headDim), from = split.valuesAt(query);
    overColumns(k, facts.paddedDim(), [&](Value c, unsigned valid) {
      partial.storeFirst(to + c, split.values().loadFirst(from + c, kLanes, valid), valid);
    });
    partial.store(to + facts.paddedDim(), maximum);
    partial.store(to + (facts.paddedDim() + 1), total);
  }

  KernelBuilder &k;
  const AttentionDecodeSpec &spec;
  const AttentionDecodeParams &p;
  const AttentionFacts facts;
  const uint32_t each, heads, splits; // heads a tile takes, and at once
  AttentionSplit split;
  SoftmaxState result;
  AttentionSplit::Range all;
  Value number, firstHead, kvHead;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                   const AttentionDecodeSpec &spec, const AttentionDecodeParams &params,
                   Level level) {
  if (spec.caches || spec.combines)
    return llvm::createStringError("kernel '" + name + "': the CPU's attention_decode writes no caches and combines nothing");
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32, elements[2] = elements[3] = elementOf(spec.cache);
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Decode(k, spec, params).build();
  return k.finish();
}

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                   const AttentionCombineSpec &spec, const AttentionCombineParams &params,
                   Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32;
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  SoftmaxState result(k, 1, spec.headDim);
  Buffer partial = k.buffer("partial"), out = k.buffer("out");
  Value count = k.state(state::kCount), query = k.index(0);
  const uint32_t splits = decodeSplits(params.maxContext), padded = paddedWidth(spec.headDim),
                 width = params.numHeads * spec.headDim;
  k.tiles([&](Value head) {
    k.when(count != 0, [&] {
      AttentionSplit::Range all = seenBy(k, params.window, params.chunk, spec.cross);
      result.start(query, spec.sinks ? std::optional(k.buffer("sinks")[head]) : std::nullopt);
      k.loop(all.begin / kDecodeSplit, (all.end + (kDecodeSplit - 1)) / kDecodeSplit, 1,
             [&](Value split) {
               Value from = (head * splits + split) * partialRow(spec.headDim);
               result.join(query, partial[from + padded], partial[from + (padded + 1)], partial, from);
             });
      result.finish(query, out, head * spec.headDim + params.outOffset);
      k.when(head == params.numHeads - 1,
             [&] { storeAttentionPad(k, out, k.index(params.outOffset + width), width); });
    });
  });
  return k.finish();
}

} // namespace xfmr::codegen::cpu
