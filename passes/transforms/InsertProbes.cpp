// xfmr-insert-probes: values on the way to the logits become outputs. Sums are products with matrices of ones, so that what
// kernels there are compute them.
#include "passes/ProbePasses.h"

#include "passes/analysis/Units.h"
#include "passes/calibration/WrittenSource.h"
#include "passes/transforms/PruneUnits.h"
#include "weights/Summary.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <vector>

using namespace mlir;

namespace xfmr {
#define GEN_PASS_DEF_XFMRINSERTPROBES
#include "passes/ProbePasses.h.inc"

namespace {

int64_t widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

// A matrix [groups, columns] that sums each of `groups` equal parts of a row, and the file that such matrices are in.
class Ones {
public:
  explicit Ones(ModelOp model) : source(unusedSourceName(model, "probe")) {}

  // The rows `rows` of that matrix as a weight where `builder` stands.
  Value weight(OpBuilder &builder, Location loc, int64_t groups, int64_t columns, ArrayRef<int64_t> rows) {
    std::string name = "ones";
    for (int64_t row : rows)
      name += "." + std::to_string(row);
    name += ".of." + std::to_string(groups) + "x" + std::to_string(columns);
    std::vector<float> &values = matrices[name];
    const auto count = static_cast<int64_t>(rows.size()), size = columns / groups;
    values.assign(count * columns, 0.0f);
    for (int64_t i = 0; i < count; ++i)
      std::fill_n(values.begin() + i * columns + rows[i] * size, size, 1.0f);
    shapes[name] = {count, columns};
    auto type = RankedTensorType::get({count, columns}, builder.getF32Type());
    return WeightOp::create(builder, loc, type, builder.getStringAttr(name), builder.getStringAttr(source));
  }

