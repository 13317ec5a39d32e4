// Property: canonicalisation keeps every bit of a weight expression. Random expressions, a seed each, are evaluated before and
// after; that something was rewritten at all is counted.
#include "weights/WeightEvaluator.h"
#include "TemporaryFolder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <cstring>
#include <random>

using namespace mlir;
using namespace xfmr;

namespace {

class RandomExpression {
public:
  RandomExpression(MLIRContext *context, unsigned seed)
      : random(seed), builder(context), module(ModuleOp::create(builder, builder.getUnknownLoc())) {
    builder.setInsertionPointToEnd(module->getBody());
  }

  /// Some tensors, `ops` ops on them and one user that keeps the last value.
  void build(int ops) {
    for (int i = 0; i < 3; ++i)
      values.push_back(tensor());
    for (int i = 0; i < ops; ++i)
      values.push_back(grow(pick()));
    Operation *use = builder.create(OperationState(builder.getUnknownLoc(), "test.use", values.back(), TypeRange()));
    user = use;
  }

  std::vector<float> evaluate(const WeightSources &sources) {
    Value value = user->getOperand(0);
    std::vector<float> out(weightRows(value.getType()) * weightColumns(value.getType()));
    EXPECT_TRUE(succeeded(WeightEvaluator(sources).evaluateRows(value, 0, weightRows(value.getType()), out.data())));
    return out;
  }
  LogicalResult canonicalize() {
    PassManager manager(module->getContext());
    manager.addPass(createCanonicalizerPass());
    return manager.run(*module);
  }
  std::string text() {
    std::string out;
    llvm::raw_string_ostream stream(out);
    module->print(stream);
    return out;
  }

private:
  int64_t below(int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }
  // Late values rather than early ones, so that expressions become deep.
  Value pick() { return values[std::max(below(values.size()), below(values.size()))]; }
  RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
  Location loc() { return builder.getUnknownLoc(); }

  Value tensor() {
    static const std::pair<const char *, int> stored[] = {{"f", 32}, {"h", 16}};
    const auto [name, bits] = stored[below(2)];
    Type element = bits == 32 ? Type(builder.getF32Type()) : Type(builder.getBF16Type());
    return WeightOp::create(builder, loc(), RankedTensorType::get({4, 6}, element), builder.getStringAttr(name), StringAttr());
  }

  Value grow(Value x) {
    const RankedTensorType type = typeOf(x);
    const int64_t rank = type.getRank(), axis = below(rank), extent = type.getDimSize(axis);
    switch (below(11)) {
    case 0: {
      const int64_t size = 1 + below(extent), offset = below(extent - size + 1);
      return WeightSliceOp::create(builder, loc(), withExtent(type, axis, size), x, axis, offset, size);
    }
    case 1: {
      SmallVector<int64_t> indices;
      for (int64_t count = 1 + below(5); count > 0; --count)
        indices.push_back(below(extent));
      return WeightGatherOp::create(builder, loc(), withExtent(type, axis, indices.size()), x, axis, indices);
    }
    case 2: {
      SmallVector<int64_t> keep;
      for (int64_t index = 0; index < extent; ++index)
        if (below(2))
          keep.push_back(index);
      return WeightMaskOp::create(builder, loc(), type, x, axis, keep);
    }
    case 3: {
      SmallVector<int64_t> shape(type.getShape());
      if (rank < 2)
        return x;
      std::swap(shape[rank - 1], shape[rank - 2]);
      return WeightTransposeOp::create(builder, loc(), type.clone(shape), x);
    }
    case 4: return WeightConcatOp::create(builder, loc(), withExtent(type, axis, 2 * extent), ValueRange{x, partner(x)}, axis);
    case 5: {
      if (rank > 2)
        return x;
      SmallVector<int64_t> shape(type.getShape());
      shape.insert(shape.begin(), 2);
      return WeightStackOp::create(builder, loc(), type.clone(shape), ValueRange{x, partner(x)});
    }
    case 6:
      if (rank < 2)
        return x;
      return WeightSelectOp::create(builder, loc(), type.clone(type.getShape().drop_front()), x,
                                    builder.getI64IntegerAttr(below(type.getDimSize(0))));
    case 7: return WeightAddOp::create(builder, loc(), type, x, partner(x));
    case 8: return WeightScaleOp::create(builder, loc(), type, x, builder.getF64FloatAttr(below(2) ? 1.0 : 0.75));
    case 9: {
      Type element = below(2) ? Type(builder.getF32Type()) : Type(builder.getF16Type());
      return WeightCastOp::create(builder, loc(), RankedTensorType::get(type.getShape(), element), x);
    }
    default:
      if (extent % 2)
        return x;
      return WeightInterleaveOp::create(builder, loc(), type, x, axis);
    }
  }

  // Another value of the same type where there is one.
  Value partner(Value x) {
    SmallVector<Value> alike;
    for (Value value : values)
      if (value.getType() == x.getType())
        alike.push_back(value);
    return alike[below(alike.size())];
  }

  std::mt19937_64 random;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  SmallVector<Value> values;
  Operation *user = nullptr;
};

TEST(CanonicalValues, EveryBitOfRandomExpressionsStays) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<XfmrDialect>();
  context.allowUnregisteredDialects();
  TemporaryFolder folder;
  std::mt19937 random(7);
  std::vector<float> f(24), h(24);
  for (std::vector<float> *values : {&f, &h})
    for (float &value : *values)
      value = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 256.0f;
  writeTensors(folder.file("w.safetensors"), {{"f", DType::f32, {4, 6}, f}, {"h", DType::bf16, {4, 6}, h}});
  WeightSources sources;
  ASSERT_TRUE(sources.add("base", folder.file("w.safetensors")).ok());
  int changed = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomExpression expression(&context, seed);
    expression.build(3 + static_cast<int>(seed % 10));
    const std::string before = expression.text();
    const std::vector<float> values = expression.evaluate(sources);
    ASSERT_TRUE(succeeded(expression.canonicalize())) << before;
    const std::string after = expression.text();
    changed += after != before;
    const std::vector<float> found = expression.evaluate(sources);
    ASSERT_EQ(found.size(), values.size()) << before << after;
    ASSERT_EQ(std::memcmp(found.data(), values.data(), values.size() * sizeof(float)), 0)
        << "seed " << seed << "\n" << before << after;
  }
  EXPECT_GT(changed, 250) << "expressions that canonicalisation rewrites";
}

} // namespace
