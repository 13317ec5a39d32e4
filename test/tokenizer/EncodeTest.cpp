// Text to ids: the models, added tokens, post-processors, and texts of megabytes.
#include "test/tokenizer/Fixtures.h"

#include <chrono>

namespace xfmr::tokenizer::test {

TEST(Bpe, LowestRankFirstThenLeftmost) {
  Tokenizer tokenizer =
      load(around(bpe({"a", "b", "c", "ab", "bc", "abc", "aa"}, {"b c", "a b", "a bc", "a a"})));
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{5})); // b c, then a bc
  EXPECT_EQ(encode(tokenizer, "abab"), (Ids{3, 3}));
  EXPECT_EQ(encode(tokenizer, "aaa"), (Ids{6, 0}));  // leftmost
  EXPECT_EQ(encode(tokenizer, "aaab"), (Ids{6, 3})); // a b outranks a a
  EXPECT_EQ(encode(tokenizer, ""), Ids());
}

TEST(Bpe, BothSpellingsOfMerges) {
  const std::vector<std::string> tokens{"a", " ", "a ", "ab", "b"};
  EXPECT_EQ(encode(load(around(bpe(tokens, {"a b"}))), "ab"), (Ids{3}));
  // only arrays can say a token with a space
  EXPECT_EQ(encode(load(around(bpe(
                       tokens, Json::array({Json::array({"a", " "}), Json::array({"a", "b"})})))),
                   "a ab"),
            (Ids{2, 3}));
}

TEST(Bpe, IgnoreMerges) {
  Json model = bpe({"a", "b", "ab"});
  EXPECT_EQ(encode(load(around(model)), "ab"), (Ids{0, 1}));
  model["ignore_merges"] = true;
  EXPECT_EQ(encode(load(around(model)), "ab"), (Ids{2}));
}

TEST(Bpe, UnknownCharacters) {
  Json model = bpe({"a", "?"});
  EXPECT_EQ(encode(load(around(model)), "axya"), (Ids{0, 0})); // dropped
  model["unk_token"] = "?";
  EXPECT_EQ(encode(load(around(model)), "axya"), (Ids{0, 1, 1, 0}));
  model["fuse_unk"] = true;
  EXPECT_EQ(encode(load(around(model)), "axya"), (Ids{0, 1, 0}));
  model["unk_token"] = "gone";
  Ids ids;
  std::string error;
  EXPECT_FALSE(load(around(model)).encode("ax", false, ids, error));
  EXPECT_EQ(error, "'x' needs the unknown token 'gone', which is not in the vocabulary");
}

TEST(Bpe, ByteFallback) {
  Json model = bpe({"a", "<0xC3>", "<0xA9>", "<unk>", "<0xC3>a"});
  model["byte_fallback"] = true;
  model["unk_token"] = "<unk>";
  Tokenizer tokenizer = load(around(model));
  EXPECT_EQ(encode(tokenizer, "aéa"), (Ids{0, 1, 2, 0}));
  EXPECT_EQ(encode(tokenizer, "aèa"), (Ids{0, 3, 0})); // not all of its bytes have tokens
}

TEST(Bpe, PrefixAndSuffix) {
  Json model = bpe({"a", "##b", "##c</w>", "a</w>", "ab", "abc</w>"}, {"a ##b", "ab ##c</w>"});
  model["continuing_subword_prefix"] = "##";
  model["end_of_word_suffix"] = "</w>";
  Tokenizer tokenizer = load(around(model));
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{5}));
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{3}));
}

TEST(Bpe, InvalidUtf8IsReplacementCharacters) {
  Tokenizer tokenizer = load(around(bpe({"a", "\uFFFD"})));
  EXPECT_EQ(encode(tokenizer, "a\xFF\xFE"), (Ids{0, 1, 1}));
  EXPECT_EQ(encode(tokenizer, "\xF0\x9F\x98"
                              "a"),
            (Ids{1, 0}));                                       // one for the maximal sequence
  EXPECT_EQ(encode(tokenizer, "\xED\xA0\x80"), (Ids{1, 1, 1})); // a surrogate: no valid start
}

