// A tokenizer.json: a byte-level one and one of pieces, changed, loaded, and used on text.
#include "runtime/tokenizer/Tokenizer.h"
#include "test/fuzz/Fuzz.h"
#include <algorithm>

namespace xfmr::fuzz {

namespace {

constexpr std::string_view kTable = "\"precompiled_charsmap\":\"";

std::string base64(std::string bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  while (bytes.size() % 3)
    bytes += '\0';
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])); };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (int shift : {18, 12, 6, 0})
      text += digits[bits >> shift & 63];
  }
  return text;
}

/// Another table of replacements, for the keys that begin with a byte of `keys`. What is in it lies behind base64, where changes of the
/// JSON's text do not reach it.
std::string table(Random &random) {
  static constexpr std::string_view keys = "ab cA\xf0\x9f\x82\xef\xbd";
  std::vector<uint32_t> trie(random.oneIn(4) ? 1 + random.below(300) : 256);
  trie[0] = random.oneIn(8) ? static_cast<uint32_t>(random.next()) : 0;
  for (char key : keys) {
    const auto byte = static_cast<unsigned char>(key);
    if (byte >= trie.size())
      continue;
    const uint32_t distance = random.oneIn(8) ? static_cast<uint32_t>(edge(random)) : random.below(8);
    trie[byte] = distance << 10 | static_cast<uint32_t>(random.oneIn(2)) << 8 | byte;
    if (const uint64_t value = byte ^ distance; value < trie.size() && value != byte)
      trie[value] = random.oneIn(8) ? static_cast<uint32_t>(edge(random)) : random.below(16);
  }
  const size_t size = 4 * trie.size();
  const auto said = static_cast<uint32_t>(random.oneIn(8) ? edge(random) : size);
  std::string bytes(reinterpret_cast<const char *>(&said), 4);
  bytes.append(reinterpret_cast<const char *>(trie.data()), size);
  bytes += std::string("x\0\xe2\x96\x81\0\xc3\xa9\xf0\x9f\x99\x82 \0y", 15);
  if (random.oneIn(4))
    bytes += random.oneIn(2) ? std::string(random.below(3000), 'z') : mutatedBytes("abcdef", random);
  return base64(std::move(bytes));
}

} // namespace

std::vector<std::string> seeds() {
  return {
      R"({"version":"1.0","added_tokens":[{"id":5,"content":"<s>","special":true,"single_word":false,"lstrip":false,"rstrip":false,)"
      R"("normalized":false}],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,)"
      R"("use_regex":true},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},)"
      R"({"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[5],"tokens":["<s>"]}}},)"
      R"("decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3,"abc":4},)"
      R"("merges":["a b","ab c"]}})",
      R"({"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},)"
      R"({"type":"Replace","pattern":{"String":" "},"content":"_"}]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\s+|\\w+"},)"
      R"("behavior":"Isolated","invert":false},"post_processor":null,"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},)"
      R"({"type":"Fuse"}]},"model":{"type":"BPE","unk_token":"?","byte_fallback":true,"fuse_unk":true,"vocab":{"?":0,"_":1,"a":2,)"
      R"("_a":3,"<0x41>":4},"merges":[["_","a"]]}})",
      R"({"version":"1.0","added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
      R"("strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing",)"
      R"("sep":["[SEP]",2],"cls":["[CLS]",1]},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece",)"
      R"("unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,)"
      R"("[SEP]":2,"a":3,"##b":4}}})",
      R"({"version":"1.0","added_tokens":[],"normalizer":{"type":"NFKC"},"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581",)"
      R"("prepend_scheme":"always","split":true},"post_processor":null,"decoder":{"type":"Metaspace","replacement":"\u2581",)"
      R"("prepend_scheme":"always","split":true},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["\u2581a",-1.0],)"
      R"(["b",-2.0]],"byte_fallback":false}})",
      R"({"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"Precompiled",)" + std::string(kTable) +
          base64(std::string("\4\0\0\0\0\0\0\0x", 9)) +
          R"("},{"type":"Replace","pattern":{"Regex":" {2,}|\\p{L}$"},"content":"b"},{"type":"Strip"}]},)"
          R"("pre_tokenizer":{"type":"Metaspace",)"
          R"("replacement":"\u2581","prepend_scheme":"always","split":true},"post_processor":null,"decoder":{"type":"Metaspace",)"
          R"("replacement":"\u2581","prepend_scheme":"always","split":true},"model":{"type":"Unigram","unk_id":0,)"
          R"("vocab":[["<unk>",0.0],["\u2581a",-1.0],["b",-2.0]],"byte_fallback":false}})",
  };
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("BPE WordPiece WordLevel Unigram ByteLevel Metaspace Split Sequence Whitespace BertPreTokenizer "
              "Punctuation Digits WhitespaceSplit UnicodeScripts CharDelimiterSplit NFC NFKD Lowercase "
              "StripAccents Replace Prepend Strip BertNormalizer Precompiled Nmt ByteFallback Fuse CTC "
              "TemplateProcessing BertProcessing RobertaProcessing Isolated Removed MergedWithPrevious "
              "MergedWithNext Contiguous always first never type pattern String Regex vocab merges unk_token "
              "unk_id normalizers decoders pretokenizers <0x00> <0x-1> <0xFF> \\\\s+|(a|b)*?(?=c) (a*)*b "
              "(?<x>a)\\\\k<x> \\\\p{L}+ [^a-b&&c] (?i:a)");
  if (const size_t at = data.find(kTable); at != data.npos && random.oneIn(2)) {
    const size_t begin = at + kTable.size(), end = std::min(data.find('"', begin), data.size());
    data.replace(begin, end - begin, table(random));
    if (random.oneIn(2))
      return data;
  }
  return mutatedJson(std::move(data), random, words);
}

std::string readOnce(const std::string &data) {
  const std::string path = kPath;
  tokenizer::Tokenizer loaded;
  std::string error;
  if (!tokenizer::Tokenizer::load(data, "", loaded, error))
    return path + ": " + error; // callers put the path in front
  std::vector<int32_t> ids;
  loaded.encode("ab abc \xf0\x9f\x99\x82 \xff<s> A", true, ids, error);
  std::vector<int32_t> segments;
  loaded.encodePair("ab", "A b", ids, segments, error);
  loaded.decode({0, 1, 2, 3, 4, 5, 6, -1, 1 << 30}, false);
  return {};
}

} // namespace xfmr::fuzz
