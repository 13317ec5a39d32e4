// See Encoder.h.
#include "import/Encoder.h"

#include "mlir/Analysis/SliceAnalysis.h"

using namespace mlir;

namespace xfmr {

DecoderConfig readEncoder(Config &config) {
  DecoderConfig d;
  d.architecture = config.text("model_type");
  d.hiddenSize = d.outputWidth = config.size("hidden_size");
  d.numLayers = config.layers("num_hidden_layers");
  d.vocabSize = config.size("vocab_size");
  d.maxPosition = config.size("max_position_embeddings", 512);
  d.intermediateSize = config.size("intermediate_size");
  d.eps = config.positive("layer_norm_eps", 1e-12);
  d.activation = readActivation(config, "hidden_act", "gelu");
  AttentionConfig &a = d.attention;
  a.numHeads = a.numKvHeads = config.size("num_attention_heads");
  a.causal = false;
  expectFlag(config, "is_decoder", false, false);
  if (const std::string kind = config.text("position_embedding_type", "absolute"); kind != "absolute")
    config.refuse("position_embedding_type", "is \"" + kind + "\", supported: absolute");
  config.ignore({"tie_word_embeddings"}); // of a head that is left out
  if (config.failed())
    return d;
  divideHeads(config, d);
  return d;
}

int64_t skipPadding(Config &config, DecoderConfig &d, const char *key, int64_t absent) {
  const int64_t first = (key ? config.integer(key, 0, absent) : absent) + 1;
  if (!config.failed() && first >= d.maxPosition) {
    if (key)
      config.refuse(key, "is " + std::to_string(first - 1) + ", expected less than max_position_embeddings - 1 (" +
                             std::to_string(d.maxPosition - 1) + "): positions are counted from behind it");
    else
      config.refuse("max_position_embeddings",
                    "is " + std::to_string(d.maxPosition) + ", expected more than " + std::to_string(first) + ", the first position");
  }
  d.maxPosition -= first;
  return first;
}

/// Old files call weight and bias of a norm gamma and beta.
static Value layerNorm(ModelBuilder &m, Value x, const std::string &module, double eps) {
  if (!m.storedShape(module + ".gamma"))
    return m.layerNorm(x, module, eps);
  ModelBuilder::At at(m, module);
  const int64_t width = ModelBuilder::widthOf(x);
  return LayerNormOp::create(m.ops(), m.loc(), x.getType(), x, m.weight(module + ".gamma", {width}),
                             m.weight(module + ".beta", {width}), m.ops().getF64FloatAttr(eps));
}

/// The rows of the position table from `first` on, each with the first segment's row added: what does not depend on the token.
static Value readPositions(ModelBuilder &m, const std::string &module, int64_t positions, int64_t width, int64_t first,
                           int64_t types) {
  ModelBuilder::At at(m, module + ".position_embeddings");
  Value stored = m.weight(module + ".position_embeddings.weight", {first + positions, width});
  auto type = RankedTensorType::get({positions, width}, cast<RankedTensorType>(stored.getType()).getElementType());
  if (first > 0)
    stored = WeightSliceOp::create(m.ops(), m.loc(), type, stored, /*axis=*/0, first, positions);
  if (types == 0)
    return stored;
  Value segments = m.weight(module + ".token_type_embeddings.weight", {types, width});
  SmallVector<int64_t> rows(positions, 0);
  segments = WeightGatherOp::create(m.ops(), m.loc(), type, segments, /*axis=*/0, rows);
  return WeightAddOp::create(m.ops(), m.loc(), type, stored, segments);
}

Value embedTokens(ModelBuilder &m, const std::string &root, const DecoderConfig &d, int64_t width, int64_t first, int64_t types) {
  const std::string module = root + "embeddings";
  Value positions = readPositions(m, module, d.maxPosition, width, first, types);
  return layerNorm(m, m.embedding(module + ".word_embeddings", d.vocabSize, width, positions), module + ".LayerNorm", d.eps);
}

/// What an embedding's positions are the sum of: the rows of positions, and of one segment of several as gathered from their table.
struct PositionSum {
  Value positions;
  WeightGatherOp segment; // null where there is one segment
};

static PositionSum positionsOf(EmbeddingOp embedding) {
  auto sum = embedding.getPositions() ? embedding.getPositions().getDefiningOp<WeightAddOp>() : WeightAddOp();
  if (!sum)
    return {};
  for (auto [part, other] : {std::pair(sum.getRhs(), sum.getLhs()), std::pair(sum.getLhs(), sum.getRhs())})
    if (auto rows = part.getDefiningOp<WeightGatherOp>())
      if (cast<RankedTensorType>(rows.getInput().getType()).getDimSize(0) > 1)
        return {other, rows};
  return {};
}

/// Whether a weight comes of the checkpoint alone, without a choice among several rows: nothing in it can be of a segment.
static bool hasNoSegment(Value weight) {
  SetVector<Operation *> parts;
  BackwardSliceOptions inclusive;
  inclusive.inclusive = true;
  if (!weight || failed(getBackwardSlice(weight, &parts, inclusive)))
    return !weight;
  return llvm::none_of(parts, [](Operation *op) {
    auto rows = dyn_cast<WeightGatherOp>(op);
    auto stored = dyn_cast<WeightOp>(op);
    return (rows && cast<RankedTensorType>(rows.getInput().getType()).getDimSize(0) > 1) || (stored && stored.getSourceName() != "base");
  });
}

int64_t segmentsOf(ModelOp model) {
  auto embeddings = model.getBody().getOps<EmbeddingOp>();
  if (embeddings.empty())
    return 0;
  EmbeddingOp embedding = *embeddings.begin();
  Value table = embedding.getTable();
  for (Operation *op = table.getDefiningOp(); op && op->getNumOperands() == 1 && !isa<WeightConcatOp>(op); op = table.getDefiningOp())
    table = op->getOperand(0);
  if (table.getDefiningOp<WeightConcatOp>())
    return 2;
  return hasNoSegment(table) && hasNoSegment(embedding.getPositions()) ? 1 : 0;
}

Status readPairs(ModuleOp module) {
  auto models = module.getOps<ModelOp>();
  if (models.empty() || segmentsOf(*models.begin()) != 0)
    return Status::error("--pairs is for encoders, as they are imported, with embeddings of several segments; this model is none");
  ModelOp model = *models.begin();
  EmbeddingOp embedding = *model.getBody().getOps<EmbeddingOp>().begin();
  PositionSum sum = positionsOf(embedding);
  OpBuilder builder(embedding);
  const Location loc = embedding.getLoc();
  auto type = cast<RankedTensorType>(embedding.getTable().getType());
  const int64_t words = type.getDimSize(0), width = type.getDimSize(1);
  SmallVector<Value> parts;
  for (int64_t segment : {0, 1}) {
    Value rows = WeightGatherOp::create(builder, loc, type, sum.segment.getInput(), /*axis=*/0, SmallVector<int64_t>(words, segment));
    parts.push_back(WeightAddOp::create(builder, loc, type, embedding.getTable(), rows));
  }
  auto table = WeightConcatOp::create(builder, loc, RankedTensorType::get({2 * words, width}, type.getElementType()), parts,
                                      builder.getI64IntegerAttr(0));
  embedding.getTableMutable().assign(table);
  embedding.getPositionsMutable().assign(sum.positions);
  const ConfigAttr config = model.getConfig();
  model.setConfigAttr(ConfigAttr::get(model.getContext(), config.getArchitecture(), config.getHiddenSize(), 2 * config.getVocabSize(),
                                      config.getMaxPosition(), config.getBosToken(), config.getEosTokens()));
  return Status::success();
}

Value encoderBlocks(ModelBuilder &m, Value x, const std::string &layers, const DecoderConfig &d, const EncoderNames &names,
                    llvm::function_ref<Value()> bias) {
  for (int64_t layer = 0; layer < d.numLayers; ++layer) {
    const std::string module = layers + "." + std::to_string(layer), in = module + ".";
    x = m.block(layer, module, x, [&](Value h) {
      auto project = [&](Value rows, const char *name) { return m.linear(rows, in + name, d.hiddenSize, /*bias=*/true); };
      Value q = project(h, names.query), k = project(h, names.key), v = project(h, names.value);
      Value mixed = attend(m, in + names.attention, q, k, v, d.attention, {}, {}, bias ? bias() : Value());
      h = layerNorm(m, m.add(h, project(mixed, names.out)), in + names.attentionNorm, d.eps);
      Value fed = plainMlp(m, h, in + names.first, in + names.second, d.intermediateSize, d.activation, /*bias=*/true);
      return layerNorm(m, m.add(h, fed), in + names.networkNorm, d.eps);
    });
  }
  return x;
}

void ignoreHeads(ModelBuilder &m, const std::string &root, std::vector<std::string> heads) {
  m.ignoreWhere([root, heads](StringRef name) {
    return name == root + "embeddings.position_ids" || name == root + "embeddings.token_type_ids" ||
           name.starts_with(root + "pooler.") ||
           llvm::any_of(heads, [&](const std::string &head) { return name.starts_with(head); });
  });
}

} // namespace xfmr
