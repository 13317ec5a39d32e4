// Matrix products: gemv for one row, gemm for many; large weights in parts by rows.
#include "passes/lowering/PhaseLowering.h"
#include "passes/lowering/RegionGroups.h"

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

// Columns first … of a row, as many as a part of a weight gives: bytes of their own, so that parts of one product do not
// wait for each other. Where offsets of bindings do not allow that, or rows lie between each other, the whole buffer.
View columnsOf(DispatchBuilder &build, View row, int64_t first, int64_t count) {
  const int64_t begin = row.rows.offset + first, width = codegen::paddedWidth(static_cast<uint32_t>(count));
  auto type = cast<MemRefType>(row.buffer.getType());
  row.rows.offset = static_cast<uint32_t>(begin);
  const int64_t bytes = begin * 4;
  if (build.rows != 1 || type.getRank() != 2 || bytes % build.tables.program.targetOrPortable().getAlignment())
    return row;
  if (auto ref = row.buffer.getDefiningOp<BufferRefOp>())
    row.buffer =
        build.named(ref.getBuffer(), type.getElementType(), {1, width}, static_cast<int64_t>(ref.getOffset()) + bytes);
  else
    row.buffer = memref::SubViewOp::create(build.builder, build.loc, row.buffer, ArrayRef<int64_t>{0, begin},
                                           ArrayRef<int64_t>{1, width}, ArrayRef<int64_t>{1, 1});
  row.rows.offset = 0;
  return row;
}

} // namespace

FailureOr<ProductRegion> ProductRegion::read(FusedOp region) {
  ProductRegion product;
  auto refuse = [&](Operation *op) {
    return emitLoweringError(op, region.getLayer())
           << "does not fit a product: norm, linear or glu, activation, scale, softcap, residual in this order";
  };
  for (Operation &op : region.getBody().front().without_terminator()) {
    if (isWeightExpression(&op) || isa<PositionOp>(op))
      continue;
    if (isa<LinearOp, GluOp>(op)) {
      product.head = &op;
      if (product.prologue && op.getOperand(0) != product.prologue.getResult())
        return refuse(&op);
      product.result = op.getResult(0);
      continue;
    }
    if (auto norm = dyn_cast<RmsNormOp>(op)) {
      if (product.head || product.prologue || norm.getWeight().getType().getDimSize(0) != norm.getType().getDimSize(1))
        return refuse(&op);
      product.prologue = norm;
      continue;
    }
    if (!product.head || !llvm::is_contained(op.getOperands(), product.result) || product.residual)
      return refuse(&op);
    const bool isActivationNext = !product.activation && !product.scale && !product.softcap;
    if (auto activation = dyn_cast<ActivationOp>(op);
        activation && isActivationNext && isa<LinearOp>(product.head) && keepsZero(activation.getKind())) {
      product.activation = activation.getKind();
    } else if (auto scale = dyn_cast<ScaleOp>(op); scale && !product.scale && !product.softcap) {
      product.scale = scale.getFactor().convertToDouble();
    } else if (auto softcap = dyn_cast<SoftcapOp>(op); softcap && !product.softcap) {
      product.softcap = softcap.getCap().convertToDouble();
    } else if (auto add = dyn_cast<AddOp>(op)) {
      product.residual = add.getLhs() == product.result ? add.getRhs() : add.getLhs();
      if (!isa<BlockArgument>(product.residual))
        return refuse(&op);
    } else {
      return refuse(&op);
    }
    product.result = op.getResult(0);
  }
  if (!isa<BlockArgument>(product.prologue ? product.prologue.getInput() : product.head->getOperand(0)))
    return refuse(product.head);
  return product;
}

LogicalResult PhaseLowering::lowerProduct() {
  FailureOr<ProductRegion> product = ProductRegion::read(region);
  if (failed(product) || failed(checkYields({product->result})))
    return failure();
  Value input = product->head->getOperand(0), weight, bias;
  codegen::Epilogue epilogue;
  if (auto linear = dyn_cast<LinearOp>(product->head)) {
    weight = linear.getWeight();
    bias = linear.getBias();
    if (product->activation)
      epilogue.activation = kernelActivation(*product->activation);
    build.setLabel("linear");
  } else {
    auto glu = cast<GluOp>(product->head);
    if (glu.getAlpha())
      return emitLoweringError(glu, region.getLayer()) << "a clamped glu has a kernel only inside of experts";
    weight = interleaved(glu.getWeight(), glu.getLayout());
    bias = interleaved(glu.getBias(), glu.getLayout());
    epilogue.glu = true;
    epilogue.activation = kernelActivation(glu.getKind());
    build.setLabel("glu");
  }
  epilogue.bias = static_cast<bool>(bias);
  epilogue.scale = product->scale.has_value();
  epilogue.softcap = product->softcap.has_value();
  epilogue.residual = static_cast<bool>(product->residual);

  RmsNormOp prologue = product->prologue;
  if (prologue && build.rows != 1)
    return emitLoweringError(prologue, region.getLayer()) << "products of several rows take no norm";
  FailureOr<View> x = aligned(prologue ? Value(prologue.getInput()) : input);
  if (failed(x))
    return failure();
  View residual;
  if (product->residual) {
    FailureOr<View> view = aligned(product->residual);
    if (failed(view))
      return failure();
    residual = *view;
  }
  View out = result(product->result);

  auto type = cast<RankedTensorType>(weight.getType());
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  int64_t part = build.rowsPerBinding(weight);
  int64_t outDivisor = epilogue.glu ? 2 : 1;
  codegen::EpilogueParams params;
  params.scale = static_cast<float>(product->scale.value_or(1.0));
  params.softcap = static_cast<float>(product->softcap.value_or(1.0));
  for (int64_t first = 0; first < rows; first += part) {
    int64_t count = std::min(part, rows - first);
    auto shareOf = [&](const View &whole) {
      return count == rows ? whole : columnsOf(build, whole, first / outDivisor, count / outDivisor);
    };
    const View to = shareOf(out), added = product->residual ? shareOf(residual) : residual;
    params.biasOffset = static_cast<uint32_t>(first);
    params.residual = added.rows;
    SmallVector<DispatchBuilder::NamedBuffer> buffers = {
        {"x", x->buffer}, {"weight", build.weightRows(weight, first, count)}, {"out", to.buffer}};
    if (bias)
      buffers.push_back({"bias", build.weight(bias)});
    if (product->residual)
      buffers.push_back({"residual", added.buffer});
    const bool codes = build.readsCodes(weightTypeOf(weight), static_cast<uint32_t>(columns));
    if (codes)
      buffers.push_back({"codes", build.codesOf(*x, columns, weightTypeOf(weight))});
    if (build.rows == 1) {
      codegen::GemvSpec spec;
      spec.codes = codes;
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
      gemv.outOffset = to.rows.offset;
      gemv.epilogue = params;
      build.dispatch(spec, gemv, buffers);
    } else {
      codegen::GemmSpec spec;
      spec.codes = codes;
      spec.pairs = build.readsPairs(weightTypeOf(weight), rows, columns);
      if (spec.pairs)
        buffers.push_back({"pairs", build.pairsOf(*x, columns)});
      spec.weight = weightTypeOf(weight);
      spec.epilogue = epilogue;
      codegen::GemmParams gemm;
      gemm.n = static_cast<uint32_t>(count);
      gemm.k = static_cast<uint32_t>(columns);
      gemm.maxRows = static_cast<uint32_t>(build.rows);
      gemm.x = x->rows;
      gemm.out = to.rows;
      gemm.epilogue = params;
      build.dispatch(spec, gemm, buffers);
    }
  }
  return success();
}
