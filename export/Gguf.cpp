// The GGUF file. See Export.h; keys, names and conventions are those of the GGUF specification and its first users.
#include "dialect/RopeFrequencies.h"
#include "dialect/Rounding.h"
#include "export/Export.h"
#include "export/GgufTokenizer.h"
#include "export/MixtureFamily.h"
#include "export/RotaryOrder.h"
#include "export/Uniform.h"
#include "runtime/artifact/MappedFile.h"
#include "weights/ModelSources.h"
#include "weights/Conversion.h"
#include "weights/GgufBlocks.h"
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace mlir;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace xfmr::exports {
namespace {

struct Architecture {
  const char *modelType, *name;
  RopeStyle rope; // of the rows in the file
};
constexpr Architecture kArchitectures[] = {
    {"llama", "llama", RopeStyle::interleaved},   {"mistral", "llama", RopeStyle::interleaved},
    {"mixtral", "llama", RopeStyle::interleaved}, {"qwen2", "qwen2", RopeStyle::half},
    {"qwen2_moe", "qwen2moe", RopeStyle::half},   {"qwen3", "qwen3", RopeStyle::half},
    {"qwen3_moe", "qwen3moe", RopeStyle::half},   {"olmoe", "olmoe", RopeStyle::half},
};

/// Pieces one after the other as one tensor: the experts of a layer.
struct Tensor {
  std::string name;
  GgufType type;
  std::vector<int64_t> shape;
  std::vector<Piece> pieces;
};

class File {
public:
  File(const Decoder &decoder, const Architecture &architecture, const ExportOptions &options,
       std::vector<std::string> &notes)
      : decoder(decoder), architecture(architecture), options(options), notes(notes) {}

  Status addMetadata(const TokenizerFiles &tokenizer, const ordered_json &config) {
    const Layer &first = decoder.layers.front();
    const Attention &a = first.attention;
    ModelOp op = decoder.model;
    RopeOp rope = a.rope;
    ConfigAttr model = op.getConfig();
    writer.addText("general.architecture", architecture.name);
    writer.addText("general.name", op.getSymName().str());
    writer.addU32("general.quantization_version", 2);
    writer.addU32("general.file_type", fileType());
    u32("vocab_size", model.getVocabSize());
    u32("context_length", model.getMaxPosition());
    u32("embedding_length", model.getHiddenSize());
    u32("block_count", static_cast<int64_t>(decoder.layers.size()));
    u32("attention.head_count", a.numHeads);
    u32("attention.head_count_kv", a.numKvHeads);
    u32("attention.key_length", a.headDim);
    u32("attention.value_length", a.headDim);
    f32("attention.layer_norm_rms_epsilon", decoder.eps);
    u32("rope.dimension_count", rope.getRotatedDim());
    f32("rope.freq_base", rope.getTheta().convertToDouble());
    bool windows = a.window.has_value();
    for (const Layer &layer : decoder.layers) {
      if (layer.attention.window != a.window)
        return Status::error("layers have different attention windows, which GGUF cannot express for this architecture");
      if (layer.router.operator bool() != first.router.operator bool())
        return Status::error("some layers have experts and others not, which GGUF cannot express for this architecture");
      for (const FeedForward &expert : layer.experts)
        if (expert.activation != ActivationKind::silu)
          return Status::error("the architecture \"" + std::string(architecture.name) + "\" has silu as its activation");
      if (layer.dense && layer.dense->activation != ActivationKind::silu)
        return Status::error("the architecture \"" + std::string(architecture.name) + "\" has silu as its activation");
    }
    if (windows)
      u32("attention.sliding_window", *a.window);
    if (first.router) {
      const int64_t width = first.experts.front().width();
      u32("feed_forward_length", width);
      u32("expert_feed_forward_length", width);
      u32("expert_count", static_cast<int64_t>(first.experts.size()));
      u32("expert_used_count", first.routing.getTopK());
      writer.addBool(key("expert_weights_norm"), normalised(first.routing));
      if (first.dense) {
        u32("expert_shared_count", 1);
        u32("expert_shared_feed_forward_length", first.dense->width());
      }
    } else {
      u32("feed_forward_length", first.dense->width());
    }
    if (Status status = addRopeScaling(rope); status.failed())
      return status;
    if (tokenizer.tokenizer.empty()) {
      notes.push_back("the base has no tokenizer.json: the file has no tokenizer");
      return Status::success();
    }
    return addTokenizer(writer, tokenizer, config, model.getVocabSize(), notes);
  }

  void listTensors() {
    matrix("token_embd.weight", {decoder.embedding});
    for (const Layer &layer : decoder.layers) {
      const std::string prefix = "blk." + std::to_string(layer.number) + ".";
      const Attention &a = layer.attention;
      vector(prefix + "attn_norm.weight", layer.attentionNorm);
      linear(prefix + "attn_q", a.query);
      linear(prefix + "attn_k", a.key);
      linear(prefix + "attn_v", a.value);
      linear(prefix + "attn_output", a.output);
      if (a.queryNorm) {
        vector(prefix + "attn_q_norm.weight", a.queryNorm);
        vector(prefix + "attn_k_norm.weight", a.keyNorm);
      }
      vector(prefix + "ffn_norm.weight", layer.feedForwardNorm);
      if (layer.router) {
        vector(prefix + "ffn_gate_inp.weight", layer.router); // small, and choices hang on it: F32
        for (auto [name, part] : {std::pair("ffn_gate_exps", &FeedForward::gate), std::pair("ffn_up_exps", &FeedForward::up),
                                  std::pair("ffn_down_exps", &FeedForward::down)}) {
          std::vector<Piece> pieces;
          for (const FeedForward &expert : layer.experts)
            pieces.push_back((expert.*part).weight);
          matrix(prefix + name + ".weight", pieces, /*stacked=*/true);
        }
      }
      if (layer.dense) {
        const std::string suffix = layer.router ? "_shexp" : "";
        linear(prefix + "ffn_gate" + suffix, layer.dense->gate);
        linear(prefix + "ffn_up" + suffix, layer.dense->up);
        linear(prefix + "ffn_down" + suffix, layer.dense->down);
      }
      if (layer.sharedGate) // a vector of the hidden size in the file
        tensors.push_back({prefix + "ffn_gate_inp_shexp.weight", GgufType::f32, {layer.sharedGate.numColumns()}, {layer.sharedGate}});
    }
    vector("output_norm.weight", decoder.finalNorm);
    if (decoder.head)
      matrix("output.weight", {decoder.head});
    if (!ropeDivisors.empty())
      tensors.push_back({"rope_freqs.weight", GgufType::f32, {static_cast<int64_t>(ropeDivisors.size())}, {}});
    if (mixed)
      notes.push_back("tensors whose rows are no whole blocks of the type are written as a type that holds them, or as f16");
    if (expanded)
      notes.push_back("weights of a form that GGUF has no blocks for are written as f32");
  }

  Status write(const WeightSources &sources) {
    for (const Tensor &tensor : tensors)
      if (Status status = writer.declare(tensor.name, tensor.type, tensor.shape); status.failed())
        return status;
    Status status = writer.begin(options.output);
    WeightEvaluator evaluator(sources);
    std::vector<uint8_t> bytes;
    for (const Tensor &tensor : tensors) {
      if (status.failed())
        return status;
      if (tensor.pieces.empty())
        status = writer.append(ropeDivisors.data(), ropeDivisors.size() * sizeof(float));
      for (const Piece &piece : tensor.pieces) {
        const int64_t columns = piece.numColumns();
        if (keepsCodes(tensor.type, piece)) {
          if (status = appendCodes(evaluator, tensor.type, piece); status.failed())
            return status;
          continue;
        }
        auto append = [&](const float *values, int64_t rows) {
          encode(tensor.type, values, rows, columns, bytes);
          return writer.append(bytes.data(), bytes.size());
        };
        if (status = forEachRows(evaluator, piece, append); status.failed())
          return status;
      }
    }
    return status.ok() ? writer.finish() : status;
  }

private:
  std::string key(const char *name) const { return std::string(architecture.name) + "." + name; }
  void u32(const char *name, int64_t value) { writer.addU32(key(name), static_cast<uint32_t>(value)); }
  void f32(const char *name, double value) { writer.addF32(key(name), static_cast<float>(value)); }

  /// Weights of the chosen experts sum to one: softmax over them only, or divided by their sum.
  static bool normalised(RoutingAttr routing) {
    return routing.getNormTopkProb() || routing.getScoreAt() == ScoreAt::post_topk;
  }

  /// Of the first matrix of a layer, which says more than an embedding table that stays as it is.
  uint32_t fileType() const {
    switch (matrixType(decoder.layers.empty() ? decoder.embedding : decoder.layers.front().attention.query.weight)) {
    case GgufType::f32: return 0;
    case GgufType::f16: return 1;
    case GgufType::q8_0: return 7;
    case GgufType::bf16: return 32;
    case GgufType::q4_0: return 2;
    case GgufType::q4_1: return 3;
    case GgufType::q5_0: return 8;
    case GgufType::q5_1: return 9;
    case GgufType::q2_k: return 10;
    case GgufType::q3_k: return 12;
    case GgufType::q4_k: return 15;
    case GgufType::q5_k: return 17;
    case GgufType::q6_k: return 18;
    case GgufType::iq4_nl: return 25;
    case GgufType::iq4_xs: return 30;
    case GgufType::mxfp4: return 38;
    }
    return 0;
  }

  GgufType wantedType(const Piece &piece) const {
    switch (options.type) {
    case ElementType::f32: return GgufType::f32;
    case ElementType::f16: return GgufType::f16;
    case ElementType::bf16: return GgufType::bf16;
    case ElementType::q8_0: return GgufType::q8_0;
    case ElementType::q4_0: return GgufType::q4_0;
    case ElementType::q4_k: return GgufType::q4_k;
    case ElementType::q6_k: return GgufType::q6_k;
    case ElementType::keep: break;
    }
    const Type type = piece.elementType();
    if (auto quantised = dyn_cast<QuantType>(type))
      return ggufTypeOf(quantised.getScheme()).value_or(GgufType::f32);
    return type.isF16() ? GgufType::f16 : type.isBF16() ? GgufType::bf16 : GgufType::f32;
  }

  /// What was rounded before is not rounded to another type of blocks, unless that is asked for.
  GgufType matrixType(const Piece &piece) const {
    const GgufType wanted = wantedType(piece), type = fittingType(wanted, piece.numColumns());
    return options.type == ElementType::keep && type != wanted ? GgufType::f16 : type;
  }

  /// The piece is made of such blocks: its codes are written as they are.
  static bool keepsCodes(GgufType type, const Piece &piece) {
    std::optional<QuantScheme> scheme = quantSchemeOf(piece.value.getType());
    return scheme && piece.columns.empty() && ggufTypeOf(*scheme) == type;
  }

  Status appendCodes(const WeightEvaluator &evaluator, GgufType type, const Piece &piece) {
    const int64_t columns = piece.numColumns();
    const GgufBlock block = *ggufBlock(static_cast<uint32_t>(type));
    std::vector<uint8_t> row(columns / block.elements * block.bytes);
    for (int64_t r = 0; r < piece.numRows(); ++r) {
      bool read = true;
      writeBlocks(type, columns, [&](WeightPlane plane, float *out) {
        read = read && succeeded(readPlane(evaluator, piece, plane, r, 1, out));
      }, row.data());
      if (!read)
        return Status::error("cannot evaluate a weight"); // untested: the evaluator's own error is what is told
      if (Status status = writer.append(row.data(), row.size()); status.failed())
        return status;
    }
    return Status::success();
  }

  static void encode(GgufType type, const float *values, int64_t rows, int64_t columns, std::vector<uint8_t> &bytes) {
    const int64_t count = rows * columns;
    if (std::optional<QuantScheme> scheme = ggufScheme(static_cast<uint32_t>(type))) {
      const GgufBlock block = *ggufBlock(static_cast<uint32_t>(type));
      const int64_t rowBytes = columns / block.elements * block.bytes;
      bytes.resize(rows * rowBytes);
      for (int64_t r = 0; r < rows; ++r)
        writeBlocks(type, columns, [&](WeightPlane plane, float *out) {
          quantiseRow(*scheme, QuantRule::search, values + r * columns, columns, columns, plane, out);
        }, bytes.data() + r * rowBytes);
      return;
    }
    const DType dtype = type == GgufType::f32 ? DType::f32 : type == GgufType::f16 ? DType::f16 : DType::bf16;
    bytes.resize(count * dtypeBits(dtype) / 8);
    convertFromF32(dtype, values, count, bytes.data());
  }

  void matrix(const std::string &name, const std::vector<Piece> &pieces, bool stacked = false) {
    const Piece &first = pieces.front();
    std::vector<int64_t> shape = {first.numRows(), first.numColumns()};
    if (stacked)
      shape.insert(shape.begin(), static_cast<int64_t>(pieces.size()));
    const GgufType type = matrixType(first);
    mixed |= type != wantedType(first);
    if (auto quantised = dyn_cast<QuantType>(first.elementType()); quantised && options.type == ElementType::keep)
      expanded |= !ggufTypeOf(quantised.getScheme());
    tensors.push_back({name, type, shape, pieces});
  }

  void vector(const std::string &name, const Piece &piece) {
    std::vector<int64_t> shape = {piece.numRows()};
    if (!piece.isVector())
      shape.push_back(piece.numColumns());
    tensors.push_back({name, GgufType::f32, shape, {piece}});
  }

  void linear(const std::string &name, const Linear &linear) {
    matrix(name + ".weight", {linear.weight});
    if (linear.bias)
      vector(name + ".bias", linear.bias);
  }

  Status addRopeScaling(RopeOp rope) {
    Attribute scaling = rope.getScaling().value_or(Attribute());
    if (!scaling)
      return Status::success();
    if (auto linear = dyn_cast<LinearRopeAttr>(scaling)) {
      writer.addText(key("rope.scaling.type"), "linear");
      f32("rope.scaling.factor", linear.getFactor().convertToDouble());
    } else if (isa<YarnRopeAttr>(scaling)) {
      return Status::error("yarn frequencies cannot be written to GGUF yet");
    } else if (isa<Llama3RopeAttr>(scaling)) {
      const double theta = rope.getTheta().convertToDouble();
      const RopeFrequencies plain = ropeFrequencies(rope.getRotatedDim(), theta, Attribute());
      const RopeFrequencies scaled = ropeFrequencies(rope.getRotatedDim(), theta, scaling);
      for (auto [before, after] : llvm::zip(plain.frequencies, scaled.frequencies))
        ropeDivisors.push_back(static_cast<float>(before / after));
    } else if (auto divisors = dyn_cast<DivisorRopeAttr>(scaling)) {
      if (divisors.getAttentionFactor().convertToDouble() != 1.0)
        return Status::error("longrope frequencies with an attention factor cannot be written to GGUF for this architecture");
      for (double divisor : divisors.getDivisors().asArrayRef())
        ropeDivisors.push_back(static_cast<float>(divisor));
    }
    return Status::success();
  }

  const Decoder &decoder;
  const Architecture &architecture;
  const ExportOptions &options;
  std::vector<std::string> &notes;
  GgufWriter writer;
  std::vector<Tensor> tensors;
  std::vector<float> ropeDivisors;
  bool mixed = false;    // rows that the type cannot hold
  bool expanded = false; // forms that no type holds
};

} // namespace

Status exportGguf(ModelOp model, const WeightSources &sources, const ExportOptions &options,
                  std::vector<std::string> &notes) {
  const std::string family = model.getConfig().getArchitecture().str();
  const std::string type = gainedExperts(model) ? familyWithExperts(family) : family;
  if (type.empty())
    return noFamilyWithExperts(family);
  const Architecture *architecture = nullptr;
  std::string supported;
  for (const Architecture &candidate : kArchitectures) {
    supported += (supported.empty() ? "" : ", ") + std::string(candidate.modelType);
    if (type == candidate.modelType)
      architecture = &candidate;
  }
  if (!architecture)
    return Status::error("models of the family \"" + type + "\" cannot be written as GGUF, supported: " + supported);
  Decoder decoder;
  Status status = makeUniform(model, /*leastHeads=*/0, notes);
  if (status.ok())
    status = recogniseDecoder(model, decoder);
  if (status.ok() && decoder.layers.empty())
    return Status::error("a model without blocks cannot be exported");
  if (status.ok())
    status = setRotaryStyle(decoder, architecture->rope);
  const bool qkv = llvm::StringRef(architecture->name).starts_with("qwen2"); // other readers expect none elsewhere
  if (status.ok())
    status = makeBiasesUniform(decoder, qkv, notes);
  if (status.failed())
    return status;
  const fs::path base(options.baseFolder);
  ordered_json config = ordered_json::object(); // a GGUF has none
  if (std::error_code ignored; fs::exists(base / "config.json", ignored)) {
    MappedFile file;
    if (Status status = MappedFile::open((base / "config.json").string(), file); status.failed())
      return status;
    ordered_json read = ordered_json::parse(file.data(), file.data() + file.size(), nullptr, /*allow_exceptions=*/false);
    if (read.is_object())
      config = std::move(read);
  }
  ConfigAttr attribute = decoder.model.getConfig();
  if (attribute.getBosToken())
    config["bos_token_id"] = static_cast<uint64_t>(*attribute.getBosToken());
  if (attribute.getEosTokens() && !attribute.getEosTokens().empty())
    config["eos_token_id"] = static_cast<uint64_t>(attribute.getEosTokens()[0]);
  File file(decoder, *architecture, options, notes);
  TokenizerFiles tokenizer;
  status = readTokenizerFiles(basePath(model.getSources(), model.getContext()), tokenizer);
  if (!tokenizer.warning.empty())
    notes.push_back(tokenizer.warning);
  if (status.ok())
    status = file.addMetadata(tokenizer, config);
  if (status.failed())
    return status;
  file.listTensors();
  return file.write(sources);
}

} // namespace xfmr::exports
