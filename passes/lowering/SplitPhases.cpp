// xfmr-split-phases: a model becomes a program of phases with explicit caches and positions.
#include "dialect/Structure.h"
#include "passes/lowering/CpuTarget.h"
#include "passes/lowering/LatentAttention.h"
#include "passes/lowering/LoweredOps.h"
#include "passes/lowering/MoeRoute.h"
#include "passes/lowering/Passes.h"
#include "passes/lowering/SourceSide.h"
#include "runtime/profiles/Profile.h"

#include "mlir/IR/IRMapping.h"

namespace xfmr {
#define GEN_PASS_DEF_XFMRSPLITPHASES
#include "passes/lowering/Passes.h.inc"
} // namespace xfmr

using namespace mlir;
using namespace xfmr;

namespace {

constexpr int64_t kDefaultMaxContext = 8192;
// An encoder takes a whole text in one run, so its activations are as long as its context; of an encoder with a decoder that
// bounds both texts.
constexpr int64_t kDefaultMaxContextOfEncoders = 512;
// On the CPU a longer chunk brings each expert of a mixture more rows for one read of its weights.
constexpr int64_t kDefaultChunk = 256, kDefaultChunkOnCpu = 512;

bool isWeightExpression(Operation *op) { return isa<WeightExpressionOpInterface>(op); }

// What an attention of the model needs in a phase.
struct Attending {
  std::string cache;
  std::optional<LatentAttention> latent;
};

// Clones tensor ops of the model into a phase: `?` tokens become `rows`, attentions get their caches. What hangs on a source alone
// is left out, but for `encode`.
class PhaseCloner {
public:
  PhaseCloner(OpBuilder &builder, int64_t rows, const DenseMap<Operation *, Attending> &attentions, const SourceSide &source)
      : builder(builder), rows(rows), attentions(attentions), source(source) {}

  void map(Value from, Value to) { mapping.map(from, to); }
  Value lookup(Value value) { return mapping.lookup(value); }

  void clone(Operation *op) {
    for (Value operand : op->getOperands())
      if (!mapping.contains(operand) && operand.getDefiningOp() && isWeightExpression(operand.getDefiningOp()))
        clone(operand.getDefiningOp()); // weight expressions, on demand
    if (auto attention = dyn_cast<AttentionOp>(op))
      return attention.getCross() ? cloneCross(attention) : cloneAttention(attention);
    if (auto block = dyn_cast<BlockOp>(op))
      return cloneBlock(block);
    Operation *copy = builder.clone(*op, mapping);
    retype(copy);
    Location loc = op->getLoc();
    if (auto rope = dyn_cast<RopeOp>(copy)) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(copy);
      rope.getPositionMutable().assign(PositionOp::create(builder, loc));
    } else if (auto growing = dyn_cast<PositionScaleOp>(copy)) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(copy);
      growing.getPositionMutable().assign(PositionOp::create(builder, loc));
    } else if (auto embedding = dyn_cast<EmbeddingOp>(copy); embedding && embedding.getPositions()) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(copy);
      embedding.getPositionMutable().assign(PositionOp::create(builder, loc));
    }
  }

  /// For `encode`: the keys and values of the cross-attentions of a decoder's block.
  void cloneMemory(BlockOp op) {
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      if (source.holds(input))
        inputs.push_back(mapping.lookup(input));
    if (inputs.empty())
      return;
    auto copy = BlockOp::create(builder, op.getLoc(), TypeRange(), op.getLayer(), inputs);
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&copy.getBody());
    for (auto [argument, input] : llvm::zip(op.getBody().getArguments(), op.getInputs()))
      if (source.holds(input))
        mapping.map(argument, body->addArgument(fixRows(argument.getType()), argument.getLoc()));
    for (Operation &nested : op.getBody().front()) {
      if (source.holds(&nested))
        clone(&nested);
      else if (auto attention = dyn_cast<AttentionOp>(nested); attention && attention.getCross())
        CacheWriteOp::create(builder, nested.getLoc(), mapping.lookup(attention.getKey()),
                             mapping.lookup(attention.getValue()), attentions.find(attention)->second.cache);
    }
    YieldOp::create(builder, op.getLoc(), ValueRange());
  }

