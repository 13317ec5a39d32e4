// Loading and the encode pipeline: added tokens, normalizer, added tokens again, pre-tokenizer,
// model, post-processor.
#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/tokenizer/AddedTokens.h"
#include "runtime/tokenizer/Decoder.h"
#include "runtime/tokenizer/Model.h"
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/PostProcessor.h"
#include "runtime/tokenizer/PreTokenizer.h"
#include "runtime/tokenizer/Unicode.h"

#include <exception>
#include <optional>

namespace xfmr::tokenizer {

struct Tokenizer::Data {
  Normalizer normalizer;
  PreTokenizer preTokenizer;
  std::shared_ptr<Model> model;
  AddedTokens added;
  PostProcessor postProcessor;
  Decoder decoder;
  int32_t bosId = -1, eosId = -1;

  bool parse(const JsonView &config);
  bool parseConfig(const JsonView &config);
  bool rebuildFrame(const JsonView &config);
  bool namedToken(const JsonView &config, const char *key, int32_t &id) const;

  bool encodeSection(std::string text, bool atTextStart, std::vector<int32_t> &ids,
                     std::string &error) const;
  /// What `id` hands to the decoder; nothing for skipped and unknown ids.
  std::optional<DecodedToken> decoded(int32_t id, bool skipSpecial) const;
};

bool Tokenizer::Data::parse(const JsonView &config) {
  std::string version;
  if (!config.requireObject() || !config.getString("version", version, "1.0"))
    return false;
  if (version != "1.0")
    return config["version"].fail("expected version 1.0, found '" + version + "'");
  return Normalizer::parse(config["normalizer"], normalizer) &&
         PreTokenizer::parse(config["pre_tokenizer"], preTokenizer) &&
         parseModel(config["model"], model) &&
         added.parse(config["added_tokens"], normalizer, model->vocabulary) &&
         PostProcessor::parse(config["post_processor"], model->vocabulary, postProcessor) &&
         Decoder::parse(config["decoder"], decoder);
}

/// A token named in tokenizer_config.json: a string or an object with `content`, or null.
bool Tokenizer::Data::namedToken(const JsonView &config, const char *key, int32_t &id) const {
  JsonView named = config[key];
  std::string content;
  if (named.isNull())
    return true;
  if (!(named.isObject() ? named.getString("content", content) : named.asString(content)))
    return false;
  id = model->vocabulary.find(content); // -1: a name left over from elsewhere, which no text needs
  return true;
}

bool Tokenizer::Data::parseConfig(const JsonView &config) {
  return config.requireObject() && namedToken(config, "bos_token", bosId) && namedToken(config, "eos_token", eosId) &&
         rebuildFrame(config);
}

/// transformers builds the post-processor of these classes from add_bos_token and add_eos_token, whatever tokenizer.json
/// has, and published models rely on it: begin and end token come from the flags alone.
bool Tokenizer::Data::rebuildFrame(const JsonView &config) {
  std::string name;
  if (config["tokenizer_class"].isNull() || !config["tokenizer_class"].asString(name))
    return config["tokenizer_class"].isNull();
  bool rebuilt = false;
  for (const char *family : {"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"})
    rebuilt |= name == family || name == std::string(family) + "Fast";
  if (!rebuilt || config["add_bos_token"].isNull())
    return true;
  bool begin = false, end = false;
  if (!config.getBool("add_bos_token", begin, false) || !config.getBool("add_eos_token", end, false))
    return false;
  postProcessor.setFrame(begin ? bosId : -1, end ? eosId : -1);
  return true;
}

/// nlohmann throws on malformed text; its message has the place.
static bool parseJson(std::string_view text, const char *file, nlohmann::json &out,
                      std::string &error) {
  try {
    out = nlohmann::json::parse(text.begin(), text.end());
    return true;
  } catch (const std::exception &exception) {
    error = std::string(file) + ": " + exception.what();
    return false;
  }
}

Tokenizer::Tokenizer() = default;

bool Tokenizer::load(std::string_view tokenizerJson, std::string_view tokenizerConfigJson,
                     Tokenizer &out, std::string &error) {
  try {
    nlohmann::json json, configJson;
    auto data = std::make_shared<Data>();
    if (!parseJson(tokenizerJson, "tokenizer.json", json, error) ||
        !data->parse(JsonView(json, "", error)))
      return false;
    if (!tokenizerConfigJson.empty() &&
        (!parseJson(tokenizerConfigJson, "tokenizer_config.json", configJson, error) ||
         !data->parseConfig(JsonView(configJson, "tokenizer_config.json", error))))
      return false;
    out.data = std::move(data);
    return true;
  } catch (const std::exception &exception) { // out of memory
    error = std::string("tokenizer.json: ") + exception.what();
    return false;
  }
}

bool Tokenizer::Data::encodeSection(std::string text, bool atTextStart, std::vector<int32_t> &ids,
                                    std::string &error) const {
  if (!normalizer.apply(text, error))
    return false;
  for (const Section &section : added.split(text, /*normalized=*/true)) {
    if (section.id >= 0) {
      ids.push_back(section.id);
      continue;
    }
    Pieces pieces(text.substr(section.begin, section.end - section.begin),
                  atTextStart && section.begin == 0);
    if (!preTokenizer.apply(pieces, error) || !model->encode(pieces, ids, error))
      return false;
  }
  return true;
}

bool Tokenizer::encode(std::string_view text, bool addSpecialTokens, std::vector<int32_t> &ids,
                       std::string &error) const {
  ids.clear();
  if (!data)
    return true;
  try {
    std::string valid = toValidUtf8(text);
    for (const Section &section : data->added.split(valid, /*normalized=*/false)) {
      if (section.id >= 0)
        ids.push_back(section.id);
      else if (!data->encodeSection(valid.substr(section.begin, section.end - section.begin),
                                    section.begin == 0, ids, error))
        return false;
    }
    if (addSpecialTokens)
      data->postProcessor.apply(ids);
    return true;
  } catch (const std::exception &exception) { // out of memory
    error = "text of " + std::to_string(text.size()) + " bytes: " + exception.what();
    return false;
  }
}

bool Tokenizer::encodePair(std::string_view first, std::string_view second, std::vector<int32_t> &ids, std::vector<int32_t> &segments,
                           std::string &error) const {
  ids.clear();
  segments.clear();
  std::vector<int32_t> one, two;
  if (!encode(first, /*addSpecialTokens=*/false, one, error) || !encode(second, /*addSpecialTokens=*/false, two, error))
    return false;
  try {
    return !data || data->postProcessor.applyPair(one, two, ids, segments, error);
  } catch (const std::exception &exception) { // out of memory
    error = "texts of " + std::to_string(first.size() + second.size()) + " bytes: " + exception.what();
    return false;
  }
}

std::optional<DecodedToken> Tokenizer::Data::decoded(int32_t id, bool skipSpecial) const {
  const std::string *token = model->vocabulary.token(id);
  if (!token || (skipSpecial && added.isSpecial(id)))
    return std::nullopt;
  return DecodedToken{*token, added.isAdded(id)};
}

std::string Tokenizer::decode(const std::vector<int32_t> &ids, bool skipSpecial) const {
  std::string text;
  if (!data)
    return text;
  DecodeRun run(data->decoder, /*streaming=*/false);
  for (int32_t id : ids)
    if (auto token = data->decoded(id, skipSpecial))
      text += run.push(std::move(*token));
  text += run.flush();
  return text;
}

int32_t Tokenizer::vocabularySize() const {
  return data ? data->model->vocabulary.rows() : 0;
}

std::string_view Tokenizer::token(int32_t id) const {
  const std::string *token = data ? data->model->vocabulary.token(id) : nullptr;
  return token ? std::string_view(*token) : std::string_view();
}

int32_t Tokenizer::id(std::string_view token) const {
  return data ? data->model->vocabulary.find(token) : -1;
}

bool Tokenizer::isSpecial(int32_t id) const {
  return data && data->added.isSpecial(id);
}

int32_t Tokenizer::bosId() const {
  return data ? data->bosId : -1;
}
int32_t Tokenizer::eosId() const {
  return data ? data->eosId : -1;
}

struct DecodeStream::State {
  std::shared_ptr<const Tokenizer::Data> data;
  bool skipSpecial;
  std::optional<DecodeRun> run;

  void restart() {
    if (data)
      run.emplace(data->decoder, /*streaming=*/true);
  }
};

DecodeStream::DecodeStream(const Tokenizer &tokenizer, bool skipSpecial)
    : state(std::make_unique<State>()) {
  state->data = tokenizer.data;
  state->skipSpecial = skipSpecial;
  state->restart();
}

DecodeStream::DecodeStream(DecodeStream &&) noexcept = default;
DecodeStream &DecodeStream::operator=(DecodeStream &&) noexcept = default;
DecodeStream::~DecodeStream() = default;

std::string DecodeStream::push(int32_t id) {
  if (!state->run)
    return {};
  auto token = state->data->decoded(id, state->skipSpecial);
  return token ? state->run->push(std::move(*token)) : std::string();
}

std::string DecodeStream::flush() {
  if (!state->run)
    return {};
  std::string text = state->run->flush();
  state->restart();
  return text;
}

} // namespace xfmr::tokenizer
