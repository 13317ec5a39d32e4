// Ops that work row by row: embedding, norms, elementwise, split; and sampling.
#include "passes/lowering/PhaseLowering.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

LogicalResult PhaseLowering::lowerEmbedding(EmbeddingOp op) {
  Value table = op.getTable(), positions = op.getPositions();
  if (positions && weightTypeOf(positions) != weightTypeOf(table))
    return op.emitError("token and position tables must have one element type");
  codegen::EmbeddingSpec spec;
  spec.weight = weightTypeOf(table);
  spec.positions = static_cast<bool>(positions);
  View out = build.result(op.getResult());
  auto type = cast<RankedTensorType>(table.getType());
  int64_t vocab = type.getDimSize(0), part = build.rowsPerBinding(table);
  build.setLabel("embedding");
  for (int64_t first = 0; first < vocab; first += part) {
    int64_t count = std::min(part, vocab - first);
    codegen::EmbeddingParams params;
    params.width = static_cast<uint32_t>(type.getDimSize(1));
    params.vocab = static_cast<uint32_t>(vocab);
    params.firstRow = static_cast<uint32_t>(first);
    params.tableRows = static_cast<uint32_t>(count);
    params.maxRows = static_cast<uint32_t>(build.rows);
    params.out = out.rows;
    SmallVector<DispatchBuilder::NamedBuffer> buffers = {
        {"tokens", build.named("tokens", build.builder.getI32Type(), {build.rows})},
        {"table", build.weightRows(table, first, count)},
        {"out", out.buffer}};
    if (positions) {
      params.maxPosition = static_cast<uint32_t>(cast<RankedTensorType>(positions.getType()).getDimSize(0));
      buffers.push_back({"positions", build.weight(positions)});
    }
    build.dispatch(spec, params, buffers);
  }
  return success();
}

LogicalResult PhaseLowering::lowerNorm(Operation *op, Value input, Value weight, Value bias, double eps,
                                       bool unitOffset) {
  codegen::NormSpec spec;
  spec.kind = isa<RmsNormOp>(op) ? codegen::NormKind::Rms : codegen::NormKind::Layer;
  spec.bias = static_cast<bool>(bias);
  spec.unitOffset = unitOffset;
  if (auto row = input.getDefiningOp<LastRowOp>()) {
    spec.lastRow = true;
    input = row.getInput();
  }
  FailureOr<View> x = build.view(input);
  if (failed(x))
    return failure();
  View out = build.result(op->getResult(0));
  int64_t width = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  codegen::NormParams params;
  params.width = static_cast<uint32_t>(width);
  params.groups = static_cast<uint32_t>(x->width / width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.x = x->rows;
  params.out = out.rows;
  params.eps = static_cast<float>(eps);
  spec.perHead = params.groups > 1;
  if (spec.perHead && width % 4)
    return op->emitError("a per-head norm needs a head size that is a multiple of 4, got ") << width;
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {
      {"x", x->buffer}, {"out", out.buffer}, {"weight", build.weight(weight)}};
  if (bias)
    buffers.push_back({"bias", build.weight(bias)});
  build.setLabel("norm");
  build.dispatch(spec, params, buffers);
  return success();
}

LogicalResult PhaseLowering::lowerElementwise(Operation *op) {
  codegen::ElementwiseSpec spec;
  codegen::ElementwiseParams params;
  Value a = op->getOperand(0), b;
  if (isa<AddOp, MulOp>(op)) {
    spec.op = isa<AddOp>(op) ? codegen::ElementwiseOp::Add : codegen::ElementwiseOp::Mul;
    b = op->getOperand(1);
  } else if (auto scale = dyn_cast<ScaleOp>(op)) {
    spec.op = codegen::ElementwiseOp::Scale;
    params.value = static_cast<float>(scale.getFactor().convertToDouble());
  } else if (auto softcap = dyn_cast<SoftcapOp>(op)) {
    spec.op = codegen::ElementwiseOp::Softcap;
    params.value = static_cast<float>(softcap.getCap().convertToDouble());
  } else {
    auto activation = cast<ActivationOp>(op);
    std::optional<codegen::Activation> kind = kernelActivation(activation.getKind());
    if (!kind)
      return op->emitError("activation ") << stringifyActivationKind(activation.getKind())
                                          << " has no Vulkan kernel";
    spec.op = codegen::ElementwiseOp::Activation;
    spec.activation = *kind;
  }
  FailureOr<View> left = build.view(a);
  if (failed(left))
    return failure();
  View out = build.result(op->getResult(0));
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {{"a", left->buffer}, {"out", out.buffer}};
  if (b) {
    FailureOr<View> right = build.view(b);
    if (failed(right))
      return failure();
    params.b = right->rows;
    buffers.push_back({"b", right->buffer});
  }
  params.width = static_cast<uint32_t>(left->width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.a = left->rows;
  params.out = out.rows;
  build.setLabel(op->getName().stripDialect());
  build.dispatch(spec, params, buffers);
  return success();
}

LogicalResult PhaseLowering::copyInto(Value value, View to) {
  FailureOr<View> from = build.view(value);
  if (failed(from))
    return failure();
  codegen::ElementwiseSpec spec;
  spec.op = codegen::ElementwiseOp::Copy;
  codegen::ElementwiseParams params;
  params.width = static_cast<uint32_t>(from->width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.a = from->rows;
  params.out = to.rows;
  build.setLabel("copy");
  build.dispatch(spec, params, {{"a", from->buffer}, {"out", to.buffer}});
  return success();
}

// A split moves nothing: its results are views of the input's columns.
LogicalResult PhaseLowering::lowerSplit(SplitOp op) {
  FailureOr<View> input = build.view(op.getInput());
  if (failed(input))
    return failure();
  View view = *input;
  for (Value result : op.getResults()) {
    view.width = cast<RankedTensorType>(result.getType()).getDimSize(1);
    if (view.rows.offset % 4) // sizes of heads that no attention here takes; attention says so first where there is one
      for (CachedAttentionOp attention : op->getBlock()->getOps<CachedAttentionOp>())
        if (attention.getHeadDim() % 4)
          return attention.emitError("head_dim ") << attention.getHeadDim() << " is not a multiple of 4 of at most 256";
    if (view.rows.offset % 4)
      return op.emitError("a part starts at column ") << view.rows.offset << ", which is not a multiple of 4";
    build.setView(result, view);
    view.rows.offset += static_cast<uint32_t>(view.width);
  }
  return success();
}


LogicalResult PhaseLowering::lowerSample() {
  ProgramOp program = build.tables.program;
  int64_t vocab = program.getConfig().getVocabSize(), context = program.getMaxContext();
  codegen::SampleParams params;
  params.vocab = static_cast<uint32_t>(vocab);
  params.rowStride = paddedWidth(params.vocab);
  params.outputCapacity = static_cast<uint32_t>(context);
  Type i32 = build.builder.getI32Type();
  build.setLabel("sample");
  build.dispatch(codegen::SampleSpec(), params,
                 {{"logits", build.named("logits", build.builder.getF32Type(),
                                         {static_cast<int64_t>(program.getChunk()), static_cast<int64_t>(params.rowStride)})},
                  {"output", build.named("output", i32, {context})},
                  {"tokens", build.named("tokens", i32, {static_cast<int64_t>(program.getChunk())})}});
  return success();
}
