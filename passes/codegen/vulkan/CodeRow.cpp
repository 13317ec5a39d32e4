// See CodeRow.h.
#include "passes/codegen/vulkan/CodeRow.h"

namespace xfmr::codegen {

std::vector<std::string> CodeRow::features(uint32_t lanes) {
  if (!lanes)
    return {"subgroup_size_8", "subgroup_shuffle"};
  if (invocations(lanes) > 128) // every device takes workgroups of 128
    return {"workgroup_" + std::to_string(invocations(lanes))};
  return {};
}

CodeRow::CodeRow(KernelBuilder &k, WeightType type, Value chunks, uint32_t lanes)
    : k(k), lanes(lanes), chunks(chunks), panels(k, k.buffer("weight"), type, chunks) {
  if (!lanes)
    for (const char *name : {"weight", "x"})
      k.readAsTexels(k.buffer(name));
  else
    partial = k.shared(Element::F32x4, invocations(lanes)), partialSquares = k.shared(Element::F32, invocations(lanes));
}

Value CodeRow::product(Value quad, Value start, Value live, Value total, const Norm *norm, Value *squares) const {
  Buffer x = k.buffer("x");
  CodePanels::Place place = panels.place(quad);
  Value quads = chunks * 2, last = quads - 1;
  // A vec4 of x, zeros behind the row.
  auto load = [&](Value at, Value *sum) {
    Value inside = min(at, last), v = select(k.splat4(at < quads), x[start + inside], k.zero4());
    if (sum)
      *sum = fma(v, v, *sum);
    if (norm) {
      Value g = norm->weight[inside];
      v = v * (norm->unitOffset ? g + 1 : g);
    }
    return v;
  };
  Values in = {total};
  if (norm)
    in.push_back(*squares);
  Value first = lanes ? k.thread() / kQuads : k.u32(0);
  Values out =
      k.loop(first, select(live, panels.blocks(), k.u32(0)), k.u32(lanes ? lanes : 1), in,
             [&](Value block, llvm::ArrayRef<Value> carried) {
               Values next(carried.begin(), carried.end());
               Value *sum = norm ? &next[1] : nullptr, at = block * CodePanels::kBlockQuads, own;
               if (!lanes)
                 own = load(at + k.lane(), sum);
               next[0] = panels.addBlock(
                   place, block, [&](uint32_t i) { return lanes ? load(at + i, sum) : k.broadcast(own, i); }, next[0]);
               return next;
             });
  if (norm)
    *squares = out[1];
  return out[0];
}

void CodeRow::finish(Value total, Value squares, llvm::function_ref<void(Value, Value)> body) const {
  Value of = squares ? sum(squares) : Value();
  if (!lanes) {
    if (squares) { // a vec4 of x was one invocation's
      Value all = k.broadcast(of, 0);
      for (uint32_t lane = 1; lane < kQuads; ++lane)
        all = all + k.broadcast(of, lane);
      of = all;
    }
    return body(total, of);
  }
  Value t = k.thread();
  partial.store(t, total);
  if (squares)
    partialSquares.store(t, of);
  k.barrier();
  k.when(t < kQuads, [&] {
    Value all = partial[t], allSquares = squares ? partialSquares[t] : Value();
    for (uint32_t lane = 1; lane < lanes; ++lane) {
      all = all + partial[t + lane * kQuads];
      if (squares)
        allSquares = allSquares + partialSquares[t + lane * kQuads];
    }
    body(all, allSquares);
  });
}

} // namespace xfmr::codegen
