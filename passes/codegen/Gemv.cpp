// portable: 64 invocations are eight lanes times eight blocks of four weight rows. The lanes of a block walk
// the columns side by side, eight columns a step, so x is loaded once for four rows; eight invocations then
// add up the lanes' sums, each for one block. One barrier.
#include "passes/codegen/Gemv.h"
#include "passes/codegen/EpilogueBuilder.h"
#include "passes/codegen/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
namespace {

constexpr uint32_t kLanes = 8, kBlocks = 8, kBlockRows = 4;

enum Word : uint32_t {
  kN,
  kChunks,   // of eight columns
  kInverseK, // 1 / k, for the mean
  kXOffset,
  kOutOffset,
  kEps,
  kEpilogue
};
static_assert(kEpilogue + EpilogueBuilder::kWords <= 16);

void build(KernelBuilder &k, const GemvSpec &spec) {
  EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
  Buffer weight = k.buffer("weight"), x = k.buffer("x");
  Buffer partial = k.shared(Element::F32x4, kLanes * kBlocks);
  Buffer partialSquares = spec.rmsNorm ? k.shared(Element::F32, kLanes * kBlocks) : Buffer();

  Value lane = k.thread() % kLanes, chunks = k.push(kChunks), xStart = k.push(kXOffset) >> 2;
  Value weightBlocks = ((k.push(kN) + 7) >> 3) << 1;
  Value block = k.group() * kBlocks + k.thread() / kLanes;
  Value end = select(block < weightBlocks, chunks, k.u32(0));

  Values sums(kBlockRows, k.zero4());
  if (spec.rmsNorm)
    sums.push_back(k.zero4());
  sums = k.loop(lane, end, k.u32(kLanes), sums, [&](Value chunk, llvm::ArrayRef<Value> carried) {
    Values next(carried.begin(), carried.end());
    Value low = x[xStart + chunk * 2], high = x[xStart + chunk * 2 + 1];
    if (spec.rmsNorm) {
      next[kBlockRows] = fma(low, low, fma(high, high, next[kBlockRows]));
      Value g = k.buffer("norm")[chunk * 2], h = k.buffer("norm")[chunk * 2 + 1];
      low = low * (spec.unitOffset ? g + 1 : g);
      high = high * (spec.unitOffset ? h + 1 : h);
    }
    for (uint32_t r = 0; r < kBlockRows; ++r) {
      auto [w0, w1] = loadWeights8(weight, spec.weight, (block * kBlockRows + r) * chunks + chunk);
      next[r] = fma(w1, high, fma(w0, low, next[r]));
    }
    return next;
  });
  partial.store(k.thread(), k.vector4(sum(sums[0]), sum(sums[1]), sum(sums[2]), sum(sums[3])));
  if (spec.rmsNorm)
    partialSquares.store(k.thread(), sum(sums[kBlockRows]));
  k.barrier();

  Value outBlock = k.group() * kBlocks + k.thread();
  k.when((k.thread() < kBlocks) & (outBlock < epilogue.outBlocks(k.push(kN))), [&] {
    Value first = k.thread() * kLanes;
    Value total = partial[first];
    for (uint32_t i = 1; i < kLanes; ++i)
      total = total + partial[first + i];
    if (spec.rmsNorm) {
      Value squares = partialSquares[first];
      for (uint32_t i = 1; i < kLanes; ++i)
        squares = squares + partialSquares[first + i];
      total = total * rsqrt(fma(squares, k.pushFloat(kInverseK), k.pushFloat(kEps)));
    }
    Value out = epilogue.elements(k.push(kOutOffset)) + outBlock;
    if (!spec.epilogue.glu)
      return k.buffer("out").store(out, epilogue.apply(total, outBlock, k.u32(0)));
    Values result = k.choose(
        outBlock < weightBlocks, [&] { return Values{epilogue.apply(total, outBlock, k.u32(0))}; },
        [&] { return Values{k.vector2(k.f32(0), k.f32(0))}; });
    k.buffer("out").store(out, result[0]);
  });
}

} // namespace

std::string GemvSpec::name() const {
  return std::string("gemv_") + toString(weight) + (rmsNorm ? (unitOffset ? "_rms1" : "_rms") : "") +
         epilogue.suffix();
}

std::vector<Binding> GemvSpec::bindings() const {
  std::vector<Binding> result = {
      {"state", Access::Read}, {"x", Access::Read}, {"weight", Access::Read}, {"out", Access::Write}};
  if (rmsNorm)
    result.push_back({"norm", Access::Read});
  EpilogueBuilder::appendBindings(result, epilogue);
  return result;
}

std::vector<uint32_t> GemvParams::push() const {
  std::vector<uint32_t> words = {n,       paddedWidth(k) / 8, floatBits(1.0f / static_cast<float>(k)),
                                 xOffset, outOffset,          floatBits(eps)};
  EpilogueBuilder::push(words, epilogue);
  return words;
}

std::array<uint32_t, 3> GemvParams::grid(const GemvSpec &spec) const {
  return foldGrid((EpilogueBuilder::outBlocks(spec.epilogue, n) + kBlocks - 1) / kBlocks);
}

llvm::Expected<CompiledKernel> compile(mlir::MLIRContext &context, const GemvSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight),
                                   EpilogueBuilder::outElement(spec.epilogue)};
  if (spec.rmsNorm)
    elements.push_back(Element::F32x4);
  EpilogueBuilder::appendElements(elements, spec.epilogue);
  KernelBuilder k(context, spec.name(), spec.bindings(), elements, {kLanes * kBlocks, 1, 1});
  k.when(k.buffer("state")[state::kCount] != 0, [&] { build(k, spec); });
  return k.finish();
}

} // namespace xfmr::codegen
