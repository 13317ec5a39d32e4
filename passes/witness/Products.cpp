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

Cases witness::casesOf(const codegen::HeadProductSpec &spec) {
  CaseBuilder c(spec.name(), 12);
  const uint32_t heads = 3, n = 72, k = 24, copied = 8, rows = spec.single ? 1 : 6;
  codegen::HeadProductParams p;
  p.numHeads = heads, p.n = n, p.k = k, p.copied = copied, p.xHead = copied + k, p.outHead = copied + n;
  p.maxRows = spec.single ? 1 : rows + 1;
  p.x = {heads * p.xHead + 8, copied}, p.out = {heads * p.outHead + 16, 8 + copied};
  c.launch(spec, p);
  c.state(3, rows);
  const Tensor x = c.rows(rows, heads * p.xHead, {p.x.stride, 0}), w = c.weight(heads * n, k, spec.weight);
  c.out(p.out.offset + uint64_t(p.maxRows) * p.out.stride);
  Tensor y({rows, heads * p.outHead});
  for (uint32_t t = 0; t < rows; ++t)
    for (uint32_t h = 0; h < heads; ++h)
      for (uint32_t i = 0; i < p.outHead; ++i) {
        const double *from = x.row(t) + h * p.xHead;
        double sum = i < copied ? from[i] : 0;
        for (uint32_t column = 0; i >= copied && column < k; ++column)
          sum += w.row(h * n + i - copied)[column] * from[copied + column];
        y.row(t)[h * p.outHead + i] = sum;
      }
  c.expectRows(c.lastBinding(), {p.out.stride, p.out.offset - copied}, y, kTolerance);
  return only(c);
}

Cases witness::casesOf(const codegen::LatentExpandSpec &spec) {
  if (!isExact(spec.cache))
    return {};
  CaseBuilder c(spec.name(), 14);
  const codegen::LatentExpandParams p{/*numHeads=*/2, /*headDim=*/24, /*rotaryDim=*/8, /*latentDim=*/40, /*maxContext=*/9};
  const uint32_t keys = 7, own = p.headDim - p.rotaryDim;
  c.launch(spec, p);
  c.state(keys - 3, 3);
  const Tensor rows = c.cache(1, p.maxContext, p.rowDim(), keys, spec.cache);
  const Tensor w = c.weight(p.numHeads * p.outputs(), p.latentDim, spec.weight);
  const bool halves = spec.heads == codegen::CacheType::F16;
  const uint64_t words = uint64_t(p.numHeads) * p.maxContext * p.headDim / (halves ? 2 : 1);
  c.out(words);
  const uint32_t keyBinding = c.lastBinding();
  c.out(words);
  for (uint32_t h = 0; h < p.numHeads; ++h)
    for (uint32_t t = 0; t < keys; ++t) {
      std::vector<double> key(rows.row(t), rows.row(t) + p.rotaryDim), value;
      for (uint32_t i = 0; i < p.outputs(); ++i) {
        double sum = 0;
        for (uint32_t column = 0; column < p.latentDim; ++column)
          sum += w.row(h * p.outputs() + i)[column] * rows.row(t)[p.rotaryDim + column];
        (i < own ? key : value).push_back(sum);
      }
      const uint64_t at = (uint64_t(h) * p.maxContext + t) * p.headDim;
      const auto element = halves ? selftest::Element::f16 : selftest::Element::f32;
      // Sums of 40 products of numbers up to 1, which f16 rounds by 2^-7 at most.
      c.expect(keyBinding, at, key.data(), p.headDim, halves ? 8e-3 : kTolerance, element);
      c.expect(keyBinding + 1, at, value.data(), p.headDim, halves ? 8e-3 : kTolerance, element);
    }
  return only(c);
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
  return only(c);
}
