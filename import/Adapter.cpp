// See Adapter.h.
#include "import/Adapter.h"
#include "import/Config.h"
#include "weights/Conversion.h"
#include <cmath>
#include <filesystem>

namespace xfmr {

namespace {

/// Settings that would change the model in a way this importer does not build.
void refuseOtherKinds(Config &config) {
  const std::string type = config.text("peft_type");
  if (!config.failed() && type != "LORA")
    config.refuse("peft_type", "is \"" + type + "\", supported: LORA");
  if (config.flag("use_dora", false))
    config.refuse("use_dora", "is true: weight-decomposed adapters (DoRA) cannot be imported");
  for (const char *key : {"modules_to_save", "target_parameters", "layer_replication",
                          "trainable_token_indices", "alora_invocation_tokens"})
    if (config.has(key) && !config.isEmpty(key))
      config.refuse(key, "is set, which cannot be imported");
  // Such initialisations change the base weights whenever PEFT loads the adapter; the others only say how training began.
  const std::string init = "init_lora_weights";
  if (config.isText(init)) {
    const std::string kind = config.text(init);
    if (kind != "gaussian" && kind != "eva" && kind != "orthogonal")
      config.refuse(init, "is \"" + kind + "\", which changes the base weights when the adapter is loaded; save the "
                          "adapter converted to a plain one (true, gaussian, eva and orthogonal can be imported)");
  } else {
    config.flag(init, true);
  }
  if (config.flag("ensure_weight_tying", false))
    config.refuse("ensure_weight_tying", "is true, which cannot be imported");
  const std::string bias = config.text("bias", "none");
  if (bias != "none")
    config.refuse("bias", "is \"" + bias + "\", supported: none");
}

/// What is no regular expression is refused.
template <typename T>
void addPattern(Config &patterns, const std::string &text, T value, std::vector<std::pair<ModulePattern, T>> &out) {
  ModulePattern pattern;
  if (ModulePattern::parse(text, pattern))
    out.emplace_back(std::move(pattern), value);
  else
    patterns.refuse(text, "is no regular expression");
}

/// What the first pattern that matches says; `value` as it is where none does.
template <typename T>
Status byPattern(const std::vector<std::pair<ModulePattern, T>> &patterns, const std::string &module, T &value) {
  for (const auto &[pattern, said] : patterns) {
    bool matches = false;
    if (Status status = pattern.matches(module, matches); status.failed())
      return status;
    if (matches) {
      value = said;
      break;
    }
  }
  return Status::success();
}

} // namespace

Status Adapter::readConfig(const std::string &path) {
  Config config;
  if (Status status = Config::read(path, config); status.failed())
    return status;
  refuseOtherKinds(config);
  rank_ = config.size("r");
  alpha_ = config.positive("lora_alpha", 8.0);
  rankStabilised_ = config.flag("use_rslora", false);
  Config ranks = config.object("rank_pattern");
  for (const std::string &pattern : ranks.keys())
    addPattern(ranks, pattern, ranks.size(pattern), rankPattern_);
  Config alphas = config.object("alpha_pattern");
  for (const std::string &pattern : alphas.keys())
    addPattern(alphas, pattern, alphas.positive(pattern), alphaPattern_);
  return config.status();
}

Status Adapter::collect() {
  const std::string prefix = "base_model.model.";
  struct Suffix {
    const char *text;
    AdapterTensor LowRank::*member;
  };
  const Suffix suffixes[] = {
      {".lora_A.weight", &LowRank::a},      {".lora_B.weight", &LowRank::b},
      {".lora_B.bias", &LowRank::bBias},    {".lora_embedding_A", &LowRank::a},
      {".lora_embedding_B", &LowRank::b},
  };
  Status status = Status::success();
  auto fail = [&](const std::string &what) {
    if (status.ok())
      status = Status::error("adapter \"" + path() + "\": " + what);
  };
  source_.forEach([&](const TensorView &tensor) {
    if (tensor.name.find(".lora_magnitude_vector") != std::string::npos)
      return fail("tensor \"" + tensor.name +
                  "\": weight-decomposed adapters (DoRA) cannot be imported");
    for (const Suffix &suffix : suffixes) {
      const size_t length = std::string(suffix.text).size();
      if (tensor.name.size() <= prefix.size() + length ||
          tensor.name.compare(0, prefix.size(), prefix) != 0 ||
          tensor.name.compare(tensor.name.size() - length, length, suffix.text) != 0)
        continue;
      const std::string module =
          tensor.name.substr(prefix.size(), tensor.name.size() - prefix.size() - length);
      if (!isWeightDType(tensor.dtype))
        return fail("tensor \"" + tensor.name + "\": found dtype " +
                    std::string(dtypeName(tensor.dtype)) + ", expected F32, F16 or BF16");
      AdapterTensor &place = modules_[module].*suffix.member;
      if (place)
        return fail("module \"" + module + "\" has both linear and embedding tensors");
      place = {tensor.name, &tensor};
      return;
    }
    fail("tensor \"" + tensor.name + "\" is no low-rank matrix of a module");
  });
  for (auto &[module, lowRank] : modules_) {
    if (!lowRank.a || !lowRank.b) {
      fail("module \"" + module + "\" has " + (lowRank.a ? "no lora_B" : "no lora_A"));
      continue;
    }
    if (lowRank.a.view->shape.size() != 2 || lowRank.b.view->shape.size() != 2) {
      fail("module \"" + module + "\": found shapes " + shapeText(lowRank.a.view->shape) + " and " +
           shapeText(lowRank.b.view->shape) + ", expected matrices");
      continue;
    }
    int64_t rank = rank_;
    double alpha = alpha_;
    Status patterns = byPattern(rankPattern_, module, rank);
    if (patterns.ok())
      patterns = byPattern(alphaPattern_, module, alpha);
    if (patterns.failed()) { // the next module would take as long
      fail(patterns.message());
      break;
    }
    lowRank.rank = lowRank.a.view->shape[0];
    if (lowRank.rank != rank || lowRank.b.view->shape[1] != rank) {
      fail("module \"" + module + "\": found ranks " + std::to_string(lowRank.rank) + " and " +
           std::to_string(lowRank.b.view->shape[1]) + ", expected " + std::to_string(rank) +
           " by adapter_config.json");
      continue;
    }
    const double r = static_cast<double>(rank);
    lowRank.scale = alpha / (rankStabilised_ ? std::sqrt(r) : r);
  }
  if (status.ok() && modules_.empty())
    fail("it holds no tensors");
  return status;
}

Status Adapter::open(const std::string &folder, Adapter &out) {
  Adapter adapter;
  const std::filesystem::path path(folder);
  if (Status status = adapter.readConfig((path / "adapter_config.json").string()); status.failed())
    return status;
  if (Status status =
          WeightSource::open((path / "adapter_model.safetensors").string(), adapter.source_);
      status.failed())
    return status;
  if (Status status = adapter.collect(); status.failed())
    return status;
  out = std::move(adapter);
  return Status::success();
}

const LowRank *Adapter::use(const std::string &module) {
  // Trained inside a multimodal wrapper, modules are called by its names.
  const std::string inner = module.rfind("model.", 0) == 0 ? module.substr(6) : module;
  for (const std::string &name : {module, "language_model." + module, "model.language_model." + inner, "model.text_model." + inner})
    if (auto found = modules_.find(name); found != modules_.end()) {
      used_.insert(name);
      return &found->second;
    }
  return nullptr;
}

std::string Adapter::firstUnused() const {
  for (const auto &[module, lowRank] : modules_)
    if (!used_.count(module))
      return module;
  return "";
}

} // namespace xfmr
