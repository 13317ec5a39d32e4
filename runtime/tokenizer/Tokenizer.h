// Text ↔ token ids as a Hugging Face tokenizer.json (version "1.0") describes it: the whole public
// interface of this folder. Chat templates, offsets, truncation and padding are not its business.
// Differences from other implementations: README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xfmr::tokenizer {

/// Immutable after load; any number of threads may encode and decode. Copies share their data.
class Tokenizer {
public:
  /// An empty tokenizer: encodes to nothing. Use load.
  Tokenizer();

  /// Reads the text of tokenizer.json and of tokenizer_config.json (may be empty: then there are no
  /// bos and eos ids). On failure returns false, leaves `out` alone and says in `error` which
  /// member was found wrong; types that we do not know are named, never skipped.
  static bool load(std::string_view tokenizerJson, std::string_view tokenizerConfigJson,
                   Tokenizer &out, std::string &error);

  /// Replaces `ids` by the ids of `text`. Bytes that are not UTF-8 count as U+FFFD, one for each
  /// maximal invalid sequence (as WHATWG decoders and Rust's from_utf8_lossy do). With
  /// `addSpecialTokens` the post-processor adds its own (BOS…); special tokens written in the text
  /// are recognised either way. Fails only where a pattern exceeds PCRE2's limits, or where the
  /// text needs an unknown token and the vocabulary has none.
  bool encode(std::string_view text, bool addSpecialTokens, std::vector<int32_t> &ids,
              std::string &error) const;

  /// The ids of two texts as the post-processor joins them, and of each id the segment it belongs to (token_type_ids). Fails as encode
  /// does, and where the post-processor has no template for two.
  bool encodePair(std::string_view first, std::string_view second, std::vector<int32_t> &ids, std::vector<int32_t> &segments,
                  std::string &error) const;

  /// The text of `ids`, always valid UTF-8. `skipSpecial` leaves special tokens out; ids without a
  /// token add nothing.
  std::string decode(const std::vector<int32_t> &ids, bool skipSpecial) const;

  /// Largest id + 1, added tokens included. A model's embedding may have more rows.
  int32_t vocabularySize() const;

  /// The token of `id` as the vocabulary spells it, empty where there is none.
  std::string_view token(int32_t id) const;
  /// The id of `token`, or -1.
  int32_t id(std::string_view token) const;
  bool isSpecial(int32_t id) const;

  /// From tokenizer_config.json; -1 where it names none.
  int32_t bosId() const;
  int32_t eosId() const;

private:
  friend class DecodeStream;
  struct Data;
  std::shared_ptr<const Data> data;
};

/// Decodes ids as they are generated. What push returns is always whole characters, and all of it
/// with flush at the end is what decode returns for the whole list, except that a run of byte
/// tokens that is not UTF-8 keeps its valid part here.
class DecodeStream {
public:
  explicit DecodeStream(const Tokenizer &tokenizer, bool skipSpecial = true);
  DecodeStream(DecodeStream &&) noexcept;
  DecodeStream &operator=(DecodeStream &&) noexcept;
  ~DecodeStream();

  /// The text that `id` completes, often empty.
  std::string push(int32_t id);
  /// Ends the text: bytes of an unfinished character become U+FFFD. The stream starts anew.
  std::string flush();

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace xfmr::tokenizer
