// Three passes of this folder between upstream's: what a level lacks is spelled out, polynomials replace functions, and
// one full conversion ends in entry points that take their buffers from an array of pointers.
#include "passes/codegen/cpu/Lower.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace xfmr::codegen::cpu {
namespace {

// Integer and float arithmetic of a pattern, lane by lane on whatever shape the rewritten op has.
class Lanes {
public:
  Lanes(PatternRewriter &rewriter, Location loc, Type like) : b(loc, rewriter), like(like) {}

  Type as(Type element) {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
  }
  Type i16() { return as(b.getI16Type()); }
  Type i32() { return as(b.getI32Type()); }
  Type f32() { return as(b.getF32Type()); }
  Value constant(uint32_t number) {
    TypedAttr attr = b.getI32IntegerAttr(static_cast<int32_t>(number));
    if (auto vector = dyn_cast<VectorType>(i32()))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(b, attr);
  }
  Value asFloat(Value bits) { return arith::BitcastOp::create(b, f32(), bits); }
  Value asInt(Value number) { return arith::BitcastOp::create(b, i32(), number); }
  Value bitAnd(Value a, uint32_t c) { return arith::AndIOp::create(b, a, constant(c)); }
  Value bitOr(Value a, Value c) { return arith::OrIOp::create(b, a, c); }
  Value add(Value a, Value c) { return arith::AddIOp::create(b, a, c); }
  Value left(Value a, uint32_t bits) { return arith::ShLIOp::create(b, a, constant(bits)); }
  Value right(Value a, uint32_t bits) { return arith::ShRUIOp::create(b, a, constant(bits)); }
  Value atLeast(Value a, uint32_t c) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::uge, a, constant(c));
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(b, condition, yes, no);
  }

  ImplicitLocOpBuilder b;

private:
  Type like;
};

template <typename Op> struct TwoRoundings : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), op->getOperand(0), op->getOperand(1));
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op->getOperand(2));
    return success();
  }
};

// Exponent and mantissa move to their places; a product by 2^112 mends the exponent, of subnormal numbers too.
struct WidenHalf : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn().getType()).isF16() || !getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not f16 to f32");
    Lanes l(rewriter, op.getLoc(), op.getType());
    Value half = arith::BitcastOp::create(l.b, l.i16(), op.getIn());
    Value bits = arith::ExtUIOp::create(l.b, l.i32(), half);
    Value rest = l.bitAnd(bits, 0x7fff), moved = l.left(rest, 13);
    Value finite = arith::MulFOp::create(l.b, l.asFloat(moved), l.asFloat(l.constant(0x77800000)));
    Value infinite = l.bitOr(moved, l.constant(0x7f800000));
    Value number = l.select(l.atLeast(rest, 0x7c00), infinite, l.asInt(finite));
    rewriter.replaceOp(op, l.asFloat(l.bitOr(number, l.left(l.bitAnd(bits, 0x8000), 16))));
    return success();
  }
};

// To nearest, ties to even. A sum with 0.5 rounds what becomes subnormal.
struct NarrowHalf : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn().getType()).isF32() || !getElementTypeOrSelf(op.getType()).isF16())
      return rewriter.notifyMatchFailure(op, "not f32 to f16");
    Lanes l(rewriter, op.getLoc(), op.getType());
    Value bits = l.asInt(op.getIn()), rest = l.bitAnd(bits, 0x7fffffff);
    Value odd = l.bitAnd(l.right(rest, 13), 1);
    Value normal = l.right(l.add(l.add(rest, odd), l.constant(0xfffu - 0x38000000u)), 13);
    Value half = l.asFloat(l.constant(0x3f000000));
    Value sum = arith::AddFOp::create(l.b, l.asFloat(rest), half);
    Value subnormal = l.add(l.asInt(sum), l.constant(0u - 0x3f000000u));
    Value number = l.select(l.atLeast(rest, 0x38800000), normal, subnormal);
    number = l.select(l.atLeast(rest, 0x477ff000), l.constant(0x7c00), number); // rounds beyond the largest
    number = l.select(l.atLeast(rest, 0x7f800001), l.constant(0x7e00), number); // not a number
    number = l.bitOr(number, l.bitAnd(l.right(bits, 16), 0x8000));
    Value narrow = arith::TruncIOp::create(l.b, l.i16(), number);
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), narrow);
    return success();
  }
};