private:
  Type fixRows(Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getRank() == 0 || !tensor.isDynamicDim(0))
      return type;
    SmallVector<int64_t> shape(tensor.getShape());
    shape[0] = rows;
    return RankedTensorType::get(shape, tensor.getElementType());
  }

  // Result types, and those of nested regions (experts keep their own token batch `?`).
  void retype(Operation *op) {
    for (Value result : op->getResults())
      result.setType(fixRows(result.getType()));
  }

  void cloneAttention(AttentionOp op) {
    const Attending &attending = attentions.find(op)->second;
    if (attending.latent)
      return cloneLatent(op, attending);
    auto look = [&](Value value) { return value ? mapping.lookup(value) : Value(); };
    Value position = PositionOp::create(builder, op.getLoc());
    auto copy = CachedAttentionOp::create(
        builder, op.getLoc(), fixRows(op.getType()), look(op.getQuery()), look(op.getKey()),
        look(op.getValue()), position, look(op.getSinks()), look(op.getBias()), attending.cache, op.getNumHeads(),
        op.getNumKvHeads(), op.getHeadDim(), op.getCausal(), op.getScale(), op.getSoftcapAttr(),
        op.getWindowAttr(), op.getChunkAttr(), op.getAlibiAttr(), op.getMaxDistanceAttr());
    mapping.map(op.getResult(), copy.getResult());
  }

  void cloneCross(AttentionOp op) {
    auto copy = CrossAttentionOp::create(builder, op.getLoc(), fixRows(op.getType()), mapping.lookup(op.getQuery()),
                                         attentions.find(op)->second.cache, op.getNumHeads(), op.getNumKvHeads(),
                                         op.getHeadDim(), op.getScale());
    mapping.map(op.getResult(), copy.getResult());
  }

  // Keys and values of heads, which nothing else reads, go when regions are formed.
  void cloneLatent(AttentionOp op, const Attending &attending) {
    LatentAttention latent = *attending.latent;
    auto look = [&](Value value) {
      if (!mapping.contains(value))
        clone(value.getDefiningOp());
      return mapping.lookup(value);
    };
    const Value query = look(latent.query), key = look(latent.key), row = look(latent.latent), upKey = look(latent.upKey),
                upValue = look(latent.upValue);
    Value position = PositionOp::create(builder, op.getLoc());
    auto copy = CachedLatentAttentionOp::create(builder, op.getLoc(), fixRows(op.getType()), query, key, row, upKey, upValue, position,
                                                latent.rope.getStyle(), attending.cache, op.getNumHeads(), latent.rope.getTheta(),
                                                latent.rope.getScalingAttr(), op.getScale());
    mapping.map(op.getResult(), copy.getResult());
  }

  void cloneBlock(BlockOp op) {
    SmallVector<Type> types;
    SmallVector<Value> inputs;
    // A block of the encoder keeps all its inputs, one of a decoder those that do not hang on the source alone.
    auto keeps = [&](Value input) { return source.holds(op) || !source.holds(input); };
    for (Type type : op.getResultTypes())
      types.push_back(fixRows(type));
    for (Value input : op.getInputs())
      if (keeps(input))
        inputs.push_back(mapping.lookup(input));
    auto copy = BlockOp::create(builder, op.getLoc(), types, op.getLayer(), inputs);
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&copy.getBody());
    for (auto [argument, input] : llvm::zip(op.getBody().getArguments(), op.getInputs()))
      if (keeps(input))
        mapping.map(argument, body->addArgument(fixRows(argument.getType()), argument.getLoc()));
    for (Operation &nested : op.getBody().front())
      if (!isWeightExpression(&nested) && (source.holds(op) || !source.holds(&nested)))
        clone(&nested);
    for (auto [from, to] : llvm::zip(op.getResults(), copy.getResults()))
      mapping.map(from, to);
  }

  OpBuilder &builder;
  int64_t rows;
  const DenseMap<Operation *, Attending> &attentions;
  const SourceSide &source;
  IRMapping mapping;
};

struct SplitPhases : xfmr::impl::XfmrSplitPhasesBase<SplitPhases> {
  using XfmrSplitPhasesBase::XfmrSplitPhasesBase;

