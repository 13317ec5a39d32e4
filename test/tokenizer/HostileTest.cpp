// Tokenizers made to hurt: a few bytes that would take memory, stack or time without an end, or hand on what is not UTF-8.
#include "runtime/tokenizer/JsonView.h"
#include "test/tokenizer/Fixtures.h"

#include <ctime>

namespace xfmr::tokenizer::test {

namespace {

std::string base64(const std::string &bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char byte : bytes + std::string(2, '\0')) { // what lies behind the last byte is cut below
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6)
      text += digits[bits >> (count - 6) & 63];
  }
  return text.substr(0, (8 * bytes.size() + 5) / 6);
}

/// A compiled table where "a" becomes what begins at `place` of `texts`.
Json table(uint32_t place, const std::string &texts) {
  std::vector<uint32_t> trie(256);
  trie['a'] = 1u << 10 | 1u << 8 | 'a'; // a key ends here, its value lies at 'a' ^ 1
  trie['a' ^ 1] = place;
  std::string bytes("\0\4\0\0", 4); // of 1024 bytes
  for (uint32_t unit : trie)
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(unit >> shift & 0xFF);
  return {{"type", "Precompiled"}, {"precompiled_charsmap", base64(bytes + texts)}};
}

Json replace(const char *from, const std::string &to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

/// `step` so many times.
Json repeated(const char *list, const Json &step, size_t count) {
  return {{"type", "Sequence"}, {list, Json(count, step)}};
}

Json with(const char *member, Json value) {
  Json json = around(bpe({"a", "b", "é", "aa"}));
  json[member] = std::move(value);
  return json;
}

std::string failed(const Json &json, const std::string &text) {
  Ids ids;
  std::string error;
  EXPECT_FALSE(load(json).encode(text, false, ids, error));
  return error;
}

double seconds(std::clock_t begin) { return double(std::clock() - begin) / CLOCKS_PER_SEC; }

} // namespace

// What begins within a character would be no UTF-8, which all that follows relies on, PCRE2 first.
TEST(Hostile, TablesThatPointIntoACharacter) {
  const std::string texts("é\0", 3);
  EXPECT_EQ(encode(load(with("normalizer", table(0, texts))), "ab"), (Ids{2, 1}));
  EXPECT_EQ(encode(load(with("normalizer", table(1, texts))), "ab"), (Ids{0, 1}));
  EXPECT_EQ(encode(load(with("normalizer", table(2, texts))), "ab"), (Ids{1})); // becomes nothing
  EXPECT_EQ(encode(load(with("normalizer", table(3, texts))), "ab"), (Ids{0, 1}));
}

TEST(Hostile, TextsThatGrowWithoutAnEnd) {
  const std::string grows = "a text of 1 bytes becomes longer than 1088 in the tokenizer's steps";
  EXPECT_EQ(failed(with("normalizer", repeated("normalizers", replace("a", "aa"), kMaxSteps)), "a"), grows);
  EXPECT_EQ(failed(with("normalizer", replace("a", std::string(2000, 'b'))), "a"), grows);
  EXPECT_EQ(failed(with("normalizer", {{"type", "Prepend"}, {"prepend", std::string(2000, 'b')}}), "a"), grows);
  EXPECT_EQ(failed(with("normalizer", table(0, std::string(2000, 'b'))), "a"), grows);
  // 10^5 times 10^5 bytes: refused long before
  const std::string many(100000, 'a'), most = "a text of 100000 bytes becomes longer than 6401024 in the tokenizer's steps";
  EXPECT_EQ(failed(with("normalizer", replace("a", many)), many), most);
  EXPECT_EQ(failed(with("normalizer", table(0, many)), many), most);
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  EXPECT_EQ(failed(with("pre_tokenizer", repeated("pretokenizers", bytes, kMaxSteps)), "é"),
            "a text of 2 bytes becomes longer than 1152 in the tokenizer's steps");
  // U+FDFA, the longest of all compatibility forms, is far from it.
  EXPECT_EQ(encode(load(with("normalizer", {{"type", "NFKC"}})), "\uFDFA"), Ids());
}

