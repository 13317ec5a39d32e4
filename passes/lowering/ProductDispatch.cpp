// Matrix products: gemv for one row, gemm for many; large weights in parts by rows.
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;

namespace {

// The `interleaved` form of a GLU weight or bias.
Value interleaved(Value packed, GluLayout layout) {
  if (!packed || layout == GluLayout::interleaved)
    return packed;
  OpBuilder builder(packed.getContext());
  builder.setInsertionPointAfterValue(packed);
  return WeightInterleaveOp::create(builder, packed.getLoc(), packed.getType(), packed, 0);
}

} // namespace

LogicalResult PhaseLowering::lowerProduct(const ProductChain &chain) {
  Value input = chain.head->getOperand(0), weight, bias;
  codegen::Epilogue epilogue;
  if (auto linear = dyn_cast<LinearOp>(chain.head)) {
    weight = linear.getWeight();
    bias = linear.getBias();
    if (chain.activation)
      epilogue.activation = *kernelActivation(*chain.activation);
    build.setLabel("linear");
  } else {
    auto glu = cast<GluOp>(chain.head);
    std::optional<codegen::Activation> activation = kernelActivation(glu.getKind());
    if (!activation || glu.getAlpha())
      return glu.emitError("this GLU has no Vulkan lowering outside of experts");
    weight = interleaved(glu.getWeight(), glu.getLayout());
    bias = interleaved(glu.getBias(), glu.getLayout());
    epilogue.glu = true;
    epilogue.activation = *activation;
    build.setLabel("glu");
  }
  epilogue.bias = static_cast<bool>(bias);
  epilogue.scale = chain.scale.has_value();
  epilogue.softcap = chain.softcap.has_value();
  epilogue.residual = static_cast<bool>(chain.residual);

  RmsNormOp prologue = chain.prologue;
  FailureOr<View> x = build.view(prologue ? Value(prologue.getInput()) : input);
  if (failed(x))
    return failure();
  View residual;
  if (chain.residual) {
    FailureOr<View> view = build.view(chain.residual);
    if (failed(view))
      return failure();
    residual = *view;
  }
  View out = build.result(chain.last->getResult(0));

  auto type = cast<RankedTensorType>(weight.getType());
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  int64_t part = build.rowsPerBinding(weight);
  int64_t outDivisor = epilogue.glu ? 2 : 1;
  codegen::EpilogueParams params;
  params.scale = static_cast<float>(chain.scale.value_or(1.0));
  params.softcap = static_cast<float>(chain.softcap.value_or(1.0));
  for (int64_t first = 0; first < rows; first += part) {
    int64_t count = std::min(part, rows - first);
    auto shift = [&](codegen::Rows where) {
      where.offset += static_cast<uint32_t>(first / outDivisor);
      return where;
    };
    params.biasOffset = static_cast<uint32_t>(first);
    params.residual = shift(residual.rows);
    SmallVector<DispatchBuilder::NamedBuffer> buffers = {
        {"x", x->buffer}, {"weight", build.weightRows(weight, first, count)}, {"out", out.buffer}};
    if (bias)
      buffers.push_back({"bias", build.weight(bias)});
    if (chain.residual)
      buffers.push_back({"residual", residual.buffer});
    if (build.rows == 1) {
      codegen::GemvSpec spec;
      spec.weight = weightTypeOf(weight);
      spec.epilogue = epilogue;
      codegen::GemvParams gemv;
      if (RmsNormOp norm = prologue) {
        spec.rmsNorm = true;
        spec.unitOffset = norm.getUnitOffset();
        gemv.eps = static_cast<float>(norm.getEps().convertToDouble());
        buffers.push_back({"norm", build.weight(norm.getWeight())});
      }
      gemv.n = static_cast<uint32_t>(count);
      gemv.k = static_cast<uint32_t>(columns);
      gemv.xOffset = x->rows.offset;
      gemv.outOffset = shift(out.rows).offset;
      gemv.epilogue = params;
      build.dispatch(spec, gemv, buffers);
    } else {
      codegen::GemmSpec spec;
      spec.weight = weightTypeOf(weight);
      spec.epilogue = epilogue;
      codegen::GemmParams gemm;
      gemm.n = static_cast<uint32_t>(count);
      gemm.k = static_cast<uint32_t>(columns);
      gemm.maxRows = static_cast<uint32_t>(build.rows);
      gemm.x = x->rows;
      gemm.out = shift(out.rows);
      gemm.epilogue = params;
      build.dispatch(spec, gemm, buffers);
    }
  }
  return success();
}
