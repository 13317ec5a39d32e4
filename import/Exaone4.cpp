// EXAONE 4: norms only behind attention and network, before the residual sum, and on every query and key head. Where layers slide, the
// others see everything and do not turn queries and keys. Source: Hugging Face's modeling_exaone4.
#include "import/Families.h"

using namespace mlir;

namespace xfmr {

/// How many layers a period has of which the last sees everything: a number, or a word with a letter for each ("LLLG").
static int64_t readPeriod(Config &config) {
  const char *key = "sliding_window_pattern";
  if (!config.isText(key))
    return config.size(key, 4);
  const std::string word = config.text(key);
  const size_t last = word.find('G');
  if (last == word.npos || last + 1 != word.size() || word.find_first_not_of('L') != last)
    config.refuse(key, "is \"" + word + "\", expected letters L and a G behind them");
  return static_cast<int64_t>(word.size());
}

Value importExaone4(ImportContext &context) {
  Config &config = context.config;
  DecoderConfig d = readDecoder(context, /*tiedByDefault=*/false, {}, 1e-5);
  d.attention.norm = QueryKeyNorm::perHead;
  const bool slides = windowOrDefault(config);
  const int64_t period = readPeriod(config);
  const Windows windows =
      readWindows(config, d.numLayers, [&](int64_t layer) { return slides && (layer + 1) % period != 0; }, 4096);
  if (config.failed())
    return {};
  for (int64_t layer = 0; layer < d.numLayers; ++layer)
    d.rotates.push_back(!slides || windows[layer]);

  ModelBuilder &m = context.model;
  Value x = decoderBlocks(context, d, [&](Value h, const std::string &prefix, int64_t layer) {
    const AttentionLayer kind{d.turns(layer) ? &d.rope : nullptr, windows[layer]};
    Value mixed = selfAttention(m, h, prefix + ".self_attn", d.attention, kind);
    h = m.add(h, m.rmsNorm(mixed, prefix + ".post_attention_layernorm", d.hiddenSize, d.eps));
    Value fed = gatedMlp(m, h, prefix + ".mlp", d.intermediateSize, d.activation);
    return m.add(h, m.rmsNorm(fed, prefix + ".post_feedforward_layernorm", d.hiddenSize, d.eps));
  });
  return languageHead(m, m.rmsNorm(x, "model.norm", d.hiddenSize, d.eps), d);
}

} // namespace xfmr
