// portable: as gemm, a workgroup of 64 computes a tile of rows times 64 weight rows, tileRows / 8 x 8 an
// invocation, tiles of 16 columns passing through workgroup memory. Lines of invocations without a row skip the
// arithmetic, so a partly filled tile costs little more than its rows.
#include "passes/codegen/vulkan/CodePanels.h"
#include "passes/codegen/vulkan/MoeExpertBuilder.h"
#include "passes/codegen/vulkan/MoeGemmVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace moe_gemm;
namespace {

constexpr uint32_t kTileQuads = 4; // vec4 of columns in a tile
constexpr uint32_t kRowQuads = kTileQuads + 1;
constexpr uint32_t kSide = 8; // invocations along each side of the tile

class MoeGemm {
public:
  MoeGemm(KernelBuilder &k, const MoeGemmSpec &spec)
      : k(k), spec(spec), block(spec.tileRows / kSide), plan(k.buffer("plan")),
        xTile(k.shared(Element::F32x4, spec.tileRows * kRowQuads)),
        weightTile(k.shared(Element::F32x4, kTileN * kRowQuads)), xStart(k.shared(Element::U32, spec.tileRows)),
        outStart(k.shared(Element::U32, spec.tileRows)), factor(k.shared(Element::F32, spec.tileRows)) {}

  void build() {
    Value grid = k.push(kGridAt), live = (k.buffer("state")[state::kCount] != 0) & (k.groupY() < plan[grid + 1]);
    k.when(live, [&] {
      Value tile = k.push(kTilesAt) + (plan[grid + 3] + k.groupY()) * 4;
      expert = plan[tile];
      rows = plan[tile + 2];
      n0 = k.groupX() * kTileN;
      column = k.thread() % kSide;
      line = k.thread() / kSide;
      readEntries(plan[tile + 1]);
      store(accumulate());
    });
  }

private:
  bool first() const { return spec.product == MoeProduct::First; }

  // Where each row of the tile is read and written, and its routing weight.
  void readEntries(Value begin) {
    k.when(k.thread() < rows, [&] {
      Value place = begin + k.thread(), entry = plan[k.push(kSortedAt) + place];
      Value in = first() ? entry / k.push(kTopK) : place, out = first() ? place : entry;
      xStart.store(k.thread(), (k.push(kXOffset) + in * k.push(kXStride)) >> 2);
      outStart.store(k.thread(), (k.push(kOutOffset) + out * k.push(kOutStride)) >> (spec.epilogue.glu ? 1.0 : 2.0));
      if (spec.weighted)
        factor.store(k.thread(), k.buffer("weights")[entry]);
    });
  }

  // Neighbouring lines read neighbouring rows; the same for W, where an invocation's rows are two runs of four.
  Value xSlot(Value row) { return (row % block) * kSide + row / block; }
  Value weightSlot(Value row) { return ((row % 4) + (row / 32) * 4) * kSide + (row / 4) % kSide; }

  void load(Value firstChunk) {
    Value chunks = k.push(kChunks), n = k.push(kN), zero = k.zero4();
    Buffer x = k.buffer("x"), weight = k.buffer("weight");
    Value held = expert - k.push(kFirstExpert);
    auto put = [&](const Buffer &tile, Value slot, Value half, Value inside, llvm::function_ref<Values()> values) {
      Values v = k.choose(inside, values, [&] { return Values{zero, zero}; });
      Value at = slot * kRowQuads + half * 2;
      tile.store(at, v[0]);
      tile.store(at + 1, v[1]);
    };
    k.loop(k.thread(), k.u32(spec.tileRows * 2), k.u32(64), [&](Value item) {
      Value row = item / 2, half = item % 2, chunk = firstChunk + half;
      k.when(row < rows, [&] {
        put(xTile, xSlot(row), half, chunk < chunks, [&] {
          Value at = xStart[row] + chunk * 2, low = x[at], high = x[at + 1];
          if (!spec.weighted || !first())
            return Values{low, high};
          Value w = factor[row];
          return Values{low * w, high * w};
        });
      });
    });
    if (schemeOf(spec.weight)) {
      Value quads = CodePanels::quads(n), first = n0 / 4;
      return CodePanels(k, weight, spec.weight, chunks)
          .fillTile(held * quads + first, select(first < quads, quads - first, k.u32(0)), firstChunk * 2,
                    [&](Value row, Value quad, Value numbers) { weightTile.store(weightSlot(row) * kRowQuads + quad, numbers); });
    }
    k.loop(k.thread(), k.u32(kTileN * 2), k.u32(64), [&](Value item) {
      Value row = item / 2, half = item % 2, chunk = firstChunk + half;
      put(weightTile, weightSlot(row), half, (chunk < chunks) & (n0 + row < n), [&] {
        auto [low, high] = loadWeights8(weight, spec.weight, (held * n + n0 + row) * chunks + chunk);
        return Values{low, high};
      });
    });
  }

