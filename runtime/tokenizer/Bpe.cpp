// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) as the Rust library's models/bpe does
// it: characters, then the adjacent pair of lowest rank is joined, leftmost first, until none is
// left. A heap with stale entries makes it O(n log n): a null pre-tokenizer hands over whole texts.
#include "runtime/tokenizer/MergeTable.h"
#include "runtime/tokenizer/Model.h"
#include "runtime/tokenizer/Unicode.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace xfmr::tokenizer {

namespace {

/// Pieces up to this many bytes are encoded once a text: words repeat.
constexpr size_t kLongestRemembered = 64;

class Bpe final : public Model {
public:
  bool parse(const JsonView &config);
  bool encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const override;

private:
  struct Symbol {
    int32_t id;
    int32_t previous, next; // -1 at the ends
    bool alive;
  };
  /// A pair that may be joined: rank << 32 | position of the left symbol, so that the least one is
  /// the lowest rank, leftmost.
  using Candidate = uint64_t;
  struct Workspace {
    std::vector<int32_t> initial;
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
  };

  bool parseMerges(const JsonView &merges);
  bool parseMerge(const JsonView &merge, std::string &left, std::string &right) const;
  bool characters(std::string_view piece, std::vector<int32_t> &ids, std::string &error) const;
  void join(Workspace &work, std::vector<int32_t> &ids) const;
  int32_t idOfCharacter(char32_t c, std::string_view text) const {
    return c < lowCharacters.size() ? lowCharacters[c] : vocabulary.find(text);
  }

