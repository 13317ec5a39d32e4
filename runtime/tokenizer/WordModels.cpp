// The two models that look whole words up: WordPiece (greedy longest match from the left, Wu et al.
// 2016, arXiv:1609.08144) and WordLevel (the piece itself).
#include "runtime/tokenizer/Model.h"
#include "runtime/tokenizer/Unicode.h"

namespace xfmr::tokenizer {

namespace {

class WordModel : public Model {
public:
  bool parseBase(const JsonView &config, const char *unkFallback) {
    if (!parseVocabulary(config["vocab"], vocabulary) ||
        !config.getString("unk_token", unkToken, unkFallback))
      return false;
    unkId = vocabulary.find(unkToken);
    return true;
  }

protected:
  bool appendUnknown(std::string_view piece, std::vector<int32_t> &ids, std::string &error) const {
    if (unkId < 0) {
      error = "'" + std::string(piece.substr(0, 100)) + "' needs the unknown token '" + unkToken +
              "', which is not in the vocabulary";
      return false;
    }
    ids.push_back(unkId);
    return true;
  }

private:
  std::string unkToken;
  int32_t unkId = -1;
};

class WordLevel final : public WordModel {
public:
  bool encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const override {
    for (const Range &range : pieces.ranges) {
      int32_t id = vocabulary.find(pieces.view(range));
      if (id >= 0)
        ids.push_back(id);
      else if (!appendUnknown(pieces.view(range), ids, error))
        return false;
    }
    return true;
  }
};

class WordPiece final : public WordModel {
public:
  std::string prefix;
  size_t maxCharacters = 100;

  bool encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const override {
    for (const Range &range : pieces.ranges) {
      size_t before = ids.size();
      if (split(pieces.view(range), ids))
        continue;
      ids.resize(before);
      if (!appendUnknown(pieces.view(range), ids, error))
        return false;
    }
    return true;
  }

private:
  bool split(std::string_view word, std::vector<int32_t> &ids) const {
    std::vector<size_t> bounds{0}; // of the characters
    while (bounds.back() < word.size()) {
      size_t next = bounds.back();
      nextCodePoint(word, next);
      bounds.push_back(next);
      if (bounds.size() - 1 > maxCharacters)
        return false;
    }
    std::string candidate;
    for (size_t first = 0; first + 1 < bounds.size();) {
      size_t last = bounds.size() - 1;
      int32_t id = -1;
      for (; last > first; --last) {
        candidate = first > 0 ? prefix : "";
        candidate += word.substr(bounds[first], bounds[last] - bounds[first]);
        id = vocabulary.find(candidate);
        if (id >= 0)
          break;
      }
      if (id < 0)
        return false;
      ids.push_back(id);
      first = last;
    }
    return true;
  }
};

} // namespace

bool parseWordLevel(const JsonView &config, std::shared_ptr<Model> &out) {
  auto model = std::make_shared<WordLevel>();
  if (!model->parseBase(config, "<unk>"))
    return false;
  out = std::move(model);
  return true;
}

bool parseWordPiece(const JsonView &config, std::shared_ptr<Model> &out) {
  auto model = std::make_shared<WordPiece>();
  if (!model->parseBase(config, "[UNK]") ||
      !config.getString("continuing_subword_prefix", model->prefix, "##") ||
      !config.getCount("max_input_chars_per_word", model->maxCharacters, 100))
    return false;
  out = std::move(model);
  return true;
}

} // namespace xfmr::tokenizer
