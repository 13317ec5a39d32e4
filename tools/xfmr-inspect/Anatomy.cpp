// See Anatomy.h. Weights are counted where a compute op uses them; the op and its place decide the kind.
#include "tools/xfmr-inspect/Anatomy.h"
#include "dialect/Structure.h"
#include "passes/lowering/LatentAttention.h"
#include "tools/xfmr-inspect/AttentionState.h"
#include "weights/DistinctElements.h"
#include "weights/Expressions.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace xfmr::inspect {

const char *kindName(Kind kind) {
  constexpr const char *names[kNumKinds] = {"embedding", "attention", "ffn", "router",
                                              "norm",      "lm_head",   "pooler"};
  return names[static_cast<int>(kind)];
}

int64_t Counts::total() const {
  int64_t sum = 0;
  for (int64_t count : of)
    sum += count;
  return sum;
}

Counts &Counts::operator+=(const Counts &other) {
  for (int i = 0; i < kNumKinds; ++i)
    of[i] += other.of[i];
  return *this;
}

Part &Part::operator+=(const Part &other) {
  parameters += other.parameters;
  inactive += other.inactive;
  multiplied += other.multiplied;
  storedBytes += other.storedBytes;
  readBytes += other.readBytes;
  adapter += other.adapter;
  return *this;
}

static int64_t sum(const std::vector<Block> &blocks, int64_t Block::*figure) {
  int64_t total = 0;
  for (const Block &block : blocks)
    total += block.*figure;
  return total;
}

int64_t Anatomy::flopsPerContextToken() const { return sum(blocks, &Block::contextFlops); }

int64_t Anatomy::kvBytesPerToken() const { return sum(blocks, &Block::cacheElements) * cacheElementBytes; }

int64_t Anatomy::compiledKvBytesPerToken() const { return sum(blocks, &Block::compiledCacheElements) * cacheElementBytes; }

int64_t Anatomy::fullAttention() const { return sum(blocks, &Block::fullAttention); }

namespace {

int64_t bytesOf(Value weight, int64_t elements) {
  if (std::optional<QuantScheme> scheme = quantSchemeOf(weight.getType()))
    return static_cast<int64_t>(static_cast<double>(elements) * scheme->bitsPerWeight(weightColumns(weight.getType())) / 8);
  return elements * cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth() / 8;
}

/// Of all experts together, when the weight is one in an expert region.
int64_t elementsOf(Value weight, int64_t experts) {
  if (Value stacked = stackedWeight(weight))
    return distinctElements(stacked);
  return experts * distinctElements(weight);
}

bool isMatrix(Value weight) { return cast<RankedTensorType>(weight.getType()).getRank() >= 2; }

/// A stored tensor is the same wherever it is named; anything else is itself.
std::string identityOf(Value weight) {
  if (auto stored = weight.getDefiningOp<WeightOp>())
    return (stored.getSourceName() + "/" + stored.getTensorName()).str();
  return std::to_string(reinterpret_cast<uintptr_t>(weight.getAsOpaquePointer()));
}

/// All stored tensors of the expression come from adapters.
bool isAdapter(Value weight) {
  Operation *op = weight.getDefiningOp();
  if (!op)
    return false;
  if (auto stored = dyn_cast<WeightOp>(op))
    return stored.getSourceName().starts_with("adapter");
  return op->getNumOperands() > 0 && llvm::all_of(op->getOperands(), isAdapter);
}

/// The kind of every op of a block that holds weights, found by walking from the attention ops: back over
/// projections to the norm before them, and on to the output projection.
class AttentionPaths {
public:
  explicit AttentionPaths(mlir::Block &body) {
    for (auto attention : body.getOps<AttentionOp>()) {
      for (Value operand : {attention.getQuery(), attention.getKey(), attention.getValue()})
        back(operand, /*projected=*/false);
      for (Operation *user : attention->getUsers())
        forth(user);
    }
  }
  bool contains(Operation *op) const { return found.contains(op); }

private:
  void back(Value value, bool projected) {
    Operation *op = value.getDefiningOp();
    if (!op || !isa<LinearOp, RmsNormOp, LayerNormOp, RopeOp, SplitOp, AddOp, ScaleOp>(op))
      return;
    // A norm before the projections belongs to the block; one after them, or between two of them, to attention.
    if (projected && isa<RmsNormOp, LayerNormOp>(op) && !projectedRowsOf(op->getOperand(0)))
      return;
    if (projected && isa<AddOp>(op)) // the residual stream, where no norm comes first
      return;
    if (!found.insert(op).second)
      return;
    projected |= isa<LinearOp>(op);
    for (Value operand : op->getOperands())
      if (!isWeight(operand))
        back(operand, projected);
  }

  void forth(Operation *op) {
    // An adapter's sum has both sides from the attention; one with the residual stream ends the way.
    if (isa<AddOp>(op) && !llvm::all_of(op->getOperands(), [&](Value side) { return contains(side.getDefiningOp()); }))
      return;
    if (!isa<LinearOp, AddOp, ScaleOp>(op) || !found.insert(op).second)
      return;
    for (Operation *user : op->getUsers())
      forth(user);
  }

  llvm::SmallPtrSet<Operation *, 32> found;
};

class Counter {
public:
  explicit Counter(ModelOp model) : model(model) {}

