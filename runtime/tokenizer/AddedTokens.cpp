// See AddedTokens.h; semantics of the Rust library's tokenizer/added_vocabulary.rs.
#include "runtime/tokenizer/AddedTokens.h"
#include "runtime/tokenizer/Unicode.h"

#include <algorithm>

namespace xfmr::tokenizer {

bool AddedTokens::parse(const JsonView &config, const Normalizer &normalizer,
                        Vocabulary &vocabulary) {
  if (config.isNull())
    return true;
  if (!config.requireArray())
    return false;
  for (size_t i = 0; i < config.size(); ++i) {
    JsonView entry = config.at(i);
    std::string content;
    Token token{};
    bool isSpecialToken = false, isNormalized = false;
    if (!entry.requireObject() || !entry.getId("id", token.id) ||
        !entry.getString("content", content) ||
        !entry.getBool("single_word", token.singleWord, false) ||
        !entry.getBool("lstrip", token.lstrip, false) ||
        !entry.getBool("rstrip", token.rstrip, false) ||
        !entry.getBool("special", isSpecialToken, false) ||
        !entry.getBool("normalized", isNormalized, !isSpecialToken))
      return false;
    if (content.empty())
      continue;
    int32_t known = vocabulary.find(content);
    if (known >= 0 && known != token.id)
      return entry.fail("'" + content + "' has id " + std::to_string(token.id) + " here and id " +
                        std::to_string(known) + " in the vocabulary");
    if (known < 0 && !vocabulary.add(content, token.id))
      return entry.fail("id " + std::to_string(token.id) + " of '" + content +
                        "' belongs to the token '" + *vocabulary.token(token.id) + "'");
    std::string sought = content, error;
    if (isNormalized && !normalizer.apply(sought, error))
      return entry.fail(error);
    if (!sought.empty())
      (isNormalized ? normalised : raw).add(sought, static_cast<int32_t>(tokens.size()));
    tokens.push_back(token);
    added.insert(token.id);
    if (isSpecialToken)
      special.insert(token.id);
  }
  return true;
}

static bool touchesWord(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && isWordCharacter(codePointBefore(text, begin)))
    return true;
  return end < text.size() && isWordCharacter(nextCodePoint(text, end));
}

std::vector<Section> AddedTokens::split(std::string_view text, bool normalized) const {
  const ByteTrie &trie = normalized ? normalised : raw;
  std::vector<Section> sections;
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    size_t length = 0;
    int32_t index = -1;
    trie.prefixesAt(text, i, [&](size_t matched, int32_t value) {
      length = matched;
      index = value;
    });
    if (index < 0) {
      ++i;
      continue;
    }
    const Token &token = tokens[index];
    size_t begin = i, end = i + length;
    i = end;
    if (token.singleWord && touchesWord(text, begin, end))
      continue;
    if (token.lstrip) {
      while (begin > done) {
        char32_t c = codePointBefore(text, begin);
        if (!isWhiteSpace(c))
          break;
        begin -= c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
      }
    }
    begin = std::max(begin, done); // white space that the token before took along
    if (token.rstrip) {
      while (end < text.size()) {
        size_t next = end;
        if (!isWhiteSpace(nextCodePoint(text, next)))
          break;
        end = next;
      }
    }
    if (done < begin)
      sections.push_back({done, begin, -1});
    sections.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size())
    sections.push_back({done, text.size(), -1});
  return sections;
}

} // namespace xfmr::tokenizer
