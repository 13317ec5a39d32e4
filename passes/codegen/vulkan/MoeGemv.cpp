// portable: as gemv, 64 invocations are eight lanes over the columns times eight blocks of four weight rows; y of
// the grid is the entry (First) or the row (Second, which loops over the row's experts). subgroup_size_8 + texel_buffers:
// as gemv's, for software drivers: weights and x come as texels, and an invocation takes sixteen rows. subgroup_size_32,
// subgroup_size_64: for GPUs, a block a subgroup, see SubgroupRows.h.
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/vulkan/CodeVariants.h"
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/MoeGemvVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "passes/codegen/vulkan/SubgroupRows.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace moe_gemv;
namespace {

constexpr uint32_t kLanes = 8, kBlocks = kMoeGemvBlocks, kBlockRows = SubgroupRows::kRows;

// How the invocations of a workgroup divide kBlocks blocks of four weight rows.
struct Layout {
  uint32_t rows; // that one invocation takes: 4 or 16
  bool texels;   // reads weights and x as such
  uint32_t subgroup = 0; // lanes of one, if a block is a subgroup's; its sums then need no workgroup memory
  uint32_t blocksEach() const { return rows / kBlockRows; }
  uint32_t invocations() const { return subgroup ? subgroup * kBlocks : kLanes * kBlocks / blocksEach(); }
};

class MoeGemv {
public:
  MoeGemv(KernelBuilder &k, const MoeGemvSpec &spec, Layout layout)
      : k(k), spec(spec), layout(layout),
        partial(layout.subgroup ? Buffer() : k.shared(Element::F32x4, kLanes * kBlocks)) {
    if (layout.texels) {
      k.readAsTexels(k.buffer("weight"));
      k.readAsTexels(k.buffer("x"));
    }
  }

  void build() {
    Value count = k.buffer("state")[state::kCount], y = k.groupY(), topK = k.push(kTopK);
    const bool first = spec.product == MoeProduct::First;
    Value mine = y < (first ? count * topK : count);
    if (first) // not read beyond the last entry
      mine = k.choose(mine, [&] { return Values{select(holds(k, y), k.u32(1), k.u32(0))}; },
                      [&] { return Values{k.u32(0)}; })[0] != 0;
    k.when(mine, [&] {
      n = k.push(kN);
      row = (k.groupX() * kBlocks +
             (layout.subgroup ? k.subgroup() : k.thread() / kLanes * layout.blocksEach())) * kBlockRows;
      Values zeros(layout.rows, k.zero4());
      Values sums = first ? product(y, y / topK, zeros)
                          : k.loop(k.u32(0), topK, k.u32(1), zeros, [&](Value i, llvm::ArrayRef<Value> in) {
                              return product(y * topK + i, y * topK + i, Values(in.begin(), in.end()));
                            });
      if (layout.subgroup) {
        Value total = SubgroupRows::total(sums), block = row / kBlockRows;
        k.when((k.lane() == 0) & (block < outBlocks(k, spec)), [&] { store(k, spec, total, block, y); });
        return;
      }
      for (uint32_t b = 0; b < layout.blocksEach(); ++b) { // [block, lane]
        const Value *s = &sums[b * kBlockRows];
        partial.store((k.thread() / kLanes * layout.blocksEach() + b) * kLanes + k.thread() % kLanes,
                      k.vector4(sum(s[0]), sum(s[1]), sum(s[2]), sum(s[3])));
      }
      k.barrier();
      Value outBlock = k.groupX() * kBlocks + k.thread(), blocks = outBlocks(k, spec);
      k.when((k.thread() < kBlocks) & (outBlock < blocks), [&] {
        Value total = partial[k.thread() * kLanes];
        for (uint32_t i = 1; i < kLanes; ++i)
          total = total + partial[k.thread() * kLanes + i];
        store(k, spec, total, outBlock, y);
      });
    });
  }

private:
  Value expertOf(Value entry) { return k.buffer("ids")[entry]; }