  Status write(ModelOp model, const std::string &path) {
    SmallVector<WrittenTensor> tensors;
    for (auto &[name, values] : matrices)
      tensors.push_back({name, DType::f32, shapes[name],
                         ArrayRef(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(float))});
    return tensors.empty() ? Status::success() : writeSource(model, source, "probe", path, tensors);
  }

private:
  const std::string source;
  std::map<std::string, std::vector<float>> matrices;
  std::map<std::string, std::vector<int64_t>> shapes;
};

enum class Reduce { squares, sum, top, whole };

struct InsertProbes : impl::XfmrInsertProbesBase<InsertProbes> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(insert(getOperation())))
      signalPassFailure();
  }

  LogicalResult insert(ModelOp model) {
    if (failed(readOptions(model)))
      return failure();
    FailureOr<SmallVector<BlockOp>> blocks = blocksOf(model, SmallVector<int64_t>(layers.begin(), layers.end()));
    if (failed(blocks))
      return failure();
    Ones ones(model);
    OpBuilder builder(model.getContext());
    auto all = model.getBody().getOps<BlockOp>();
    if (asked.contains("residual") && !all.empty() && (*all.begin()).getInputs().size() == 1) {
      builder.setInsertionPoint(*all.begin());
      probe(builder, (*all.begin()).getInputs().front(), "embedding", 1, {}, byDefault(Reduce::squares), ones);
    }
    for (BlockOp block : *blocks)
      if (failed(insert(block, ones)))
        return failure();
    if (asked.contains("logits")) {
      Operation *yield = model.getBody().front().getTerminator();
      builder.setInsertionPoint(yield);
      probe(builder, yield->getOperand(0), "logits", 1, {}, byDefault(Reduce::top), ones);
    }
    if (Status status = ones.write(model, out); status.failed())
      return model.emitError(status.message());
    summarise(&getContext(), llvm::formatv("{0}: {1} probes", getArgument(), inserted).str());
    return success();
  }

  LogicalResult readOptions(ModelOp model) {
    for (const std::string &word : what) {
      if (!llvm::is_contained({"residual", "attention", "ffn", "router", "logits"}, word))
        return model.emitError("what names '") << word << "', expected residual, attention, ffn, router or logits";
      asked.insert(word);
    }
    if (asked.empty())
      for (const char *word : {"residual", "attention", "ffn", "router"})
        asked.insert(word);
    if (!llvm::is_contained({"auto", "squares", "sum", "top", "whole"}, reduce.getValue()))
      return model.emitError("reduce is '") << reduce.getValue() << "', expected auto, squares, sum, top or whole";
    if (top < 1 || top > static_cast<int64_t>(codegen::kMaxTop))
      return model.emitError("top is ") << top.getValue() << ", expected 1 to " << codegen::kMaxTop;
    return success();
  }

  Reduce byDefault(Reduce reduction) {
    return reduce == "squares" ? Reduce::squares
           : reduce == "sum"   ? Reduce::sum
           : reduce == "top"   ? Reduce::top
           : reduce == "whole" ? Reduce::whole
                               : reduction;
  }

  // `value` in `groups` equal parts, of which those in `parts` are wanted; all if there are none.
  void probe(OpBuilder &builder, Value value, std::string name, int64_t groups, ArrayRef<int64_t> parts, Reduce reduction,
             Ones &ones) {
    const Location loc = value.getLoc();
    const int64_t width = widthOf(value);
    if (reduction == Reduce::whole || reduction == Reduce::top) {
      if (parts.empty())
        return keep(builder, loc, std::move(name), value, reduction);
      auto part = RankedTensorType::get({ShapedType::kDynamic, width / groups}, builder.getF32Type());
      auto split = SplitOp::create(builder, loc, SmallVector<Type>(groups, part), value);
      for (int64_t index : parts)
        keep(builder, loc, name + ".head." + std::to_string(index), split.getResult(index), reduction);
      return;
    }
    if (reduction == Reduce::squares)
      value = MulOp::create(builder, loc, value.getType(), value, value);
    SmallVector<int64_t> rows(parts);
    if (rows.empty())
      rows = llvm::to_vector(llvm::seq<int64_t>(groups));
    auto type = RankedTensorType::get({ShapedType::kDynamic, static_cast<int64_t>(rows.size())}, builder.getF32Type());
    Value weight = ones.weight(builder, loc, groups, width, rows);
    Value sums = LinearOp::create(builder, loc, type, value, weight, /*bias=*/Value());
    keep(builder, loc, name + (reduction == Reduce::squares ? ".squares" : ".sum"), sums, Reduce::whole);
  }

  // Logits, of tokens and of experts, by size; what is added to something by magnitude.
  void keep(OpBuilder &builder, Location loc, std::string name, Value value, Reduce reduction) {
    ++inserted, ++probed;
    if (reduction != Reduce::top) {
      ProbeOp::create(builder, loc, builder.getStringAttr(name), value, IntegerAttr(), UnitAttr());
      return;
    }
    const bool bySize = StringRef(name).starts_with("logits") || StringRef(name).starts_with("router");
    ProbeOp::create(builder, loc, builder.getStringAttr(name + ".top"), value,
                    builder.getI64IntegerAttr(std::min<int64_t>(top, widthOf(value))),
                    bySize ? UnitAttr() : builder.getUnitAttr());
  }

  LogicalResult insert(BlockOp block, Ones &ones) {
    const std::string layer = std::to_string(block.getLayer());
    // Behind everything that the block computes: what shares a kernel stays together.
    Operation *yield = block.getBody().front().getTerminator();
    OpBuilder builder(yield);
    auto numbered = [&](StringRef name, size_t index) { // a block may have two of a kind
      return name.str() + "." + layer + (index ? "-" + std::to_string(index + 1) : "");
    };
    if (asked.contains("attention"))
      for (auto [index, attention] : llvm::enumerate(block.getBody().getOps<AttentionOp>())) {
        const auto count = static_cast<int64_t>(attention.getNumHeads());
        for (int64_t head : heads)
          if (head < 0 || head >= count)
            return attention.emitError("heads names head ") << head << " of layer " << layer << ", which has 0 to " << count - 1;
        probe(builder, attention.getResult(), numbered("attention", index), count,
              SmallVector<int64_t>(heads.begin(), heads.end()), byDefault(Reduce::squares), ones);
      }
    if (asked.contains("ffn"))
      insertChannels(builder, block, numbered, ones);
    if (asked.contains("router"))
      insertRouters(builder, block, numbered, ones);
    if (asked.contains("residual"))
      probe(builder, yield->getOperand(0), "residual." + layer, 1, {}, byDefault(Reduce::squares), ones);
    return success();
  }

  template <typename Numbered> void insertChannels(OpBuilder &builder, BlockOp block, Numbered numbered, Ones &ones) {
    size_t index = 0;
    for (FeedForwardUnits &network : findFeedForwards(block)) {
      if (network.mixture || !network.down) {
        block.emitRemark("layer ") << block.getLayer() << ": channels are not probed: "
                                   << (network.mixture ? "they are those of experts" : network.refusal);
        continue;
      }
      probe(builder, network.hidden, numbered("ffn", index++), 1, {}, byDefault(Reduce::squares), ones);
    }
  }

  template <typename Numbered> void insertRouters(OpBuilder &builder, BlockOp block, Numbered numbered, Ones &ones) {
    size_t index = 0;
    for (auto mixture : block.getBody().getOps<MoeOp>()) {
      auto type = RankedTensorType::get({ShapedType::kDynamic, static_cast<int64_t>(mixture.getNumExperts())},
                                        builder.getF32Type());
      Value logits = LinearOp::create(builder, mixture.getLoc(), type, mixture.getInput(), mixture.getRouter(),
                                      mixture.getRouterBias());
      probe(builder, logits, numbered("router", index++), 1, {}, byDefault(Reduce::whole), ones);
    }
    if (index == 0 && llvm::is_contained(what, "router"))
      block.emitRemark("layer ") << block.getLayer() << ": there is no router to probe";
  }

  llvm::StringSet<> asked;
  int64_t inserted = 0;
};

} // namespace
} // namespace xfmr
