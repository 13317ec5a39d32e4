// What load refuses and how it says so; and that damaged files never crash it.
#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Vocabulary.h"
#include "test/tokenizer/Fixtures.h"

#include <random>

namespace xfmr::tokenizer::test {

namespace {

Json valid() {
  Json json = around(bpe({"a", "b", "ab"}, {"a b"}));
  json["added_tokens"] = {addedToken(3, "<s>", {{"special", true}})};
  json["normalizer"] = {{"type", "NFC"}};
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  json["decoder"] = {{"type", "ByteLevel"}};
  return json;
}

Json patched(const char *pointer, Json value) {
  Json json = valid();
  json[Json::json_pointer(pointer)] = std::move(value);
  return json;
}

} // namespace

TEST(Errors, UnknownTypesAreNamed) {
  EXPECT_EQ(refused(patched("/normalizer/type", "Nmt")),
            "normalizer: normalizer type 'Nmt' is not supported");
  EXPECT_EQ(refused(patched("/pre_tokenizer/type", "UnicodeScripts")),
            "pre_tokenizer: pre-tokenizer type 'UnicodeScripts' is not supported");
  EXPECT_EQ(refused(patched("/decoder/type", "CTC")),
            "decoder: decoder type 'CTC' is not supported");
  EXPECT_EQ(refused(patched("/post_processor", {{"type", "X"}})),
            "post_processor: post-processor type 'X' is not supported");
  EXPECT_EQ(refused(patched("/model/type", "X")), "model: model type 'X' is not supported");
  EXPECT_EQ(refused(patched("/pre_tokenizer",
                            {{"type", "Sequence"}, {"pretokenizers", {{{"type", "X"}}}}})),
            "pre_tokenizer.pretokenizers[0]: pre-tokenizer type 'X' is not supported");
  EXPECT_EQ(
      refused(patched("/pre_tokenizer",
                      {{"type", "Split"}, {"pattern", {{"String", "x"}}}, {"behavior", "X"}})),
      "pre_tokenizer.behavior: split behavior 'X' is not supported");
}

TEST(Errors, TablesOfReplacements) {
  const auto table = [](const char *text) {
    return refused(patched("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", text}}));
  };
  const std::string place = "normalizer.precompiled_charsmap: ";
  EXPECT_EQ(table("a?"), place + "expected base64");
  EXPECT_EQ(table(""), place + "says that its trie has 0 of 0 bytes, expected a multiple of 4 up to 4 less than all");
  EXPECT_EQ(table("CAAAAAAAAAA="), place + "says that its trie has 8 of 8 bytes, expected a multiple of 4 up to 4 less than all");
  EXPECT_EQ(table("BAAAAAAAAAD/"), place + "has replacements that are not UTF-8");
  EXPECT_EQ(refused(patched("/normalizer", {{"type", "Precompiled"}})),
            "normalizer.precompiled_charsmap: expected a string, found null");
}