  Values accumulate() {
    Values sums(block * kSide, k.f32(0));
    Value quads = select(line * block < rows, k.u32(kTileQuads), k.u32(0));
    return k.loop(k.u32(0), k.push(kChunks), k.u32(2), sums, [&](Value chunk, llvm::ArrayRef<Value> outer) {
      k.barrier();
      load(chunk);
      k.barrier();
      Values init(outer.begin(), outer.end());
      return k.loop(k.u32(0), quads, k.u32(1), init, [&](Value quad, llvm::ArrayRef<Value> inner) {
        Values next(inner.begin(), inner.end()), x;
        for (uint32_t i = 0; i < block; ++i)
          x.push_back(xTile[(line + i * kSide) * kRowQuads + quad]);
        for (uint32_t j = 0; j < kSide; ++j) {
          Value w = weightTile[(column + j * kSide) * kRowQuads + quad];
          for (uint32_t i = 0; i < block; ++i)
            next[i * kSide + j] = dot(x[i], w, next[i * kSide + j]);
        }
        return next;
      });
    });
  }

  void store(const Values &sums) {
    Values vectors;
    for (uint32_t i = 0; i < sums.size(); i += 4)
      vectors.push_back(k.vector4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3]));
    Value n = k.push(kN);
    Value outBlocks = spec.epilogue.glu ? (((n >> 1) + 7) >> 3) << 2 : ((n + 7) >> 3) << 1;
    k.rotate(k.u32(block * 2), vectors, [&](Value i, Value outputs) {
      Value row = line * block + i / 2, b = n0 / 4 + (i % 2) * kSide + column;
      k.when((row < rows) & (b < outBlocks), [&] {
        Value v = applyEpilogue(k, spec.epilogue, outputs, expert, b, k.push(kBiasQuads), k.pushFloat(kAlpha), k.pushFloat(kLimit));
        if (spec.weighted && !first())
          v = v * factor[row];
        k.buffer("out").store(outStart[row] + b, v);
      });
    });
  }

  KernelBuilder &k;
  const MoeGemmSpec &spec;
  const uint32_t block; // rows of X an invocation takes
  Buffer plan, xTile, weightTile, xStart, outStart, factor;
  Value expert, rows, n0, column, line;
};

} // namespace

std::vector<Element> moe_gemm::elements(const MoeGemmSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight), Element::U32,
                                   outElement(spec.epilogue)};
  if (spec.weighted)
    elements.push_back(Element::F32);
  if (spec.epilogue.bias)
    elements.push_back(Element::F32x4);
  return elements;
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const MoeGemmSpec &spec) {
  if (llvm::Error error = needsRowsOfFloats(spec.name(), spec.codes, spec.pairs))
    return error;
  if (spec.tileRows > 64)
    return llvm::createStringError("kernel '" + spec.name() + "': tiles have at most 64 rows on Vulkan");
  KernelBuilder k(context, spec.name(), spec.bindings(), moe_gemm::elements(spec), {kSide * kSide, 1, 1});
  MoeGemm(k, spec).build();
  auto kernel = preferring(k.finish(), buildSubgroup8(context, spec));
  if (spec.weight == WeightType::F16)
    for (uint32_t lanes : {64u, 32u})
      kernel = preferring(std::move(kernel), buildMatrix(context, spec, {16, lanes}));
  return kernel;
}

} // namespace xfmr::codegen
