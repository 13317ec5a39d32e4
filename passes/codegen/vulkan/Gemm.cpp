// portable: a workgroup of 64 computes 64 rows times 64 weight rows, 8 x 8 an invocation;
// invocation t takes the rows 8 * (t / 8) .. and the weight rows 4 * (t % 8) .. and 32 + 4 * (t %
// 8) ... Tiles of 16 columns of X and W lie in workgroup memory, a row in four vec4 and one of
// padding, rows permuted so that neighbouring invocations read neighbouring rows (no bank
// conflicts).
#include "passes/codegen/Gemm.h"
#include "passes/codegen/vulkan/CodePanels.h"
#include "passes/codegen/vulkan/EpilogueBuilder.h"
#include "passes/codegen/vulkan/GemmVariants.h"
#include "passes/codegen/vulkan/Operands.h"
#include "runtime/plan/State.h"

namespace xfmr::codegen {
using namespace gemm;
namespace {

constexpr uint32_t kTileQuads = 4; // vec4 of columns in a tile
constexpr uint32_t kRowQuads = kTileQuads + 1;
constexpr uint32_t kBlock = 8; // a side of an invocation's block

class Gemm {
public:
  Gemm(KernelBuilder &k, const GemmSpec &spec)
      : k(k), spec(spec), xTile(k.shared(Element::F32x4, kTile * kRowQuads)),
        weightTile(k.shared(Element::F32x4, kTile * kRowQuads)) {}

  void build() {
    Value count = k.buffer("state")[state::kCount];
    firstRow = k.groupY() * kTile;
    k.when(firstRow < count, [&] {
      rows = min(count - firstRow, k.u32(kTile));
      n0 = k.groupX() * kTile;
      column = k.thread() % kBlock;
      line = k.thread() / kBlock;
      store(accumulate());
    });
  }

private:
  // Where row 8 * a + b of X lies in its tile: neighbours in a are neighbours in memory.
  Value xSlot(Value row) { return (row % kBlock) * kBlock + row / kBlock; }
  // The same for W, where an invocation's eight rows are two runs of four.
  Value weightSlot(Value row) { return ((row % 4) + (row / 32) * 4) * kBlock + (row / 4) % kBlock; }

  void load(Value firstChunk) {
    Value chunks = k.push(kChunks), zero = k.zero4();
    Buffer x = k.buffer("x"), weight = k.buffer("weight");
    // 64 rows of two chunks of eight columns: two for each invocation.
    k.loop(k.thread(), k.u32(kTile * 2), k.u32(64), [&](Value item) {
      Value row = item / 2, half = item % 2, chunk = firstChunk + half;
      auto put = [&](const Buffer &tile, Value slot, llvm::function_ref<Values()> values) {
        Values v = k.choose(chunk < chunks, values, [&] { return Values{zero, zero}; });
        Value at = slot * kRowQuads + half * 2;
        tile.store(at, v[0]);
        tile.store(at + 1, v[1]);
      };
      k.when(row < rows, [&] {
        put(xTile, xSlot(row), [&] {
          Value at = ((k.push(kXOffset) + (firstRow + row) * k.push(kXStride)) >> 2) + chunk * 2;
          return Values{x[at], x[at + 1]};
        });
      });
      if (schemeOf(spec.weight))
        return;
      k.when(n0 + row < ((k.push(kN) + 7) >> 3) << 3, [&] {
        put(weightTile, weightSlot(row), [&] {
          auto [low, high] = loadWeights8(weight, spec.weight, (n0 + row) * chunks + chunk);
          return Values{low, high};
        });
      });
    });
    if (schemeOf(spec.weight))
      loadCodes(firstChunk);
  }
  void loadCodes(Value firstChunk) {
    Value quads = CodePanels::quads(k.push(kN)), first = n0 / 4;
    CodePanels(k, k.buffer("weight"), spec.weight, k.push(kChunks))
        .fillTile(first, select(first < quads, quads - first, k.u32(0)), firstChunk * 2, [&](Value row, Value quad, Value numbers) {
          weightTile.store(weightSlot(row) * kRowQuads + quad, numbers);
        });
  }

  // The 8 x 8 block of this invocation, row by row.
  Values accumulate() {
    Values sums(kBlock * kBlock, k.f32(0));
    // Invocations without a row skip the arithmetic, not the barriers.
    Value quads = select(line * kBlock < rows, k.u32(kTileQuads), k.u32(0));
    return k.loop(
        k.u32(0), k.push(kChunks), k.u32(2), sums, [&](Value chunk, llvm::ArrayRef<Value> outer) {
          k.barrier();
          load(chunk);
          k.barrier();
          Values init(outer.begin(), outer.end());
          return k.loop(k.u32(0), quads, k.u32(1), init,
                        [&](Value quad, llvm::ArrayRef<Value> inner) {
                          Values next(inner.begin(), inner.end()), x;
                          for (uint32_t i = 0; i < kBlock; ++i)
                            x.push_back(xTile[(line + i * kBlock) * kRowQuads + quad]);
                          for (uint32_t j = 0; j < kBlock; ++j) {
                            Value w = weightTile[(column + j * kBlock) * kRowQuads + quad];
                            for (uint32_t i = 0; i < kBlock; ++i)
                              next[i * kBlock + j] = dot(x[i], w, next[i * kBlock + j]);
                          }
                          return next;
                        });
        });
  }

  // Sixteen vec4 of outputs.
  void store(const Values &sums) {
    EpilogueBuilder epilogue(k, spec.epilogue, kEpilogue);
    Values vectors;
    for (uint32_t i = 0; i < kBlock * kBlock; i += 4)
      vectors.push_back(k.vector4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3]));
    Value outBlocks = epilogue.outBlocks(k.push(kN)), weightBlocks = ((k.push(kN) + 7) >> 3) << 1;
    k.rotate(k.u32(kBlock * 2), vectors, [&](Value i, Value sums) {
      Value tileRow = line * kBlock + i / 2, row = firstRow + tileRow;
      Value block = n0 / 4 + (i % 2) * kBlock + column;
      k.when((tileRow < rows) & (block < outBlocks), [&] {
        Value at = epilogue.elements(k.push(kOutOffset) + row * k.push(kOutStride)) + block;
        epilogue.store(at, sums, block, row, weightBlocks);
      });
    });
  }

  KernelBuilder &k;
  const GemmSpec &spec;
  Buffer xTile, weightTile;
  Value firstRow, rows, n0, column, line;
};

} // namespace

std::vector<Element> gemm::elements(const GemmSpec &spec) {
  std::vector<Element> elements = {Element::U32, Element::F32x4, weightElement(spec.weight),
                                   EpilogueBuilder::outElement(spec.epilogue)};
  EpilogueBuilder::appendElements(elements, spec.epilogue);
  return elements;
}

llvm::Expected<BuiltKernel> buildVariants(mlir::MLIRContext &context, const GemmSpec &spec) {
  if (llvm::Error error = needsRowsOfFloats(spec.name(), spec.codes, spec.pairs))
    return error;
  KernelBuilder k(context, spec.name(), spec.bindings(), gemm::elements(spec),
                  {kBlock * kBlock, 1, 1});
  Gemm(k, spec).build();
  auto kernel = preferring(k.finish(), gemm::buildSubgroup8(context, spec));
  if (spec.weight == WeightType::F16)
    for (uint32_t lanes : {64u, 32u})
      kernel = preferring(std::move(kernel), gemm::buildMatrix(context, spec, {16, lanes}));
  return kernel;
}

} // namespace xfmr::codegen