TEST(WordPiece, GreedyLongestMatch) {
  Json vocabulary = {{"[UNK]", 0}, {"un", 1}, {"##aff", 2}, {"##able", 3}, {"##a", 4}, {"una", 5}};
  Json json =
      around({{"type", "WordPiece"}, {"vocab", vocabulary}, {"max_input_chars_per_word", 10}});
  json["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  Tokenizer tokenizer = load(json);
  EXPECT_EQ(encode(tokenizer, "un unaff unx"), (Ids{1, 0, 0})); // una then ##ff fails: no way back
  EXPECT_EQ(encode(tokenizer, "unable"), (Ids{0}));
  vocabulary.erase("una");
  json["model"]["vocab"] = vocabulary;
  EXPECT_EQ(encode(load(json), "unaffable unaffaaaa unaffaaaaaaaa"),
            (Ids{1, 2, 3, 1, 2, 4, 4, 4, 4, 0}));
}

TEST(WordLevel, WholePieces) {
  Json json = around({{"type", "WordLevel"},
                      {"vocab", {{"a", 0}, {"bc", 1}, {"[UNK]", 2}}},
                      {"unk_token", "[UNK]"}});
  json["pre_tokenizer"] = {{"type", "Whitespace"}};
  EXPECT_EQ(encode(load(json), "a bc  x"), (Ids{0, 1, 2}));
}

TEST(Unigram, BestSumOfScores) {
  Json vocabulary =
      Json::parse(R"([["<unk>", 0], ["a", -1], ["b", -1], ["ab", -1.5], ["abb", -4]])");
  Json model = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", vocabulary}};
  Tokenizer tokenizer = load(around(model));
  EXPECT_EQ(encode(tokenizer, "abb"), (Ids{3, 2}));     // -2.5 over -4
  EXPECT_EQ(encode(tokenizer, "axyb"), (Ids{1, 0, 2})); // unknowns fuse
  model["vocab"].push_back(Json::array({"<0x78>", -9.0}));
  model["byte_fallback"] = true;
  EXPECT_EQ(encode(load(around(model)), "ax"), (Ids{1, 5}));
}

TEST(Pairs, TemplateAndProcessors) {
  Json json = around(bpe({"a", "b", "[C]", "[S]"}));
  Ids ids, segments;
  std::string error;
  const auto pair = [&](const char *one, const char *two) {
    EXPECT_TRUE(load(json).encodePair(one, two, ids, segments, error)) << error;
  };
  EXPECT_FALSE(load(json).encodePair("a", "b", ids, segments, error));
  EXPECT_EQ(error, "the tokenizer has no template for two texts");
  json["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"[C]", 2}}, {"sep", {"[S]", 3}}};
  pair("ab", "b");
  EXPECT_EQ(ids, (Ids{2, 0, 1, 3, 1, 3}));
  EXPECT_EQ(segments, (Ids{0, 0, 0, 0, 1, 1}));
  json["post_processor"]["type"] = "RobertaProcessing";
  pair("ab", "b");
  EXPECT_EQ(ids, (Ids{2, 0, 1, 3, 3, 1, 3}));
  EXPECT_EQ(segments, Ids(7, 0));
  json["post_processor"] = Json::parse(R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[S]", "type_id": 1}},
             {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"[S]": {"id": "[S]", "ids": [3, 2], "tokens": []}}})");
  pair("a", "bb");
  EXPECT_EQ(ids, (Ids{1, 1, 3, 2, 0}));
  EXPECT_EQ(segments, (Ids{1, 1, 1, 1, 0}));
  json["post_processor"]["pair"][0]["Sequence"]["id"] = "C";
  EXPECT_EQ(refused(json), "post_processor.pair[0].Sequence: expected sequence A or B, found 'C'");
  json["post_processor"]["pair"][0]["Sequence"]["id"] = "A";
  EXPECT_EQ(refused(json), "post_processor.pair[2].Sequence: sequence A appears twice");
  json["post_processor"]["pair"].erase(2);
  EXPECT_FALSE(load(json).encodePair("a", "b", ids, segments, error)); // no sequence B
  EXPECT_EQ(error, "the tokenizer has no template for two texts");
  EXPECT_EQ(encode(load(json), "ab"), (Ids{0, 1}));
  Json many = json; // a list that is named a thousand times
  many["post_processor"]["special_tokens"]["[S]"]["ids"] = std::vector<int>(5, 3);
  for (int i = 0; i < 1000; ++i)
    many["post_processor"]["pair"].push_back({{"SpecialToken", {{"id", "[S]"}}}});
  EXPECT_EQ(refused(many), "post_processor.pair[820].SpecialToken: the template has more than 4096 ids");
  json["post_processor"]["pair"][0] = {{"Token", "a"}};
  EXPECT_EQ(refused(json), "post_processor.pair[0]: expected a member Sequence or SpecialToken");
  json["post_processor"]["pair"][0] = {{"SpecialToken", {{"id", "[C]"}}}};
  EXPECT_EQ(refused(json), "post_processor.pair[0].SpecialToken: '[C]' is not among special_tokens");
  json["post_processor"]["pair"][0] = {{"Sequence", {{"id", "A"}, {"type_id", -1}}}};
  EXPECT_EQ(refused(json), "post_processor.pair[0].Sequence.type_id: expected a whole number that is not negative");
}

TEST(Pairs, OneProcessorJoinsThem) {
  Json json = around(bpe({"a", "b", "[C]", "[S]"}));
  const Json bert = {{"type", "BertProcessing"}, {"cls", {"[C]", 2}}, {"sep", {"[S]", 3}}};
  Ids ids, segments;
  std::string error;
  json["post_processor"] = {{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, bert}}};
  EXPECT_TRUE(load(json).encodePair("a", "", ids, segments, error)) << error;
  EXPECT_EQ(ids, (Ids{2, 0, 3, 3}));
  EXPECT_EQ(segments, (Ids{0, 0, 0, 1}));
  json["post_processor"]["processors"][0] = bert;
  EXPECT_FALSE(load(json).encodePair("a", "b", ids, segments, error));
  EXPECT_EQ(error, "the tokenizer has no template for two texts");
  EXPECT_TRUE(ids.empty() && segments.empty());
}

