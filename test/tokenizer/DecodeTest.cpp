// Ids to text: every decoder by value, whole and streamed; streams never give out half a character.
#include "test/tokenizer/Fixtures.h"

namespace xfmr::tokenizer::test {

namespace {

using Parts = std::vector<std::string>;

Tokenizer withDecoder(const std::vector<std::string> &tokens, Json decoder) {
  Json json = around(bpe(tokens));
  json["decoder"] = std::move(decoder);
  return load(json);
}

Json sequence(Json decoders) {
  return {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
}

const Json kLlama =
    sequence({{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}});

} // namespace

TEST(Decode, StreamHoldsBackUnfinishedCharacters) {
  // 😀 is F0 9F 98 80; in byte-level characters ð Ł ĺ Ģ.
  Tokenizer tokenizer =
      withDecoder({"ð", "Ł", "ĺ", "Ģ", "a", "ðŁ", "ĺĢ", "Ģa"}, {{"type", "ByteLevel"}});
  EXPECT_EQ(stream(tokenizer, {4, 0, 1, 2, 3, 4}), (Parts{"a", "", "", "", "😀", "a", ""}));
  EXPECT_EQ(stream(tokenizer, {5, 6}), (Parts{"", "😀", ""}));
  EXPECT_EQ(stream(tokenizer, {5, 2, 7}), (Parts{"", "", "😀a", ""}));
  EXPECT_EQ(tokenizer.decode({5, 2, 7}, true), "😀a");
}

TEST(Decode, UnfinishedAndWrongBytesBecomeReplacementCharacters) {
  Tokenizer tokenizer = withDecoder({"ð", "Ł", "ĺ", "Ģ", "a", "ÿ"}, {{"type", "ByteLevel"}});
  EXPECT_EQ(stream(tokenizer, {0, 1, 2}), (Parts{"", "", "", "\uFFFD"}));
  EXPECT_EQ(stream(tokenizer, {0, 1, 4}), (Parts{"", "", "\uFFFDa", ""}));
  EXPECT_EQ(stream(tokenizer, {0, 1, 0, 1, 2, 3}), (Parts{"", "", "\uFFFD", "", "", "😀", ""}));
  EXPECT_EQ(stream(tokenizer, {3, 5, 4}), (Parts{"\uFFFD", "\uFFFD", "a", ""}));
  EXPECT_EQ(tokenizer.decode({0, 1, 0, 1, 2, 3}, true), "\uFFFD😀");
}

TEST(Decode, StreamStartsAnewAfterFlush) {
  Tokenizer tokenizer = withDecoder({"▁a", "▁b"}, kLlama);
  DecodeStream decoder(tokenizer);
  EXPECT_EQ(decoder.push(0), "a");
  EXPECT_EQ(decoder.push(1), " b");
  EXPECT_EQ(decoder.flush(), "");
  EXPECT_EQ(decoder.push(1), "b");
}

TEST(Decode, SentencePieceChain) {
  Tokenizer tokenizer =
      withDecoder({"▁Hello", "▁", "<0xE2>", "<0x82>", "<0xAC>", "x", "<0x0A>"}, kLlama);
  EXPECT_EQ(tokenizer.decode({0, 1, 2, 3, 4, 5}, true), "Hello €x");
  EXPECT_EQ(stream(tokenizer, {0, 1, 2, 3, 4, 5, 6}),
            (Parts{"Hello", " ", "", "", "€", "x", "\n", ""}));
  // only one leading space is stripped, and only at the start of the text
  EXPECT_EQ(stream(tokenizer, {1, 0, 0}), (Parts{"", " Hello", " Hello", ""}));
  EXPECT_EQ(tokenizer.decode({1, 0, 0}, true), " Hello Hello");
}

TEST(Decode, ByteFallbackReplacesInvalidRuns) {
  Tokenizer tokenizer = withDecoder({"<0xE2>", "<0x82>", "<0xAC>", "x", "<0xFF>"}, kLlama);
  EXPECT_EQ(tokenizer.decode({0, 1, 3}, true), "\uFFFD\uFFFDx");
  EXPECT_EQ(stream(tokenizer, {0, 1, 3}), (Parts{"", "", "\uFFFD\uFFFDx", ""}));
  // The whole run is lost when decoded at once; a stream has given its valid part out already.
  EXPECT_EQ(tokenizer.decode({0, 1, 2, 4}, true), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(joined(stream(tokenizer, {0, 1, 2, 4})), "€\uFFFD");
}

TEST(Decode, StripAtTheEndHoldsBack) {
  Tokenizer tokenizer = withDecoder(
      {"a", "_"}, sequence({{{"type", "Fuse"}},
                            {{"type", "Strip"}, {"content", "_"}, {"start", 0}, {"stop", 2}}}));
  EXPECT_EQ(stream(tokenizer, {0, 1, 1, 1, 0, 1}), (Parts{"a", "", "", "_", "__a", "", ""}));
  EXPECT_EQ(tokenizer.decode({0, 1, 1, 1}, true), "a_");
}

TEST(Decode, StripOfEveryTokenWithoutFuse) {
  Tokenizer tokenizer =
      withDecoder({"_a_", "__"}, {{"type", "Strip"}, {"content", "_"}, {"start", 1}, {"stop", 1}});
  EXPECT_EQ(tokenizer.decode({0, 0}, true), "aa");
}

TEST(Decode, FuseBeforeAWholeTextReplaceWaits) {
  Tokenizer tokenizer = withDecoder(
      {"a", "b"},
      sequence({{{"type", "Fuse"}},
                {{"type", "Replace"}, {"pattern", {{"Regex", "ab+"}}}, {"content", "X"}}}));
  EXPECT_EQ(stream(tokenizer, {0, 1, 1, 0}), (Parts{"", "", "", "", "Xa"}));
}

TEST(Decode, Metaspace) {
  const Parts tokens{"▁a", "▁b▁"};
  EXPECT_EQ(withDecoder(tokens, {{"type", "Metaspace"}, {"replacement", "▁"}}).decode({0, 1}, true),
            "a b ");
  EXPECT_EQ(withDecoder(tokens, {{"type", "Metaspace"}, {"prepend_scheme", "never"}})
                .decode({0, 1}, true),
            " a b ");
}

TEST(Decode, WordPiece) {
  const Parts tokens{"un", "##aff", "able", ".", "n't"};
  EXPECT_EQ(withDecoder(tokens, {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}})
                .decode({0, 1, 2, 3}, true),
            "unaff able .");
  EXPECT_EQ(withDecoder(tokens, {{"type", "WordPiece"}}).decode({0, 1, 4, 3}, true), "unaffn't.");
}

TEST(Decode, BpeSuffix) {
  Tokenizer tokenizer = withDecoder({"a", "b</w>"}, {{"type", "BPEDecoder"}, {"suffix", "</w>"}});
  EXPECT_EQ(stream(tokenizer, {0, 1, 0, 1}), (Parts{"", "a", "b ", "a", "b"}));
}

TEST(Decode, NoDecoderJoinsWithSpaces) {
  EXPECT_EQ(withDecoder({"a", "b"}, nullptr).decode({0, 1, 0}, true), "a b a");
}

TEST(Decode, SpecialTokensAndUnknownIds) {
  Json json = around(bpe({"a", "b"}));
  json["decoder"] = {{"type", "ByteLevel"}};
  json["added_tokens"] = {addedToken(5, "<s>", {{"special", true}}), addedToken(6, "né")};
  Tokenizer tokenizer = load(json);
  EXPECT_EQ(tokenizer.decode({5, 0, 5}, true), "a");
  EXPECT_EQ(tokenizer.decode({5, 0, 5}, false), "<s>a<s>");
  // an added token is text, not byte characters, though é is one
  EXPECT_EQ(tokenizer.decode({0, 6, 1}, true), "anéb");
  EXPECT_EQ(tokenizer.decode({3, -1, 0, 7000}, true), "a");
}

TEST(Decode, EmptyTokenizerIsHarmless) {
  Tokenizer tokenizer;
  DecodeStream decoder(tokenizer);
  EXPECT_EQ(decoder.push(3) + decoder.flush() + tokenizer.decode({1}, false), "");
  EXPECT_EQ(encode(tokenizer, "a"), Ids());
  EXPECT_EQ(tokenizer.vocabularySize(), 0);
  EXPECT_EQ(tokenizer.bosId(), -1);
}

} // namespace xfmr::tokenizer::test
