// See GgufTokenizer.h. SentencePiece joins the two neighbours whose whole scores highest; merges in the order of scores do the same,
// which is how published tokenizer.json files say it: equal scores by the longer left, then the longer right half.
#include "weights/GgufTokenizer.h"
#include "weights/PreTokenizerNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Base64.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

using nlohmann::json;

namespace xfmr {
namespace {

enum TokenType : int64_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };

struct Reader {
  const GgufFile &file;
  std::string &why;
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  std::unordered_map<std::string, int64_t> ids;

  bool fail(const std::string &what) {
    why = "tokenizer.ggml." + what;
    return false;
  }

  const GgufValue *find(const std::string &key) const { return file.find("tokenizer.ggml." + key); }

  std::string word(const std::string &key) const {
    const GgufValue *value = find(key);
    return value && value->text() ? *value->text() : "";
  }

  bool flag(const std::string &key, bool absent) const {
    const GgufValue *value = find(key);
    return value && value->flag() ? *value->flag() : absent;
  }

  /// The token whose id stands under `key`; empty where there is none.
  std::string named(const std::string &key) const {
    const GgufValue *value = find(key);
    const int64_t id = value && value->integer() ? *value->integer() : -1;
    return id >= 0 && id < static_cast<int64_t>(tokens.size()) ? tokens[id] : "";
  }

  bool readTokens() {
    const GgufValue *list = find("tokens"), *kinds = find("token_type");
    if (!list || !list->list())
      return fail("tokens is no list of words");
    for (const GgufValue &token : *list->list()) {
      if (!token.text())
        return fail("tokens is no list of words");
      ids.emplace(*token.text(), static_cast<int64_t>(tokens.size()));
      tokens.push_back(*token.text());
    }
    types.assign(tokens.size(), normal);
    if (!kinds)
      return true;
    if (!kinds->list() || kinds->list()->size() != tokens.size())
      return fail("token_type is no list of " + std::to_string(tokens.size()) + " numbers");
    for (size_t id = 0; id < tokens.size(); ++id)
      if (const int64_t *type = (*kinds->list())[id].integer())
        types[id] = *type;
    return true;
  }

  bool owns(size_t id) const { return ids.at(tokens[id]) == static_cast<int64_t>(id); } // the first of equal words