  void runOnOperation() override {
    auto models = llvm::to_vector(getOperation().getOps<ModelOp>());
    if (models.size() != 1) {
      getOperation().emitError("expected one xfmr.model, found ") << models.size();
      return signalPassFailure();
    }
    if (failed(split(models.front())))
      signalPassFailure();
  }

  FailureOr<int64_t> chooseContext(ModelOp model) {
    int64_t most = model.getConfig().getMaxPosition();
    const int64_t usual = isEncoder(model) || model.getSource() ? kDefaultMaxContextOfEncoders : kDefaultMaxContext;
    if (maxContext < 0 || maxContext > most)
      return model.emitError("max-context ") << maxContext.getValue() << " is outside 1 .. " << most
                                             << ", the positions the model was made for";
    if (maxContext > 0)
      return maxContext.getValue();
    if (most > usual)
      model.emitRemark("context limited to ") << usual << " of " << most << " positions; --max-context chooses another";
    return std::min(most, usual);
  }

  // The largest power of two, at most the default, whose logits fit one binding.
  int64_t chooseChunk(ModelOp model, int64_t context, TargetAttr target) {
    int64_t width = cast<RankedTensorType>(model.getOutputType()).getDimSize(1);
    int64_t rows = chunk > 0 ? chunk.getValue() : target.isVulkan() ? kDefaultChunk : kDefaultChunkOnCpu;
    rows = std::min(rows, context);
    while (rows > 1 && rows * (width + 8) * 4 > target.mostBindingBytes())
      rows /= 2;
    return rows;
  }

  // Rows of prefill_few, 0 for none: as many as every mixture takes by id where a whole chunk goes grouped.
  int64_t chooseFew(ModelOp model, int64_t chunkRows, MoeRoute route) {
    if (route != MoeRoute::Auto)
      return 0;
    auto few = static_cast<uint64_t>(chunkRows);
    model.getBody().walk([&](MoeOp op) {
      if (op.getRouting().getOverflow() != Overflow::drop) // capacities are decided by the plan, so always grouped
        few = codegen::mostRowsById(few, op.getNumExperts(), op.getRouting().getTopK());
    });
    return few < static_cast<uint64_t>(chunkRows) ? static_cast<int64_t>(few) : 0;
  }

  // Whether a device of the profile is a GPU, or of none may be. A software driver runs workgroups one after another.
  bool mayBeGpu() {
    std::string error;
    const profiles::Profile profile = profiles::findProfile(deviceProfile, error);
    return !profile.family || profile.family->features.count("gpu") > 0;
  }

  FailureOr<TargetAttr> chooseTarget(ModelOp model) {
    switch (symbolizeTargetKind(target).value_or(static_cast<TargetKind>(-1))) {
    case TargetKind::vulkan: {
      auto emit = [&] { return model.emitError("binding-bytes: "); };
      TargetAttr portable = TargetAttr::portableVulkan(&getContext());
      int64_t bytes = bindingBytes;
      if (!deviceProfile.empty()) {
        std::string error;
        const profiles::Profile profile = profiles::findProfile(deviceProfile, error);
        if (!profile.family)
          return model.emitError("device-profile: ") << error;
        bytes = static_cast<int64_t>(profile.family->bindingBytes);
      }
      auto chosen = TargetAttr::getChecked(emit, &getContext(), TargetKind::vulkan, bytes,
                                           portable.getPushWords(), portable.getGrid(), portable.getAlignment(),
                                           ArrayRef<CpuLevel>());
      if (!chosen)
        return failure();
      return chosen;
    }
    case TargetKind::cpu:
      std::string error;
      if (TargetAttr cpu = cpuTarget(&getContext(), triple, levels, error))
        return cpu;
      return model.emitError(error);
    }
    return model.emitError("target must be vulkan or cpu, got '") << target.getValue() << "'";
  }

  FailureOr<MoeRoute> chooseRoute(ModelOp model) {
    if (std::optional<MoeRoute> route = parseMoeRoute(moe))
      return *route;
    return model.emitError("moe must be auto, grouped or by-id, got '") << moe.getValue() << "'";
  }