TEST(Errors, KindsAndRanges) {
  EXPECT_EQ(refused(Json::array()), "tokenizer.json: expected an object, found array");
  EXPECT_EQ(refused(patched("/version", "2.0")), "version: expected version 1.0, found '2.0'");
  EXPECT_EQ(refused(patched("/model", nullptr)), "model: expected an object, found null");
  EXPECT_EQ(refused(patched("/model/vocab", 3)), "model.vocab: expected an object, found number");
  EXPECT_EQ(refused(patched("/model/vocab/a", -1)),
            "model.vocab.a: expected a token id from 0 to 16777215, found -1");
  EXPECT_EQ(refused(patched("/model/vocab/a", 4000000000u)),
            "model.vocab.a: expected a token id from 0 to 16777215, found 4000000000");
  EXPECT_EQ(refused(patched("/model/vocab/a", 1.5)),
            "model.vocab.a: expected a token id from 0 to 16777215, found 1.5");
  EXPECT_EQ(refused(patched("/model/vocab/b", 0)),
            "model.vocab: tokens 'a' and 'b' have the same id 0");
  EXPECT_EQ(refused(patched("/model/byte_fallback", "yes")),
            "model.byte_fallback: expected true or false, found string");
  EXPECT_EQ(refused(patched("/model/dropout", 0.1)),
            "model.dropout: expected null or 0: dropout is for training only");
  EXPECT_EQ(refused(patched("/normalizer", "NFC")), "normalizer: expected an object, found string");
  EXPECT_EQ(refused(patched("/normalizer", Json::object())),
            "normalizer.type: expected a string, found null");
  EXPECT_EQ(
      refused(
          patched("/pre_tokenizer",
                  {{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Isolated"}})),
      "pre_tokenizer.pattern: regular expression '(': missing closing parenthesis near byte 1");
}

TEST(Errors, Merges) {
  EXPECT_EQ(refused(patched("/model/merges", nullptr)),
            "model.merges: expected an array, found null");
  EXPECT_EQ(refused(patched("/model/merges/0", "a x")),
            "model.merges[0]: token 'x' is not in the vocabulary");
  EXPECT_EQ(refused(patched("/model/merges/0", "b a")),
            "model.merges[0]: token 'ba' is not in the vocabulary");
  EXPECT_EQ(refused(patched("/model/merges/0", "ab")),
            "model.merges[0]: expected two tokens with one space between, found 'ab'");
  EXPECT_EQ(refused(patched("/model/merges/0", {"a"})),
            "model.merges[0]: expected two tokens, found 1");
  EXPECT_EQ(refused(patched("/model/continuing_subword_prefix", "##")),
            "model.merges[0]: the second token 'b' lacks the continuing prefix '##'");
}

TEST(Errors, AddedTokensAndTemplates) {
  EXPECT_EQ(refused(patched("/added_tokens/0/id", 1)),
            "added_tokens[0]: id 1 of '<s>' belongs to the token 'b'");
  EXPECT_EQ(refused(patched("/added_tokens/0/content", "a")),
            "added_tokens[0]: 'a' has id 3 here and id 0 in the vocabulary");
  EXPECT_EQ(refused(patched("/added_tokens/0/content", nullptr)),
            "added_tokens[0].content: expected a string, found null");
  Json post = {{"type", "TemplateProcessing"},
               {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
               {"special_tokens", {{"<s>", {{"ids", {77}}}}}}};
  EXPECT_EQ(refused(patched("/post_processor", post)),
            "post_processor.special_tokens.<s>.ids[0]: id 77 is not in the vocabulary");
  post["special_tokens"] = Json::object();
  EXPECT_EQ(refused(patched("/post_processor", post)),
            "post_processor.single[0].SpecialToken: '<s>' is not among special_tokens");
  post["single"].erase(1);
  post["special_tokens"] = {{"<s>", {{"ids", {3}}}}};
  EXPECT_EQ(refused(patched("/post_processor", post)),
            "post_processor.single: the template has no sequence A");
}

// One token with a far id made a table of ids up to there, 128 MiB of it.
TEST(Vocabularies, FarIdsTakeNoTable) {
  Vocabulary vocabulary;
  vocabulary.reserve(2);
  const int32_t last = static_cast<int32_t>(kMaxTokenId);
  ASSERT_TRUE(vocabulary.add("a", 0));
  ASSERT_TRUE(vocabulary.add("far", last));
  ASSERT_TRUE(vocabulary.add("b", 1));
  EXPECT_FALSE(vocabulary.add("far", 2));
  EXPECT_FALSE(vocabulary.add("c", last));
  EXPECT_EQ(*vocabulary.token(last), "far");
  EXPECT_EQ(*vocabulary.token(1), "b");
  for (int32_t id : {-1, 2, 5000, last - 1})
    EXPECT_EQ(vocabulary.token(id), nullptr) << id;
  EXPECT_EQ(vocabulary.find("far"), last);
  EXPECT_EQ(vocabulary.rows(), last + 1);
  EXPECT_EQ(vocabulary.tableSize(), 2u);

  // Far while there were few tokens, near when there are many: still the same token.
  Vocabulary grown;
  ASSERT_TRUE(grown.add("early", 20000));
  for (int32_t id = 0; id < 10000; ++id)
    ASSERT_TRUE(grown.add("t" + std::to_string(id), id));
  ASSERT_TRUE(grown.add("late", 30000));
  EXPECT_EQ(*grown.token(20000), "early");
  EXPECT_EQ(*grown.token(30000), "late");
  EXPECT_EQ(*grown.token(9999), "t9999");
  EXPECT_FALSE(grown.add("x", 20000));
  EXPECT_LE(grown.tableSize(), Vocabulary::kSlack + Vocabulary::kSpread * 10002);
}

TEST(Errors, AddedTokensFarAway) {
  EXPECT_EQ(refused(patched("/added_tokens/0/id", 1u << 31)),
            "added_tokens[0].id: expected a token id from 0 to 16777215, found 2147483648");
  Json far = valid();
  far["added_tokens"][0]["id"] = kMaxTokenId;
  const Tokenizer tokenizer = load(far);
  EXPECT_EQ(tokenizer.vocabularySize(), kMaxTokenId + 1);
  EXPECT_EQ(tokenizer.token(static_cast<int32_t>(kMaxTokenId)), "<s>");
  EXPECT_EQ(encode(tokenizer, "a<s>"), (Ids{0, static_cast<int32_t>(kMaxTokenId)}));
  EXPECT_EQ(tokenizer.decode({static_cast<int32_t>(kMaxTokenId), 0}, false), "<s>a");
}

TEST(Errors, Config) {
  EXPECT_EQ(refused(valid().dump(), "[]"),
            "tokenizer_config.json: expected an object, found array");
  EXPECT_EQ(refused(valid().dump(), "{").substr(0, 22), "tokenizer_config.json:");
}

TEST(Errors, MalformedText) {
  EXPECT_EQ(refused(std::string()).substr(0, 15), "tokenizer.json:");
  EXPECT_EQ(refused(std::string("{\"model\": \"\xFF\"}")).substr(0, 15), "tokenizer.json:");
  EXPECT_EQ(refused(std::string(100000, '[')).substr(0, 15), "tokenizer.json:");
  // nesting that parses, but would exhaust the stack of a careless reader
  std::string deep = "null";
  for (int i = 0; i < 20000; ++i)
    deep = "{\"type\":\"Sequence\",\"normalizers\":[" + deep + "]}";
  EXPECT_NE(refused("{\"model\":{},\"normalizer\":" + deep + "}").find("nested too deeply"),
            std::string::npos);
}

TEST(Errors, DamagedFilesNeverCrash) {
  std::string text = valid().dump();
  std::mt19937 random(1);
  int loaded = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = text;
    for (int i = 1 + random() % 3; i > 0; --i) {
      size_t at = random() % damaged.size();
      if (random() % 3 == 0)
        damaged.erase(at, 1 + random() % 8);
      else
        damaged[at] = "\"{}[]:,0123456789abnull \\\xC3"[random() % 27];
    }
    Tokenizer tokenizer;
    std::string error;
    if (Tokenizer::load(damaged, "", tokenizer, error)) {
      ++loaded;
      Ids ids;
      tokenizer.encode("ab <s> b\u00E9", true, ids, error);
      tokenizer.decode(ids, false);
    } else {
      EXPECT_FALSE(error.empty());
    }
  }
  EXPECT_GT(loaded, 0);
}

} // namespace xfmr::tokenizer::test
