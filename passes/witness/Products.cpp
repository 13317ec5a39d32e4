// gemm and gemv: W x of the witness, then the epilogue.
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include "passes/witness/Formulas.h"
#include "reference/ops/Linear.h"
#include "reference/ops/Norm.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

// Sums of exact products are exact; what follows them errs by some units of 2^-24.
constexpr double kTolerance = 1e-5;
constexpr uint32_t kOutputs = 70, kColumns = 44; // beyond a tile of 64; not a multiple of eight

namespace {

Tensor someRows(const Tensor &all, const std::vector<uint32_t> &rows) {
  Tensor some({static_cast<int64_t>(rows.size()), all.columns()});
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy_n(all.row(rows[i]), all.columns(), some.row(static_cast<int64_t>(i)));
  return some;
}

/// Results of the rows `looked` at.
selftest::CaseT gemmCase(const codegen::GemmSpec &spec, uint32_t seed, uint32_t rows, uint32_t outputs,
                         const std::vector<uint32_t> &looked) {
  CaseBuilder c(spec.name(), seed);
  const uint32_t made = spec.epilogue.glu ? outputs / 2 : outputs, width = paddedWidth(made);
  codegen::GemmParams p;
  p.n = outputs, p.k = kColumns, p.maxRows = rows + 3;
  p.x = {paddedWidth(kColumns) + 8, 8}, p.out = {width + 8, 4};
  p.epilogue.residual = {width + 16, 12}, p.epilogue.scale = 0.75f, p.epilogue.softcap = 1.5f;
  c.launch(spec, p);
  c.state(3, rows);
  const Tensor x = someRows(c.rows(rows, kColumns, p.x), looked), w = c.weight(outputs, kColumns, spec.weight);
  c.out(p.out.offset + uint64_t(rows + 3) * p.out.stride);
  const uint32_t out = c.lastBinding();
  Operands operands;
  if (spec.epilogue.bias)
    operands.bias = c.vector(outputs);
  if (spec.epilogue.residual)
    operands.residual = someRows(c.rows(rows, made, p.epilogue.residual), looked);
  const Tensor y = finish(reference::linear(x, w, nullptr), spec.epilogue, p.epilogue, operands);
  for (size_t i = 0; i < looked.size(); ++i)
    c.expectRows(out, {p.out.stride, p.out.offset + looked[i] * p.out.stride}, someRows(y, {static_cast<uint32_t>(i)}),
                 kTolerance);
  c.expectWords(out, p.out.offset + uint64_t(rows) * p.out.stride, {0xa5a5a5a5}); // rows that there are not
  return c.take();
}

} // namespace

Cases witness::casesOf(const codegen::GemmSpec &spec) {
  if (!isExact(spec.weight))
    return {};
  Cases made;
  made.push_back(gemmCase(spec, 1, 67, kOutputs, {0, 15, 16, 64, 66}));
  if (spec.weight == codegen::WeightType::F16) // enough tiles for matrix units to take wide ones, see MatrixTile.h
    made.push_back(gemmCase(spec, 21, 47 * 64 + 1, 4 * kOutputs, {1000, 47 * 64}));
  return made;
}

Cases witness::casesOf(const codegen::GemvSpec &spec) {
  if (!isExact(spec.weight))
    return {};
  CaseBuilder c(spec.name(), 2);
  codegen::GemvParams p;
  p.n = kOutputs, p.k = kColumns, p.xOffset = 8, p.outOffset = 4;
  p.epilogue.residual.offset = 12, p.epilogue.scale = 0.75f, p.epilogue.softcap = 1.5f;
  c.launch(spec, p);
  c.state(0, 1);
  Tensor x = c.rows(1, kColumns, {0, p.xOffset});
  const Tensor w = c.weight(kOutputs, kColumns, spec.weight);
  c.out(p.outOffset + paddedWidth(spec.epilogue.glu ? kOutputs / 2 : kOutputs));
  const uint32_t out = c.lastBinding();
  if (spec.rmsNorm)
    x = reference::rmsNorm(x, c.vector(kColumns), p.eps, spec.unitOffset);
  Operands operands;
  if (spec.epilogue.bias)
    operands.bias = c.vector(kOutputs);
  if (spec.epilogue.residual)
    operands.residual = c.rows(1, spec.epilogue.glu ? kOutputs / 2 : kOutputs, {0, p.epilogue.residual.offset});
  c.expectRows(out, {0, p.outOffset}, finish(reference::linear(x, w, nullptr), spec.epilogue, p.epilogue, operands),
               kTolerance);
  Cases made;
  made.push_back(c.take());
  return made;
}