  FailureOr<Type> chooseKvType(ModelOp model) {
    Builder builder(&getContext());
    if (kv == "f32")
      return Type(builder.getF32Type());
    if (kv == "f16")
      return Type(builder.getF16Type());
    if (kv == "q8")
      return Type(builder.getI8Type());
    if (kv != "auto")
      return model.emitError("kv must be auto, f32, f16 or q8, got '") << kv.getValue() << "'";
    if (isEncoder(model)) // holds one text at a time: there is nothing to save
      return Type(builder.getF32Type());
    bool narrow = false; // matrices decide: norms are often f32 in f16 files
    model.getBody().walk([&](WeightOp weight) {
      auto type = cast<RankedTensorType>(weight.getType());
      narrow |= type.getRank() > 1 && !type.getElementType().isF32();
    });
    return narrow ? Type(builder.getF16Type()) : Type(builder.getF32Type());
  }

  LogicalResult split(ModelOp model) {
    FailureOr<int64_t> context = chooseContext(model);
    FailureOr<Type> kvType = chooseKvType(model);
    FailureOr<TargetAttr> targetAttr = chooseTarget(model);
    FailureOr<MoeRoute> route = chooseRoute(model);
    if (failed(context) || failed(kvType) || failed(targetAttr) || failed(route))
      return failure();
    Block &body = model.getBody().front();
    const bool encoder = isEncoder(model);
    if (const int64_t width = cast<RankedTensorType>(model.getOutputType()).getDimSize(1);
        encoder && width != model.getConfig().getHiddenSize())
      return model.emitError("yields ") << width << " columns from tokens that see later ones, expected hidden states ("
                                        << model.getConfig().getHiddenSize() << "): other heads of encoders are not supported";
    WalkResult known = model.getBody().walk([](Operation *op) {
      if (isWeightExpression(op) || isa<YieldOp>(op) || hasLowering(op->getName().getStringRef()))
        return WalkResult::advance();
      op->emitError("has no lowering: no kernel computes it");
      return WalkResult::interrupt();
    });
    if (known.wasInterrupted())
      return failure();

    SourceSide source;
    if (failed(source.find(model)))
      return failure();

    // The trunk ends with the last block (or the embedding); what follows is the head.
    Operation *last = nullptr;
    for (Operation &op : body)
      if (isa<EmbeddingOp, BlockOp>(op))
        last = &op;
    if (!last || last->getNumResults() != 1)
      return model.emitError("expected an embedding and blocks of one result before the head");
    Value hidden = last->getResult(0);
    for (Operation &op : llvm::make_range(std::next(last->getIterator()), body.end()))
      for (Value operand : op.getOperands())
        if (operand != hidden && operand.getDefiningOp() && !isWeightExpression(operand.getDefiningOp()) &&
            operand.getDefiningOp()->isBeforeInBlock(last))
          return op.emitError("the head may use only the result of the last block");

    OpBuilder builder(model);
    int64_t rows = chooseChunk(model, *context, *targetAttr);
    if (encoder) { // every token sees every other
      const int64_t width = model.getConfig().getHiddenSize();
      if (chunk > 0 && chunk != *context)
        return model.emitError("chunk is ") << chunk.getValue() << ", but an encoder takes a whole text at once: expected max-context ("
                                            << *context << ")";
      rows = *context;
      if (rows * (width + 8) * 4 > targetAttr->mostBindingBytes())
        return model.emitError("a text of ") << rows << " tokens does not fit the " << targetAttr->mostBindingBytes()
                                             << " bytes that the target binds; lower --max-context";
    }
    if (const int64_t width = model.getConfig().getHiddenSize();
        model.getSource() && *context * (width + 8) * 4 > targetAttr->mostBindingBytes())
      return model.emitError("a source of ") << *context << " tokens does not fit the " << targetAttr->mostBindingBytes()
                                             << " bytes that the target binds; lower --max-context";
    auto program = ProgramOp::create(builder, model.getLoc(), model.getSymNameAttr(),
                                     builder.getI64IntegerAttr(*context), builder.getI64IntegerAttr(rows),
                                     TypeAttr::get(*kvType), model.getConfigAttr(), model.getSourcesAttr(),
                                     MoeRouteAttr::get(&getContext(), *route), *targetAttr);
    builder.createBlock(&program.getBody());

    DenseMap<Operation *, Attending> attentions;
    model.getBody().walk([&](AttentionOp op) {
      const std::string name = (op.getCross() ? "cross" : "kv") + std::to_string(attentions.size());
      Attending attending{name, findLatentAttention(op)};
      const auto row = [](Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); };
      if (attending.latent)
        KvCacheOp::create(builder, op.getLoc(), name, 1, row(attending.latent->key) + row(attending.latent->latent));
      else
        KvCacheOp::create(builder, op.getLoc(), name, op.getNumKvHeads(), op.getHeadDim());
      attentions[op] = std::move(attending);
    });

