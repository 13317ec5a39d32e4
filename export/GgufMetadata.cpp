// See GgufMetadata.h.
#include "export/GgufMetadata.h"
#include "dialect/RopeFrequencies.h"
#include "dialect/Structure.h"
#include "export/NewConfig.h"
#include "passes/analysis/Units.h"
#include <cmath>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace xfmr::exports {

std::vector<double> GgufFacts::factorsOf(const std::string &name) const {
  for (const auto &[tensor, entries] : factors)
    if (tensor == name)
      return {entries.begin(), entries.end()};
  return {};
}

namespace {

template <typename Op> Op firstIn(Operation *root) {
  Op found;
  root->walk([&](Op op) {
    found = op;
    return WalkResult::interrupt();
  });
  return found;
}

/// The sizes that decide about a block's keys.
struct BlockFacts {
  AttentionOp attention;
  RopeOp rope; // null where queries do not turn
  std::optional<int64_t> window;
  int64_t width = 0, experts = 0, expertWidth = 0;
  RoutingAttr routing;
};

BlockFacts factsOf(BlockOp block) {
  BlockFacts facts;
  if (auto units = findAttentions(block); !units.empty()) {
    facts.attention = units.front().attention;
    facts.rope = headPathOf(facts.attention.getQuery()).find<RopeOp>();
    facts.window = facts.attention.getWindow();
  }
  for (MoeOp moe : block.getBody().getOps<MoeOp>()) {
    facts.experts = moe.getNumExperts();
    facts.routing = moe.getRouting();
  }
  for (FeedForwardUnits &network : findFeedForwards(block))
    (network.mixture ? facts.expertWidth : facts.width) = network.width();
  return facts;
}

class Reading {
public:
  Reading(ModelOp model, const GgufFamily &family, const Json &config, GgufFacts &out, std::vector<std::string> &notes)
      : model(model), family(family), config(config), out(out), notes(notes), type(family.modelType) {
    for (BlockOp block : model.getBody().getOps<BlockOp>()) {
      blockOps.push_back(block);
      blocks.push_back(factsOf(block));
    }
  }

  Status run() {
    if (blocks.empty() || !blocks.front().attention)
      return Status::error("a model without blocks cannot be exported");
    for (const BlockFacts &block : blocks)
      if (block.width == 0 && block.expertWidth == 0)
        return Status::error("block " + std::to_string(&block - blocks.data()) +
                             ": has no feed-forward network of a kind that GGUF has keys for");
    sizes();
    Status status = networks();
    if (status.ok())
      status = windows();
    if (status.ok())
      status = rotations();
    constants();
    biases();
    out.hasTensor = presence();
    return status;
  }

private:
  void put(const std::string &key, GgufValue value) {
    out.metadata[std::string(family.architecture) + "." + key] = std::move(value);
  }
  void size(const std::string &key, int64_t value) { put(key, {value}); }
  void number(const std::string &key, double value) { put(key, {static_cast<double>(static_cast<float>(value))}); }
  void flag(const std::string &key, bool value) { put(key, {value}); }

  /// A number of the base's configuration, 0 where there is none.
  int64_t configured(const char *key) const {
    auto found = config.find(key);
    return found != config.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
  }

  void sizes() {
    ConfigAttr attribute = model.getConfig();
    AttentionOp attention = blocks.front().attention;
    const bool latent = configured("kv_lora_rank") > 0, twoSides = static_cast<bool>(model.getSource());
    size("vocab_size", attribute.getVocabSize());
    size("context_length",
         std::max(attribute.getMaxPosition(), isLongRope() ? configured("max_position_embeddings") : 0));
    size("embedding_length", attribute.getHiddenSize());
    int64_t layers = static_cast<int64_t>(blocks.size());
    if (twoSides) {
      const int64_t decoder = llvm::count_if(blockOps, [](BlockOp block) { return block->getNumOperands() > 1; });
      layers -= decoder;
      size("decoder_block_count", decoder);
      size("decoder_start_token_id", attribute.getBosToken().value_or(0));
    }
    size("block_count", layers);
    size("attention.head_count", attention.getNumHeads());
    size("attention.head_count_kv", attention.getNumKvHeads());
    size("attention.key_length", attention.getHeadDim());
    size("attention.value_length", latent ? configured("v_head_dim") : attention.getHeadDim());
    if (latent) {
      size("attention.kv_lora_rank", configured("kv_lora_rank"));
      size("attention.q_lora_rank", configured("q_lora_rank")); // 0: queries have no latent; llama.cpp wants the key
    }
    if (auto norm = firstIn<RmsNormOp>(model))
      number("attention.layer_norm_rms_epsilon", norm.getEps().convertToDouble());
    else if (auto layerNorm = firstIn<LayerNormOp>(model))
      number(type == "phimoe" ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
             layerNorm.getEps().convertToDouble());
    if (!attention.getCausal() && !twoSides)
      flag("attention.causal", false);
  }

