// See Vectors.h.
#include "test/moe/Vectors.h"
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using nlohmann::json;

namespace xfmr {

std::string vectorsFolder() {
  const std::string folder = XFMR_SHARED_MODELS "/vectors";
  return std::filesystem::exists(folder + "/routing.json") ? folder : std::string();
}

static reference::Tensor matrix(const json &rows) {
  reference::Tensor result({static_cast<int64_t>(rows.size()), 1});
  result.values.clear();
  for (const json &row : rows) {
    if (row.is_array()) {
      result.shape[1] = static_cast<int64_t>(row.size());
      for (const json &value : row)
        result.values.push_back(value.get<double>());
    } else { // one choice a token
      result.values.push_back(row.get<double>());
    }
  }
  return result;
}

static reference::Routing routing(const json &c) {
  reference::Routing r;
  const std::string rule = c["rule"];
  r.topK = c["k"];
  r.norm = c.value("norm", false);
  if (rule == "topk_softmax")
    r.postTopK = true;
  if (rule == "sigmoid_topk")
    r.score = ScoreFunction::sigmoid, r.postTopK = true;
  if (rule == "sigmoid_bias_groups") {
    r.score = ScoreFunction::sigmoid, r.sumTop2 = true;
    r.groups = c["n_group"], r.keptGroups = c["topk_group"];
    r.normEps = r.norm ? 1e-20 : 0, r.scale = c["scale"];
  }
  if (rule == "switch_top1")
    r.drop = true, r.capacity = c["capacity"];
  return r;
}

std::vector<VectorCase> readRoutingVectors() {
  std::ifstream file(vectorsFolder() + "/routing.json");
  const json document = json::parse(file);
  std::vector<VectorCase> cases;
  for (const json &c : document["cases"]) {
    VectorCase v;
    v.name = c["name"];
    v.routing = routing(c);
    v.logits = matrix(c["logits"]), v.ids = matrix(c["ids"]), v.weights = matrix(c["weights"]);
    if (c.contains("router_bias"))
      v.routerBias = c["router_bias"].get<std::vector<double>>();
    if (c.contains("selection_bias"))
      v.selectionBias = c["selection_bias"].get<std::vector<double>>();
    cases.push_back(std::move(v));
  }
  return cases;
}

LayerVectors::LayerVectors() {
  std::ifstream file(vectorsFolder() + "/experts.json");
  document_ = json::parse(file).dump();
}

std::vector<float> LayerVectors::numbers(const std::string &layer, const std::string &key) const {
  std::vector<float> result;
  std::function<void(const json &)> flatten = [&](const json &node) {
    if (node.is_array())
      for (const json &child : node)
        flatten(child);
    else
      result.push_back(node.get<float>());
  };
  const json document = json::parse(document_);
  for (const json &c : document["cases"])
    if (c["name"] == layer)
      flatten(c.at(key));
  return result;
}

} // namespace xfmr
