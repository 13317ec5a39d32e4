// See PreTokenizerNames.h. Patterns are those of the models' own tokenizer.json; nothing but the whole pattern decides.
#include "weights/PreTokenizerNames.h"

namespace xfmr {

#define XFMR_ENDINGS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define XFMR_SPACES R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"

static constexpr std::string_view kLlama3 =
    "split " XFMR_ENDINGS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)" XFMR_SPACES;
static constexpr std::string_view kQwen2 =
    "split " XFMR_ENDINGS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)" XFMR_SPACES;
static constexpr std::string_view kQwen35 =
    "split " XFMR_ENDINGS R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" XFMR_SPACES;
static constexpr std::string_view kTekken =
    R"(split [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*)" XFMR_SPACES;
static constexpr std::string_view kGpt4o =
    R"(split [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" XFMR_ENDINGS
    R"(?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" XFMR_ENDINGS
    R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*)" XFMR_SPACES;
static constexpr std::string_view kDeepSeek3 =
    R"(split [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*)" XFMR_SPACES;
static constexpr std::string_view kDeepSeekWords =
    R"(split \s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-)"
    R"(\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-)"
    R"(\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-)"
    R"(\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F)"
    R"(-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC)"
    R"(\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-)"
    R"(\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3)"
    R"(\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17)"
    R"(\uFF21-\uFF3A\uFF41-\uFF5A\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2})"
    R"(\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";

const std::vector<PreTokenizerName> &preTokenizerNames() {
  using Steps = std::vector<std::string_view>;
  // untested: steps, no messages
  static const Steps gpt2 = {"bytes split"}, digits = {"digits", "bytes split"}, llama3 = {kLlama3, "bytes"},
                     qwen2 = {kQwen2, "bytes"};
  static const std::vector<PreTokenizerName> names = {
      {"gpt-2", gpt2},
      {"phi-2", gpt2},
      {"olmo", gpt2},
      {"mpt", gpt2},
      {"gigachat", gpt2},
      {"smollm", digits},
      {"starcoder", digits},
      {"refact", digits},
      {"codeshell", digits},
      {"exaone", digits},
      {"minerva-7b", digits},
      {"command-r", digits, false, false, /*composes=*/true},
      {"llama-bpe", llama3, /*wholeWords=*/true, /*begins=*/true},
      {"llama3", llama3, true, true},
      {"llama-v3", llama3, true, true},
      {"falcon3", llama3, true, true},
      {"pixtral", llama3, true, true},
      {"smaug-bpe", llama3},
      {"dbrx", llama3},
      {"qwen2", qwen2, false, false, true},
      {"deepseek-r1-qwen", qwen2, false, false, true},
      {"megrez", qwen2, false, false, true},
      {"qwen35", {kQwen35, "bytes"}},
      {"tekken", {kTekken, "bytes"}, true, true},
      {"gpt-4o", {kGpt4o, "bytes"}},
      {"llama4", {kGpt4o, "bytes"}},
      {"deepseek-v3",
       {R"(split \p{N}{1,3})", R"(split [\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+)", kDeepSeek3, "bytes"}},
      {"deepseek-llm",
       {R"(split [\r\n])", kDeepSeekWords, R"(split \s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+)",
        R"(split \s+$)", R"(split [\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+)", "digits", "bytes"}},
      {"deepseek-coder",
       {R"(split [\r\n])", R"(split \s?\p{L}+)", R"(split \s?\p{P}+)",
        R"(split [\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+)", "digits", "bytes"}},
  };
  return names;
}

const PreTokenizerName *findPreTokenizer(std::string_view name) {
  for (const PreTokenizerName &each : preTokenizerNames())
    if (each.name == name)
      return &each;
  return nullptr;
}

} // namespace xfmr
