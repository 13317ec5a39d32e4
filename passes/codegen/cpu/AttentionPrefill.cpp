// A tile is one kv head and a few rows: queries are the heads of the group times the rows, so that a key that was
// loaded serves all of them.
#include "passes/codegen/cpu/AttentionBuilder.h"
#include "passes/codegen/cpu/Columns.h"
#include "passes/codegen/cpu/Kernels.h"
#include "runtime/plan/State.h"
#include <algorithm>

namespace xfmr::codegen::cpu {
namespace {

class Prefill {
public:
  Prefill(KernelBuilder &k, const AttentionPrefillSpec &spec, const AttentionPrefillParams &params)
      : k(k), spec(spec), p(params),
        facts{spec.headDim, p.numHeads, p.numKvHeads, p.maxContext,
              spec.cache,   spec.softcap, p.scale,    p.softcap, p.alibi, spec.bias, spec.latent},
        heads(std::min(facts.group(), kMostQueries)), split(k, facts, heads * rowsEach(p), AttentionSplit::Way::Block),
        result(k, heads * rowsEach(p), spec.headDim) {}

  void build() {
    count = k.state(state::kCount), position = k.state(state::kPosition);
    k.tiles([&](Value tile) {
      firstRow = tile / p.numKvHeads * rowsEach(p), kvHead = tile % p.numKvHeads;
      k.when(firstRow < count, [&] {
        rows = min(count - firstRow, k.index(rowsEach(p)));
        const uint32_t group = facts.group(), whole = group / heads * heads;
        k.loop(0, whole, heads, [&](Value first) { run(first, heads); });
        if (whole < group)
          run(k.index(whole), group - whole);
      });
    });
  }

private:
  AttentionSplit::Range seen(Value row) {
    Value at = position + row, all = position + count;
    if (spec.cross)
      return {k.index(0), k.state(state::kSource), {}, {}};
    if (spec.causal)
      return visibleKeys(k, at, at + 1, p.window, p.chunk);
    return visibleKeys(k, at, p.window ? min(at + p.window, all) : all, p.window); // a window to both sides
  }

  // Heads first .. first + size - 1 of the group, all rows of the tile.
  void run(Value first, uint32_t size) {
    Value queries = rows * size;
    auto rowOf = [&](Value query) { return firstRow + query / size; };
    auto headOf = [&](Value query) { return kvHead * facts.group() + first + query % size; };
    k.loop(k.index(0), queries, 1, [&](Value query) {
      Value head = headOf(query);
      split.setQuery(query, k.buffer("q"),
                     rowOf(query) * p.q.stride + p.q.offset + head * spec.headDim);
      result.start(query, spec.sinks ? std::optional(k.buffer("sinks")[head]) : std::nullopt);
    });
    AttentionSplit::Range all = {seen(firstRow).begin, seen(firstRow + rows - 1).end, {}, {}};
    k.loop(all.begin / kDecodeSplit, (all.end + (kDecodeSplit - 1)) / kDecodeSplit, 1,
           [&](Value number) {
             split.run(
                 kvHead, number, queries, all, [&](Value query) {
                   AttentionSplit::Range range = seen(rowOf(query));
                   range.position = position + rowOf(query), range.head = headOf(query);
                   return range;
                 },
                 [&](Value query, Value maximum, Value total) {
                   result.join(query, maximum, total, split.values(), split.valuesAt(query));
                 });
           });
    k.loop(k.index(0), queries, 1, [&](Value query) {
      Value out = rowOf(query) * p.out.stride + p.out.offset, head = headOf(query);
      result.finish(query, k.buffer("out"), out + head * spec.headDim);
      const uint32_t width = p.numHeads * spec.headDim;
      k.when(head == p.numHeads - 1, [&] { storeAttentionPad(k, k.buffer("out"), out + width, width); });
    });
  }

  KernelBuilder &k;
  const AttentionPrefillSpec &spec;
  const AttentionPrefillParams &p;
  const AttentionFacts facts;
  const uint32_t heads; // of a group, at once
  AttentionSplit split;
  SoftmaxState result;
  Value count, position, firstRow, kvHead, rows;
};

} // namespace

KernelModule build(mlir::MLIRContext &context, llvm::StringRef name,
                   const AttentionPrefillSpec &spec, const AttentionPrefillParams &params,
                   Level level) {
  std::vector<Element> elements(spec.bindings().size(), Element::F32);
  elements[0] = Element::U32, elements[2] = elements[3] = elementOf(spec.cache);
  KernelBuilder k(context, name, spec.bindings(), elements, level);
  Prefill(k, spec, params).build();
  return k.finish();
}

} // namespace xfmr::codegen::cpu