  Status networks() {
    auto isMixture = [](const BlockFacts &block) { return block.experts > 0; };
    const auto mixture = llvm::find_if(blocks, isMixture), dense = llvm::find_if_not(blocks, isMixture);
    if (dense != blocks.end())
      size("feed_forward_length", dense->width);
    if (mixture == blocks.end())
      return Status::success();
    RoutingAttr routing = mixture->routing;
    if (dense == blocks.end())
      size("feed_forward_length", mixture->expertWidth);
    size("expert_feed_forward_length", mixture->expertWidth);
    size("expert_count", mixture->experts);
    size("expert_used_count", routing.getTopK());
    if (type != "llama4_text") // whose one expert has its own weight
      flag("expert_weights_norm", routing.getNormTopkProb() || routing.getScoreAt() == ScoreAt::post_topk);
    const bool sigmoid = routing.getScore() == ScoreFunction::sigmoid;
    if (type == "deepseek_v2" || type == "deepseek_v3" || type == "kimi_k2" || type == "glm4_moe" || type == "dots1") {
      size("leading_dense_block_count", mixture - blocks.begin());
      size("expert_shared_count", mixture->width / std::max<int64_t>(1, mixture->expertWidth));
      number("expert_weights_scale", routing.getScale().convertToDouble());
      size("expert_group_count", routing.getNGroup());
      size("expert_group_used_count", routing.getTopkGroup());
      size("expert_gating_func", sigmoid ? 2 : 1);
    } else if (type == "llama4_text") {
      const auto second = std::find_if(std::next(mixture), blocks.end(), isMixture);
      size("interleave_moe_layer_step", second == blocks.end() ? mixture - blocks.begin() + 1 : second - mixture);
      size("expert_gating_func", 2);
      size("expert_shared_count", 1);
    } else if (type == "minimax_m2") {
      size("expert_gating_func", 2);
    } else if (type == "ernie4_5_moe") {
      if (!std::all_of(mixture, blocks.end(), isMixture))
        return Status::error("dense layers behind the first one with experts cannot be written to GGUF for this architecture");
      size("leading_dense_block_count", mixture - blocks.begin());
      size("interleave_moe_layer_step", 1);
      size("expert_shared_count", mixture->width / std::max<int64_t>(1, mixture->expertWidth));
      size("expert_shared_feed_forward_length", mixture->width);
    } else if (mixture->width > 0) {
      size("expert_shared_count", 1);
      size("expert_shared_feed_forward_length", mixture->width);
    }
    return Status::success();
  }

  /// Which layers slide where the file has no list of them.
  bool slidesByDefault(size_t layer) const {
    static constexpr std::pair<const char *, size_t> periods[] = {
        {"gemma2", 2}, {"gemma3_text", 6}, {"cohere2", 4}, {"olmo3", 4}, {"exaone4", 4}, {"gpt_oss", 2}};
    if (type == "modernbert")
      return layer % 3 != 0;
    for (auto [name, period] : periods)
      if (type == name)
        return layer % period < period - 1;
    return true;
  }

