// The gpu dialect's matrix operations over workgroup memory; see MatrixTile.h.
#include "passes/codegen/vulkan/MatrixTile.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include <algorithm>

namespace xfmr::codegen {

namespace gpu = mlir::gpu;

namespace {

constexpr uint32_t kStepChunks = 4;             // of eight columns that lie in workgroup memory at once
constexpr uint32_t kRowWords = kStepChunks + 1; // of 16 bytes a row has there: one of padding against bank conflicts
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

void MatrixTile::ofGroup(KernelBuilder &k, MatrixUnit unit, uint32_t tileRows, Value lines, Value weightRows,
                         llvm::function_ref<void(MatrixTile &, Value, Value)> body) {
  const uint32_t rows = std::max(tileRows, unit.side);
  Buffer memory = k.shared(Element::U32x4, (rows + kWideColumns) * kRowWords);
  Value wideTiles = ((weightRows + (kWideColumns - 1)) / kWideColumns) * lines;
  // The first workgroups have the wide tiles, all lines of the same weight rows beside each other.
  k.when((wideTiles >= kEnoughWideTiles) & (k.group() < wideTiles), [&] {
    MatrixTile tile(k, unit, rows, kWideColumns, memory);
    body(tile, k.group() % lines, k.group() / lines * kWideColumns);
  });
  k.when((wideTiles < kEnoughWideTiles) & (k.groupY() < lines), [&] {
    MatrixTile tile(k, unit, rows, kColumns, memory);
    body(tile, k.groupY(), k.groupX() * kColumns);
  });
}

MatrixTile::MatrixTile(KernelBuilder &k, MatrixUnit unit, uint32_t rows, uint32_t columns, const Buffer &memory)
    : k(k), unit(unit), rows(rows), columns(columns), blockRows(columns == kWideColumns ? rows : std::min(rows, 32u)),
      blocks(rows / blockRows), blockWidth(columns / (kSubgroups / blocks)), memory(memory) {
}

// Eight f32, rounded: four words.
Value MatrixTile::toHalves(Value low, Value high) {
  auto &ops = k.ops();
  auto half = [&](Value v) {
    mlir::Value limit = constantLike(v, kLargestHalf).value, lowest = constantLike(v, -kLargestHalf).value;
    mlir::Value bounded = mlir::spirv::GLFClampOp::create(ops, v.value.getType(), v.value, lowest, limit);
    mlir::Value rounded = mlir::arith::TruncFOp::create(ops, mlir::VectorType::get({4}, ops.getF16Type()), bounded);
    return Value(&k, mlir::spirv::BitcastOp::create(ops, mlir::VectorType::get({2}, ops.getI32Type()), rounded));
  };
  return k.shuffle(half(low), half(high), {0, 1, 2, 3});
}

Values MatrixTile::accumulate(Value chunks, OfRow xStart, OfRow weightStart, OfRow factor) {
  const uint32_t side = unit.side, threads = unit.invocations(), perRow = blockWidth / side;
  const uint32_t xItems = std::max(1u, rows * kStepChunks / threads), weightItems = columns * kStepChunks / threads;
  Buffer x = k.buffer("x"), weight = k.buffer("weight");
  auto &ops = k.ops();
  Value last = chunks - 1, within = k.thread() % kStepChunks, zero = k.u32(0);
  auto rowOf = [&](uint32_t item) { return k.thread() / kStepChunks + item * (threads / kStepChunks); };
  Values xAt, weightAt, factors;
  for (uint32_t i = 0; i < xItems; ++i) {
    xAt.push_back(xStart(min(rowOf(i), k.u32(rows - 1)))); // of few rows there are fewer items than invocations
    if (factor)
      factors.push_back(factor(min(rowOf(i), k.u32(rows - 1))));
  }
  for (uint32_t i = 0; i < weightItems; ++i)
    weightAt.push_back(weightStart(rowOf(i)));

  // What an invocation holds of the next columns, unconverted, so that nothing waits for it.
  auto load = [&](Value first) {
    Value chunk = min(first + within, last);
    Values held;
    for (Value at : xAt) {
      held.push_back(x[at + chunk * 2]);
      held.push_back(x[at + chunk * 2 + 1]);
    }
    for (Value at : weightAt)
      held.push_back(weight[at + chunk]);
    return held;
  };
  Value nothing = k.shuffle(k.vector2(zero, zero), k.vector2(zero, zero), {0, 1, 2, 3});
  Value slot = rowOf(0) * kRowWords + within;
  auto put = [&](Value first, const Values &held) {
    Value inside = first + within < chunks;
    for (uint32_t i = 0; i < xItems; ++i) {
      Value low = held[2 * i], high = held[2 * i + 1];
      if (factor)
        low = low * factors[i], high = high * factors[i];
      // Columns beyond the last repeat it: zeros of x are enough to leave them out.
      Value words = select(inside, toHalves(low, high), nothing);
      auto store = [&] { memory.store(slot + i * (threads / kStepChunks) * kRowWords, words); };
      if (rows * kStepChunks < threads)
        k.when(rowOf(i) < rows, store);
      else
        store();
    }
    for (uint32_t i = 0; i < weightItems; ++i)
      memory.store(slot + (rows + i * (threads / kStepChunks)) * kRowWords, held[2 * xItems + i]);
  };

  Value firstRow = k.subgroup() % blocks * blockRows, firstColumn = k.subgroup() / blocks * blockWidth + rows;
  auto fragment = [&](Value row, Value column, const char *operand, bool transposed) {
    mlir::Value at = indexOf(row * kRowWords + column / 8);
    return gpu::SubgroupMmaLoadMatrixOp::create(ops, matrixType(k, side, true, operand), memory.memref(), at,
                                                ops.getIndexAttr(kRowWords),
                                                transposed ? ops.getUnitAttr() : mlir::UnitAttr());
  };
  Value none(&k, gpu::SubgroupMmaConstantMatrixOp::create(ops, matrixType(k, side, false, "COp"), k.f32(0).value));
  const Values sums(blockRows / side * perRow, none);
  auto multiply = [&](Value column, llvm::ArrayRef<Value> in) {
    Values next(in.begin(), in.end());
    llvm::SmallVector<mlir::Value> a;
    for (uint32_t i = 0; i < blockRows; i += side)
      a.push_back(fragment(firstRow + i, column, "AOp", false));
    for (uint32_t j = 0; j < perRow; ++j) {
      mlir::Value b = fragment(firstColumn + j * side, column, "BOp", true);
      for (uint32_t i = 0; i < a.size(); ++i) {
        mlir::Value &sum = next[i * perRow + j].value;
        sum = gpu::SubgroupMmaComputeOp::create(ops, sum.getType(), a[i], b, sum, mlir::UnitAttr(), mlir::UnitAttr());
      }
    }
    return next;
  };
  put(zero, load(zero));
  return k.loop(zero, chunks, k.u32(kStepChunks), sums, [&](Value chunk, llvm::ArrayRef<Value> in) {
    k.barrier();
    Values held = load(chunk + kStepChunks), next(in.begin(), in.end()); // of the last columns again, in the end
    if (side < 16) // software drivers: they compile what each product is made of, and long over so many
      next = k.loop(zero, k.u32(kStepChunks * 8), k.u32(side), next, multiply);
    else
      for (uint32_t column = 0; column < kStepChunks * 8; column += side)
        next = multiply(k.u32(column), next);
    k.barrier(); // the units have read
    put(chunk + kStepChunks, held);
    return next;
  });
}

void MatrixTile::store(const Values &sums, llvm::function_ref<void(Value row, Value quad, Value sums)> body) {
  const uint32_t side = unit.side, perRow = blockWidth / side, quads = blockWidth / 4;
  Value slot = k.subgroup() * (side * quads), firstRow = k.subgroup() % blocks * blockRows;
  Value firstQuad = k.subgroup() / blocks * quads;
  // A line of matrices at a time; they rotate through the first places, so that the body's code appears once.
  k.loop(k.u32(0), k.u32(blockRows / side), k.u32(1), sums, [&](Value line, llvm::ArrayRef<Value> in) {
    k.barrier(); // what lay there may still be read
    for (uint32_t j = 0; j < perRow; ++j)
      gpu::SubgroupMmaStoreMatrixOp::create(k.ops(), in[j].value, memory.memref(), indexOf(slot + j * (side / 4)),
                                            k.ops().getIndexAttr(quads), mlir::UnitAttr());
    k.barrier();
    k.loop(k.lane(), k.u32(side * quads), k.u32(unit.lanes), [&](Value i) {
      body(firstRow + line * side + i / quads, firstQuad + i % quads, asFloat(memory[slot + i]));
    });
    Values rotated(in.begin() + perRow, in.end());
    rotated.append(in.begin(), in.begin() + perRow);
    return rotated;
  });
}

} // namespace xfmr::codegen