  // `soFar` plus this invocation's share of the products of row `xRow` with its rows of the entry's expert.
  Values product(Value entry, Value xRow, const Values &soFar) {
    Buffer x = k.buffer("x"), weight = k.buffer("weight");
    Value chunks = k.push(kChunks), start = (k.push(kXOffset) + xRow * k.push(kXStride)) >> 2;
    Value rowBase = withinPart(k.push(kPart), expertOf(entry)) * n, held = holds(k, entry);
    Value end = select((row < n) & held, chunks, k.u32(0)); // nothing of experts of other parts
    Values zeros(layout.rows, k.zero4());
    if (layout.subgroup) {
      Values starts;
      for (uint32_t r = 0; r < layout.rows; ++r)
        starts.push_back((rowBase + min(row + r, n - 1)) * chunks);
      return weighted(SubgroupRows{k, spec.weight, layout.subgroup, start, starts}.accumulate(end, zeros), entry,
                      soFar);
    }
    Values sums = k.loop(k.thread() % kLanes, end, k.u32(kLanes), zeros, [&](Value chunk, llvm::ArrayRef<Value> in) {
      Value low = x[start + chunk * 2], high = x[start + chunk * 2 + 1];
      Values next;
      for (uint32_t r = 0; r < layout.rows; ++r) { // rows beyond the expert's last are masked below
        auto [w0, w1] = loadWeights8(weight, spec.weight, (rowBase + min(row + r, n - 1)) * chunks + chunk);
        next.push_back(fma(w1, high, fma(w0, low, in[r])));
      }
      return next;
    });
    return weighted(sums, entry, soFar);
  }

  // `soFar` plus the sums of an entry times its weight, without rows beyond the expert's last.
  Values weighted(const Values &sums, Value entry, const Values &soFar) {
    Value factor = spec.weighted ? k.buffer("weights")[entry] : k.f32(1);
    Values result;
    for (uint32_t r = 0; r < layout.rows; ++r) {
      Value f = select(row + r < n, factor, k.f32(0));
      result.push_back(fma(sums[r], k.splat4(f), soFar[r]));
    }
    return result;
  }

  KernelBuilder &k;
  const MoeGemvSpec &spec;
  const Layout layout;
  Buffer partial;
  Value n, row; // `row`: the first weight row of this invocation
};

llvm::Expected<BuiltKernel> buildVariant(mlir::MLIRContext &context, const MoeGemvSpec &spec, Layout layout,
                                              std::vector<std::string> features) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec),
                  {layout.invocations(), 1, 1});
  MoeGemv(k, spec, layout).build();
  return k.finish(std::move(features));
}

} // namespace

std::vector<Element> moe_gemv::elements(const MoeGemvSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight), Element::U32, outElement(spec.epilogue)};
  if (spec.weighted)
    elements.push_back(Element::F32);
  if (spec.epilogue.bias)
    elements.push_back(Element::F32x4);
  MoeTermsBuilder::appendElements(elements, spec.terms);
  return elements;
}

Value moe_gemv::holds(KernelBuilder &k, Value entry) { return partHolds(k.push(kPart), k.buffer("ids")[entry]); }

Value moe_gemv::outBlocks(KernelBuilder &k, const MoeGemvSpec &spec) {
  return spec.epilogue.glu ? (((k.push(kN) >> 1) + 7) >> 3) << 2 : ((k.push(kN) + 7) >> 3) << 1;
}

void moe_gemv::store(KernelBuilder &k, const MoeGemvSpec &spec, Value total, Value outBlock, Value y) {
  Value biasQuads = ((k.push(kN) + 7) >> 3) << 1;
  auto expertOf = [&](Value entry) { return k.buffer("ids")[entry]; };
  if (spec.product == MoeProduct::First) {
    total = applyEpilogue(k, spec.epilogue, total, expertOf(y), outBlock, biasQuads, k.pushFloat(kAlpha), k.pushFloat(kLimit));
  } else {
    if (spec.epilogue.bias)
      total = k.loop(k.u32(0), k.push(kTopK), k.u32(1), {total}, [&](Value i, llvm::ArrayRef<Value> in) {
        Value entry = y * k.push(kTopK) + i, b = k.buffer("bias")[expertOf(entry) * biasQuads + outBlock];
        Value w = spec.weighted ? k.buffer("weights")[entry] : k.f32(1);
        return Values{fma(b, k.splat4(select(holds(k, entry), w, k.f32(0))), in[0])};
      })[0];
    total = MoeTermsBuilder(k, spec.terms, kTerms).apply(total, y, outBlock);
  }
  Value out = (k.push(kOutOffset) + y * k.push(kOutStride)) >> (spec.epilogue.glu ? 1.0 : 2.0);
  k.buffer("out").store(out + outBlock, total);
}

llvm::Expected<BuiltKernel> buildSubgroup(mlir::MLIRContext &context, const MoeGemvSpec &spec, uint32_t lanes) {
  return buildVariant(context, spec, {kBlockRows, false, lanes}, subgroupFeatures(lanes, lanes * kBlocks));
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const MoeGemvSpec &spec) {
  if (schemeOf(spec.weight))
    return buildCodes(context, spec);
  auto kernel = buildVariant(context, spec, {4, false}, {});
  for (uint32_t lanes : {64u, 32u})
    kernel = preferring(std::move(kernel), buildSubgroup(context, spec, lanes));
  return preferring(std::move(kernel), buildVariant(context, spec, {16, true}, {"subgroup_size_8"}));
}

} // namespace xfmr::codegen
