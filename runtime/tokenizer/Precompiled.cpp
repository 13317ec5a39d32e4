// SentencePiece's compiled table of replacements, the normalizer `Precompiled`. The text is base64 of: u32 the bytes of a trie, the trie as
// a double array (Darts), and what it points to, texts that end with NUL. Looked up as the Rust library does (spm_precompiled): a
// grapheme cluster of fewer than six bytes as a whole, else character by character; of the entries that begin a key the shortest counts.
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/Unicode.h"
#include <array>
#include <optional>

namespace xfmr::tokenizer {

namespace {

constexpr size_t kLongestWhole = 5; // bytes of a cluster that is one key

bool decodeBase64(std::string_view text, std::string &out) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (digit < 0)
      return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if ((count += 6) >= 8)
      out += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return true;
}

class Precompiled final : public NormalizerStep {
public:
  bool parse(const JsonView &map) {
    std::string text, bytes;
    if (!map.asString(text))
      return false;
    if (!decodeBase64(text, bytes))
      return map.fail("expected base64");
    const auto word = [&](size_t at) {
      uint32_t value = 0;
      for (size_t i = 0; i < 4; ++i)
        value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << 8 * i;
      return value;
    };
    const size_t trieBytes = bytes.size() < 4 ? 0 : word(0);
    if (trieBytes == 0 || trieBytes % 4 != 0 || trieBytes > bytes.size() - 4)
      return map.fail("says that its trie has " + std::to_string(trieBytes) + " of " + std::to_string(bytes.size()) +
                      " bytes, expected a multiple of 4 up to 4 less than all");
    for (size_t at = 4; at < 4 + trieBytes; at += 4)
      units.push_back(word(at));
    replacements = bytes.substr(4 + trieBytes);
    if (!isValidUtf8(replacements))
      return map.fail("has replacements that are not UTF-8");
    for (size_t c = 1; c < ascii.size(); ++c) {
      const char one = static_cast<char>(c);
      ascii[c] = find(std::string_view(&one, 1));
    }
    return true;
  }

  bool apply(std::string &text, std::string &error) const override {
    std::string out;
    out.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
      if (!withinMost(out.size(), text.size(), error))
        return false;
      // Two letters of ASCII are never one cluster, except CR and LF.
      const bool alone = at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80;
      if (const auto c = static_cast<unsigned char>(text[at]); c < 0x80 && alone && c != '\r') {
        append(out, ascii[c], std::string_view(text).substr(at, 1));
        ++at;
        continue;
      }
      const size_t end = graphemeEnd(text, at);
      const std::string_view cluster = std::string_view(text).substr(at, end - at);
      at = end;
      if (const auto whole = cluster.size() <= kLongestWhole ? find(cluster) : std::nullopt) {
        out += *whole;
        continue;
      }
      for (size_t i = 0; i < cluster.size();) {
        const size_t begin = i;
        nextCodePoint(cluster, i);
        const std::string_view character = cluster.substr(begin, i - begin);
        append(out, find(character), character);
      }
    }
    text = std::move(out);
    return true;
  }

private:
  static void append(std::string &out, std::optional<std::string_view> replaced, std::string_view text) {
    out += replaced ? *replaced : text;
  }

  /// What the shortest entry that begins `key` becomes. Places outside the arrays or within a character, which only damaged tables
  /// have, hold nothing.
  std::optional<std::string_view> find(std::string_view key) const {
    const auto children = [](uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
    size_t node = children(units[0]);
    for (char c : key) {
      const auto byte = static_cast<unsigned char>(c);
      node ^= byte;
      if (byte == 0 || node >= units.size() || (units[node] & (1u << 31 | 0xFFu)) != byte)
        return std::nullopt;
      const bool ends = units[node] >> 8 & 1;
      node ^= children(units[node]);
      if (!ends)
        continue;
      const size_t begin = node < units.size() ? units[node] & ((1u << 31) - 1) : replacements.size();
      if (begin >= replacements.size() || (static_cast<unsigned char>(replacements[begin]) & 0xC0) == 0x80)
        return std::nullopt;
      return std::string_view(replacements).substr(begin, replacements.find('\0', begin) - begin);
    }
    return std::nullopt;
  }

  std::vector<uint32_t> units;
  std::string replacements;
  std::array<std::optional<std::string_view>, 128> ascii; // views into `replacements`
};

} // namespace

bool parsePrecompiled(const JsonView &map, std::shared_ptr<const NormalizerStep> &out) {
  auto step = std::make_shared<Precompiled>();
  if (!step->parse(map))
    return false;
  out = std::move(step);
  return true;
}

} // namespace xfmr::tokenizer
