// See Rope.h. Formulas: Hugging Face's rope utilities (modeling_rope_utils).
#include "import/Rope.h"
#include <cmath>

using namespace mlir;
using llvm::APFloat;

namespace xfmr {

double yarnMagnitude(double s, double m) {
  return s > 1.0 ? 0.1 * m * std::log(s) + 1.0 : 1.0;
}

namespace {

/// One scaling kind a function; `object` is the object that holds its fields.
struct Reader {
  MLIRContext &context;
  Config &config;
  Config object;
  RopeSettings &rope;
  int64_t &maxPosition;
  int64_t ropeLength;

  int64_t originalMaxPosition() {
    const char *key = "original_max_position_embeddings";
    if (object.has(key))
      return object.size(key);
    return config.size(key, maxPosition);
  }

  void linear() { rope.scaling = LinearRopeAttr::get(&context, APFloat(object.positive("factor"))); }

  /// The base grows with the length: b' = b (factor T / max - (factor - 1))^(n / (n - 2)).
  void dynamic() {
    const double factor = object.positive("factor");
    if (ropeLength <= maxPosition)
      return;
    const double n = static_cast<double>(rope.rotaryDim);
    const double stretch = factor * static_cast<double>(ropeLength) / static_cast<double>(maxPosition) - (factor - 1.0);
    if (rope.rotaryDim < 4 || stretch <= 0.0)
      return object.refuse("factor", "cannot stretch heads of " + std::to_string(rope.rotaryDim) +
                                         " rotary entries to " + std::to_string(ropeLength) + " positions");
    rope.theta *= std::pow(stretch, n / (n - 2.0));
    maxPosition = ropeLength;
  }

  void llama3() {
    const double factor = object.positive("factor");
    const double low = object.positive("low_freq_factor");
    const double high = object.positive("high_freq_factor");
    if (!config.failed() && high <= low)
      return object.refuse("high_freq_factor", "is " + std::to_string(high) + ", expected more than low_freq_factor (" +
                                                   std::to_string(low) + ")");
    rope.scaling = Llama3RopeAttr::get(&context, APFloat(factor), APFloat(low), APFloat(high),
                                       object.size("original_max_position_embeddings"));
  }

  void yarn() {
    const double factor = object.positive("factor");
    double attention = 0.1 * std::log(std::max(factor, 1.0)) + 1.0;
    if (object.has("attention_factor"))
      attention = object.positive("attention_factor");
    else if (object.has("mscale") && object.has("mscale_all_dim") && object.number("mscale") != 0.0 &&
             object.number("mscale_all_dim") != 0.0)
      attention =
          yarnMagnitude(factor, object.number("mscale")) / yarnMagnitude(factor, object.number("mscale_all_dim"));
    const int64_t original = originalMaxPosition();
    rope.scaling = YarnRopeAttr::get(&context, APFloat(factor), APFloat(object.positive("beta_fast", 32.0)),
                                     APFloat(object.positive("beta_slow", 1.0)), original, APFloat(attention),
                                     object.flag("truncate", true));
    // Only where the length before stretching is written down: else `max_position_embeddings` may be either of them.
    if (object.has("original_max_position_embeddings"))
      maxPosition = std::max(maxPosition, static_cast<int64_t>(std::min(factor * static_cast<double>(original), 1e9)));
  }

  void longrope() {
    object.ignore({"short_factor", "long_factor", "short_mscale", "long_mscale"}); // of which one is taken
    config.ignore({"original_max_position_embeddings"});
    const int64_t original = originalMaxPosition();
    const bool useLong = ropeLength > original;
    const char *list = useLong ? "long_factor" : "short_factor";
    std::vector<double> divisors = object.numbers(list);
    if (static_cast<int64_t>(divisors.size()) != rope.rotaryDim / 2)
      return object.refuse(list, "has " + std::to_string(divisors.size()) + " entries, expected " +
                                     std::to_string(rope.rotaryDim / 2));
    for (double divisor : divisors)
      if (divisor <= 0.0)
        return object.refuse(list, "holds " + std::to_string(divisor) + ", expected numbers above 0");
    const char *magnitude = useLong ? "long_mscale" : "short_mscale"; // Phi-3.5-MoE
    double attention = 1.0;
    const double stretch = object.positive("factor", static_cast<double>(maxPosition) / static_cast<double>(original));
    if (object.has(magnitude))
      attention = object.positive(magnitude);
    else if (object.has("attention_factor"))
      attention = object.positive("attention_factor");
    else if (stretch > 1.0)
      attention = std::sqrt(1.0 + std::log(stretch) / std::log(static_cast<double>(original)));
    rope.scaling = DivisorRopeAttr::get(&context, DenseF64ArrayAttr::get(&context, divisors), APFloat(attention));
    if (!useLong)
      maxPosition = std::min(maxPosition, original);
  }