TEST(AddedTokens, LeftmostLongestAndStrips) {
  Json json = around(bpe({"a", " ", "b", "<", "_"}));
  json["added_tokens"] = {
      addedToken(10, "<x>"), addedToken(11, "<x>y"), addedToken(12, "<l>", {{"lstrip", true}}),
      addedToken(13, "<r>", {{"rstrip", true}}), addedToken(14, "ab", {{"single_word", true}})};
  Tokenizer tokenizer = load(json);
  EXPECT_EQ(encode(tokenizer, "a<x>b<x>y<"), (Ids{0, 10, 2, 11, 3}));
  EXPECT_EQ(encode(tokenizer, "a  <l> b"), (Ids{0, 12, 1, 2}));
  EXPECT_EQ(encode(tokenizer, "a <r>  b"), (Ids{0, 1, 13, 2}));
  EXPECT_EQ(encode(tokenizer, "<r>  <l>"), (Ids{13, 12}));
  EXPECT_EQ(encode(tokenizer, "ab aab ab_"), (Ids{14, 1, 0, 0, 2, 1, 0, 2, 4}));
  EXPECT_EQ(tokenizer.vocabularySize(), 15);
  EXPECT_EQ(tokenizer.id("<x>y"), 11);
  EXPECT_EQ(tokenizer.token(11), "<x>y");
  EXPECT_EQ(tokenizer.token(7), "");
}

TEST(AddedTokens, NormalizedOnesAreFoundAfterNormalization) {
  Json json = around(bpe({"a", "h", "i"}));
  json["normalizer"] = {{"type", "Lowercase"}};
  json["added_tokens"] = {addedToken(8, "Hi", {{"normalized", true}}),
                          addedToken(9, "HI", {{"normalized", false}})};
  Tokenizer tokenizer = load(json);
  EXPECT_EQ(encode(tokenizer, "hiHIhI"), (Ids{8, 9, 8}));
}

TEST(AddedTokens, PrependActsOnEveryStretch) {
  Json json = around(bpe({"a", "▁"}));
  json["normalizer"] = {{"type", "Prepend"}, {"prepend", "▁"}};
  json["added_tokens"] = {addedToken(9, "<s>", {{"normalized", false}})};
  EXPECT_EQ(encode(load(json), "a<s>a"), (Ids{1, 0, 9, 1, 0}));
}

TEST(AddedTokens, MetaspaceFirstOnlyAtTheStartOfTheText) {
  Json json = around(bpe({"a", "▁"}));
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", "first"}};
  json["added_tokens"] = {addedToken(9, "<s>", {{"normalized", false}})};
  EXPECT_EQ(encode(load(json), "a<s>a a"), (Ids{1, 0, 9, 0, 1, 0}));
  EXPECT_EQ(encode(load(json), "<s>a"), (Ids{9, 0}));
}

