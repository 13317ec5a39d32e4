// See Gguf.h. Source: the GGUF specification; what the writers of each architecture did is in docs/Formats.md.
#include "import/Gguf.h"
#include "import/Config.h"
#include "import/Decoder.h"
#include "import/Moe.h"
#include "runtime/artifact/Gguf.h"
#include <cmath>
#include <cstring>
#include <filesystem>

using namespace mlir;

namespace xfmr {
namespace {

struct Architecture {
  const char *name, *modelType;
  RopeStyle rope;
  bool qkvBias;
  QueryKeyNorm norm;
  bool normTopK; // where the file does not say
};
constexpr Architecture kArchitectures[] = {
    {"llama", "llama", RopeStyle::interleaved, false, QueryKeyNorm::none, true},
    {"qwen2", "qwen2", RopeStyle::half, true, QueryKeyNorm::none, false},
    {"qwen2moe", "qwen2_moe", RopeStyle::half, true, QueryKeyNorm::none, false},
    {"qwen3", "qwen3", RopeStyle::half, false, QueryKeyNorm::perHead, false},
    {"qwen3moe", "qwen3_moe", RopeStyle::half, false, QueryKeyNorm::perHead, true},
    {"olmoe", "olmoe", RopeStyle::half, false, QueryKeyNorm::fullWidth, false},
};

/// Typed reading of the metadata of one architecture; the first error sticks.
class Metadata {
public:
  explicit Metadata(const GgufFile &file) : file(file) {}
  std::string prefix; // "llama."
  Status status = Status::success();

  void refuse(const std::string &key, const std::string &what) {
    if (status.ok())
      status = Status::error("\"" + file.path() + "\": key \"" + key + "\" " + what);
  }
  bool has(const std::string &key) const { return file.find(prefix + key); }