    Location loc = model.getLoc();
    auto hiddenWidth = cast<RankedTensorType>(hidden.getType()).getDimSize(1);
    auto startPhase = [&](PhaseKind kind, int64_t phaseRows) {
      builder.setInsertionPointToEnd(&program.getBody().front());
      auto phase = PhaseOp::create(builder, loc, kind, phaseRows);
      return builder.createBlock(&phase.getBody());
    };
    auto tokensOf = [&](Block *block, int64_t n) {
      return block->addArgument(RankedTensorType::get({n}, builder.getI32Type()), loc);
    };
    auto cloneTrunk = [&](PhaseCloner &cloner) {
      for (Operation &op : body) {
        if (!isWeightExpression(&op) && !source.holds(&op))
          cloner.clone(&op);
        if (&op == last)
          break;
      }
    };
    auto cloneHead = [&](PhaseCloner &cloner) {
      for (Operation &op : llvm::make_range(std::next(last->getIterator()), body.end()))
        if (!isWeightExpression(&op))
          cloner.clone(&op);
    };

    if (model.getSource()) {
      Block *block = startPhase(PhaseKind::encode, *context);
      PhaseCloner cloner(builder, *context, attentions, source);
      cloner.map(model.getSource(), tokensOf(block, *context));
      for (Operation &op : body)
        if (source.holds(&op))
          cloner.clone(&op);
        else if (auto decoder = dyn_cast<BlockOp>(op))
          cloner.cloneMemory(decoder);
      YieldOp::create(builder, loc, ValueRange());
    }
    const int64_t few = encoder ? 0 : chooseFew(model, rows, *route);
    for (auto [kind, most] : {std::pair(PhaseKind::prefill, rows), {PhaseKind::prefill_few, few}}) {
      if (most == 0)
        continue;
      Block *block = startPhase(kind, most);
      PhaseCloner cloner(builder, most, attentions, source);
      cloner.map(model.getTokens(), tokensOf(block, most));
      cloneTrunk(cloner);
      YieldOp::create(builder, loc, cloner.lookup(hidden));
    }
    for (PhaseKind kind : {PhaseKind::last_logits, PhaseKind::all_logits}) {
      bool all = kind == PhaseKind::all_logits;
      if (encoder && !all)
        continue;
      Block *block = startPhase(kind, all ? rows : 1);
      Value argument = block->addArgument(
          RankedTensorType::get({rows, hiddenWidth}, builder.getF32Type()), loc);
      PhaseCloner cloner(builder, all ? rows : 1, attentions, source);
      if (!all)
        argument = LastRowOp::create(
            builder, loc, RankedTensorType::get({1, hiddenWidth}, builder.getF32Type()), argument);
      cloner.map(hidden, argument);
      cloneHead(cloner);
    }
    if (encoder) {
      model.erase();
      return success();
    }
    { // decode
      Block *block = startPhase(PhaseKind::decode, 1);
      PhaseCloner cloner(builder, 1, attentions, source);
      cloner.map(model.getTokens(), tokensOf(block, 1));
      cloneTrunk(cloner);
      cloneHead(cloner);
    }
    SmallVector<PhaseKind, 2> sampling = {PhaseKind::sample};
    // Where a draw takes several dispatches, and without one the first of them is enough.
    const auto vocab = static_cast<uint32_t>(model.getConfig().getVocabSize());
    if (targetAttr->isVulkan() && mayBeGpu() && codegen::sampleSlice(vocab) > 0)
      sampling.push_back(PhaseKind::sample_greedy);
    for (PhaseKind kind : sampling) {
      startPhase(kind, 1);
      SampleOp::create(builder, loc);
      YieldOp::create(builder, loc, ValueRange());
    }
    model.erase();
    return success();
  }
};

} // namespace
