// See MoeTokens.h. The device counts over all tokens of a session, so tokens go one by one and each is the difference of two readings.
#include "tools/xfmr-run/MoeTokens.h"
#include "tools/xfmr-run/MoeStats.h"
#include "tools/xfmr-run/Prompt.h"
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;
using nlohmann::ordered_json;

namespace {

struct Choice {
  size_t expert;
  double weight;
};
struct TokenChoices {
  int32_t id;
  std::string text;                        // as it stands in the prompt
  std::vector<std::vector<Choice>> layers; // the heaviest first
};

std::vector<Choice> choicesBetween(const MoeLayerStats &before, const MoeLayerStats &now) {
  std::vector<Choice> choices;
  for (size_t e = 0; e < now.counts.size(); ++e)
    if (now.counts[e] > before.counts[e])
      choices.push_back({e, static_cast<double>(now.weights[e]) - before.weights[e]});
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice &a, const Choice &b) { return a.weight > b.weight; });
  return choices;
}

Status readTokens(const ModelHandle &model, const std::vector<int32_t> &ids, std::vector<uint32_t> &layers,
                  std::vector<TokenChoices> &out) {
  SessionHandle session; // its statistics begin at zero
  Status status = createSession(model, session);
  xfmr_decoder *opened = nullptr;
  if (status.ok() && infoOf(model).has_tokenizer)
    status = checked(xfmr_decoder_create(model.get(), &opened));
  DecoderHandle decoder(opened);
  MoeTextStats before, now;
  if (status.ok())
    status = readMoeStats(model, session, "", before);
  for (size_t i = 0; i < ids.size() && status.ok(); ++i) {
    TokenChoices token{ids[i], "", {}};
    const char *text = "";
    size_t bytes = 0;
    if (decoder)
      status = checked(xfmr_decoder_push(decoder.get(), ids[i], &text, &bytes));
    token.text.assign(text, bytes);
    if (status.ok())
      status = checked(xfmr_decode(session.get(), ids[i]));
    now = MoeTextStats();
    if (status.ok())
      status = readMoeStats(model, session, "", now);
    if (status.failed())
      return status;
    for (size_t l = 0; l < now.layers.size(); ++l)
      token.layers.push_back(choicesBetween(before.layers[l], now.layers[l]));
    out.push_back(std::move(token));
    before = std::move(now);
  }
  for (const MoeLayerStats &layer : before.layers)
    layers.push_back(layer.layer);
  return status;
}

void printJson(const Prompt &prompt, const std::vector<uint32_t> &layers, const std::vector<TokenChoices> &tokens) {
  ordered_json rows = ordered_json::array();
  for (const TokenChoices &token : tokens) {
    ordered_json mixtures = ordered_json::array();
    for (size_t l = 0; l < layers.size(); ++l) {
      std::vector<size_t> experts;
      std::vector<double> weights;
      for (const Choice &choice : token.layers[l])
        experts.push_back(choice.expert), weights.push_back(choice.weight);
      mixtures.push_back({{"layer", layers[l]}, {"experts", experts}, {"weights", weights}});
    }
    rows.push_back({{"id", token.id}, {"text", token.text}, {"layers", mixtures}});
  }
  const ordered_json record = {{"prompt", prompt.text}, {"tokens", rows}};
  std::printf("%s\n", record.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

/// What a line can show of a token.
std::string shown(const TokenChoices &token) {
  std::string out = std::to_string(token.id) + " '";
  for (char c : token.text)
    out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  return out + "'";
}

size_t columns(const std::string &text) { // of a terminal, nearly: characters
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

void printTable(const std::vector<uint32_t> &layers, const std::vector<TokenChoices> &tokens) {
  std::vector<std::vector<std::string>> rows(1, {"token"});
  for (uint32_t layer : layers)
    rows.front().push_back("layer " + std::to_string(layer));
  for (const TokenChoices &token : tokens) {
    rows.push_back({shown(token)});
    for (const std::vector<Choice> &choices : token.layers) {
      std::string cell;
      for (const Choice &choice : choices) {
        char text[48];
        std::snprintf(text, sizeof text, "%s%zu %.2f", cell.empty() ? "" : "  ", choice.expert, choice.weight);
        cell += text;
      }
      rows.back().push_back(cell.empty() ? "-" : cell);
    }
  }
  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns(row[i]));
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(i + 1 < row.size() ? widths[i] - columns(row[i]) + 4 : 0, ' ');
    std::printf("%s\n", line.c_str());
  }
}

} // namespace

Status xfmr::run::moeTokens(const ModelHandle &model, const Options &options) {
  std::vector<Prompt> prompts;
  if (Status s = readPrompts(model, options, prompts); s.failed())
    return s;
  for (const Prompt &prompt : prompts) {
    std::vector<uint32_t> layers;
    std::vector<TokenChoices> tokens;
    if (Status s = readTokens(model, prompt.ids, layers, tokens); s.failed())
      return s;
    if (options.json)
      printJson(prompt, layers, tokens);
    else
      printTable(layers, tokens);
  }
  return Status::success();
}
