// The C interface over artifact, tokenizer and Vulkan sessions; see xfmr.h. No exception leaves this file.
#include "runtime/xfmr.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/vulkan/Session.h"
#include <cstring>
#include <new>

using namespace xfmr;

struct xfmr_model {
  std::shared_ptr<const artifact::Artifact> artifact;
  std::shared_ptr<const vulkan::Model> device; // null when opened with "none"
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::string tokenizerError;
  std::string name, deviceName, report;
  std::vector<int32_t> eos;
};

struct xfmr_session {
  std::unique_ptr<vulkan::Session> session;
};

struct xfmr_decoder {
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  tokenizer::DecodeStream stream;
  std::string text;
};

namespace {

thread_local std::string lastError;

xfmr_status fail(xfmr_status status, const std::string &text) {
  lastError = text;
  return status;
}

/// Runs `body`, which returns a status; turns exceptions (memory, or a fault of ours) into one too.
template <typename Body> xfmr_status guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail(XFMR_ERROR_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &exception) {
    return fail(XFMR_ERROR_ARGUMENT, std::string("internal error: ") + exception.what());
  }
}

xfmr_status missing(const char *what) {
  return fail(XFMR_ERROR_ARGUMENT, std::string(what) + " is null");
}

xfmr_status outcome(const Status &status, xfmr_status code) {
  return status.ok() ? XFMR_OK : fail(code, status.message());
}

void loadTokenizer(xfmr_model &model) {
  std::string_view json = model.artifact->text(artifact::kTokenizerTensor);
  if (json.empty()) {
    model.tokenizerError = "the artifact has no tokenizer (the model's folder had no tokenizer.json); "
                           "use token ids instead of text (xfmr-run: --prompt-ids and --ids)";
    return;
  }
  auto loaded = std::make_shared<tokenizer::Tokenizer>();
  std::string error;
  if (tokenizer::Tokenizer::load(json, model.artifact->text(artifact::kTokenizerConfigTensor), *loaded,
                                 error))
    model.tokenizer = std::move(loaded);
  else
    model.tokenizerError = "the artifact's tokenizer.json cannot be used: " + error;
}

} // namespace

const char *xfmr_last_error(void) { return lastError.c_str(); }
const char *xfmr_version(void) { return XFMR_VERSION; }
uint32_t xfmr_validation_messages(void) { return vulkan::validationMessages(); }

xfmr_status xfmr_model_open(const char *path, const char *device, xfmr_model **model) {
  if (!path || !model)
    return missing(path ? "model" : "path");
  return guarded([&] {
    auto made = std::make_unique<xfmr_model>();
    auto file = std::make_shared<artifact::Artifact>();
    if (Status s = artifact::Artifact::open(path, *file); s.failed())
      return fail(XFMR_ERROR_ARTIFACT, s.message());
    made->artifact = file;
    const program::Program &program = file->program();
    made->name = program.model_name() ? program.model_name()->str() : "";
    if (program.eos_tokens())
      made->eos.assign(program.eos_tokens()->begin(), program.eos_tokens()->end());
    loadTokenizer(*made);
    std::string wanted = device ? device : "auto";
    if (wanted != "none") {
      vulkan::Model::Options options;
      options.device = wanted;
      if (Status s = vulkan::Model::open(file, options, made->device); s.failed())
        return fail(XFMR_ERROR_DEVICE, s.message());
      made->deviceName = made->device->device()->facts().name;
      made->report = made->device->report();
    }
    *model = made.release();
    return XFMR_OK;
  });
}

void xfmr_model_close(xfmr_model *model) { delete model; }

xfmr_status xfmr_model_get_info(const xfmr_model *model, xfmr_model_info *info) {
  if (!model || !info)
    return missing(model ? "info" : "model");
  const program::Program &program = model->artifact->program();
  *info = {};
  info->name = model->name.c_str();
  info->device = model->deviceName.c_str();
  info->report = model->report.c_str();
  info->vocab_size = program.vocab_size();
  info->hidden_size = program.hidden_size();
  info->max_context = program.max_context();
  info->prefill_chunk = model->artifact->phase("prefill")->tokens();
  const program::Phase *few = model->artifact->phase("prefill_few");
  info->prefill_few = few ? few->tokens() : 0;
  info->parameters = program.parameters();
  info->bos_token = program.bos_token();
  info->eos_tokens = model->eos.data();
  info->num_eos_tokens = model->eos.size();
  info->has_tokenizer = model->tokenizer != nullptr;
  return XFMR_OK;
}

