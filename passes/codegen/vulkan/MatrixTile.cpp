// The gpu dialect's matrix operations over workgroup memory; see MatrixTile.h.
#include "passes/codegen/vulkan/MatrixTile.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include <algorithm>

namespace xfmr::codegen {

namespace gpu = mlir::gpu;

namespace {

constexpr uint32_t kStepChunks = 4;              // of eight columns that lie in workgroup memory at once
constexpr uint32_t kRowWords = kStepChunks + 1;  // of 16 bytes a row has there: one of padding against bank conflicts
constexpr uint32_t kSubgroups = 4;
constexpr float kLargestHalf = 65504;

gpu::MMAMatrixType matrixType(KernelBuilder &k, uint32_t side, bool halves, const char *operand) {
  const int64_t shape[] = {side, side};
  mlir::Type element = halves ? mlir::Type(k.ops().getF16Type()) : mlir::Type(k.ops().getF32Type());
  return gpu::MMAMatrixType::get(shape, element, operand);
}

mlir::Value indexOf(Value value) {
  auto &ops = value.builder->ops();
  return mlir::arith::IndexCastOp::create(ops, ops.getIndexType(), value.value);
}

} // namespace

std::vector<std::string> MatrixUnit::features() const {
  const std::string s = std::to_string(side);
  std::vector<std::string> result = {"cooperative_matrix_f16_" + s + "x" + s + "x" + s,
                                     "subgroup_size_" + std::to_string(lanes)};
  if (invocations() > 128)
    result.push_back("workgroup_" + std::to_string(invocations()));
  return result;
}

MatrixTile::MatrixTile(KernelBuilder &k, MatrixUnit unit, uint32_t tileRows)
    : k(k), unit(unit), rows(std::max(tileRows, unit.side)), blockRows(std::min(rows, 32u)), lines(rows / blockRows),
      blockWidth(kColumns / (kSubgroups / lines)), xTile(k.shared(Element::U32x4, rows * kRowWords)),
      weightTile(k.shared(Element::U32x4, kColumns * kRowWords)),
      outTile(k.shared(Element::F32x4, kSubgroups * unit.side * unit.side / 4)) {
}

// Eight f32, rounded: four words.
Value MatrixTile::toHalves(Value low, Value high) {
  auto &ops = k.ops();
  auto half = [&](Value v) {
    v = select(v > kLargestHalf, constantLike(v, kLargestHalf), v); // and what is not a number stays so
    v = select(v < -kLargestHalf, constantLike(v, -kLargestHalf), v);
    mlir::Value rounded =
        mlir::arith::TruncFOp::create(ops, mlir::VectorType::get({4}, ops.getF16Type()), v.value);
    return Value(&k, mlir::spirv::BitcastOp::create(ops, mlir::VectorType::get({2}, ops.getI32Type()), rounded));
  };
  return k.shuffle(half(low), half(high), {0, 1, 2, 3});
}

Values MatrixTile::accumulate(Value chunks, OfRow xStart, OfRow weightStart, OfRow factor) {
  const uint32_t side = unit.side, threads = unit.invocations(), perRow = blockWidth / side;
  const uint32_t xItems = std::max(1u, rows * kStepChunks / threads), weightItems = kColumns * kStepChunks / threads;
  Buffer x = k.buffer("x"), weight = k.buffer("weight");
  auto &ops = k.ops();
  Value last = chunks - 1, within = k.thread() % kStepChunks, zero = k.u32(0);
  auto rowOf = [&](uint32_t item) { return k.thread() / kStepChunks + item * (threads / kStepChunks); };
  Values xAt, weightAt, factors;
  for (uint32_t i = 0; i < xItems; ++i) {
    xAt.push_back(xStart(min(rowOf(i), k.u32(rows - 1)))); // of 8 rows there are fewer items than invocations
    if (factor)
      factors.push_back(factor(min(rowOf(i), k.u32(rows - 1))));
  }
  for (uint32_t i = 0; i < weightItems; ++i)
    weightAt.push_back(weightStart(rowOf(i)));

  // What an invocation holds of the next columns, unconverted, so that nothing waits for it.
  auto load = [&](Value first, Values &into) {
    Value chunk = min(first + within, last);
    for (Value at : xAt) {
      into.push_back(x[at + chunk * 2]);
      into.push_back(x[at + chunk * 2 + 1]);
    }
    for (Value at : weightAt)
      into.push_back(weight[at + chunk]);
  };
  const uint32_t units = blockRows / side * perRow;
  Values carried;
  Value none(&k, gpu::SubgroupMmaConstantMatrixOp::create(ops, matrixType(k, side, false, "COp"), k.f32(0).value));
  carried.append(units, none);
  load(zero, carried);

  Value firstRow = k.subgroup() % lines * blockRows, firstColumn = k.subgroup() / lines * blockWidth;
  auto fragment = [&](const Buffer &tile, Value row, uint32_t column, const char *operand, bool transposed) {
    mlir::Value at = indexOf(row * kRowWords + column / 8);
    return gpu::SubgroupMmaLoadMatrixOp::create(ops, matrixType(k, side, true, operand), tile.memref(), at,
                                                ops.getIndexAttr(kRowWords),
                                                transposed ? ops.getUnitAttr() : mlir::UnitAttr());
  };
  carried = k.loop(zero, chunks, k.u32(kStepChunks), carried, [&](Value chunk, llvm::ArrayRef<Value> in) {
    Values next(in.begin(), in.begin() + units);
    const Value *held = in.data() + units;
    Value inside = chunk + within < chunks, nothing = k.shuffle(k.vector2(zero, zero), k.vector2(zero, zero), {0, 1, 2, 3});
    k.barrier(); // the units may still be reading
    for (uint32_t i = 0; i < xItems; ++i) {
      Value low = held[2 * i], high = held[2 * i + 1];
      if (factor)
        low = low * factors[i], high = high * factors[i];
      Value words = select(inside, toHalves(low, high), nothing), row = rowOf(i);
      auto put = [&] { xTile.store(row * kRowWords + within, words); };
      if (rows * kStepChunks < threads)
        k.when(row < rows, put);
      else
        put();
    }
    for (uint32_t i = 0; i < weightItems; ++i)
      weightTile.store(rowOf(i) * kRowWords + within, select(inside, held[2 * xItems + i], nothing));
    k.barrier();
    load(chunk + kStepChunks, next);
    for (uint32_t column = 0; column < kStepChunks * 8; column += side) {
      llvm::SmallVector<mlir::Value> a, b;
      for (uint32_t i = 0; i < blockRows; i += side)
        a.push_back(fragment(xTile, firstRow + i, column, "AOp", false));
      for (uint32_t j = 0; j < blockWidth; j += side)
        b.push_back(fragment(weightTile, firstColumn + j, column, "BOp", true));
      for (uint32_t u = 0; u < units; ++u)
        next[u].value = gpu::SubgroupMmaComputeOp::create(ops, next[u].value.getType(), a[u / perRow], b[u % perRow],
                                                          next[u].value, mlir::UnitAttr(), mlir::UnitAttr());
    }
    return next;
  });
  carried.resize(units);
  return carried;
}

void MatrixTile::store(const Values &sums, llvm::function_ref<void(Value row, Value quad, Value sums)> body) {
  const uint32_t side = unit.side, perRow = blockWidth / side, quads = side / 4;
  Value slot = k.subgroup() * (side * quads);
  k.rotate(k.u32(sums.size()), sums, [&](Value u, Value matrix) {
    k.barrier(); // what lay there may still be read
    gpu::SubgroupMmaStoreMatrixOp::create(k.ops(), matrix.value, outTile.memref(), indexOf(slot), k.ops().getIndexAttr(quads),
                                          mlir::UnitAttr());
    k.barrier();
    Value firstRow = k.subgroup() % lines * blockRows + u / perRow * side;
    Value firstQuad = k.subgroup() / lines * (blockWidth / 4) + u % perRow * quads;
    k.loop(k.lane(), k.u32(side * quads), k.u32(unit.lanes), [&](Value i) {
      body(firstRow + i / quads, firstQuad + i % quads, outTile[slot + i]);
    });
  });
}

} // namespace xfmr::codegen