  Anatomy run() {
    Anatomy anatomy;
    ConfigAttr config = model.getConfig();
    anatomy.name = model.getSymName().str();
    anatomy.architecture = config.getArchitecture().str();
    anatomy.hiddenSize = config.getHiddenSize();
    anatomy.vocabSize = config.getVocabSize();
    anatomy.maxPosition = config.getMaxPosition();
    bool afterBlocks = false;
    for (Operation &op : model.getBody().front()) {
      if (auto block = dyn_cast<BlockOp>(op)) {
        anatomy.blocks.push_back(countBlock(block));
        anatomy.all += anatomy.blocks.back();
        afterBlocks = true;
      } else if (!isa<WeightExpressionOpInterface>(op)) {
        anatomy.all += countOutside(op, afterBlocks, anatomy.tied);
      }
    }
    anatomy.cacheElementBytes = anyNarrow ? 2 : 4;
    return anatomy;
  }

private:
  /// Adds the weight operands of one op. `experts` copies of it exist and a token uses `active` of them.
  void addWeights(Operation &op, Kind kind, Part &part, int64_t experts = 1, int64_t active = 1) {
    for (Value weight : op.getOperands()) {
      if (!isWeight(weight))
        continue;
      anyNarrow |= isMatrix(weight) && !isa<Float32Type, QuantType>(cast<RankedTensorType>(weight.getType()).getElementType());
      const int64_t elements = elementsOf(weight, experts), used = elements / experts * active;
      const bool fresh = counted.insert(identityOf(weight)).second;
      if (isMatrix(weight) && isa<LinearOp, GluOp, MoeOp>(op))
        part.multiplied += used;
      part.readBytes += bytesOf(weight, isa<EmbeddingOp>(op) ? rowOf(weight) : used);
      if (!fresh)
        continue;
      part.parameters[kind] += elements;
      part.inactive += elements - used;
      part.storedBytes += bytesOf(weight, elements);
      if (isAdapter(weight))
        part.adapter += elements;
    }
  }

  static int64_t rowOf(Value table) { return cast<RankedTensorType>(table.getType()).getShape().back(); }

  Part countOutside(Operation &op, bool afterBlocks, bool &tied) {
    Part part;
    if (auto linear = dyn_cast<LinearOp>(op); linear && afterBlocks)
      tied |= counted.contains(identityOf(linear.getWeight()));
    const Kind kind = isa<RmsNormOp, LayerNormOp>(op) ? Kind::norm
                      : afterBlocks                   ? Kind::lmHead
                                                      : Kind::embedding;
    addWeights(op, kind, part);
    return part;
  }

  inspect::Block countBlock(BlockOp op) {
    inspect::Block block;
    block.layer = op.getLayer();
    AttentionPaths attention(op.getBody().front());
    int64_t groupedKeyWeights = 0; // parameters of key and value projections
    for (Operation &inner : op.getBody().front()) {
      if (auto moe = dyn_cast<MoeOp>(inner)) {
        countMixture(moe, block);
        continue;
      }
      if (isa<WeightExpressionOpInterface>(inner))
        continue;
      if (auto op = dyn_cast<AttentionOp>(inner)) {
        if (block.numHeads == 0) {
          block.numHeads = op.getNumHeads();
          block.numKvHeads = op.getNumKvHeads();
          block.headDim = op.getHeadDim();
        }
        block.contextFlops += contextOperations(op);
        block.cacheElements += keptElements(op);
        block.compiledCacheElements += compiledCacheElements(op);
        // Every column of k and v has hidden_size weights.
        groupedKeyWeights += 2 * int64_t((op.getNumHeads() - op.getNumKvHeads()) * op.getHeadDim()) *
                             int64_t(model.getConfig().getHiddenSize());
      }
      const bool isAttention = isa<AttentionOp>(inner) || attention.contains(&inner);
      const Kind kind = isAttention                          ? Kind::attention
                        : isa<RmsNormOp, LayerNormOp>(inner) ? Kind::norm
                                                             : Kind::ffn;
      addWeights(inner, kind, block);
      if (kind == Kind::ffn)
        block.ffnWidth = std::max(block.ffnWidth, hiddenWidth(inner));
    }
    block.fullAttention = block.parameters[Kind::attention] + groupedKeyWeights;
    return block;
  }

  /// The width between the layers of a feed-forward network, or 0 for an op that does not tell.
  static int64_t hiddenWidth(Operation &op) {
    if (!isa<ActivationOp, GluOp>(op))
      return 0;
    return cast<RankedTensorType>(op.getResult(0).getType()).getDimSize(1);
  }

  void countMixture(MoeOp moe, inspect::Block &block) {
    const int64_t experts = moe.getNumExperts(), active = moe.getRouting().getTopK();
    for (Value weight : {moe.getRouter(), moe.getRouterBias(), moe.getSelectionBias()}) {
      if (!weight)
        continue;
      const int64_t elements = distinctElements(weight);
      block.parameters[Kind::router] += elements;
      block.storedBytes += bytesOf(weight, elements);
      block.readBytes += bytesOf(weight, elements);
      if (isMatrix(weight))
        block.multiplied += elements;
    }
    int64_t width = 0;
    for (Operation &inner : moe.getExpert().front())
      if (!isa<WeightExpressionOpInterface>(inner)) {
        addWeights(inner, Kind::ffn, block, experts, active);
        width = std::max(width, hiddenWidth(inner));
      }
    for (Value stacked : moe.getExperts())
      if (isAdapter(stacked))
        block.adapter += distinctElements(stacked);
    if (block.experts == 0) {
      block.experts = experts;
      block.topK = active;
      block.expertWidth = width;
    }
  }

  ModelOp model;
  llvm::StringSet<> counted; // weights that have been counted; a second use reads them again
  bool anyNarrow = false;    // a matrix of 16 bits
};

} // namespace

Anatomy countModel(ModelOp model) { return Counter(model).run(); }

} // namespace xfmr::inspect
