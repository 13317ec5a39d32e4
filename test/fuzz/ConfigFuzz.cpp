// A config.json, read by every getter under every key, its objects too: importers read nothing in another way.
#include "import/Config.h"
#include "import/HarmlessKeys.h"
#include "test/fuzz/Fuzz.h"

namespace xfmr::fuzz {

std::vector<std::string> seeds() {
  return {R"({"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"eos_token_id":[1,2],"rms_norm_eps":1e-5,)"
          R"("rope_scaling":{"rope_type":"yarn","factor":4.0,"short_factor":[1.0,2.0]},"tie_word_embeddings":true,)"
          R"("layer_types":["full_attention","sliding_attention"],"text_config":{"hidden_size":8},"x":null})",
          "{}"};
}

std::string mutated(std::string data, Random &random) {
  static const Words words =
      wordsOf("hidden_size eos_token_id dtype text_config rope_scaling vocab_size layer_types llama full_attention");
  return mutatedJson(std::move(data), random, words);
}

static void readAll(Config config, int depth) {
  for (const std::string &key : config.keys()) {
    // Each alone, from a copy of the configuration, would never pass the first error; the getters run all the same.
    config.size(key, 1);
    config.layers(key, 1);
    config.integer(key, 0, 1);
    config.positive(key, 1.0);
    config.number(key, 1.0);
    config.flag(key, false);
    config.text(key, "");
    config.integers(key);
    config.numbers(key);
    config.texts(key);
    config.repeatedTexts(key);
    config.tokenIds(key);
    config.isEmpty(key);
    if (config.isObject(key) && depth < 80) {
      readAll(config.object(key), depth + 1);
      if (depth == 0)
        readAll(config.object(key, {"dtype", "eos_token_id"}, R"({"vocab_size": 3})"), 80);
    }
  }
  unknownKeys(config);
}

std::string readOnce(const std::string &data) {
  const std::string path = std::string(kPath) + "config.json";
  const File file(path, data);
  Config config;
  if (Status status = Config::read(path, config); status.failed())
    return status.message();
  readAll(config, 0);
  config.size("hidden_size", 1);
  return {};
}

} // namespace xfmr::fuzz
