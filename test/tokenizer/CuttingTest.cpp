// Normalizers, pre-tokenizers and the patterns beneath them, by value.
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/PreTokenizer.h"
#include "runtime/tokenizer/Regex.h"
#include "test/tokenizer/Fixtures.h"

namespace xfmr::tokenizer::test {

namespace {

using Parts = std::vector<std::string>;

std::string normalized(const Json &config, std::string text) {
  std::string error;
  Normalizer normalizer;
  EXPECT_TRUE(Normalizer::parse(JsonView(config, "normalizer", error), normalizer)) << error;
  EXPECT_TRUE(normalizer.apply(text, error)) << error;
  return text;
}

Parts cut(const Json &config, const std::string &text) {
  std::string error;
  PreTokenizer preTokenizer;
  EXPECT_TRUE(PreTokenizer::parse(JsonView(config, "pre_tokenizer", error), preTokenizer)) << error;
  Pieces pieces(text, /*atTextStart=*/true);
  EXPECT_TRUE(preTokenizer.apply(pieces, error)) << error;
  Parts parts;
  for (const Range &range : pieces.ranges)
    parts.emplace_back(pieces.view(range));
  return parts;
}

Json split(const char *kind, const char *pattern, const char *behavior, bool invert = false) {
  return {{"type", "Split"},
          {"pattern", {{kind, pattern}}},
          {"behavior", behavior},
          {"invert", invert}};
}

/// The matches of an Oniguruma pattern, or its error.
Parts matches(const char *pattern, const std::string &text) {
  Regex regex;
  std::string error;
  if (!Regex::compile(pattern, regex, error))
    return {error};
  std::vector<Range> found;
  EXPECT_TRUE(Regex::Matcher(regex).findAll(text, found, error)) << error;
  Parts parts;
  for (const Range &range : found)
    parts.push_back(text.substr(range.first, range.second - range.first));
  return parts;
}

} // namespace

TEST(Normalizer, UnicodeForms) {
  const std::string text = "e\u0301 \uFB01 \u1E69 \uAC00"; // é, fi ligature, ṩ, 가
  EXPECT_EQ(normalized({{"type", "NFC"}}, text), "\u00E9 \uFB01 \u1E69 \uAC00");
  EXPECT_EQ(normalized({{"type", "NFD"}}, text), "e\u0301 \uFB01 s\u0323\u0307 \u1100\u1161");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, text), "\u00E9 fi \u1E69 \uAC00");
  EXPECT_EQ(normalized({{"type", "NFKD"}}, text), "e\u0301 fi s\u0323\u0307 \u1100\u1161");
  EXPECT_EQ(normalized({{"type", "NFC"}}, "s\u0307\u0323"), "\u1E69"); // marks are put in order
  EXPECT_EQ(normalized({{"type", "NFC"}}, "\u0958"), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(normalized({{"type", "NFKC"}}, "\uFDFA").size(), 33u);     // the longest decomposition
}

TEST(Normalizer, Steps) {
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "ÀBCΣ\u0130"), "àbcσi\u0307");
  EXPECT_EQ(normalized({{"type", "Strip"}}, " \u3000a b\n"), "a b");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", false}}, " a "), " a");
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "e\u0301\u00E9"), "e\u00E9");
  EXPECT_EQ(
      normalized({{"type", "Replace"}, {"pattern", {{"String", "."}}}, {"content", "\\0"}}, "a.b"),
      "a\\0b");
  EXPECT_EQ(normalized({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "▁"}},
                       "a   b c"),
            "a▁b c");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "▁"}}, "a"), "▁a");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "▁"}}, ""), "");
  EXPECT_EQ(normalized({{"type", "ByteLevel"}}, "a é"), "aĠÃ©");
  EXPECT_EQ(normalized({{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "NFD"}}, {{"type", "StripAccents"}}, {{"type", "Lowercase"}}}}},
                       "É"),
            "e");
  EXPECT_EQ(normalized({{"type", "BertNormalizer"}}, "Á\x01\t中\U0002B820"), "a  中 \U0002B820");
  EXPECT_EQ(normalized({{"type", "BertNormalizer"}}, u8"a\u0378\u200b\ue000"), u8"a\u0378"); // unassigned characters stay
  EXPECT_EQ(normalized({{"type", "BertNormalizer"}, {"lowercase", false}}, "Á"), "Á");
}

