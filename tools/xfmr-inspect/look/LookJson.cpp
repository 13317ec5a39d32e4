// See LookJson.h. Keys: docs/Inspect.md.
#include "tools/xfmr-inspect/look/LookJson.h"

#include "runtime/artifact/DType.h"

#include "llvm/Support/Base64.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using nlohmann::ordered_json;

namespace xfmr::inspect {
namespace {

ordered_json number(double value) {
  if (!std::isfinite(value))
    return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

// What is larger than any half becomes the largest.
uint16_t half(float value) {
  return f16FromF32(std::isnan(value) ? value : std::clamp(value, -65504.0f, 65504.0f));
}

enum class Entries { reals, integers };

class Writer {
public:
  explicit Writer(TableForm form) : form(form) {}

  ordered_json operator()(const Table &table, Entries entries = Entries::reals) const {
    if (form == TableForm::packed)
      return packed(table, entries);
    size_t at = 0;
    return nested(table, entries, 0, at);
  }

private:
  static ordered_json nested(const Table &table, Entries entries, size_t axis, size_t &at) {
    if (axis == table.shape.size()) {
      const float value = table.values[at++];
      return entries == Entries::integers ? ordered_json(static_cast<int64_t>(value)) : number(value);
    }
    ordered_json list = ordered_json::array();
    for (int64_t i = 0; i < table.shape[axis]; ++i)
      list.push_back(nested(table, entries, axis + 1, at));
    return list;
  }

  static ordered_json packed(const Table &table, Entries entries) {
    ordered_json out = {{"shape", table.shape}};
    const bool narrow =
        std::all_of(table.values.begin(), table.values.end(), [](float v) { return v >= -1 && v < 32768; });
    std::vector<char> bytes;
    auto append = [&](auto value) {
      char raw[sizeof value];
      std::memcpy(raw, &value, sizeof value);
      bytes.insert(bytes.end(), raw, raw + sizeof value);
    };
    for (float value : table.values)
      if (entries == Entries::reals)
        append(half(value));
      else if (narrow)
        append(static_cast<int16_t>(value));
      else
        append(static_cast<int32_t>(value));
    out[entries == Entries::reals ? "f16" : narrow ? "i16" : "i32"] = llvm::encodeBase64(bytes);
    return out;
  }

  const TableForm form;
};

ordered_json scoresJson(const std::vector<TokenScore> &scores) {
  ordered_json list = ordered_json::array();
  for (const TokenScore &score : scores)
    list.push_back({{"token_id", score.id}, {"token", score.token}, {"value", number(score.value)}});
  return list;
}

ordered_json channelJson(const Channel &channel) {
  ordered_json positions = ordered_json::array();
  for (const RowValue &fired : channel.rows)
    positions.push_back({{"row", fired.row}, {"value", number(fired.value)}});
  ordered_json json = {{"channel", channel.channel},
                       {"mean_abs", number(channel.meanAbs)},
                       {"positive_share", number(channel.positiveShare)},
                       {"column_norm", number(channel.columnNorm)},
                       {"share", number(channel.share)},
                       {"positions", positions},
                       {"promotes", scoresJson(channel.promotes)},
                       {"suppresses", scoresJson(channel.suppresses)}};
  if (channel.expert >= 0)
    json["expert"] = channel.expert;
  return json;
}

ordered_json headJson(const HeadLook &head, bool encoder) {
  ordered_json json = {{"layer", head.layer}, {"head", head.head}, {"previous", number(head.previous)}};
  if (encoder)
    json["next"] = number(head.next);
  json["first"] = number(head.first);
  if (encoder)
    json["last"] = number(head.last);
  json["self"] = number(head.self);
  json["same"] = number(head.same);
  if (!encoder) {
    json["induction"] = number(head.induction);
    json["induction_by_chance"] = number(head.chance);
    json["repeated"] = number(head.repeated);
  }
  json["entropy"] = number(head.entropy);
  json["distance"] = number(head.distance);
  json["sink"] = number(head.sink);
  json["sentence"] = head.sentence;
  return json;
}

ordered_json channelsJson(const std::vector<Channel> &channels) {
  ordered_json list = ordered_json::array();
  for (const Channel &channel : channels)
    list.push_back(channelJson(channel));
  return list;
}

ordered_json numbers(const std::vector<double> &values) {
  ordered_json list = ordered_json::array();
  for (double value : values)
    list.push_back(number(value));
  return list;
}

ordered_json takenJson(const Taken &taken, bool encoder) {
  ordered_json heads = ordered_json::array(), channels = ordered_json::array(), experts = ordered_json::array();
  for (const TakenHead &gone : taken.heads) {
    heads.push_back(headJson(gone.head, encoder));
    heads.back()["logit"] = gone.logit < 0 ? ordered_json() : number(gone.logit);
  }
  for (const TakenChannels &gone : taken.channels) {
    channels.push_back({{"layer", gone.layer}, {"of", gone.of}, {"count", gone.count}, {"share", number(gone.share)},
                        {"channels", channelsJson(gone.channels)}});
    if (gone.expert >= 0)
      channels.back()["expert"] = gone.expert;
  }
  for (const TakenExpert &gone : taken.experts)
    experts.push_back({{"layer", gone.layer}, {"expert", gone.expert}, {"load", numbers(gone.load)},
                       {"mean_weight", numbers(gone.weight)}, {"saliency", number(gone.saliency)}});
  return {{"layers", taken.layers}, {"heads", heads}, {"channels", channels}, {"experts", experts}, {"untold", taken.untold}};
}

ordered_json changeJson(const LookChange &change, bool encoder, const Writer &table) {
  ordered_json json = {{"what", change.what}, {"sentence", change.sentence}, {"taken", takenJson(change.taken, encoder)}};
  if (!encoder)
    json["kl"] = table(change.kl);
  if (change.drift.empty())
    return json;
  json["drift"] = table(change.drift);
  json["mean_drift"] = ordered_json::array();
  for (double drift : change.meanDrift)
    json["mean_drift"].push_back(number(drift));
  json["starts"] = change.starts;
  return json;
}

ordered_json textJson(const Look &look) {
  ordered_json texts = ordered_json::array(), windows = ordered_json::array();
  for (size_t i = 0; i < look.text.names.size(); ++i) {
    texts.push_back({{"name", look.text.names[i]}});
    if (!look.encoder)
      texts.back()["nll"] = number(look.loss[i]);
  }
  for (const LookWindow &window : look.text.windows)
    windows.push_back({{"first", window.first}, {"count", window.count}, {"text", window.text}, {"begin_token", window.begins},
                       {"end_token", window.ends}});
  return {{"texts", texts}, {"windows", windows}, {"ids", look.text.ids}, {"tokens", look.tokens}};
}

} // namespace

ordered_json toJson(const Looks &looks, TableForm form) {
  ordered_json json = toJson(looks.model, form);
  if (looks.change)
    json["change"] = changeJson(*looks.change, looks.model.encoder, Writer(form));
  if (looks.before)
    json["before"] = toJson(*looks.before, form);
  return json;
}

ordered_json toJson(const Look &look, TableForm form) {
  const Writer table(form);
  ordered_json json = {{"model", look.model},
                       {"encoder", look.encoder},
                       {"layers", look.layers},
                       {"heads", look.heads},
                       {"hidden_size", look.hidden},
                       {"vocab_size", look.vocabulary}};
  json.update(textJson(look));
  for (auto &[id, name] : look.names)
    json["vocabulary"][std::to_string(id)] = name;
  if (!look.encoder) {
    json["surprise"] = table(look.surprise);
    json["entropy"] = table(look.entropy);
    json["foreseen"] = {{"token_ids", table(look.topIndex, Entries::integers)}, {"chances", table(look.topChance)}};
  }
  if (look.text.period)
    json["repeated"] = {
        {"period", look.text.period}, {"first_nll", number(look.firstLoss)}, {"second_nll", number(look.secondLoss)}};
  json["residual"] = {
      {"norm", table(look.norm)}, {"attention", table(look.addedAttention)}, {"ffn", table(look.addedFfn)}};
  if (!look.lensToken.empty())
    json["lens"] = {{"token_ids", table(look.lensToken, Entries::integers)},
                    {"chance", table(look.lensChance)},
                    {"rank", table(look.lensRank, Entries::integers)},
                    {"entropy", table(look.lensEntropy)},
                    {"kl", table(look.lensKl)}};
  if (!look.logit.empty())
    json["attribution"] = {{"how", look.how},
                           {"token_ids", look.chosen},
                           {"logit", table(look.logit)},
                           {"constant", table(look.constant)},
                           {"embedding", table(look.embedding)},
                           {"attention", table(look.byAttention)},
                           {"ffn", table(look.byFfn)},
                           {"heads", table(look.headIndex, Entries::integers)},
                           {"head_values", table(look.headValue)},
                           {"head_means", table(look.headMean)}};
  else if (!look.refusal.empty())
    json["attribution"] = {{"refused", look.refusal}};
  if (!look.headScores.empty()) {
    ordered_json scores = ordered_json::array();
    for (const HeadLook &head : look.headScores)
      scores.push_back(headJson(head, look.encoder));
    json["attention"] = {{"scores", scores},
                         {"rows", look.mapIndex.shape[2]},
                         {"to", table(look.mapIndex, Entries::integers)},
                         {"weights", table(look.mapWeight)}};
  }
  if (!look.ffn.empty()) {
    json["ffn"] = ordered_json::array();
    for (const FfnLook &ffn : look.ffn) {
      json["ffn"].push_back({{"layer", ffn.layer},
                             {"width", ffn.width},
                             {"zero_share", number(ffn.zero)},
                             {"channels", channelsJson(ffn.channels)},
                             {"fired", table(ffn.index, Entries::integers)},
                             {"values", table(ffn.value)},
                             {"logits", table(ffn.logit)}});
      if (ffn.experts)
        json["ffn"].back()["experts"] = ffn.experts;
    }
  }
  if (!look.routers.empty()) {
    json["router"] = ordered_json::array();
    for (const RouterLook &router : look.routers) {
      ordered_json entropy = ordered_json::array();
      for (double value : router.entropy)
        entropy.push_back(number(value));
      json["router"].push_back({{"layer", router.layer},
                                {"experts", router.experts},
                                {"top_k", router.topK},
                                {"load", table(router.load)},
                                {"mean_weight", table(router.weight)},
                                {"entropy", entropy},
                                {"together", table(router.together, Entries::integers)},
                                {"saliency", table(router.saliency)},
                                {"chosen", table(router.index, Entries::integers)},
                                {"weights", table(router.gate)}});
    }
  }
  return json;
}

} // namespace xfmr::inspect