  void read() {
    const std::string type = object.text(object.firstOf({"rope_type", "type"}), "default");
    object.ignore({"rope_type", "type", "mrope_section", "mrope_interleaved"}); // the one spelling beside the other
    if (config.failed() || type == "default")
      return;
    if (type == "mrope") // images have positions along three axes, text has the same along all
      return;
    if (type == "linear")
      return linear();
    if (type == "dynamic")
      return dynamic();
    if (type == "llama3")
      return llama3();
    if (type == "yarn")
      return yarn();
    if (type == "longrope" || type == "su")
      return longrope();
    object.refuse(object.firstOf({"rope_type", "type"}),
                  "is \"" + type + "\", supported: default, linear, dynamic, llama3, yarn, longrope");
  }
};

} // namespace

Config ropeObject(Config &config) { return config.object(config.firstOf({"rope_parameters", "rope_scaling"})); }

void requirePairs(Config &config, int64_t headDim) {
  if (headDim % 2 != 0)
    config.refuse(config.firstOf({"qk_rope_head_dim", "head_dim", "num_attention_heads"}),
                  "gives heads of " + std::to_string(headDim) + " entries, expected an even number: they turn in pairs");
}

/// Base and share of the rotated entries stand in `object` or in the configuration, the rest in `scaling`.
static RopeSettings readRopeFrom(MLIRContext &context, Config &config, Config object, Config scaling,
                                 const RopeDefaults &defaults, int64_t headDim, int64_t &maxPosition,
                                 int64_t ropeLength) {
  auto holder = [&](const std::string &key) -> Config & { return object.has(key) ? object : config; };
  RopeSettings rope;
  rope.headDim = headDim;
  const std::string thetaKey =
      object.has("rope_theta") ? "rope_theta" : config.firstOf({"rope_theta", "rotary_emb_base"});
  rope.theta = holder(thetaKey).positive(thetaKey, defaults.theta);
  const std::string shareKey = object.has("partial_rotary_factor")
                                   ? "partial_rotary_factor"
                                   : config.firstOf({"partial_rotary_factor", "rotary_pct"});
  Config &partial = holder(shareKey);
  const double share = partial.positive(shareKey, defaults.share);
  if (defaults.rotaryDim > headDim || defaults.rotaryDim % 2 != 0)
    config.refuse("rotary_dim", "is " + std::to_string(defaults.rotaryDim) + ", expected an even number of at most head_dim (" +
                                    std::to_string(headDim) + ")");
  const bool byShare = defaults.rotaryDim == 0 || partial.has(shareKey);
  if (byShare && share == 1.0)
    requirePairs(config, headDim);
  rope.rotaryDim = byShare ? static_cast<int64_t>(std::min(share, 2.0) * static_cast<double>(headDim)) : defaults.rotaryDim;
  if (!config.failed() && (rope.rotaryDim > headDim || rope.rotaryDim < 2 || rope.rotaryDim % 2))
    partial.refuse(shareKey, "gives " + std::to_string(rope.rotaryDim) + " rotary entries of " +
                                 std::to_string(headDim) + ", expected an even number from 2");
  config.ignore({"rope_theta", "rotary_emb_base", "partial_rotary_factor", "rotary_pct", "rope_parameters",
                 "rope_scaling"}); // one spelling beside another
  if (!config.failed())
    Reader{context, config, scaling, rope, maxPosition, ropeLength}.read();
  return rope;
}

RopeSettings readRopeObject(MLIRContext &context, Config &config, Config object, const RopeDefaults &defaults,
                            int64_t headDim, int64_t &maxPosition, int64_t ropeLength) {
  return readRopeFrom(context, config, object, object, defaults, headDim, maxPosition, ropeLength);
}

bool readRopesByLayerType(MLIRContext &context, Config &config, int64_t headDim, int64_t &maxPosition,
                          int64_t ropeLength, const RopeDefaults &fullDefaults, const RopeDefaults &slidingDefaults,
                          RopeSettings &full, RopeSettings &sliding) {
  Config ropes = config.object("rope_parameters");
  if (!ropes.isObject("full_attention"))
    return false;
  full =
      readRopeObject(context, config, ropes.object("full_attention"), fullDefaults, headDim, maxPosition, ropeLength);
  sliding = readRopeObject(context, config, ropes.object("sliding_attention"), slidingDefaults, headDim, maxPosition,
                           ropeLength);
  return true;
}

RopeSettings readRope(MLIRContext &context, Config &config, int64_t headDim, int64_t &maxPosition, int64_t ropeLength,
                      const RopeDefaults &defaults) {
  Config object = ropeObject(config);
  Config scaling = object;
  // A scaling that was added by hand to a file of transformers 5 stands beside its `rope_parameters`.
  if (config.isObject("rope_parameters") && config.isObject("rope_scaling") &&
      object.text(object.firstOf({"rope_type", "type"}), "default") == "default")
    scaling = config.object("rope_scaling");
  return readRopeFrom(context, config, object, scaling, defaults, headDim, maxPosition, ropeLength);
}

} // namespace xfmr