TEST(PreTokenizer, SplitBehaviors) {
  const std::string text = "-a--b-";
  EXPECT_EQ(cut(split("String", "-", "Removed"), text), (Parts{"a", "b"}));
  EXPECT_EQ(cut(split("String", "-", "Isolated"), text), (Parts{"-", "a", "-", "-", "b", "-"}));
  EXPECT_EQ(cut(split("String", "-", "MergedWithPrevious"), text), (Parts{"-", "a-", "-", "b-"}));
  EXPECT_EQ(cut(split("String", "-", "MergedWithNext"), text), (Parts{"-a", "-", "-b", "-"}));
  EXPECT_EQ(cut(split("String", "-", "Contiguous"), text), (Parts{"-", "a", "--", "b", "-"}));
  EXPECT_EQ(cut(split("Regex", "[a-z]", "Removed", true), text), (Parts{"a", "b"}));
  EXPECT_EQ(cut(split("Regex", "(?=[A-Z])", "Isolated"), "aBcD"), (Parts{"a", "Bc", "D"}));
}

TEST(PreTokenizer, Gpt2Pattern) {
  const Json byteLevel = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  EXPECT_EQ(cut(byteLevel, "I'll  go,2x\n\n é!"),
            (Parts{"I", "'ll", "Ġ", "Ġgo", ",", "2", "x", "ĊĊ", "ĠÃ©", "!"}));
  // White_Space: U+0085 is, U+FEFF and U+180E are not (JavaScript and PCRE2's \s disagree)
  EXPECT_EQ(cut(byteLevel, "a\u0085\uFEFF\u180E!"), (Parts{"a", "Âħ", "ï»¿áłİ!"}));
  EXPECT_EQ(cut({{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", false}}, "a b"),
            (Parts{"ĠaĠb"}));
}

TEST(PreTokenizer, Steps) {
  EXPECT_EQ(cut({{"type", "Metaspace"}}, "a  b"), (Parts{"▁a", "▁", "▁b"}));
  EXPECT_EQ(cut({{"type", "Metaspace"}}, " a"), (Parts{"▁a"}));
  EXPECT_EQ(cut({{"type", "Metaspace"}, {"prepend_scheme", "never"}, {"split", false}}, "a b"),
            (Parts{"a▁b"}));
  EXPECT_EQ(cut({{"type", "Metaspace"}, {"add_prefix_space", false}}, "a"), (Parts{"a"}));
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", true}}, "a12½"),
            (Parts{"a", "1", "2", "½"}));
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", false}}, "a12½b"),
            (Parts{"a", "12½", "b"}));
  EXPECT_EQ(cut({{"type", "Punctuation"}}, "a,$。b"), (Parts{"a", ",", "$", "。", "b"}));
  EXPECT_EQ(cut({{"type", "Punctuation"}, {"behavior", "Contiguous"}}, "a,$b"),
            (Parts{"a", ",$", "b"}));
  EXPECT_EQ(cut({{"type", "Whitespace"}}, " ab_1 ,.c\u0301!"),
            (Parts{"ab_1", ",.", "c\u0301", "!"}));
  EXPECT_EQ(cut({{"type", "WhitespaceSplit"}}, " a,b \u3000c"), (Parts{"a,b", "c"}));
  EXPECT_EQ(cut({{"type", "CharDelimiterSplit"}, {"delimiter", "é"}}, "aébé"), (Parts{"a", "b"}));
  EXPECT_EQ(cut({{"type", "BertPreTokenizer"}}, "a, b"), (Parts{"a", ",", "b"}));
  EXPECT_EQ(cut({{"type", "Sequence"},
                 {"pretokenizers", {{{"type", "WhitespaceSplit"}}, {{"type", "Digits"}}}}},
                "a1 2"),
            (Parts{"a", "1", "2"}));
  EXPECT_EQ(
      cut({{"type", "Sequence"},
           {"pretokenizers",
            {{{"type", "WhitespaceSplit"}}, {{"type", "Metaspace"}, {"prepend_scheme", "first"}}}}},
          " a"),
      (Parts{"a"}));
}

TEST(Regex, OnigurumaMeaning) {
  EXPECT_EQ(matches(R"(\w+)", "a\u0301_1\u203Fx y²"), (Parts{"a\u0301_1\u203Fx", "y²"}));
  EXPECT_EQ(matches(R"([\w]+)", "y²"), (Parts{"y"}));
  EXPECT_EQ(matches(R"(\s)", "\u180E\u0085"), (Parts{"\u0085"}));
  EXPECT_EQ(matches(R"([^\s\p{L}]+)", "a\u180E\u0085"), (Parts{"\u180E"}));
  EXPECT_EQ(matches(R"(\h+)", "fg \t"), (Parts{"f"}));
  EXPECT_EQ(matches(R"([\u4e00-\u9fa5]+)", "a中文"), (Parts{"中文"}));
  EXPECT_EQ(matches(R"(\x{4e2d}|\p{Han})", "中文"), (Parts{"中", "文"}));
  EXPECT_EQ(matches(R"(\s+$)", "a \nb "), (Parts{" ", " "})); // $ matches at lines
  EXPECT_EQ(matches(R"((?m:a.b)|c.)", "a\nb c\n"), (Parts{"a\nb"}));
  EXPECT_EQ(matches(R"(\p{N}{1,2}+5)", "12345"), (Parts{"12345"})); // not possessive
  EXPECT_EQ(matches(R"(a{,2}b)", "aaab"), (Parts{"aab"}));
  EXPECT_EQ(matches(R"([^(\s|[.,])]+)", "ab.c d"), (Parts{"ab", "c", "d"})); // BLOOM's nested class
  EXPECT_EQ(matches(R"((?i:'s))", "'\u017F"), (Parts{"'\u017F"}));
  EXPECT_EQ(matches(R"(\bb)", "ab b"), (Parts{"b"}));
  EXPECT_EQ(matches("x*", "xxa"), (Parts{"xx", ""}));
}

TEST(Regex, Refusals) {
  EXPECT_EQ(matches("[a&&b]", ""), (Parts{"regular expression '[a&&b]': an intersection of "
                                          "character classes (&&) is not supported at byte 2"}));
  EXPECT_EQ(matches("[a[^b]]", ""),
            (Parts{"regular expression '[a[^b]]': a negated character class inside a character "
                   "class is not supported at byte 2"}));
  EXPECT_EQ(
      matches(R"([\W])", ""),
      (Parts{
          "regular expression '[\\W]': \\W inside a character class is not supported at byte 1"}));
  EXPECT_EQ(matches("a\\", ""),
            (Parts{"regular expression 'a\\': a backslash ends the pattern at byte 1"}));
  EXPECT_EQ(matches("(a", ""),
            (Parts{"regular expression '(a': missing closing parenthesis near byte 2"}));
}

TEST(Regex, RunawayBacktrackingIsAnError) {
  Regex regex;
  std::string error;
  ASSERT_TRUE(Regex::compile("(a|a|b)*c(?<!c)", regex, error)) << error;
  std::vector<Range> found;
  EXPECT_FALSE(Regex::Matcher(regex).findAll(std::string(64, 'a') + "c", found, error));
  EXPECT_NE(error.find("failed on a text of 65 bytes: match limit exceeded"), std::string::npos)
      << error;
}

} // namespace xfmr::tokenizer::test
