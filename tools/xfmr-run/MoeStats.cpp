// Counts of experts as JSON and as a table; see MoeStats.h.
#include "tools/xfmr-run/MoeStats.h"
#include "runtime/artifact/AtomicFile.h"
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;
using nlohmann::ordered_json;

Status xfmr::run::readMoeStats(const ModelHandle &model, const SessionHandle &session,
                               const std::string &name, MoeTextStats &out) {
  size_t count = 0;
  xfmr_moe_layers(model.get(), nullptr, 0, &count);
  std::vector<xfmr_moe_layer> layers(count);
  if (Status s = checked(xfmr_moe_layers(model.get(), layers.data(), count, &count)); s.failed())
    return s;
  if (layers.empty())
    return Status::error("the model has no mixture of experts, so there is nothing for --moe-stats to count");
  out.name = name;
  for (uint32_t i = 0; i < layers.size(); ++i) {
    MoeLayerStats stats;
    stats.layer = layers[i].layer;
    stats.counts.resize(layers[i].num_experts);
    stats.weights.resize(layers[i].num_experts);
    if (Status s = checked(xfmr_moe_stats(session.get(), i, stats.counts.data(), stats.weights.data(),
                                          stats.counts.size()));
        s.failed())
      return s;
    out.layers.push_back(std::move(stats));
  }
  return Status::success();
}

static ordered_json layersOf(const MoeTextStats &text) {
  ordered_json layers = ordered_json::array();
  for (const MoeLayerStats &layer : text.layers) {
    std::vector<double> means;
    for (size_t e = 0; e < layer.counts.size(); ++e)
      means.push_back(layer.counts[e] ? static_cast<double>(layer.weights[e]) / layer.counts[e] : 0.0);
    layers.push_back({{"layer", layer.layer}, {"counts", layer.counts}, {"mean_weight", means}});
  }
  return layers;
}

static MoeTextStats sumOf(const std::vector<MoeTextStats> &texts) {
  MoeTextStats sum = texts.front();
  for (size_t t = 1; t < texts.size(); ++t)
    for (size_t l = 0; l < sum.layers.size(); ++l)
      for (size_t e = 0; e < sum.layers[l].counts.size(); ++e) {
        sum.layers[l].counts[e] += texts[t].layers[l].counts[e];
        sum.layers[l].weights[e] += texts[t].layers[l].weights[e];
      }
  return sum;
}

Status xfmr::run::writeMoeStats(const std::vector<MoeTextStats> &texts, const std::string &path) {
  ordered_json document = {{"layers", layersOf(sumOf(texts))}};
  if (texts.size() > 1)
    for (const MoeTextStats &text : texts)
      document["texts"].push_back({{"name", text.name}, {"layers", layersOf(text)}});
  const std::string bytes = document.dump() + "\n";
  if (path == "-")
    return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()
               ? Status::success() : Status::error("cannot write to standard output");
  return writeAtomically(path, bytes);
}

void xfmr::run::printMoeTable(const std::vector<MoeTextStats> &texts) {
  size_t width = 4;
  for (const MoeTextStats &text : texts)
    width = std::max(width, text.name.size());
  static const char *const kShades[] = {" ", "░", "▒", "▓", "█"};
  for (size_t l = 0; l < texts.front().layers.size(); ++l) {
    const size_t experts = texts.front().layers[l].counts.size();
    std::printf("layer %-*u", static_cast<int>(width - std::min<size_t>(width, 6) + 2), texts.front().layers[l].layer);
    for (size_t e = 0; e < experts; ++e)
      std::printf("%6zu", e);
    std::printf("   per cent of choices\n");
    for (const MoeTextStats &text : texts) {
      double total = 0;
      for (uint32_t count : text.layers[l].counts)
        total += count;
      std::printf("  %-*s", static_cast<int>(width), text.name.c_str());
      for (uint32_t count : text.layers[l].counts) {
        const double share = total > 0 ? count / total : 0;
        // Four shades up to twice the even share.
        const int shade = static_cast<int>(std::min(4.0, share * static_cast<double>(experts) * 2.5));
        std::printf(" %4.0f%s", share * 100, kShades[shade]);
      }
      std::printf("\n");
    }
  }
}