  MergeTable merges;
  std::array<int32_t, 0x400> lowCharacters{}; // ids of one-character tokens, -1 where none
  std::unique_ptr<ByteTokens> byteTokens;     // with byte_fallback
  std::string unkToken, prefix, suffix;
  int32_t unkId = -1;
  bool hasUnk = false, fuseUnk = false, ignoreMerges = false;
};

bool Bpe::parse(const JsonView &config) {
  bool byteFallback = false;
  if (config.has("dropout")) {
    JsonView dropout = config["dropout"];
    if (!dropout.json().is_number() || dropout.json().get<double>() != 0)
      return dropout.fail("expected null or 0: dropout is for training only");
  }
  if (!parseVocabulary(config["vocab"], vocabulary) ||
      !config.getString("unk_token", unkToken, "") ||
      !config.getString("continuing_subword_prefix", prefix, "") ||
      !config.getString("end_of_word_suffix", suffix, "") ||
      !config.getBool("fuse_unk", fuseUnk, false) ||
      !config.getBool("byte_fallback", byteFallback, false) ||
      !config.getBool("ignore_merges", ignoreMerges, false))
    return false;
  hasUnk = config.has("unk_token");
  unkId = hasUnk ? vocabulary.find(unkToken) : -1;
  if (byteFallback)
    byteTokens = std::make_unique<ByteTokens>(vocabulary);
  for (char32_t c = 0; c < lowCharacters.size(); ++c) {
    std::string text;
    appendUtf8(text, c);
    lowCharacters[c] = vocabulary.find(text);
  }
  return parseMerges(config["merges"]);
}

bool Bpe::parseMerge(const JsonView &merge, std::string &left, std::string &right) const {
  if (merge.isArray()) {
    if (merge.size() != 2)
      return merge.fail("expected two tokens, found " + std::to_string(merge.size()));
    return merge.at(0).asString(left) && merge.at(1).asString(right);
  }
  std::string text;
  if (!merge.asString(text))
    return false;
  size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
    return merge.fail("expected two tokens with one space between, found '" + text + "'");
  left = text.substr(0, space);
  right = text.substr(space + 1);
  return true;
}

bool Bpe::parseMerges(const JsonView &list) {
  if (!list.requireArray())
    return false;
  merges = MergeTable(list.size());
  std::string left, right;
  for (size_t rank = 0; rank < list.size(); ++rank) {
    JsonView merge = list.at(rank);
    if (!parseMerge(merge, left, right))
      return false;
    if (right.compare(0, prefix.size(), prefix) != 0)
      return merge.fail("the second token '" + right + "' lacks the continuing prefix '" + prefix +
                        "'");
    int32_t leftId = vocabulary.find(left), rightId = vocabulary.find(right);
    std::string joined = left + right.substr(prefix.size());
    int32_t joinedId = vocabulary.find(joined);
    if (leftId < 0 || rightId < 0 || joinedId < 0) {
      const std::string &unknown = leftId < 0 ? left : rightId < 0 ? right : joined;
      return merge.fail("token '" + unknown + "' is not in the vocabulary");
    }
    merges.set(leftId, rightId, {static_cast<uint32_t>(rank), joinedId});
  }
  return true;
}

/// The symbols that merging starts from.
bool Bpe::characters(std::string_view piece, std::vector<int32_t> &ids, std::string &error) const {
  ids.clear();
  bool pendingUnk = false;
  bool affixes = !prefix.empty() || !suffix.empty();
  std::string affixed;
  for (size_t i = 0; i < piece.size();) {
    size_t begin = i;
    char32_t c = nextCodePoint(piece, i);
    std::string_view text = piece.substr(begin, i - begin);
    int32_t id;
    if (affixes) {
      affixed = begin > 0 ? prefix : "";
      affixed += text;
      if (i == piece.size())
        affixed += suffix;
      text = affixed;
      id = vocabulary.find(text);
    } else {
      id = idOfCharacter(c, text);
    }
    if (id >= 0) {
      if (pendingUnk)
        ids.push_back(unkId);
      pendingUnk = false;
      ids.push_back(id);
      continue;
    }
    if (byteTokens && byteTokens->append(text, ids))
      continue;
    if (!hasUnk)
      continue; // without an unknown token the character is dropped
    if (unkId < 0) {
      error = "'" + std::string(text) + "' needs the unknown token '" + unkToken +
              "', which is not in the vocabulary";
      return false;
    }
    if (pendingUnk && !fuseUnk)
      ids.push_back(unkId);
    pendingUnk = true;
  }
  if (pendingUnk)
    ids.push_back(unkId);
  return true;
}

void Bpe::join(Workspace &work, std::vector<int32_t> &ids) const {
  std::vector<Symbol> &symbols = work.symbols;
  std::vector<Candidate> &heap = work.heap;
  auto count = static_cast<int32_t>(work.initial.size());
  symbols.clear();
  heap.clear();
  auto candidate = [](const Merge &merge, int32_t position) {
    return static_cast<Candidate>(merge.rank) << 32 | static_cast<uint32_t>(position);
  };
  for (int32_t i = 0; i < count; ++i) {
    symbols.push_back({work.initial[i], i - 1, i + 1 < count ? i + 1 : -1, true});
    if (i > 0)
      if (const Merge *merge = merges.find(work.initial[i - 1], work.initial[i]))
        heap.push_back(candidate(*merge, i - 1));
  }
  std::greater<Candidate> least; // std heaps have their greatest in front
  std::make_heap(heap.begin(), heap.end(), least);
  auto offer = [&](int32_t position) {
    int32_t next = symbols[position].next;
    if (const Merge *merge = merges.find(symbols[position].id, symbols[next].id)) {
      heap.push_back(candidate(*merge, position));
      std::push_heap(heap.begin(), heap.end(), least);
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), least);
    auto position = static_cast<int32_t>(heap.back() & UINT32_MAX);
    auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    Symbol &left = symbols[position];
    if (!left.alive || left.next < 0)
      continue;
    Symbol &right = symbols[left.next];
    const Merge *merge = merges.find(left.id, right.id);
    if (!merge || merge->rank != rank) // one of the two has changed since
      continue;
    left.id = merge->id;
    left.next = right.next;
    right.alive = false;
    if (left.next >= 0) {
      symbols[left.next].previous = position;
      offer(position);
    }
    if (left.previous >= 0)
      offer(left.previous);
  }
  for (const Symbol &symbol : symbols)
    if (symbol.alive)
      ids.push_back(symbol.id);
}

bool Bpe::encode(const Pieces &pieces, std::vector<int32_t> &ids, std::string &error) const {
  Workspace work;
  std::unordered_map<std::string_view, Range> seen; // piece → where in `ids` it is already
  for (const Range &range : pieces.ranges) {
    std::string_view piece = pieces.view(range);
    bool remember = pieces.ranges.size() > 1 && piece.size() <= kLongestRemembered;
    if (remember) {
      auto it = seen.find(piece);
      if (it != seen.end()) {
        for (size_t i = it->second.first; i < it->second.second; ++i)
          ids.push_back(ids[i]);
        continue;
      }
    }
    if (ignoreMerges) {
      int32_t whole = vocabulary.find(piece);
      if (whole >= 0) {
        ids.push_back(whole);
        continue;
      }
    }
    if (piece.size() > INT32_MAX) {
      error = "a piece of " + std::to_string(piece.size()) + " bytes is too long";
      return false;
    }
    if (!characters(piece, work.initial, error))
      return false;
    size_t begin = ids.size();
    join(work, ids);
    if (remember)
      seen.emplace(piece, Range(begin, ids.size()));
  }
  return true;
}

} // namespace

bool parseBpe(const JsonView &config, std::shared_ptr<Model> &out) {
  auto model = std::make_shared<Bpe>();
  if (!model->parse(config))
    return false;
  out = std::move(model);
  return true;
}

} // namespace xfmr::tokenizer