struct SpellOutMath : PassWrapper<SpellOutMath, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SpellOutMath)
  explicit SpellOutMath(Level level) : level(level) {}
  StringRef getName() const override { return "SpellOutMath"; }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    if (!facts(level).fma)
      patterns.add<TwoRoundings<vector::FMAOp>, TwoRoundings<math::FmaOp>>(&getContext());
    if (!facts(level).halfConversions)
      patterns.add<WidenHalf, NarrowHalf>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
  Level level;
};

// Upstream passes a memref as one pointer only if its shape is static. No size is known here and none is looked at.
void giveStaticShapes(func::FuncOp function) {
  constexpr int64_t kUnknown = int64_t(1) << 48;
  for (BlockArgument argument : function.getArguments())
    if (auto type = dyn_cast<MemRefType>(argument.getType()); type && !type.hasStaticShape())
      argument.setType(MemRefType::get({kUnknown}, type.getElementType()));
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), {}));
}

// f(ptr, ptr, …, i64, i64) -> f(ptr buffers, i64, i64)
void takeBuffersFromArray(LLVM::LLVMFuncOp function) {
  MLIRContext *context = function.getContext();
  Block &entry = function.getBody().front();
  auto pointer = LLVM::LLVMPointerType::get(context);
  unsigned buffers = entry.getNumArguments() - 2;
  Value array = entry.insertArgument(0u, pointer, function.getLoc());
  ImplicitLocOpBuilder b(function.getLoc(), OpBuilder::atBlockBegin(&entry));
  for (unsigned i = 0; i < buffers; ++i) {
    Value place = LLVM::GEPOp::create(b, pointer, pointer, array, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    Value buffer = LLVM::LoadOp::create(b, pointer, place);
    entry.getArgument(1).replaceAllUsesWith(buffer);
    entry.eraseArgument(1);
  }
  auto i64 = IntegerType::get(context, 64);
  function.setFunctionType(
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), {pointer, i64, i64}));
  function.setArgAttrsAttr({});
}

struct KernelsToLLVM : PassWrapper<KernelsToLLVM, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KernelsToLLVM)
  StringRef getName() const override { return "KernelsToLLVM"; }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<LLVM::LLVMDialect>(); }
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      unsigned count = function.getNumArguments();
      if (function.isExternal() || function.getNumResults() || count < 2 || !function.getArgument(count - 1).getType().isIndex() ||
          !function.getArgument(count - 2).getType().isIndex()) {
        function.emitError("expected a kernel: buffers, then the first tile and the end of the tiles as index, no results");
        return signalPassFailure();
      }
      giveStaticShapes(function);
    }
    LowerToLLVMOptions options(context);
    options.useBarePtrCallConv = true;
    LLVMTypeConverter types(context, options);
    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    RewritePatternSet patterns(context);
    populateFuncToLLVMConversionPatterns(types, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(types, patterns);
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    populateMathToLLVMConversionPatterns(types, patterns);
    ub::populateUBToLLVMConversionPatterns(types, patterns);
    vector::populateVectorBroadcastLoweringPatterns(patterns);
    vector::populateVectorShapeCastLoweringPatterns(patterns);
    vector::populateVectorMaskOpLoweringPatterns(patterns);
    vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/false);
    populateVectorToLLVMConversionPatterns(types, patterns);
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      takeBuffersFromArray(function);
  }
};

} // namespace

void registerKernelDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void addLowering(OpPassManager &passes, Level level) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(std::make_unique<SpellOutMath>(level));
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(std::make_unique<KernelsToLLVM>());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

llvm::Error lowerToLLVM(ModuleOp module, Level level) {
  std::string diagnostics;
  ScopedDiagnosticHandler collect(module.getContext(), [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  PassManager passes(module.getContext());
  addLowering(passes, level);
  if (succeeded(passes.run(module)))
    return llvm::Error::success();
  return llvm::createStringError("kernel to the llvm dialect: " + diagnostics);
}

} // namespace xfmr::codegen::cpu
