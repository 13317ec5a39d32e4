// Unigram language model (Kudo 2018, arXiv:1804.10959): the segmentation with the largest sum of
// log scores, found by Viterbi over the text; semantics of the Rust library's models/unigram.
#include "runtime/tokenizer/ByteTrie.h"
#include "runtime/tokenizer/Model.h"
#include "runtime/tokenizer/Unicode.h"

#include <algorithm>
#include <limits>

namespace xfmr::tokenizer {

namespace {

constexpr double kUnknownPenalty = 10; // below the least score

class Unigram final : public Model {
public:
  bool parse(const JsonView &config);
  bool encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const override;

private:
  /// The best segmentation of the text up to some byte.
  struct Best {
    double score = 0;
    int32_t begin = -1; // of its last token; -1: not reached
    bool unknown = false;
  };

  bool appendToken(std::string_view text, std::vector<int32_t> &ids, std::string &error) const;

  ByteTrie trie; // values are ids
  std::vector<double> scores;
  double unknownScore = 0;
  int32_t unkId = -1;
  std::unique_ptr<ByteTokens> byteTokens;
};

bool Unigram::parse(const JsonView &config) {
  JsonView list = config["vocab"];
  bool byteFallback = false;
  if (!list.requireArray() || !config.getBool("byte_fallback", byteFallback, false))
    return false;
  if (list.size() > static_cast<size_t>(kMaxTokenId) + 1)
    return list.fail("too many tokens");
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < list.size(); ++i) {
    JsonView entry = list.at(i);
    std::string token;
    if (!entry.requireArray())
      return false;
    if (entry.size() != 2 || !entry.at(1).json().is_number())
      return entry.fail("expected [token, score]");
    if (!entry.at(0).asString(token))
      return false;
    auto id = static_cast<int32_t>(i);
    if (!vocabulary.add(token, id))
      return entry.fail("token '" + token + "' appears twice");
    if (!token.empty())
      trie.add(token, id);
    scores.push_back(entry.at(1).json().get<double>());
    least = std::min(least, scores.back());
  }
  unknownScore = least - kUnknownPenalty;
  if (config.has("unk_id")) {
    if (!config.getId("unk_id", unkId))
      return false;
    if (static_cast<size_t>(unkId) >= list.size())
      return config["unk_id"].fail("id " + std::to_string(unkId) + " is not in the vocabulary");
  }
  if (byteFallback)
    byteTokens = std::make_unique<ByteTokens>(vocabulary);
  return true;
}

bool Unigram::appendToken(std::string_view text, std::vector<int32_t> &ids,
                          std::string &error) const {
  int32_t id = vocabulary.find(text);
  if (id >= 0) {
    ids.push_back(id);
    return true;
  }
  if (byteTokens && byteTokens->append(text, ids))
    return true;
  if (unkId < 0) {
    error = "'" + std::string(text.substr(0, 100)) +
            "' needs an unknown token, and the tokenizer has no unk_id";
    return false;
  }
  ids.push_back(unkId);
  return true;
}

bool Unigram::encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const {
  std::vector<Best> best;
  std::vector<Range> tokens;
  for (const Range &range : pieces.ranges) {
    std::string_view text = pieces.view(range);
    if (text.size() > INT32_MAX) {
      error = "a piece of " + std::to_string(text.size()) + " bytes is too long";
      return false;
    }
    best.assign(text.size() + 1, Best());
    for (size_t at = 0; at < text.size();) {
      size_t next = at;
      nextCodePoint(text, next);
      bool oneCharacter = false;
      auto offer = [&](size_t end, double score, bool unknown) {
        Best &target = best[end];
        if (target.begin < 0 || score > target.score)
          target = {score, static_cast<int32_t>(at), unknown};
      };
      trie.prefixesAt(text, at, [&](size_t length, int32_t id) {
        offer(at + length, best[at].score + scores[id], id == unkId);
        oneCharacter |= at + length == next;
      });
      if (!oneCharacter)
        offer(next, best[at].score + unknownScore, true);
      at = next;
    }
    tokens.clear();
    for (size_t end = text.size(); end > 0;) {
      size_t begin = best[end].begin;
      // Neighbouring unknowns are one token.
      while (best[end].unknown && begin > 0 && best[begin].unknown)
        begin = best[begin].begin;
      tokens.emplace_back(begin, end);
      end = begin;
    }
    for (auto it = tokens.rbegin(); it != tokens.rend(); ++it)
      if (!appendToken(text.substr(it->first, it->second - it->first), ids, error))
        return false;
  }
  return true;
}

} // namespace

bool parseUnigram(const JsonView &config, std::shared_ptr<Model> &out) {
  auto model = std::make_shared<Unigram>();
  if (!model->parse(config))
    return false;
  out = std::move(model);
  return true;
}

} // namespace xfmr::tokenizer