xfmr_status xfmr_encode(const xfmr_model *model, const char *text, size_t bytes, bool special,
                        int32_t *ids, size_t capacity, size_t *count) {
  if (!model || !text || !count || (!ids && capacity))
    return missing("model, text, ids or count");
  return guarded([&] {
    if (!model->tokenizer)
      return fail(XFMR_ERROR_TOKENIZER, model->tokenizerError);
    std::vector<int32_t> found;
    std::string error;
    if (!model->tokenizer->encode({text, bytes}, special, found, error))
      return fail(XFMR_ERROR_TOKENIZER, error);
    *count = found.size();
    if (found.size() > capacity)
      return fail(XFMR_ERROR_CAPACITY, "the text has " + std::to_string(found.size()) +
                                           " ids, there is room for " + std::to_string(capacity));
    std::copy(found.begin(), found.end(), ids);
    return XFMR_OK;
  });
}

xfmr_status xfmr_decode_text(const xfmr_model *model, const int32_t *ids, size_t count, char *text,
                             size_t capacity, size_t *bytes) {
  if (!model || !bytes || (!ids && count) || (!text && capacity))
    return missing("model, ids, text or bytes");
  return guarded([&] {
    if (!model->tokenizer)
      return fail(XFMR_ERROR_TOKENIZER, model->tokenizerError);
    std::string decoded =
        model->tokenizer->decode(std::vector<int32_t>(ids, ids + count), /*skipSpecial=*/true);
    *bytes = decoded.size();
    if (decoded.size() > capacity)
      return fail(XFMR_ERROR_CAPACITY, "the text has " + std::to_string(decoded.size()) +
                                           " bytes, there is room for " + std::to_string(capacity));
    std::copy(decoded.begin(), decoded.end(), text);
    return XFMR_OK;
  });
}

xfmr_status xfmr_decoder_create(const xfmr_model *model, xfmr_decoder **decoder) {
  if (!model || !decoder)
    return missing(model ? "decoder" : "model");
  return guarded([&] {
    if (!model->tokenizer)
      return fail(XFMR_ERROR_TOKENIZER, model->tokenizerError);
    *decoder = new xfmr_decoder{model->tokenizer, tokenizer::DecodeStream(*model->tokenizer), {}};
    return XFMR_OK;
  });
}

void xfmr_decoder_close(xfmr_decoder *decoder) { delete decoder; }

xfmr_status xfmr_decoder_push(xfmr_decoder *decoder, int32_t id, const char **text, size_t *bytes) {
  if (!decoder || !text || !bytes)
    return missing("decoder, text or bytes");
  return guarded([&] {
    decoder->text = decoder->stream.push(id);
    *text = decoder->text.c_str();
    *bytes = decoder->text.size();
    return XFMR_OK;
  });
}

xfmr_status xfmr_decoder_flush(xfmr_decoder *decoder, const char **text, size_t *bytes) {
  if (!decoder || !text || !bytes)
    return missing("decoder, text or bytes");
  return guarded([&] {
    decoder->text = decoder->stream.flush();
    *text = decoder->text.c_str();
    *bytes = decoder->text.size();
    return XFMR_OK;
  });
}