  int64_t size(const std::string &key, std::optional<int64_t> absent = std::nullopt) {
    const GgufValue *value = file.find(prefix + key);
    if (!value && absent)
      return *absent;
    if (value && value->list()) // one number a layer
      return uniform(key, *value->list());
    const int64_t *number = value ? value->integer() : nullptr;
    if (!number || *number < 1 || *number > Config::kMaxSize) {
      refuse(prefix + key, value ? "is no number from 1 to " + std::to_string(Config::kMaxSize) : "is missing");
      return 1;
    }
    return *number;
  }
  double positive(const std::string &key, std::optional<double> absent = std::nullopt) {
    const GgufValue *value = file.find(prefix + key);
    if (!value && absent)
      return *absent;
    const double *number = value ? std::get_if<double>(&value->value) : nullptr;
    if (!number || !std::isfinite(*number) || *number <= 0) {
      refuse(prefix + key, value ? "is no positive number" : "is missing");
      return 1;
    }
    // Stored as f32: 1e-5 reads 9.99999974e-6. The shortest decimal that means the same is what was configured.
    char text[32];
    std::snprintf(text, sizeof text, "%.7g", *number);
    const double decimal = std::strtod(text, nullptr);
    return static_cast<float>(decimal) == static_cast<float>(*number) ? decimal : *number;
  }
  bool flag(const std::string &key, bool absent) {
    const GgufValue *value = file.find(prefix + key);
    if (value && !value->flag())
      refuse(prefix + key, "is no boolean");
    return value && value->flag() ? *value->flag() : absent;
  }
  std::optional<int64_t> tokenId(const std::string &key, int64_t vocabSize) const {
    const GgufValue *value = file.find("tokenizer.ggml." + key);
    const int64_t *id = value ? value->integer() : nullptr;
    return id && *id >= 0 && *id < vocabSize ? std::optional<int64_t>(*id) : std::nullopt;
  }

private:
  int64_t uniform(const std::string &key, const std::vector<GgufValue> &list) {
    for (const GgufValue &entry : list) {
      const int64_t *number = entry.integer(), *first = list.front().integer();
      if (!number || *number != *first || *number < 1 || *number > Config::kMaxSize) {
        refuse(prefix + key, "differs from layer to layer, which cannot be imported");
        return 1;
      }
    }
    if (list.empty())
      refuse(prefix + key, "is an empty list");
    return list.empty() ? 1 : *list.front().integer();
  }
  const GgufFile &file;
};

struct GgufModel {
  DecoderConfig decoder;
  ExpertCounts counts{0, 0};
  int64_t expertWidth = 0, sharedWidth = 0;
  bool normTopK = false;
  std::optional<int64_t> window;
};

/// Divisors of the frequencies, where the file has them as a tensor (Llama 3.1).
Attribute readRopeDivisors(MLIRContext &context, const WeightSource &source, int64_t rotaryDim, Status &status) {
  const TensorView *tensor = source.find("rope_freqs.weight");
  if (!tensor)
    return {};
  if (tensor->dtype != DType::f32 || tensor->shape != std::vector<int64_t>{rotaryDim / 2}) {
    status = Status::error("tensor \"rope_freqs.weight\": found shape " + shapeText(tensor->shape) + ", expected F32 [" +
                           std::to_string(rotaryDim / 2) + "]");
    return {};
  }
  std::vector<double> divisors;
  for (int64_t i = 0; i < rotaryDim / 2; ++i) {
    float value;
    std::memcpy(&value, tensor->data + i * sizeof value, sizeof value);
    if (!std::isfinite(value) || value <= 0) {
      status = Status::error("tensor \"rope_freqs.weight\" holds a divisor that is not positive");
      return {};
    }
    divisors.push_back(value);
  }
  return DivisorRopeAttr::get(&context, DenseF64ArrayAttr::get(&context, divisors), llvm::APFloat(1.0));
}

GgufModel readModel(MLIRContext &context, Metadata &keys, const GgufFile &file, const Architecture &architecture,
                    const WeightSource &source) {
  GgufModel model;
  DecoderConfig &d = model.decoder;
  d.hiddenSize = keys.size("embedding_length");
  d.numLayers = keys.size("block_count");
  d.maxPosition = keys.size("context_length");
  d.eps = keys.positive("attention.layer_norm_rms_epsilon");
  d.tied = !source.find("output.weight");
  const TensorView *table = source.find("token_embd.weight");
  if (!table || table->shape.size() != 2) {
    keys.status = Status::error("\"" + file.path() + "\" has no matrix \"token_embd.weight\"");
    return model;
  }
  d.vocabSize = keys.size("vocab_size", table->shape[0]);
  AttentionConfig &a = d.attention;
  a.numHeads = keys.size("attention.head_count");
  a.numKvHeads = keys.size("attention.head_count_kv", a.numHeads);
  a.headDim = keys.size("attention.key_length", std::max<int64_t>(1, d.hiddenSize / a.numHeads));
  a.qkvBias = architecture.qkvBias;
  a.norm = architecture.norm;
  a.eps = d.eps;
  a.scale = 1.0 / std::sqrt(static_cast<double>(a.headDim));
  if (d.numLayers > 65536)
    keys.refuse(keys.prefix + "block_count", "is " + std::to_string(d.numLayers) + ", expected at most 65536");
  if (a.numHeads % a.numKvHeads != 0)
    keys.refuse(keys.prefix + "attention.head_count_kv", "is " + std::to_string(a.numKvHeads) +
                                                             ", expected a divisor of attention.head_count (" +
                                                             std::to_string(a.numHeads) + ")");
  if (a.numHeads * a.headDim > Config::kMaxSize)
    keys.refuse(keys.prefix + "attention.key_length",
                "is " + std::to_string(a.headDim) + ", too large for " + std::to_string(a.numHeads) + " heads");
  if (const int64_t width = keys.size("attention.value_length", a.headDim); width != a.headDim)
    keys.refuse(keys.prefix + "attention.value_length",
                "is " + std::to_string(width) + ", expected attention.key_length (" + std::to_string(a.headDim) + ")");
  d.rope.theta = keys.positive("rope.freq_base", 10000.0);
  d.rope.headDim = a.headDim;
  d.rope.rotaryDim = keys.size("rope.dimension_count", a.headDim);
  d.rope.style = architecture.rope;
  if (d.rope.rotaryDim % 2 != 0 || d.rope.rotaryDim > a.headDim)
    keys.refuse(keys.prefix + "rope.dimension_count", "is " + std::to_string(d.rope.rotaryDim) +
                                                           ", expected an even number up to the head size (" +
                                                           std::to_string(a.headDim) + ")");
  if (keys.status.ok())
    d.rope.scaling = readRopeDivisors(context, source, d.rope.rotaryDim, keys.status);
  if (keys.has("rope.scaling.type")) {
    const GgufValue *type = file.find(keys.prefix + "rope.scaling.type");
    if (type->text() && *type->text() == "linear")
      d.rope.scaling = LinearRopeAttr::get(&context, llvm::APFloat(keys.positive("rope.scaling.factor")));
    else if (!type->text() || *type->text() != "none")
      keys.refuse(keys.prefix + "rope.scaling.type", "is of a kind that cannot be imported, supported: none, linear");
  }
  if (keys.has("attention.sliding_window"))
    model.window = keys.size("attention.sliding_window");
  if (keys.has("expert_count")) {
    model.counts = {keys.size("expert_count"), keys.size("expert_used_count")};
    if (model.counts.experts > 65536)
      keys.refuse(keys.prefix + "expert_count", "is " + std::to_string(model.counts.experts) + ", expected at most 65536");
    if (model.counts.topK > model.counts.experts)
      keys.refuse(keys.prefix + "expert_used_count", "is " + std::to_string(model.counts.topK) +
                                                         ", expected at most expert_count (" +
                                                         std::to_string(model.counts.experts) + ")");
    model.expertWidth = keys.has("expert_feed_forward_length") ? keys.size("expert_feed_forward_length")
                                                               : keys.size("feed_forward_length");
    if (keys.has("expert_shared_feed_forward_length"))
      model.sharedWidth = keys.size("expert_shared_feed_forward_length");
    model.normTopK = keys.flag("expert_weights_norm", architecture.normTopK);
  } else {
    d.intermediateSize = keys.size("feed_forward_length");
  }
  return model;
}

Value gatedNetwork(ModelBuilder &m, Value x, const std::string &prefix, const std::string &suffix, int64_t width) {
  Value gate = m.activation(ActivationKind::silu, m.linear(x, prefix + "ffn_gate" + suffix, width));
  Value up = m.linear(x, prefix + "ffn_up" + suffix, width);
  return m.linear(m.mul(gate, up), prefix + "ffn_down" + suffix, ModelBuilder::widthOf(x));
}

Value experts(ModelBuilder &m, Value x, const std::string &prefix, const GgufModel &model) {
  const int64_t hidden = model.decoder.hiddenSize, count = model.counts.experts, width = model.expertWidth;
  Router router;
  router.weight = m.weight(prefix + "ffn_gate_inp.weight", {count, hidden});
  StackedLinear projections[3];
  projections[0].weight = m.weight(prefix + "ffn_gate_exps.weight", {count, width, hidden});
  projections[1].weight = m.weight(prefix + "ffn_up_exps.weight", {count, width, hidden});
  projections[2].weight = m.weight(prefix + "ffn_down_exps.weight", {count, hidden, width});
  RoutingAttr routing = softmaxRouting(*m.ops().getContext(), model.counts.topK, model.normTopK);
  Value y = mixture(m, x, router, routing, projections, [&](Value batch, ApplyProjection apply) {
    return apply(2, m.mul(m.activation(ActivationKind::silu, apply(0, batch)), apply(1, batch)));
  });
  if (model.sharedWidth == 0)
    return y;
  Value shared = gatedNetwork(m, x, prefix, "_shexp", model.sharedWidth);
  Value vector = m.weight(prefix + "ffn_gate_inp_shexp.weight", {hidden}); // a row as a matrix of one row
  Value row = WeightStackOp::create(
      m.ops(), m.loc(),
      RankedTensorType::get({1, hidden}, cast<RankedTensorType>(vector.getType()).getElementType()), ValueRange{vector});
  return m.add(y, m.rowScale(shared, m.activation(ActivationKind::sigmoid, m.linearOver(x, row))));
}

Value buildModel(ModelBuilder &m, const GgufModel &model) {
  const DecoderConfig &d = model.decoder;
  const AttentionConfig &a = d.attention;
  Value x = m.embedding("token_embd", d.vocabSize, d.hiddenSize);
  for (int64_t layer = 0; layer < d.numLayers && !m.failed(); ++layer) {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    x = m.block(layer, StringRef(prefix).drop_back(), x, [&](Value h) {
      Value n = m.rmsNorm(h, prefix + "attn_norm", d.hiddenSize, d.eps);
      Value q = m.linear(n, prefix + "attn_q", a.numHeads * a.headDim, a.qkvBias);
      Value k = m.linear(n, prefix + "attn_k", a.numKvHeads * a.headDim, a.qkvBias);
      Value v = m.linear(n, prefix + "attn_v", a.numKvHeads * a.headDim, a.qkvBias);
      if (a.norm != QueryKeyNorm::none) {
        const bool perHead = a.norm == QueryKeyNorm::perHead;
        q = m.rmsNorm(q, prefix + "attn_q_norm", perHead ? a.headDim : a.numHeads * a.headDim, a.eps);
        k = m.rmsNorm(k, prefix + "attn_k_norm", perHead ? a.headDim : a.numKvHeads * a.headDim, a.eps);
      }
      Value mixed = attend(m, prefix + "attn", q, k, v, a, {&d.rope, model.window});
      h = m.add(h, m.linear(mixed, prefix + "attn_output", d.hiddenSize));
      n = m.rmsNorm(h, prefix + "ffn_norm", d.hiddenSize, d.eps);
      return m.add(h, model.counts.experts > 0 ? experts(m, n, prefix, model)
                                               : gatedNetwork(m, n, prefix, "", d.intermediateSize));
    });
  }
  x = m.rmsNorm(x, "output_norm", d.hiddenSize, d.eps);
  return d.tied ? m.linearOver(x, m.weight("token_embd.weight", {d.vocabSize, d.hiddenSize}))
                : m.linear(x, "output", d.vocabSize);
}

} // namespace

OwningOpRef<ModuleOp> importGguf(MLIRContext &context, const std::string &path, const ImportOptions &options,
                                 Status &status) {
  auto fail = [&](Status error) {
    status = std::move(error);
    return OwningOpRef<ModuleOp>();
  };
  if (!options.adapter.empty())
    return fail(Status::error("an adapter can be added to a Hugging Face folder, not to \"" + path + "\""));
  GgufFile file;
  if (Status open = GgufFile::open(path, file); open.failed())
    return fail(open);
  if (file.find("split.count") && file.find("split.count")->integer() && *file.find("split.count")->integer() > 1)
    return fail(Status::error("\"" + path + "\" is one of several files, which cannot be imported; merge them first"));
  const GgufValue *name = file.find("general.architecture");
  const Architecture *architecture = nullptr;
  std::string supported;
  for (const Architecture &candidate : kArchitectures) {
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.name);
    if (name && name->text() && *name->text() == candidate.name)
      architecture = &candidate;
  }
  if (!architecture)
    return fail(Status::error("\"" + path + "\": general.architecture is " +
                              (name && name->text() ? "\"" + *name->text() + "\"" : std::string("missing")) +
                              ", supported: " + supported));
  WeightSource source;
  if (Status open = WeightSource::open(path, source); open.failed())
    return fail(open);
  context.loadDialect<XfmrDialect>();
  Metadata keys(file);
  keys.prefix = std::string(architecture->name) + ".";
  GgufModel model = readModel(context, keys, file, *architecture, source);
  if (keys.status.failed())
    return fail(keys.status);

  const std::string modelType = architecture->name == std::string("llama") && model.counts.experts > 0
                                    ? "mixtral" : architecture->modelType;
  std::optional<int64_t> end = keys.tokenId("eos_token_id", model.decoder.vocabSize);
  auto config = ConfigAttr::get(&context, modelType, model.decoder.hiddenSize, model.decoder.vocabSize,
                                model.decoder.maxPosition, keys.tokenId("bos_token_id", model.decoder.vocabSize),
                                end ? DenseI64ArrayAttr::get(&context, {*end}) : DenseI64ArrayAttr());
  Builder attributes(&context);
  ModelBuilder builder(context, source, nullptr, Float32Type::get(&context));
  builder.ignoreWhere([](StringRef tensor) { return tensor == "rope_freqs.weight"; });
  builder.begin(std::filesystem::path(path).stem().string(), config, model.decoder.vocabSize,
                attributes.getDictionaryAttr(attributes.getNamedAttr("base", attributes.getStringAttr(path))));
  OwningOpRef<ModuleOp> module = builder.finish(buildModel(builder, model));
  status = builder.status();
  return module;
}

} // namespace xfmr