// Decoding has no errors: a replacement that would make too much of a token leaves it.
TEST(Hostile, TokensThatGrowWithoutAnEnd) {
  EXPECT_EQ(load(with("decoder", repeated("decoders", replace("a", "aa"), kMaxSteps))).decode({0, 1}, false), std::string(1024, 'a') + "b");
  EXPECT_EQ(load(with("decoder", replace("a", std::string(1088, 'c')))).decode({0}, false), std::string(1088, 'c'));
  EXPECT_EQ(load(with("decoder", replace("a", std::string(1089, 'c')))).decode({0, 3}, false), "aaa");
  // The whole text may become as long as its tokens may.
  const Json whole = {{"type", "Sequence"}, {"decoders", {{{"type", "Fuse"}}, replace("aa", std::string(2000, 'c'))}}};
  EXPECT_EQ(load(with("decoder", whole)).decode({0, 0}, false), std::string(2000, 'c'));
}

TEST(Hostile, StepsWithoutAnEnd) {
  const Json form = {{"type", "NFC"}}, cut = {{"type", "WhitespaceSplit"}}, bytes = {{"type", "ByteFallback"}};
  const Json frame = {{"type", "BertProcessing"}, {"cls", {"a", 0}}, {"sep", {"b", 1}}};
  const std::string many = ": is step 65, expected at most 64";
  EXPECT_EQ(refused(with("normalizer", repeated("normalizers", form, 1000))), "normalizer.normalizers[64]" + many);
  EXPECT_EQ(refused(with("pre_tokenizer", repeated("pretokenizers", cut, 1000))), "pre_tokenizer.pretokenizers[64]" + many);
  EXPECT_EQ(refused(with("decoder", repeated("decoders", bytes, 1000))), "decoder.decoders[64]" + many);
  EXPECT_EQ(refused(with("post_processor", repeated("processors", frame, 1000))), "post_processor.processors[64]" + many);
  EXPECT_EQ(load(with("decoder", repeated("decoders", bytes, kMaxSteps))).decode({0, 1}, false), "ab");
}

TEST(Hostile, TemplatesWithoutAnEnd) {
  const Json token = {{"SpecialToken", {{"id", "s"}}}}, text = {{"Sequence", {{"id", "A"}}}};
  const auto processor = [&](size_t ids) {
    return with("post_processor", {{"type", "TemplateProcessing"},
                                   {"single", {token, text, token}},
                                   {"special_tokens", {{"s", {{"ids", Json(ids, 1)}}}}}});
  };
  Ids expected(2048, 1);
  expected.push_back(0);
  expected.insert(expected.end(), 2048, 1);
  EXPECT_EQ(encode(load(processor(2048)), "a", true), expected);
  EXPECT_EQ(refused(processor(2049)), "post_processor.single[2].SpecialToken: the template has more than 4096 ids");
}

// Time that grew with the square of a token's length: a minute each.
TEST(Hostile, LongTokensAreDecodedAtOnce) {
  const size_t count = 1000000;
  std::string marks;
  for (size_t i = 0; i < count; ++i)
    marks += "\u2581";
  const std::string spaces(count, ' ');
  const auto decoded = [](const std::string &token, Json decoder) {
    Json json = around(bpe({token, "x"}));
    json["decoder"] = std::move(decoder);
    return load(json).decode({0, 1}, false);
  };
  const std::clock_t begin = std::clock();
  EXPECT_EQ(decoded(marks, {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "never"}}), spaces + "x");
  EXPECT_EQ(decoded(spaces, {{"type", "Strip"}, {"content", " "}, {"start", 0}, {"stop", count}}), "x");
  EXPECT_EQ(decoded(spaces, {{"type", "Sequence"},
                             {"decoders", {{{"type", "Fuse"}}, {{"type", "Strip"}, {"content", " "}, {"start", 0}, {"stop", count}}}}}),
            spaces + "x");
  EXPECT_LT(seconds(begin), 10);
}

} // namespace xfmr::tokenizer::test
