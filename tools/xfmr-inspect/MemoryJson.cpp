// The JSON of a feed-forward network as a memory: a contract that other programs read. See Memory.h.
#include "tools/xfmr-inspect/Memory.h"
#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace xfmr::inspect {

static ordered_json toJson(const std::vector<TokenScore> &scores) {
  ordered_json list = ordered_json::array();
  for (const TokenScore &score : scores)
    list.push_back({{"token_id", score.id}, {"token", score.token}, {"value", score.value}});
  return list;
}

static ordered_json toJson(const std::vector<Firing> &firings) {
  ordered_json list = ordered_json::array();
  for (const Firing &firing : firings)
    list.push_back({{"window", firing.window},
                    {"position", firing.position},
                    {"value", firing.value},
                    {"token", firing.token},
                    {"context", firing.context}});
  return list;
}

ordered_json toJson(const FfnMemory &memory) {
  ordered_json json = {{"model", memory.model}, {"layer", memory.layer}};
  if (memory.single) {
    const Channel &channel = memory.channels.front();
    if (channel.expert >= 0)
      json["expert"] = channel.expert;
    json["channel"] = channel.channel;
    json["mean_abs"] = channel.meanAbs;
    json["positive_share"] = channel.positiveShare;
    json["column_norm"] = channel.columnNorm;
    json["positions"] = toJson(channel.firings);
    json["promotes"] = toJson(channel.promotes);
    json["suppresses"] = toJson(channel.suppresses);
    return json;
  }
  json["channels"] = ordered_json::array();
  for (const Channel &channel : memory.channels) {
    json["channels"].push_back({{"channel", channel.channel},
                                {"mean_abs", channel.meanAbs},
                                {"column_norm", channel.columnNorm},
                                {"share", channel.share},
                                {"promotes", toJson(channel.promotes)}});
    if (channel.expert >= 0)
      json["channels"].back()["expert"] = channel.expert;
  }
  return json;
}

} // namespace xfmr::inspect