  /// What is found in a text before anything cuts it.
  json addedTokens() const {
    json added = json::array();
    for (size_t id = 0; id < tokens.size(); ++id)
      if (const bool special = types[id] == control || types[id] == unknown;
          (special || types[id] == userDefined) && owns(id))
        added.push_back({{"id", id},
                         {"content", tokens[id]},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", special}});
    return added;
  }

  json around(bool begins, bool ends = false) const {
    json single = json::array(), special = json::object();
    auto put = [&](const char *key) {
      const std::string token = named(key);
      if (token.empty())
        return;
      single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
      special[token] = {{"id", token}, {"ids", {ids.at(token)}}, {"tokens", {token}}};
    };
    if (flag("add_bos_token", begins))
      put("bos_token_id");
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    if (flag("add_eos_token", ends))
      put("eos_token_id");
    return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", json::array()}, {"special_tokens", special}};
  }

  bool readScores(std::vector<double> &out) {
    const GgufValue *list = find("scores");
    if (!list || !list->list() || list->list()->size() != tokens.size())
      return fail("scores is no list of " + std::to_string(tokens.size()) + " numbers");
    for (const GgufValue &value : *list->list()) {
      const double *score = std::get_if<double>(&value.value);
      if (!score || std::isnan(*score))
        return fail("scores is no list of numbers");
      out.push_back(*score);
    }
    return true;
  }

  json sequence(const char *member, json list) const {
    return list.empty() ? json() : json{{"type", "Sequence"}, {member, std::move(list)}};
  }

  /// By its key, else by its kind; empty where there is none.
  std::string unknownToken() const {
    std::string outside = named("unknown_token_id");
    for (size_t id = 0; id < tokens.size() && outside.empty(); ++id)
      if (types[id] == unknown)
        outside = tokens[id];
    return outside;
  }

  // ---- llama

  /// Every way to put a token together from two others, by falling score.
  bool scoredMerges(json &out) {
    std::vector<double> scores;
    if (!readScores(scores))
      return false;
    struct Merge {
      double score;
      size_t leftLength, rightLength; // in characters
      std::string left, right;
    };
    std::vector<Merge> merges;
    for (size_t id = 0; id < tokens.size(); ++id) {
      if (types[id] != normal || !owns(id))
        continue;
      const std::string &whole = tokens[id];
      constexpr size_t kMostBytes = 4096; // every cut is tried, so time grows with the square
      if (whole.size() > kMostBytes)
        return fail("tokens has a word of " + std::to_string(whole.size()) + " bytes, expected at most " +
                    std::to_string(kMostBytes));
      std::vector<size_t> starts; // of characters
      for (size_t i = 0; i < whole.size(); ++i)
        if ((static_cast<unsigned char>(whole[i]) & 0xC0) != 0x80)
          starts.push_back(i);
      const size_t first = merges.size();
      for (size_t cut = 1; cut < starts.size(); ++cut) {
        const std::string left = whole.substr(0, starts[cut]), right = whole.substr(starts[cut]);
        if (ids.count(left) && ids.count(right))
          merges.push_back({scores[id], cut, starts.size() - cut, left, right});
      }
      std::stable_sort(merges.begin() + first, merges.end(), [&](const Merge &a, const Merge &b) {
        return std::make_pair(ids.at(a.left), ids.at(a.right)) < std::make_pair(ids.at(b.left), ids.at(b.right));
      });
    }
    std::stable_sort(merges.begin(), merges.end(), [](const Merge &a, const Merge &b) {
      return std::tie(a.score, a.leftLength, a.rightLength) > std::tie(b.score, b.leftLength, b.rightLength);
    });
    out = json::array();
    for (Merge &merge : merges)
      out.push_back({std::move(merge.left), std::move(merge.right)});
    return true;
  }

  json sentencePiece() {
    const bool prefix = flag("add_space_prefix", true);
    json vocabulary = json::object(), merges;
    for (size_t id = 0; id < tokens.size(); ++id)
      if (types[id] != unused && owns(id))
        vocabulary[tokens[id]] = id;
    if (!scoredMerges(merges))
      return json();
    const std::string outside = unknownToken();
    json normalizers = json::array(), decoders = json::array();
    const json space = {{"String", " "}}, mark = {{"String", "▁"}};
    if (prefix)
      normalizers.push_back({{"type", "Prepend"}, {"prepend", "▁"}});
    normalizers.push_back({{"type", "Replace"}, {"pattern", space}, {"content", "▁"}});
    decoders.push_back({{"type", "Replace"}, {"pattern", mark}, {"content", " "}});
    decoders.push_back({{"type", "ByteFallback"}});
    decoders.push_back({{"type", "Fuse"}});
    if (prefix)
      decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    json model = {{"type", "BPE"},
                  {"byte_fallback", true},
                  {"fuse_unk", true},
                  {"vocab", std::move(vocabulary)},
                  {"merges", std::move(merges)}};
    if (!outside.empty())
      model["unk_token"] = outside;
    return {{"version", "1.0"},
            {"added_tokens", addedTokens()},
            {"normalizer", sequence("normalizers", normalizers)},
            {"pre_tokenizer", nullptr},
            {"post_processor", around(/*begins=*/true)},
            {"decoder", sequence("decoders", decoders)},
            {"model", std::move(model)}};
  }

  // ---- t5

  /// The compiled table of replacements as base64, empty where there is none.
  bool readCharsmap(std::string &out) {
    const GgufValue *map = find("precompiled_charsmap");
    if (!map)
      return true;
    if (!map->list())
      return fail("precompiled_charsmap is no list of bytes");
    std::string bytes;
    for (const GgufValue &value : *map->list()) {
      const int64_t *byte = value.integer();
      if (!byte || *byte < -128 || *byte > 255)
        return fail("precompiled_charsmap is no list of bytes");
      bytes += static_cast<char>(*byte & 0xFF);
    }
    out = llvm::encodeBase64(bytes);
    return true;
  }

  /// [token, score] of every id but those behind the last that is used. What a text never has must not lower the score of the unknown,
  /// which lies below the least of all.
  bool scoredPieces(json &out) {
    std::vector<double> scores;
    if (!readScores(scores))
      return false;
    size_t count = tokens.size();
    while (count > 0 && types[count - 1] == unused)
      --count;
    double least = 0.0;
    for (size_t id = 0; id < count; ++id)
      if (types[id] == normal)
        least = std::min(least, scores[id]);
    out = json::array();
    for (size_t id = 0; id < count; ++id) {
      if (!owns(id))
        return fail("tokens has \"" + tokens[id] + "\" twice");
      out.push_back({tokens[id], types[id] == normal ? scores[id] : std::max(scores[id], least)});
    }
    return true;
  }

  /// Unigram: the cut with the largest sum of scores. What is done to a text before, flags say.
  json unigram() {
    const std::string mark = "▁";
    std::string charsmap;
    json vocabulary;
    if (flag("treat_whitespace_as_suffix", false))
      return fail("treat_whitespace_as_suffix is true, expected false"), json();
    if (!readCharsmap(charsmap) || !scoredPieces(vocabulary))
      return json();
    const bool prefix = flag("add_space_prefix", false), escapes = flag("escape_whitespaces", true);
    json normalizers = json::array();
    if (!charsmap.empty())
      normalizers.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", charsmap}});
    if (flag("remove_extra_whitespaces", false))
      for (auto [pattern, content] : {std::pair("\\A +| +\\z", ""), std::pair(" {2,}", " ")})
        normalizers.push_back({{"type", "Replace"}, {"pattern", {{"Regex", pattern}}}, {"content", content}});
    if (!escapes && prefix)
      normalizers.push_back({{"type", "Prepend"}, {"prepend", " "}});
    // Texts are cut as a whole; one word after the other is the same where no token goes on behind the mark of another.
    const bool byWords =
        llvm::none_of(tokens, [&](const std::string &token) { return token.find(mark, 1) != token.npos; });
    const json space = {{"type", "Metaspace"},
                        {"replacement", mark},
                        {"prepend_scheme", prefix ? "always" : "never"},
                        {"add_prefix_space", prefix},
                        {"split", byWords}};
    const std::string outside = unknownToken();
    json model = {{"type", "Unigram"},
                  {"byte_fallback", llvm::is_contained(types, static_cast<int64_t>(byte))},
                  {"vocab", std::move(vocabulary)}};
    if (!outside.empty())
      model["unk_id"] = ids.at(outside);
    return {{"version", "1.0"},
            {"added_tokens", addedTokens()},
            {"normalizer", sequence("normalizers", normalizers)},
            {"pre_tokenizer", escapes ? space : json()},
            {"post_processor", around(/*begins=*/false, /*ends=*/true)},
            {"decoder", escapes ? space : json{{"type", "Fuse"}}},
            {"model", std::move(model)}};
  }

  // ---- bert

  /// Words begin with a mark in the file, and what follows them has none; here what follows has ##.
  json wordPiece() {
    const std::string mark = "▁";
    json vocabulary = json::object();
    for (size_t id = 0; id < tokens.size(); ++id) {
      const std::string &token = tokens[id];
      if (!owns(id))
        continue;
      if (types[id] == control || types[id] == unknown)
        vocabulary[token] = id;
      else if (token.compare(0, mark.size(), mark) == 0)
        vocabulary[token.substr(mark.size())] = id;
      else
        vocabulary["##" + token] = id;
    }
    const std::string outside = named("unknown_token_id");
    const std::string first = named("cls_token_id").empty() ? named("bos_token_id") : named("cls_token_id");
    const std::string last = named("seperator_token_id"); // as it is spelled there
    for (auto [token, key] : {std::pair(outside, "unknown_token_id"), std::pair(first, "bos_token_id"),
                              std::pair(last, "seperator_token_id")})
      if (token.empty())
        return fail(std::string(key) + " is missing"), json();
    json single = json::array(), special = json::object();
    auto token = [&](const std::string &word, int segment) {
      special[word] = {{"id", word}, {"ids", {ids.at(word)}}, {"tokens", {word}}};
      return json{{"SpecialToken", {{"id", word}, {"type_id", segment}}}};
    };
    auto text = [](const char *name, int segment) { return json{{"Sequence", {{"id", name}, {"type_id", segment}}}}; };
    for (const json &part : {token(first, 0), text("A", 0), token(last, 0)})
      single.push_back(part);
    json pair = single;
    for (const json &part : {text("B", 1), token(last, 1)})
      pair.push_back(part);
    const bool lowercase = flag("normalizer.lowercase", true);
    return {{"version", "1.0"},
            {"added_tokens", addedTokens()},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", true},
              {"strip_accents", flag("normalizer.strip_accents", lowercase)},
              {"lowercase", lowercase}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"post_processor",
             {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}}},
            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", outside},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", std::move(vocabulary)}}}};
  }

  // ---- gpt2

  static json stepOf(std::string_view step) {
    if (step == "digits")
      return {{"type", "Digits"}, {"individual_digits", true}};
    if (step.substr(0, 6) == "split ")
      return {{"type", "Split"}, {"pattern", {{"Regex", step.substr(6)}}}, {"behavior", "Isolated"}, {"invert", false}};
    return {{"type", "ByteLevel"},
            {"add_prefix_space", false},
            {"trim_offsets", true},
            {"use_regex", step == "bytes split"}}; // untested: a step of PreTokenizerNames, no message
  }

  const PreTokenizerName *cutting() {
    const std::string name = word("pre");
    if (const PreTokenizerName *known = findPreTokenizer(name))
      return known;
    std::string expected;
    for (const PreTokenizerName &each : preTokenizerNames())
      expected += (expected.empty() ? "" : ", ") + std::string(each.name);
    fail((name.empty() ? "pre is missing" : "pre is \"" + name + "\"") + ", expected one of " + expected);
    return nullptr;
  }

  json byteLevel() {
    const PreTokenizerName *cut = cutting();
    const GgufValue *list = find("merges");
    if (!cut)
      return json();
    if (!list || !list->list())
      return fail("merges is no list of pairs"), json();
    json vocabulary = json::object(), merges = json::array(), steps = json::array();
    for (size_t id = 0; id < tokens.size(); ++id)
      if (types[id] == normal && owns(id))
        vocabulary[tokens[id]] = id;
    for (const GgufValue &merge : *list->list()) {
      const std::string pair = merge.text() ? *merge.text() : "";
      const size_t space = pair.find(' ', 1); // the left half may begin with one
      if (space == pair.npos)
        return fail("merges has \"" + pair + "\", expected two tokens with a space between"), json();
      merges.push_back({pair.substr(0, space), pair.substr(space + 1)});
    }
    for (std::string_view step : cut->steps)
      steps.push_back(stepOf(step));
    return {{"version", "1.0"},
            {"added_tokens", addedTokens()},
            {"normalizer", cut->composes ? json{{"type", "NFC"}} : json()},
            {"pre_tokenizer", sequence("pretokenizers", steps)},
            {"post_processor", around(cut->begins)},
            {"decoder", stepOf("bytes")},
            {"model",
             {{"type", "BPE"},
              {"ignore_merges", cut->wholeWords},
              {"vocab", std::move(vocabulary)},
              {"merges", std::move(merges)}}}};
  }
};

} // namespace

std::string tokenizerOf(const GgufFile &file, std::string &why) {
  why.clear();
  Reader reader{file, why, {}, {}, {}};
  const std::string kind = reader.word("model");
  if (kind.empty() || !reader.find("tokens"))
    return "";
  if (kind == "none" || kind == "no_vocab") // a file that says it has none
    return "";
  if (kind != "llama" && kind != "gpt2" && kind != "t5" && kind != "bert")
    return reader.fail("model is \"" + kind + "\", expected llama, gpt2, t5 or bert"), "";
  if (!reader.readTokens())
    return "";
  const json tokenizer = kind == "llama"  ? reader.sentencePiece()
                         : kind == "t5"   ? reader.unigram()
                         : kind == "bert" ? reader.wordPiece()
                                          : reader.byteLevel();
  return tokenizer.is_null() ? "" : tokenizer.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace xfmr
