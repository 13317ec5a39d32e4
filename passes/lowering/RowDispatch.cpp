// Ops that work row by row: embedding, norms, elementwise, split, probe; and sampling.
#include "passes/codegen/Choice.h"
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"
#include "runtime/artifact/Format.h"

using namespace mlir;
using namespace xfmr;
using codegen::paddedWidth;

LogicalResult PhaseLowering::lowerEmbedding() {
  auto op = cast<EmbeddingOp>(region.head());
  if (failed(checkYields({op.getResult()})))
    return failure();
  Value table = op.getTable(), positions = op.getPositions();
  if (positions && weightTypeOf(positions) != weightTypeOf(table))
    return emitLoweringError(op, region.getLayer()) << "token and position tables must have one element type";
  codegen::EmbeddingSpec spec;
  spec.weight = weightTypeOf(table);
  spec.positions = static_cast<bool>(positions);
  View out = result(op.getResult());
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

LogicalResult PhaseLowering::lowerNorm() {
  Operation *op = region.head();
  Value input = op->getOperand(0), weight, bias;
  double eps;
  codegen::NormSpec spec;
  if (auto rms = dyn_cast<RmsNormOp>(op)) {
    spec.kind = codegen::NormKind::Rms;
    spec.unitOffset = rms.getUnitOffset();
    weight = rms.getWeight();
    eps = rms.getEps().convertToDouble();
  } else {
    auto layer = cast<LayerNormOp>(op);
    spec.kind = codegen::NormKind::Layer;
    weight = layer.getWeight();
    bias = layer.getBias();
    eps = layer.getEps().convertToDouble();
  }
  if (failed(checkYields({op->getResult(0)})))
    return failure();
  spec.bias = static_cast<bool>(bias);
  if (auto row = input.getDefiningOp<LastRowOp>()) {
    spec.lastRow = true;
    input = row.getInput();
  }
  int64_t width = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  codegen::NormParams params;
  params.width = static_cast<uint32_t>(width);
  params.groups = static_cast<uint32_t>(cast<RankedTensorType>(input.getType()).getDimSize(1) / width);
  spec.perHead = params.groups > 1;
  FailureOr<View> x = aligned(input);
  if (failed(x))
    return failure();
  View out = result(op->getResult(0));
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.x = x->rows;
  params.out = out.rows;
  params.eps = static_cast<float>(eps);
  spec.unaligned = params.unaligned();
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {
      {"x", x->buffer}, {"out", out.buffer}, {"weight", build.weight(weight)}};
  if (bias)
    buffers.push_back({"bias", build.weight(bias)});
  build.setLabel("norm");
  build.dispatch(spec, params, buffers);
  return success();
}

LogicalResult PhaseLowering::lowerElementwise() {
  Operation *op = region.head();
  if (failed(checkYields({op->getResult(0)})))
    return failure();
  codegen::ElementwiseSpec spec;
  codegen::ElementwiseParams params;
  Value a = op->getOperand(0), b;
  if (isa<AddOp, MulOp, RowScaleOp>(op)) {
    spec.op = isa<AddOp>(op)   ? codegen::ElementwiseOp::Add
              : isa<MulOp>(op) ? codegen::ElementwiseOp::Mul
                               : codegen::ElementwiseOp::RowScale;
    b = op->getOperand(1);
  } else if (auto scale = dyn_cast<ScaleOp>(op)) {
    spec.op = codegen::ElementwiseOp::Scale;
    params.value = static_cast<float>(scale.getFactor().convertToDouble());
  } else if (auto softcap = dyn_cast<SoftcapOp>(op)) {
    spec.op = codegen::ElementwiseOp::Softcap;
    params.value = static_cast<float>(softcap.getCap().convertToDouble());
  } else if (auto clamp = dyn_cast<ClampOp>(op)) {
    spec.op = codegen::ElementwiseOp::Clamp;
    params.value = static_cast<float>(clamp.getLimit().convertToDouble());
  } else if (isa<PositionScaleOp>(op)) {
    spec.op = codegen::ElementwiseOp::PositionScale;
  } else if (auto activation = dyn_cast<ActivationOp>(op)) {
    spec.op = codegen::ElementwiseOp::Activation;
    spec.activation = kernelActivation(activation.getKind());
  } else {
    (void)cast<LastRowOp>(op); // the kinds of an elementwise region (Regions.cpp)
    spec.op = codegen::ElementwiseOp::LastRow;
  }
  FailureOr<View> left = aligned(a);
  if (failed(left))
    return failure();
  View out = result(op->getResult(0));
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {{"a", left->buffer}, {"out", out.buffer}};
  if (b) {
    FailureOr<View> right = aligned(b);
    if (failed(right))
      return failure();
    params.b = right->rows;
    buffers.push_back({"b", right->buffer});
  }
  if (auto growing = dyn_cast<PositionScaleOp>(op)) {
    const uint32_t stride = paddedWidth(ProgramTables::kGrowthColumns);
    const int64_t context = build.tables.program.getMaxContext();
    params.b.stride = stride;
    buffers.push_back({"b", build.named(build.tables.growthTable(growing), build.builder.getF32Type(), {context, int64_t(stride)})});
  }
  params.width = static_cast<uint32_t>(left->width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.a = left->rows;
  params.out = out.rows;
  build.setLabel(op->getName().stripDialect());
  build.dispatch(spec, params, buffers);
  return success();
}

void PhaseLowering::copyInto(const View &from, const View &to, StringRef label) {
  codegen::ElementwiseSpec spec;
  spec.op = codegen::ElementwiseOp::Copy;
  codegen::ElementwiseParams params;
  params.width = static_cast<uint32_t>(from.width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.a = from.rows;
  params.out = to.rows;
  build.setLabel(label);
  build.dispatch(spec, params, {{"a", from.buffer}, {"out", to.buffer}});
}

View PhaseLowering::copied(const View &from) {
  View copy = build.temporary(build.rows, from.width);
  copyInto(from, copy);
  return copy;
}

// A split moves nothing: its results are views of the input's columns.
LogicalResult PhaseLowering::lowerSplit(SplitOp op) {
  FailureOr<View> input = view(op.getInput());
  if (failed(input))
    return failure();
  const bool isRough = rough.contains(op.getInput());
  const uint32_t end = input->rows.offset + static_cast<uint32_t>(input->width);
  View part = *input;
  for (Value result : op.getResults()) {
    part.width = cast<RankedTensorType>(result.getType()).getDimSize(1);
    build.setView(result, part);
    const uint32_t next = part.rows.offset + static_cast<uint32_t>(part.width);
    const bool isPadClean = part.width % 8 == 0 || (next == end && !isRough);
    if (part.rows.offset % 4 || !isPadClean)
      rough.insert(result);
    part.rows.offset = next;
  }
  return success();
}

// A copy that nothing else reads or writes: the value's own kernels and the place of its rows stay as they are.
LogicalResult PhaseLowering::lowerProbe(ProbeOp op) {
  FailureOr<View> from = view(op.getInput());
  if (failed(from))
    return failure();
  const int64_t width = op.columns(), stride = paddedWidth(width);
  const std::string name = artifact::kProbePrefix + op.getLabel().str();
  build.tables.probe(name, width);
  build.setScope("");
  const View to{
      build.named(name, build.builder.getF32Type(), {build.rows, stride}), {static_cast<uint32_t>(stride), 0}, width};
  if (!op.getTop()) {
    copyInto(*from, to, name);
    return success();
  }
  codegen::TopKParams params;
  params.width = static_cast<uint32_t>(from->width);
  params.maxRows = static_cast<uint32_t>(build.rows);
  params.x = from->rows;
  build.setLabel(name);
  build.dispatch(codegen::TopKSpec{static_cast<uint32_t>(*op.getTop()), op.getMagnitude()}, params,
                 {{"x", from->buffer}, {"out", to.buffer}});
  return success();
}

LogicalResult PhaseLowering::lowerSample() {
  using codegen::SamplePart;
  ProgramOp program = build.tables.program;
  int64_t vocab = program.getConfig().getVocabSize(), context = program.getMaxContext();
  codegen::SampleParams params;
  params.vocab = static_cast<uint32_t>(vocab);
  params.rowStride = paddedWidth(params.vocab);
  params.outputCapacity = static_cast<uint32_t>(context);
  // Whoever split the phases knows for which devices; where a draw is to be in slices there is a phase without one.
  const bool sliced = llvm::any_of(program.getBody().getOps<PhaseOp>(),
                                   [](PhaseOp phase) { return phase.getKind() == PhaseKind::sample_greedy; });
  params.slice = sliced ? codegen::sampleSlice(params.vocab) : 0;
  Type i32 = build.builder.getI32Type();
  SmallVector<DispatchBuilder::NamedBuffer> buffers = {
      {"logits", build.named("logits", build.builder.getF32Type(),
                             {static_cast<int64_t>(program.getChunk()), static_cast<int64_t>(params.rowStride)})},
      {"output", build.named("output", i32, {context})},
      {"tokens", build.named("tokens", i32, {static_cast<int64_t>(program.getChunk())})},
      {"seen", build.named("seen", i32, {(vocab + 31) / 32})}};
  build.setLabel("sample");
  if (!params.slice) {
    build.dispatch(codegen::SampleSpec(), params, buffers);
    return success();
  }
  const auto words = static_cast<int64_t>(params.slicesWords());
  build.tables.buffer("sample_slices", BufferKind::cache, words * 4);
  Value slices = build.named("sample_slices", i32, {words});
  buffers.push_back({"slices", slices});
  build.dispatch(codegen::SampleSpec{SamplePart::Best}, params, buffers);
  if (build.kind == PhaseKind::sample_greedy)
    return success();
  constexpr int64_t kGrid = 4 * codegen::slices::kGrid;
  for (params.round = 0; params.round < codegen::kCutRounds; ++params.round)
    build.dispatchIndirect(codegen::SampleSpec{SamplePart::Cut}, params, buffers, slices, kGrid);
  params.round = 0;
  build.dispatchIndirect(codegen::SampleSpec{SamplePart::Pick}, params, buffers, slices, kGrid);
  return success();
}
