// portable: 64 invocations are eight lanes times eight blocks of four weight rows. The lanes of a
// block walk the columns side by side, eight columns a step, so x is loaded once for four rows;
// eight invocations then add up the lanes' sums, each for one block. One barrier. subgroup_size_8 +
// texel_buffers: for software drivers, where loads are what costs: what is read of it comes as texels, and an
// invocation takes sixteen rows. subgroup_size_32, subgroup_size_64: for GPUs, a block a subgroup, see SubgroupRows.h.
#include "passes/codegen/Gemv.h"
#include "passes/codegen/vulkan/CodeVariants.h"
#include "passes/codegen/vulkan/GemvVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "passes/codegen/vulkan/SubgroupRows.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace gemv;
namespace {

constexpr uint32_t kLanes = 8, kBlocks = kGemvBlocks, kBlockRows = SubgroupRows::kRows;

// How the invocations of a workgroup divide kBlocks blocks of four weight rows.
struct Layout {
  uint32_t rows; // that one invocation takes: 4 or 16
  bool texels;   // reads weights, x and the norm as such
  uint32_t blocksEach() const { return rows / kBlockRows; }
  uint32_t invocations() const { return kLanes * kBlocks / blocksEach(); }
};

void build(KernelBuilder &k, const GemvSpec &spec, Layout layout) {
  EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
  Buffer weight = k.buffer("weight"), x = k.buffer("x");
  if (layout.texels) {
    k.readAsTexels(weight);
    k.readAsTexels(x);
    if (spec.rmsNorm)
      k.readAsTexels(k.buffer("norm"));
  }
  Buffer partial = k.shared(Element::F32x4, kLanes * kBlocks);
  Buffer partialSquares = spec.rmsNorm ? k.shared(Element::F32, layout.invocations()) : Buffer();

  Value lane = k.thread() % kLanes, chunks = k.push(kChunks), xStart = k.push(kXOffset) >> 2;
  Value weightBlocks = ((k.push(kN) + 7) >> 3) << 1;
  Value firstBlock = k.group() * kBlocks + k.thread() / kLanes * layout.blocksEach();
  Value live = k.buffer("state")[state::kCount] != 0;
  Value end = select(live & (firstBlock < weightBlocks), chunks, k.u32(0));

  Values sums(layout.rows, k.zero4());
  if (spec.rmsNorm)
    sums.push_back(k.zero4());
  sums = k.loop(lane, end, k.u32(kLanes), sums, [&](Value chunk, llvm::ArrayRef<Value> carried) {
    Values next(carried.begin(), carried.end());
    Value low = x[xStart + chunk * 2], high = x[xStart + chunk * 2 + 1];
    if (spec.rmsNorm) {
      next[layout.rows] = fma(low, low, fma(high, high, next[layout.rows]));
      Value g = k.buffer("norm")[chunk * 2], h = k.buffer("norm")[chunk * 2 + 1];
      low = low * (spec.unitOffset ? g + 1 : g);
      high = high * (spec.unitOffset ? h + 1 : h);
    }
    for (uint32_t r = 0; r < layout.rows; ++r) {
      Value block = r < kBlockRows ? firstBlock : min(firstBlock + r / kBlockRows, weightBlocks - 1); // there is the first
      auto [w0, w1] = loadWeights8(weight, spec.weight, (block * kBlockRows + r % kBlockRows) * chunks + chunk);
      next[r] = fma(w1, high, fma(w0, low, next[r]));
    }
    return next;
  });
  // partial: [block, lane]
  for (uint32_t b = 0; b < layout.blocksEach(); ++b) {
    const Value *s = &sums[b * kBlockRows];
    partial.store((k.thread() / kLanes * layout.blocksEach() + b) * kLanes + lane,
                  k.vector4(sum(s[0]), sum(s[1]), sum(s[2]), sum(s[3])));
  }
  if (spec.rmsNorm)
    partialSquares.store(k.thread(), sum(sums[layout.rows]));
  k.barrier();

  Value outBlock = k.group() * kBlocks + k.thread();
  k.when(live & (k.thread() < kBlocks) & (outBlock < epilogue.outBlocks(k.push(kN))), [&] {
    Value total = partial[k.thread() * kLanes];
    for (uint32_t i = 1; i < kLanes; ++i)
      total = total + partial[k.thread() * kLanes + i];
    if (spec.rmsNorm) {
      Value first = k.thread() / layout.blocksEach() * kLanes, squares = partialSquares[first];
      for (uint32_t i = 1; i < kLanes; ++i)
        squares = squares + partialSquares[first + i];
      total = total * rsqrt(fma(squares, k.pushFloat(kInverseK), k.pushFloat(kEps)));
    }
    Value out = epilogue.elements(k.push(kOutOffset)) + outBlock;
    epilogue.store(out, total, outBlock, k.u32(0), weightBlocks);
  });
}

void buildSubgroups(KernelBuilder &k, const GemvSpec &spec, uint32_t lanes) {
  EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
  Value chunks = k.push(kChunks), block = k.group() * kBlocks + k.subgroup();
  Value weightBlocks = ((k.push(kN) + 7) >> 3) << 1;
  k.when((k.buffer("state")[state::kCount] != 0) & (block < epilogue.outBlocks(k.push(kN))), [&] {
    Values starts, zeros(kBlockRows + (spec.rmsNorm ? 1 : 0), k.zero4());
    for (uint32_t r = 0; r < kBlockRows; ++r)
      starts.push_back((block * kBlockRows + r) * chunks);
    SubgroupRows rows{k,      spec.weight,  lanes, k.push(kXOffset) >> 2,
                      starts, spec.rmsNorm, spec.unitOffset};
    Values sums = rows.accumulate(select(block < weightBlocks, chunks, k.u32(0)), zeros);
    Value total = SubgroupRows::total(sums);
    if (spec.rmsNorm)
      total = total * rsqrt(fma(subgroupSum(sum(sums[kBlockRows])), k.pushFloat(kInverseK), k.pushFloat(kEps)));
    k.when(k.lane() == 0, [&] {
      epilogue.store(epilogue.elements(k.push(kOutOffset)) + block, total, block, k.u32(0), weightBlocks);
    });
  });
}

llvm::Expected<BuiltKernel> buildVariant(mlir::MLIRContext &context, const GemvSpec &spec,
                                              Layout layout, std::vector<std::string> features) {
  KernelBuilder k(context, spec.name(), spec.bindings(), elements(spec),
                  {layout.invocations(), 1, 1});
  build(k, spec, layout);
  return k.finish(std::move(features));
}

} // namespace

std::vector<Element> gemv::elements(const GemvSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight), EpilogueBuilder::outElement(spec.epilogue)};
  if (spec.rmsNorm)
    elements.push_back(Element::F32x4);
  EpilogueBuilder::appendElements(elements, spec.epilogue);
  return elements;
}

llvm::Expected<BuiltKernel> buildSubgroup(mlir::MLIRContext &context, const GemvSpec &spec, uint32_t lanes) {
  KernelBuilder k(context, spec.name(), spec.bindings(), gemv::elements(spec),
                  {lanes * kBlocks, 1, 1});
  buildSubgroups(k, spec, lanes);
  return k.finish(subgroupFeatures(lanes, lanes * kBlocks));
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const GemvSpec &spec) {
  if (schemeOf(spec.weight))
    return buildCodes(context, spec);
  auto kernel = buildVariant(context, spec, {/*rows=*/4, /*texels=*/false}, {});
  for (uint32_t lanes : {64u, 32u})
    kernel = preferring(std::move(kernel), buildSubgroup(context, spec, lanes));
  return preferring(std::move(kernel),
                    buildVariant(context, spec, {/*rows=*/16, /*texels=*/true}, {"subgroup_size_8"}));
}

} // namespace xfmr::codegen