  Status windows() {
    std::optional<int64_t> window;
    std::vector<GgufValue> list;
    bool byDefault = true;
    for (size_t layer = 0; layer < blocks.size(); ++layer) {
      const std::optional<int64_t> own = blocks[layer].window;
      if (own && window && *own != *window)
        return Status::error(
            "layers have different attention windows, which GGUF cannot express for this architecture");
      if (own)
        window = own;
      list.push_back({own.has_value()});
      byDefault &= own.has_value() == slidesByDefault(layer);
    }
    if (!window)
      return Status::success();
    size("attention.sliding_window", type == "modernbert" ? 2 * (*window - 1) : *window);
    if (!byDefault)
      put("attention.sliding_window_pattern", {list});
    if (llvm::StringRef(family.architecture) == "llama" || type == "starcoder2" || type == "phi3" || type == "phimoe" || type == "dots1" ||
        llvm::StringRef(family.architecture).starts_with("qwen"))
      notes.push_back("windows of attention are written, but llama.cpp does not read them for the architecture \"" +
                      std::string(family.architecture) + "\": there texts longer than the window get other results");
    if (type == "exaone4" && blocks.size() != 64)
      notes.push_back("llama.cpp takes windows of the architecture \"exaone4\" only for models of 64 layers and turns queries and keys of "
                      "every layer of others: there this model gets other results");
    return Status::success();
  }

  bool isLongRope() const {
    for (const BlockFacts &block : blocks)
      if (RopeOp rope = block.rope)
        if (auto divisors = dyn_cast_or_null<DivisorRopeAttr>(rope.getScaling().value_or(Attribute())))
          return family.architecture == StringRef("phi3") || family.architecture == StringRef("phimoe");
    return false;
  }

  Status rotations() {
    RopeOp full, sliding;
    for (const BlockFacts &block : blocks)
      if (RopeOp &kind = block.window ? sliding : full; block.rope && !kind)
        kind = block.rope;
    if (!full)
      full = sliding;
    if (!full)
      return Status::success();
    size("rope.dimension_count", full.getRotatedDim());
    number("rope.freq_base", full.getTheta().convertToDouble());
    if (sliding && (type == "gemma3_text" || type == "modernbert" || type == "olmo3"))
      number("rope.freq_base_swa", sliding.getTheta().convertToDouble());
    return scaling(full);
  }

  Status scaling(RopeOp rope) {
    Attribute scaling = rope.getScaling().value_or(Attribute());
    if (auto linear = dyn_cast_or_null<LinearRopeAttr>(scaling)) {
      put("rope.scaling.type", {std::string("linear")});
      number("rope.scaling.factor", linear.getFactor().convertToDouble());
    } else if (auto yarn = dyn_cast_or_null<YarnRopeAttr>(scaling)) {
      const double factor = yarn.getFactor().convertToDouble();
      put("rope.scaling.type", {std::string("yarn")});
      number("rope.scaling.factor", factor);
      size("rope.scaling.original_context_length", yarn.getOriginalMaxPosition());
      if (yarn.getBetaFast().convertToDouble() != 32.0)
        number("rope.scaling.yarn_beta_fast", yarn.getBetaFast().convertToDouble());
      if (yarn.getBetaSlow().convertToDouble() != 1.0)
        number("rope.scaling.yarn_beta_slow", yarn.getBetaSlow().convertToDouble());
      if (configured("kv_lora_rank") > 0)
        return latentScaling();
      const double magnitude =
          yarn.getAttentionFactor().convertToDouble() / (0.1 * std::log(std::max(factor, 1.0)) + 1.0);
      if (std::abs(magnitude - 1.0) > 1e-7)
        number("rope.scaling.attn_factor", magnitude);
    } else if (auto llama3 = dyn_cast_or_null<Llama3RopeAttr>(scaling)) {
      const double theta = rope.getTheta().convertToDouble();
      const RopeFrequencies plain = ropeFrequencies(rope.getRotatedDim(), theta, Attribute());
      const RopeFrequencies scaled = ropeFrequencies(rope.getRotatedDim(), theta, scaling);
      std::vector<float> divisors;
      for (auto [before, after] : llvm::zip(plain.frequencies, scaled.frequencies))
        divisors.push_back(static_cast<float>(before / after));
      out.factors.push_back({"rope_freqs", divisors});
      useDivisors(divisors, 1.0);
    } else if (auto divisors = dyn_cast_or_null<DivisorRopeAttr>(scaling)) {
      return divisorScaling(divisors);
    }
    return Status::success();
  }