TEST(PostProcessor, TemplatesAndPairs) {
  Json json = around(bpe({"a", "<s>", "</s>"}));
  json["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {{{"type", "ByteLevel"}},
        {{"type", "TemplateProcessing"},
         {"single",
          {{{"SpecialToken", {{"id", "B"}, {"type_id", 0}}}},
           {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
           {{"SpecialToken", {{"id", "E"}, {"type_id", 0}}}}}},
         {"special_tokens", {{"B", {{"ids", {1, 1}}}}, {"E", {{"ids", {2}}}}}}}}}};
  EXPECT_EQ(encode(load(json), "a", true), (Ids{1, 1, 0, 2}));
  EXPECT_EQ(encode(load(json), "", true), (Ids{1, 1, 2}));
  EXPECT_EQ(encode(load(json), "a", false), (Ids{0}));
  json["post_processor"] = {
      {"type", "RobertaProcessing"}, {"cls", {"<s>", 1}}, {"sep", {"</s>", 2}}};
  EXPECT_EQ(encode(load(json), "a", true), (Ids{1, 0, 2}));
}

TEST(Config, BosAndEos) {
  Json json = around(bpe({"a", "<s>", "</s>"}));
  Tokenizer tokenizer = load(json, R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}})");
  EXPECT_EQ(tokenizer.bosId(), 1);
  EXPECT_EQ(tokenizer.eosId(), 2);
  EXPECT_EQ(load(json, R"({"bos_token": null})").bosId(), -1);
  EXPECT_EQ(load(json).eosId(), -1);
}

/// Quadratic code needs hours for these; a minute leaves room for sanitizers and busy machines.
TEST(Speed, MegabytesWithoutAPreTokenizer) {
  Tokenizer tokenizer = load(around(bpe({"a", "b", "aa", "aaaa", "ab"}, {"a a", "aa aa", "a b"})));
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(tokenizer, std::string(1 << 20, 'a')), Ids(1 << 18, 3));
  std::string alternating;
  for (int i = 0; i < 1 << 19; ++i)
    alternating += "ab";
  EXPECT_EQ(encode(tokenizer, alternating), Ids(1 << 19, 4));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1));
}

TEST(Speed, MegabytesOfWhiteSpaceAndMarks) {
  Json json = around(bpe({"Ġ", "Ì", "ģ", "£", "a"}));
  json["normalizer"] = {{"type", "NFC"}};
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  Tokenizer tokenizer = load(json);
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(tokenizer, std::string(1 << 20, ' ')), Ids(1 << 20, 0));
  std::string marks; // U+0301 and U+0323, which canonical order exchanges
  for (int i = 0; i < 1 << 18; ++i)
    marks += "\u0301\u0323";
  EXPECT_EQ(encode(tokenizer, marks).size(), size_t(1) << 20);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1));
}

// transformers builds the post-processor of some classes from flags of tokenizer_config.json, whatever tokenizer.json has.
TEST(PostProcessor, FlagsOfSomeClassesDecide) {
  const Json plain = around(bpe({"<s>", "</s>", "a"}));
  auto framed = [&](const std::string &config) { return encode(load(plain, config), "a", true); };
  EXPECT_EQ(framed(R"({"bos_token": "<s>", "eos_token": "</s>"})"), (Ids{2}));
  EXPECT_EQ(framed(R"({"bos_token": "<s>", "add_bos_token": true})"), (Ids{2})); // of another class
  EXPECT_EQ(framed(R"({"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "add_bos_token": true})"), (Ids{0, 2}));
  EXPECT_EQ(framed(R"({"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
                       "add_bos_token": true, "add_eos_token": true})"), (Ids{0, 2, 1}));
  Json templated = plain;
  templated["post_processor"] = {{"type", "TemplateProcessing"},
                                 {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
                                 {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {0}}, {"tokens", {"<s>"}}}}}}};
  EXPECT_EQ(encode(load(templated, R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": false})"), "a", true),
            (Ids{2}));
  EXPECT_EQ(encode(load(templated, R"({"tokenizer_class": "LlamaTokenizerFast"})"), "a", true), (Ids{0, 2}));
}

// A name of a begin token that tokenizer.json does not have: transformers adds it behind the vocabulary; no text has it.
TEST(Config, NamesThatTheVocabularyLacks) {
  const Tokenizer tokenizer = load(around(bpe({"a"})), R"({"bos_token": "<|gone|>", "eos_token": {"content": "a"}})");
  EXPECT_EQ(tokenizer.bosId(), -1);
  EXPECT_EQ(tokenizer.eosId(), 0);
  EXPECT_EQ(encode(tokenizer, "aa"), (Ids{0, 0}));
}

} // namespace xfmr::tokenizer::test
