// Embeddings; see Embed.h.
#include "tools/xfmr-run/Embed.h"
#include "runtime/artifact/Safetensors.h"
#include "tools/xfmr-run/LogitsFile.h"
#include "tools/xfmr-run/Prompt.h"
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

namespace {

xfmr_pooling poolingOf(const std::string &word) {
  static constexpr std::pair<const char *, xfmr_pooling> words[] = {{"mean", XFMR_POOLING_MEAN},
                                                                    {"cls", XFMR_POOLING_CLS},
                                                                    {"max", XFMR_POOLING_MAX},
                                                                    {"mean_sqrt_len", XFMR_POOLING_MEAN_SQRT_LEN},
                                                                    {"last", XFMR_POOLING_LAST}};
  for (auto [name, pooling] : words)
    if (word == name)
      return pooling;
  return XFMR_POOLING_MODEL; // not given: the command line takes no other words
}

void print(const Options &options, const Prompt &prompt, const std::vector<float> &vector) {
  if (options.json) {
    nlohmann::ordered_json record;
    if (!options.promptIds)
      record["prompt"] = prompt.text;
    if (!options.pairs.empty())
      record["pair"] = prompt.pair;
    record["prompt_ids"] = prompt.ids;
    record["embedding"] = vector;
    std::printf("%s\n", record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  for (size_t i = 0; i < vector.size(); ++i)
    std::printf("%s%.9g", i ? " " : "", static_cast<double>(vector[i])); // nine digits give the float back
  std::printf("\n");
}

Status write(const std::string &path, const std::vector<std::vector<float>> &vectors, uint32_t width) {
  SafetensorsWriter writer;
  Status status = writer.declare("embeddings", DType::f32, {static_cast<int64_t>(vectors.size()), width});
  if (status.ok())
    status = writer.begin(path);
  for (const std::vector<float> &vector : vectors)
    if (status.ok())
      status = writer.append(vector.data(), 4 * vector.size());
  return status.ok() ? writer.finish() : status;
}

} // namespace

Status xfmr::run::embed(const ModelHandle &model, const Options &options) {
  const xfmr_model_details details = detailsOf(model);
  if (!details.is_encoder)
    return Status::error("the model generates text, --embed needs an encoder");
  std::vector<Prompt> prompts;
  if (Status s = readPrompts(model, options, prompts); s.failed())
    return s;
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  const uint32_t hidden = infoOf(model).hidden_size, width = options.pooling.empty() ? details.embedding_size : hidden;
  xfmr_embed_options wanted = {};
  wanted.size = sizeof wanted;
  wanted.pooling = poolingOf(options.pooling);
  wanted.normalize = options.normalize;
  if (options.verbose)
    std::fprintf(stderr, "pooling of the checkpoint: %s\n", *details.pooling ? details.pooling : "none, so mean");
  std::vector<std::vector<float>> vectors;
  for (const Prompt &prompt : prompts) {
    std::vector<float> vector(width);
    if (Status s =
            checked(xfmr_embed(session.get(), prompt.ids.data(), prompt.ids.size(), &wanted, vector.data(), width));
        s.failed())
      return s;
    if (options.embeddingsPath.empty())
      print(options, prompt, vector);
    vectors.push_back(std::move(vector));
  }
  if (!options.hiddenPath.empty())
    if (Status s = writeLogits(session, prompts.front().ids, hidden, options.hiddenPath, "hidden"); s.failed())
      return s;
  return options.embeddingsPath.empty() ? Status::success() : write(options.embeddingsPath, vectors, width);
}