  Status latentScaling() {
    for (const char *key : {"rope_parameters", "rope_scaling"})
      if (auto found = config.find(key); found != config.end() && found->is_object())
        if (auto all = found->find("mscale_all_dim"); all != found->end() && all->is_number()) {
          number("rope.scaling.yarn_log_multiplier", 0.1 * all->get<double>());
          return Status::success();
        }
    return Status::error("yarn frequencies of latent attention without mscale_all_dim cannot be written to GGUF");
  }

  Status divisorScaling(DivisorRopeAttr attribute) {
    std::vector<float> divisors;
    for (double divisor : attribute.getDivisors().asArrayRef())
      divisors.push_back(static_cast<float>(divisor));
    const double magnitude = attribute.getAttentionFactor().convertToDouble();
    if (!isLongRope()) {
      if (magnitude != 1.0)
        return Status::error(
            "longrope frequencies with an attention factor cannot be written to GGUF for this architecture");
      out.factors.push_back({"rope_freqs", divisors});
      useDivisors(divisors, 1.0);
      return Status::success();
    }
    number("rope.scaling.attn_factor", magnitude);
    int64_t original = configured("original_max_position_embeddings");
    std::vector<float> longer = divisors;
    for (const char *key : {"rope_parameters", "rope_scaling"})
      if (auto found = config.find(key); found != config.end() && found->is_object()) {
        if (found->contains("original_max_position_embeddings"))
          original = (*found)["original_max_position_embeddings"].get<int64_t>();
        auto list = found->find("long_factor");
        if (list != found->end() && list->is_array() && list->size() == divisors.size() &&
            llvm::all_of(*list, [](const Json &entry) { return entry.is_number(); }))
          longer = list->get<std::vector<float>>();
      }
    if (original > 0)
      size("rope.scaling.original_context_length", original);
    out.factors.push_back({"rope_factors_long", longer});
    out.factors.push_back({"rope_factors_short", divisors});
    useDivisors(divisors, magnitude);
    return Status::success();
  }

  /// The rotations as the file's tensor has them.
  void useDivisors(const std::vector<float> &divisors, double magnitude) {
    const SmallVector<double> numbers(divisors.begin(), divisors.end());
    MLIRContext *context = model.getContext();
    auto rounded = DivisorRopeAttr::get(context, DenseF64ArrayAttr::get(context, numbers), llvm::APFloat(magnitude));
    model.getBody().walk([&](RopeOp rope) {
      if (rope.getScaling())
        rope.setScalingAttr(rounded);
    });
  }

  void constants() {
    AttentionOp attention = blocks.front().attention;
    double embedding = 1.0, residual = 1.0, logits = 1.0;
    std::optional<double> cap, clamp;
    model.getBody().walk([&](ScaleOp scale) {
      const double factor = scale.getFactor().convertToDouble();
      if (scale->getParentOfType<BlockOp>())
        residual = factor;
      else if (scale.getInput().getDefiningOp<EmbeddingOp>())
        embedding = factor;
      else
        logits = factor;
    });
    for (auto softcap : model.getBody().getOps<SoftcapOp>())
      cap = softcap.getCap().convertToDouble();
    model.getBody().walk([&](ClampOp op) { clamp = op.getLimit().convertToDouble(); });
    if (type == "granite" || type == "granitemoe") {
      number("embedding_scale", embedding);
      number("residual_scale", residual);
      number("attention.scale", attention.getScale().convertToDouble());
      number("logit_scale", 1.0 / logits);
    } else if (type == "ministral3") {
      if (auto growing = firstIn<PositionScaleOp>(model))
        number("attention.temperature_scale", growing.getGrowth().getScale().convertToDouble());
    } else if (type == "cohere" || type == "cohere2") {
      number("logit_scale", logits);
    } else if (type == "mpt") {
      if (attention.getAlibi())
        number("attention.max_alibi_bias", attention.getAlibi()->convertToDouble());
      if (clamp)
        number("attention.clamp_kqv", *clamp);
    } else if (type == "olmoe") {
      if (clamp)
        number("attention.clamp_kqv", *clamp);
    } else if (type == "t5") {
      if (Value bias = attention.getBias())
        size("attention.relative_buckets_count", cast<RankedTensorType>(bias.getType()).getDimSize(0));
    } else if (family.architecture == StringRef("bert") && type != "distilbert") {
      out.metadata["tokenizer.ggml.token_type_count"] = {
          configured("type_vocab_size") > 0 ? configured("type_vocab_size") : int64_t(2)};
    } else if (type == "stablelm" || type == "gpt_neox") {
      flag("use_parallel_residual", isParallel());
    } else if (type == "falcon") {
      put("tensor_data_layout", {std::string("jploski")});
    }
    if (type == "gemma2")
      if (attention.getSoftcap())
        number("attn_logit_softcapping", attention.getSoftcap()->convertToDouble());
    if (type.starts_with("gemma") && cap)
      number("final_logit_softcapping", *cap);
  }