xfmr_status xfmr_session_create(const xfmr_model *model, xfmr_session **session) {
  if (!model || !session)
    return missing(model ? "session" : "model");
  return guarded([&] {
    if (!model->device)
      return fail(XFMR_ERROR_ARGUMENT, "the model was opened without a device");
    auto made = std::make_unique<xfmr_session>();
    if (Status s = vulkan::Session::create(model->device, made->session); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    *session = made.release();
    return XFMR_OK;
  });
}

void xfmr_session_close(xfmr_session *session) { delete session; }

xfmr_status xfmr_session_reset(xfmr_session *session) {
  if (!session)
    return missing("session");
  session->session->reset();
  return XFMR_OK;
}

uint32_t xfmr_session_position(const xfmr_session *session) {
  return session ? session->session->position() : 0;
}

xfmr_status xfmr_prefill(xfmr_session *session, const int32_t *ids, size_t count) {
  if (!session || (!ids && count))
    return missing(session ? "ids" : "session");
  return guarded([&] {
    std::vector<int32_t> list(ids, ids + count);
    if (Status s = session->session->accepts(list); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    return outcome(session->session->prefill(list), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_prefill_logits(xfmr_session *session, const int32_t *ids, size_t count,
                                xfmr_on_logits on_logits, void *user) {
  if (!session || (!ids && count) || !on_logits)
    return missing("session, ids or on_logits");
  return guarded([&] {
    std::vector<int32_t> list(ids, ids + count);
    if (Status s = session->session->accepts(list); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    auto handOver = [&](uint32_t first, uint32_t rows, const float *logits, size_t stride) {
      on_logits(user, first, rows, logits, stride);
    };
    return outcome(session->session->prefillAllLogits(list, handOver), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_decode(xfmr_session *session, int32_t id) {
  if (!session)
    return missing("session");
  return guarded([&] {
    if (Status s = session->session->accepts({id}); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    return outcome(session->session->decode(id), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_logits(xfmr_session *session, float *logits, size_t capacity) {
  if (!session || !logits)
    return missing(session ? "logits" : "session");
  return guarded([&] {
    size_t vocab = session->session->model().program().vocab_size();
    if (capacity < vocab)
      return fail(XFMR_ERROR_CAPACITY, "the vocabulary has " + std::to_string(vocab) +
                                           " ids, there is room for " + std::to_string(capacity));
    if (!session->session->hasLogits())
      return fail(XFMR_ERROR_TOKENS, "there are no logits yet: prefill or decode first");
    std::vector<float> row;
    if (Status s = session->session->logits(row); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    std::copy(row.begin(), row.end(), logits);
    return XFMR_OK;
  });
}

xfmr_status xfmr_generate(xfmr_session *session, const xfmr_sampling *sampling, uint32_t count,
                          xfmr_on_token on_token, void *user, xfmr_finish *finish) {
  if (!session || !on_token || !finish)
    return missing("session, on_token or finish");
  return guarded([&] {
    vulkan::Sampling chosen;
    if (sampling) {
      if (!(sampling->temperature >= 0) || !(sampling->top_p > 0 && sampling->top_p <= 1))
        return fail(XFMR_ERROR_ARGUMENT, "temperature must be at least 0 and top_p in (0, 1]");
      chosen = {sampling->temperature, sampling->top_k, sampling->top_p, sampling->seed,
                sampling->ignore_eos};
    }
    if (!session->session->hasLogits())
      return fail(XFMR_ERROR_TOKENS, "there is nothing to continue: prefill or decode first");
    vulkan::Finish reason = vulkan::Finish::length;
    if (Status s = session->session->generate(
            count, chosen, [&](int32_t id) { return on_token(user, id); }, reason);
        s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    *finish = reason == vulkan::Finish::length     ? XFMR_FINISH_LENGTH
              : reason == vulkan::Finish::endToken ? XFMR_FINISH_END
              : reason == vulkan::Finish::context  ? XFMR_FINISH_CONTEXT
                                                   : XFMR_FINISH_STOPPED;
    return XFMR_OK;
  });
}

xfmr_status xfmr_moe_layers(const xfmr_model *model, xfmr_moe_layer *layers, size_t capacity,
                            size_t *count) {
  if (!model || !count || (!layers && capacity))
    return missing("model, layers or count");
  const auto *known = model->artifact->program().moe_layers();
  *count = known ? known->size() : 0;
  if (*count > capacity)
    return fail(XFMR_ERROR_CAPACITY, "the model has " + std::to_string(*count) +
                                         " mixtures, there is room for " + std::to_string(capacity));
  for (uint32_t i = 0; i < *count; ++i)
    layers[i] = {known->Get(i)->layer(), known->Get(i)->num_experts()};
  return XFMR_OK;
}

xfmr_status xfmr_moe_stats(xfmr_session *session, uint32_t index, uint32_t *counts, float *weights,
                           size_t capacity) {
  if (!session || !counts || !weights)
    return missing("session, counts or weights");
  return guarded([&] {
    const auto *known = session->session->model().program().moe_layers();
    if (!known || index >= known->size())
      return fail(XFMR_ERROR_ARGUMENT, "there is no mixture " + std::to_string(index));
    if (capacity < known->Get(index)->num_experts())
      return fail(XFMR_ERROR_CAPACITY, "the mixture has " + std::to_string(known->Get(index)->num_experts()) +
                                           " experts, there is room for " + std::to_string(capacity));
    std::vector<uint32_t> found;
    std::vector<float> sums;
    if (Status s = session->session->expertStats(index, found, sums); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    std::copy(found.begin(), found.end(), counts);
    std::copy(sums.begin(), sums.end(), weights);
    return XFMR_OK;
  });
}

double xfmr_host_seconds(const xfmr_session *session) {
  return session ? session->session->hostSeconds() : 0;
}

xfmr_status xfmr_profile(xfmr_session *session, const char *phase, uint32_t tokens,
                         xfmr_on_dispatch on_dispatch, void *user) {
  if (!session || !phase || !on_dispatch)
    return missing("session, phase or on_dispatch");
  return guarded([&] {
    auto handOver = [&](const std::string &label, const std::string &kernel, double seconds) {
      on_dispatch(user, label.c_str(), kernel.c_str(), seconds);
    };
    return outcome(session->session->profile(phase, tokens, handOver), XFMR_ERROR_DEVICE);
  });
}