  void biases() {
    // Whose code in llama.cpp asks for them.
    static constexpr StringLiteral readers[] = {"llama", "granite", "granitemoe", "phi2", "phimoe",  "starcoder2", "bloom", "mpt",
                                                "gpt2",  "starcoder", "gptneox",  "gpt-oss", "bert"};
    const ModelBiases found = biasesOf(model);
    if ((found.output || found.network) && !llvm::is_contained(readers, StringRef(family.architecture)))
      notes.push_back("biases behind attention or in the network are written, but llama.cpp has no place for them in the architecture \"" +
                      std::string(family.architecture) + "\" and refuses the file");
  }

  /// Attention and network read the same rows: what the block adds to its input is the sum of both.
  bool isParallel() {
    BlockOp block = blockOps.front();
    auto last = block.getBody().front().getTerminator()->getOperand(0).getDefiningOp<AddOp>();
    return last && (isa<BlockArgument>(last.getLhs()) || isa<BlockArgument>(last.getRhs()));
  }

  std::function<bool(const std::string &)> presence() {
    const ModelBiases biases = biasesOf(model);
    const bool ownHead = !isTied(model);
    bool headBias = false, normBias = false, headNorms = false, gated = false;
    for (auto linear : model.getBody().getOps<LinearOp>())
      headBias |= static_cast<bool>(linear.getBias());
    model.getBody().walk([&](LayerNormOp norm) { normBias |= static_cast<bool>(norm.getBias()); });
    const HeadPath path = headPathOf(blocks.front().attention.getQuery());
    headNorms = path.find<RmsNormOp>() || path.find<LayerNormOp>();
    gated = firstIn<MulOp>(blockOps.front()) || firstIn<GluOp>(blockOps.front());
    const bool parallel = isParallel(), ownOutputBias = type == "seed_oss", oneSegment = type == "distilbert";
    const bool twoNorms = parallel && llvm::range_size(blockOps.front().getBody().getOps<LayerNormOp>()) == 2;
    return [=](const std::string &name) {
      const llvm::StringRef tensor = name;
      if (tensor == "output.weight")
        return ownHead;
      if (tensor == "output.bias")
        return headBias;
      if (tensor.ends_with("attn_norm.bias"))
        return normBias;
      if (tensor.ends_with("attn_q.bias") || tensor.ends_with("attn_qkv.bias"))
        return biases.projections || (biases.output && !ownOutputBias);
      if (tensor.ends_with("attn_output.bias"))
        return biases.output;
      if (tensor.ends_with("ffn_up.bias"))
        return biases.network;
      if (tensor.ends_with("ffn_norm.weight"))
        return !parallel;
      if (tensor.ends_with("attn_norm_2.weight"))
        return twoNorms;
      if (tensor.ends_with("attn_q_norm.weight"))
        return headNorms;
      if (tensor.ends_with("ffn_gate.weight"))
        return gated;
      return tensor == "token_types.weight" && !oneSegment;
    };
  }

  ModelOp model;
  const GgufFamily &family;
  const Json &config;
  GgufFacts &out;
  std::vector<std::string> &notes;
  const StringRef type;
  std::vector<BlockOp> blockOps;
  std::vector<BlockFacts> blocks;
};

} // namespace

Status readFacts(ModelOp model, const GgufFamily &family, const Json &config, GgufFacts &out,
                 std::vector<std::string> &notes) {
  return Reading(model, family, config, out, notes).run();
}

} // namespace xfmr::exports
