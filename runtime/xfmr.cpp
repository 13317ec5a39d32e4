// The C interface over artifact, tokenizer, engines and sessions; see xfmr.h. No exception leaves this file. Long because the
// interface is: a function an entry, which checks its arguments and calls what lies behind.
#include "runtime/xfmr.h"
#include "runtime/Devices.h"
#include "runtime/Engines.h"
#include "runtime/Tuning.h"
#include "runtime/artifact/DenseLayers.h"
#include "runtime/artifact/Segments.h"
#include "runtime/chat/ChatTemplate.h"
#include "runtime/session/PhaseChoice.h"
#include "runtime/session/Pooling.h"
#include "runtime/session/Session.h"
#include "runtime/tokenizer/Tokenizer.h"
#include <algorithm>
#include <cstring>
#include <new>

using namespace xfmr;

struct xfmr_model {
  std::shared_ptr<const artifact::Artifact> artifact;
  std::shared_ptr<const engine::Engine> engine; // null when opened with "none"
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::string tokenizerError;
  std::string name, deviceName, report, targets, why, pooling;
  std::vector<int32_t> eos;
  std::shared_ptr<const std::vector<artifact::DenseLayer>> dense; // behind the pooling of an encoder
};

struct xfmr_session {
  std::shared_ptr<const artifact::Artifact> artifact;
  std::unique_ptr<session::Session> session;
  std::shared_ptr<const std::vector<artifact::DenseLayer>> dense;
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
    model.tokenizerError = "the artifact has no tokenizer (the model's folder had no tokenizer.json)";
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
uint32_t xfmr_checker_messages(void) { return engines::checkerMessages(); }
uint32_t xfmr_validation_messages(void) { return engines::checkerMessages(); }

xfmr_status xfmr_model_open(const char *path, const char *device, xfmr_model **model) {
  xfmr_model_open_options options = {};
  options.size = sizeof options;
  options.device = device;
  return xfmr_model_open_with(path, &options, model);
}

/// The caller's options as this library knows them; false if they ask for something it does not know.
template <typename Options> static bool readOptions(const Options &given, Options &out) {
  out = {};
  const auto *bytes = reinterpret_cast<const char *>(&given);
  std::memcpy(&out, bytes, std::min(given.size, sizeof out));
  return given.size >= sizeof given.size &&
         (given.size <= sizeof out || std::all_of(bytes + sizeof out, bytes + given.size, [](char c) { return c == 0; }));
}

static xfmr_status unknownOptions(size_t size) {
  return fail(XFMR_ERROR_ARGUMENT, "options of size " + std::to_string(size) +
                                       " ask for what this library does not know; set size to sizeof and zero the rest");
}

xfmr_status xfmr_model_open_with(const char *path, const xfmr_model_open_options *options, xfmr_model **model) {
  if (!path || !options || !model)
    return missing(!path ? "path" : !options ? "options" : "model");
  xfmr_model_open_options known;
  if (!readOptions(*options, known))
    return unknownOptions(options->size);
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
    made->targets = file->targets();
    made->pooling = file->text(artifact::kPoolingTensor);
    std::vector<artifact::DenseLayer> dense;
    if (Status s = artifact::readDenseLayers(file->text(artifact::kDenseTensor), program.hidden_size(), dense); s.failed())
      return fail(XFMR_ERROR_ARTIFACT, s.message());
    made->dense = std::make_shared<const std::vector<artifact::DenseLayer>>(std::move(dense));
    engines::Options wanted;
    wanted.device = known.device ? known.device : "auto";
    wanted.threads = known.threads;
    if (wanted.device != "none") {
      if (Status s = engines::open(file, wanted, made->engine, made->why); s.failed())
        return fail(XFMR_ERROR_DEVICE, s.message());
      made->deviceName = made->engine->device();
      made->report = made->engine->report();
    }
    *model = made.release();
    return XFMR_OK;
  });
}

void xfmr_model_close(xfmr_model *model) { delete model; }

/// The program that runs, or any one for a model without a device.
static const program::Program &programOf(const xfmr_model &model) {
  return model.engine ? model.engine->program() : model.artifact->program();
}

xfmr_status xfmr_model_get_info(const xfmr_model *model, xfmr_model_info *info) {
  if (!model || !info)
    return missing(model ? "info" : "model");
  const program::Program &program = programOf(*model);
  *info = {};
  info->name = model->name.c_str();
  info->device = model->deviceName.c_str();
  info->report = model->report.c_str();
  info->vocab_size = program.vocab_size();
  info->hidden_size = program.hidden_size();
  info->max_context = program.max_context();
  info->prefill_chunk = session::prefillChunk(program);
  const program::Phase *few = artifact::findPhase(program, "prefill_few");
  info->prefill_few = few ? few->tokens() : 0;
  info->parameters = program.parameters();
  info->bos_token = program.bos_token();
  info->eos_tokens = model->eos.data();
  info->num_eos_tokens = model->eos.size();
  info->has_tokenizer = model->tokenizer != nullptr;
  return XFMR_OK;
}

xfmr_status xfmr_model_get_details(const xfmr_model *model, xfmr_model_details *details) {
  if (!model || !details)
    return missing(model ? "details" : "model");
  if (details->size < sizeof details->size)
    return fail(XFMR_ERROR_ARGUMENT, "details of size " + std::to_string(details->size) + "; set size to sizeof");
  xfmr_model_details known = {};
  known.size = details->size;
  known.engine = model->engine ? model->engine->name() : "";
  known.targets = model->targets.c_str();
  known.threads = model->engine ? model->engine->threads() : 0;
  known.why = model->why.c_str();
  known.max_position = programOf(*model).max_position();
  known.is_encoder = artifact::isEncoder(programOf(*model));
  known.reads_source = artifact::readsSource(programOf(*model));
  known.pooling = model->pooling.c_str();
  if (known.is_encoder)
    known.embedding_size = model->dense->empty() ? programOf(*model).hidden_size() : model->dense->back().out;
  const size_t size = details->size;
  std::memset(details, 0, size);
  std::memcpy(details, &known, std::min(size, sizeof known));
  return XFMR_OK;
}

xfmr_status xfmr_prefill_phase(const xfmr_model *model, uint32_t tokens, const char **phase) {
  if (!model || !phase)
    return missing(model ? "phase" : "model");
  *phase = session::prefillPhase(programOf(*model), std::max(1u, tokens));
  return XFMR_OK;
}

/// Words of a model whose ids tell two segments apart: those from there on are of the second. 0: its ids tell none apart.
static int32_t wordsOf(const xfmr_model &model) {
  return model.artifact->text(artifact::kSegmentsTensor) == "2" ? static_cast<int32_t>(programOf(model).vocab_size() / 2) : 0;
}

/// Whether none of the tokenizer's ids would be read as one of the second segment.
static bool areWords(const xfmr_model &model, const std::vector<int32_t> &ids, std::string &error) {
  const int32_t words = wordsOf(model);
  const auto found = words ? std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id >= words; }) : ids.end();
  if (found != ids.end())
    error = "the tokenizer gives id " + std::to_string(*found) + ", the model has " + std::to_string(words) + " words";
  return found == ids.end();
}

static xfmr_status givenOut(const char *what, const std::vector<int32_t> &found, int32_t *ids, size_t capacity, size_t *count) {
  *count = found.size();
  if (found.size() > capacity)
    return fail(XFMR_ERROR_CAPACITY, std::string(what) + " " + std::to_string(found.size()) + " ids, there is room for " +
                                         std::to_string(capacity));
  std::copy(found.begin(), found.end(), ids);
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
    if (!model->tokenizer->encode({text, bytes}, special, found, error) || !areWords(*model, found, error))
      return fail(XFMR_ERROR_TOKENIZER, error);
    return givenOut("the text has", found, ids, capacity, count);
  });
}

xfmr_status xfmr_encode_pair(const xfmr_model *model, const char *first, size_t first_bytes, const char *second, size_t second_bytes,
                             int32_t *ids, size_t capacity, size_t *count) {
  if (!model || !first || !second || !count || (!ids && capacity))
    return missing("model, first, second, ids or count");
  return guarded([&] {
    if (!artifact::isEncoder(programOf(*model)) && !artifact::readsSource(programOf(*model)))
      return fail(XFMR_ERROR_ARGUMENT, "the model continues one text: an encoder reads two as one");
    if (!model->tokenizer)
      return fail(XFMR_ERROR_TOKENIZER, model->tokenizerError);
    std::vector<int32_t> found, segments;
    std::string error;
    if (!model->tokenizer->encodePair({first, first_bytes}, {second, second_bytes}, found, segments, error) ||
        !areWords(*model, found, error))
      return fail(XFMR_ERROR_TOKENIZER, error);
    const int32_t words = wordsOf(*model);
    const bool one = model->artifact->text(artifact::kSegmentsTensor) == "1"; // segments change nothing
    for (size_t i = 0; i < found.size() && !one; ++i) {
      if (segments[i] > 1)
        return fail(XFMR_ERROR_TOKENIZER, "the tokenizer's template for two texts has segment " + std::to_string(segments[i]) +
                                              ", expected 0 or 1");
      if (segments[i] && !words)
        return fail(XFMR_ERROR_TOKENIZER, "the artifact knows the first segment alone: compile it with --pairs");
      found[i] += segments[i] * words;
    }
    return givenOut("the texts have", found, ids, capacity, count);
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

xfmr_status xfmr_chat_text(const xfmr_model *model, const xfmr_message *messages, size_t count, bool continues,
                           char *text, size_t capacity, size_t *bytes) {
  if (!model || !bytes || (!messages && count) || (!text && capacity))
    return missing("model, messages, text or bytes");
  for (size_t i = 0; i < count; ++i)
    if (!messages[i].role || !messages[i].content)
      return missing("role or content of a message");
  return guarded([&] {
    chat::ChatTemplate format;
    std::string error, made;
    if (!chat::ChatTemplate::load(model->artifact->text(artifact::kTokenizerConfigTensor),
                                  model->artifact->text(artifact::kChatTemplateTensor), format, error))
      return fail(XFMR_ERROR_TOKENIZER, error);
    std::vector<chat::Message> list;
    for (size_t i = 0; i < count; ++i)
      list.push_back({messages[i].role, messages[i].content});
    if (!format.render(list, continues, made, error))
      return fail(XFMR_ERROR_TOKENIZER, error);
    *bytes = made.size();
    if (made.size() > capacity)
      return fail(XFMR_ERROR_CAPACITY, "the text has " + std::to_string(made.size()) + " bytes, there is room for " +
                                           std::to_string(capacity));
    std::copy(made.begin(), made.end(), text);
    return XFMR_OK;
  });
}

xfmr_status xfmr_list_devices(const xfmr_model *model, xfmr_on_device on_device, void *user) {
  if (!on_device)
    return missing("on_device");
  return guarded([&] {
    for (const engines::Description &each : engines::describeDevices(model ? model->artifact.get() : nullptr)) {
      xfmr_device device = {};
      device.size = sizeof device;
      device.id = each.id.c_str();
      device.name = each.name.c_str();
      device.kind = each.kind.c_str();
      device.offers = each.offers.c_str();
      device.memory = each.memory;
      device.lacks = each.lacks.c_str();
      device.limits = each.limits.c_str();
      device.variants = each.variants.c_str();
      device.blocks = each.blocks;
      device.blocks_with_room = each.blocksWithRoom;
      on_device(user, &device);
    }
    return XFMR_OK;
  });
}

xfmr_status xfmr_self_test(const char *path, const char *device, xfmr_on_finding on_finding, void *user, uint32_t *wrong) {
  if (!path || !on_finding)
    return missing(path ? "on_finding" : "path");
  return guarded([&] {
    artifact::Artifact artifact;
    if (Status s = artifact::Artifact::open(path, artifact); s.failed())
      return fail(XFMR_ERROR_ARTIFACT, s.message());
    uint32_t count = 0;
    auto found = [&](const engines::Finding &each) {
      xfmr_finding finding = {};
      finding.size = sizeof finding;
      finding.device = each.device.c_str();
      finding.kernel = each.kernel.c_str();
      finding.variant = each.variant.c_str();
      finding.wrong = each.wrong.c_str();
      finding.left_out = each.leftOut;
      on_finding(user, &finding);
    };
    if (Status s = engines::selfTest(artifact, device ? device : "auto", found, count); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    if (wrong)
      *wrong = count;
    return XFMR_OK;
  });
}

xfmr_status xfmr_tune(const char *path, const char *device, xfmr_on_measured on_measured, void *user, char *file, size_t capacity) {
  if (!path || !on_measured)
    return missing(path ? "on_measured" : "path");
  return guarded([&] {
    auto artifact = std::make_shared<artifact::Artifact>();
    if (Status s = artifact::Artifact::open(path, *artifact); s.failed())
      return fail(XFMR_ERROR_ARTIFACT, s.message());
    std::string kept;
    auto tuned = [&](const engines::TunedKernel &each) {
      for (size_t i = 0; i < each.candidates.size(); ++i) {
        xfmr_measured measured = {};
        measured.size = sizeof measured;
        measured.device = each.device.c_str();
        measured.kernel = each.kernel.c_str();
        measured.variant = each.candidates[i].variant.c_str();
        measured.seconds = each.candidates[i].seconds;
        measured.chosen = i == each.chosen;
        on_measured(user, &measured);
      }
    };
    if (Status s = engines::tune(artifact, device ? device : "auto", tuned, kept); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    if (file && capacity) {
      const size_t bytes = std::min(kept.size(), capacity - 1);
      std::memcpy(file, kept.data(), bytes);
      file[bytes] = 0;
    }
    return XFMR_OK;
  });
}

xfmr_status xfmr_session_create(const xfmr_model *model, xfmr_session **session) {
  if (!model || !session)
    return missing(model ? "session" : "model");
  return guarded([&] {
    if (!model->engine)
      return fail(XFMR_ERROR_ARGUMENT, "the model was opened without a device");
    auto made = std::make_unique<xfmr_session>();
    if (Status s = session::Session::create(model->engine, made->session); s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    made->artifact = model->artifact;
    made->dense = model->dense;
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

xfmr_status xfmr_source(xfmr_session *session, const int32_t *ids, size_t count) {
  if (!session || (!ids && count))
    return missing(session ? "ids" : "session");
  return guarded([&] {
    if (!session->session->readsSource())
      return fail(XFMR_ERROR_ARGUMENT, "the model reads one text: it has no encoder beside its decoder");
    const std::vector<int32_t> list(ids, ids + count);
    if (Status s = session->session->acceptsSource(list); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    return outcome(session->session->encode(list), XFMR_ERROR_DEVICE);
  });
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

// Hands over what is asked for of every position.
static xfmr_status prefillRows(xfmr_session *session, const int32_t *ids, size_t count, xfmr_on_probe on_probe,
                               xfmr_on_logits on_logits, void *user) {
  return guarded([&] {
    std::vector<int32_t> list(ids, ids + count);
    if (Status s = session->session->accepts(list); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    session::Session::OnLogits logits;
    session::Session::OnProbe probe;
    if (on_logits)
      logits = [&](uint32_t first, uint32_t rows, const float *values, size_t stride) {
        on_logits(user, first, rows, values, stride);
      };
    if (on_probe)
      probe = [&](size_t index, uint32_t first, uint32_t rows, const float *values, size_t stride) {
        on_probe(user, index, first, rows, values, stride);
      };
    return outcome(session->session->prefillProbes(list, probe, logits), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_prefill_logits(xfmr_session *session, const int32_t *ids, size_t count,
                                xfmr_on_logits on_logits, void *user) {
  if (!session || (!ids && count) || !on_logits)
    return missing("session, ids or on_logits");
  return prefillRows(session, ids, count, nullptr, on_logits, user);
}

xfmr_status xfmr_embed(xfmr_session *session, const int32_t *ids, size_t count, const xfmr_embed_options *options,
                       float *vector, size_t capacity) {
  if (!session || (!ids && count) || !vector)
    return missing("session, ids or vector");
  xfmr_embed_options wanted = {};
  if (options && !readOptions(*options, wanted))
    return unknownOptions(options->size);
  if (wanted.pooling < XFMR_POOLING_MODEL || wanted.pooling > XFMR_POOLING_LAST)
    return fail(XFMR_ERROR_ARGUMENT, "unknown pooling " + std::to_string(wanted.pooling));
  return guarded([&] {
    session::Session &runs = *session->session;
    if (!runs.isEncoder())
      return fail(XFMR_ERROR_ARGUMENT, "the model generates text: an encoder gives embeddings");
    session::Embedding embedding;
    if (Status s = session::readEmbedding(session->artifact->text(artifact::kPoolingTensor), embedding); s.failed())
      return fail(XFMR_ERROR_ARTIFACT, s.message());
    static constexpr session::Pooling kinds[] = {session::Pooling::mean, session::Pooling::cls, session::Pooling::max,
                                                 session::Pooling::meanSqrtLen, session::Pooling::last};
    if (wanted.pooling != XFMR_POOLING_MODEL)
      embedding = {kinds[wanted.pooling - 1], false};
    if (wanted.normalize)
      embedding.normalize = wanted.normalize > 0;
    const uint32_t width = runs.program().hidden_size();
    const bool projects = wanted.pooling == XFMR_POOLING_MODEL && !session->dense->empty();
    const uint32_t numbers = projects ? session->dense->back().out : width;
    if (capacity < numbers)
      return fail(XFMR_ERROR_CAPACITY, "the vector has " + std::to_string(numbers) + " numbers, there is room for " +
                                           std::to_string(capacity));
    std::vector<int32_t> list(ids, ids + count);
    if (Status s = runs.accepts(list); s.failed())
      return fail(XFMR_ERROR_TOKENS, s.message());
    session::Pooler pooler(embedding.pooling, width);
    const Status done = runs.prefillAllLogits(list, [&](uint32_t, uint32_t rows, const float *states, size_t stride) {
      for (uint32_t row = 0; row < rows; ++row)
        pooler.add(states + row * stride);
    });
    if (done.failed())
      return fail(XFMR_ERROR_DEVICE, done.message());
    std::vector<float> result = pooler.result();
    if (projects)
      for (const artifact::DenseLayer &layer : *session->dense)
        result = layer.apply(result);
    if (embedding.normalize)
      session::normalize(result);
    std::copy(result.begin(), result.end(), vector);
    return XFMR_OK;
  });
}

xfmr_status xfmr_model_probes(const xfmr_model *model, xfmr_probe *probes, size_t capacity, size_t *count) {
  if (!model || !count || (!probes && capacity))
    return missing("model, probes or count");
  const program::Program &program = programOf(*model);
  const std::vector<uint32_t> known = artifact::probesOf(program);
  *count = known.size();
  if (known.size() > capacity)
    return fail(XFMR_ERROR_CAPACITY, "the model has " + std::to_string(known.size()) + " probes, there is room for " +
                                         std::to_string(capacity));
  const size_t prefix = std::string_view(artifact::kProbePrefix).size();
  for (size_t i = 0; i < known.size(); ++i) {
    const program::Buffer &buffer = *program.buffers()->Get(known[i]);
    probes[i] = {buffer.name()->c_str() + prefix, static_cast<uint32_t>(buffer.columns())};
  }
  return XFMR_OK;
}

xfmr_status xfmr_prefill_probes(xfmr_session *session, const int32_t *ids, size_t count, xfmr_on_probe on_probe,
                                xfmr_on_logits on_logits, void *user) {
  if (!session || (!ids && count) || !on_probe)
    return missing("session, ids or on_probe");
  return prefillRows(session, ids, count, on_probe, on_logits, user);
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
    size_t vocab = session->session->program().vocab_size();
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
  xfmr_sampling_options options = {};
  options.size = sizeof options;
  if (sampling) {
    if (!(sampling->top_p > 0))
      return fail(XFMR_ERROR_ARGUMENT, "temperature must be at least 0 and top_p in (0, 1]");
    options.seed = sampling->seed;
    options.temperature = sampling->temperature;
    options.top_k = sampling->top_k;
    options.top_p = sampling->top_p;
    options.ignore_eos = sampling->ignore_eos;
  }
  return xfmr_generate_with(session, &options, count, on_token, user, finish);
}

xfmr_status xfmr_generate_with(xfmr_session *session, const xfmr_sampling_options *options, uint32_t count,
                               xfmr_on_token on_token, void *user, xfmr_finish *finish) {
  if (!session || !options || !on_token || !finish)
    return missing("session, options, on_token or finish");
  xfmr_sampling_options known;
  if (!readOptions(*options, known))
    return unknownOptions(options->size);
  return guarded([&] {
    if (!(known.temperature >= 0) || !(known.top_p >= 0 && known.top_p <= 1))
      return fail(XFMR_ERROR_ARGUMENT, "temperature must be at least 0 and top_p in (0, 1]");
    if (!(known.min_p >= 0 && known.min_p <= 1) || !(known.repetition_penalty >= 0))
      return fail(XFMR_ERROR_ARGUMENT, "min_p must be in [0, 1] and repetition_penalty at least 0");
    session::Sampling chosen = {known.temperature, known.top_k, known.top_p > 0 ? known.top_p : 1, known.seed,
                                known.ignore_eos, known.min_p, known.repetition_penalty > 0 ? known.repetition_penalty : 1};
    if (chosen.extends() && !session->session->penalises())
      return fail(XFMR_ERROR_ARTIFACT,
                  "the artifact was compiled before there were min-p and repetition penalties; compile it again");
    if (!session->session->hasLogits())
      return fail(XFMR_ERROR_TOKENS, "there is nothing to continue: prefill or decode first");
    session::Finish reason = session::Finish::length;
    if (Status s = session->session->generate(
            count, chosen, [&](int32_t id) { return on_token(user, id); }, reason);
        s.failed())
      return fail(XFMR_ERROR_DEVICE, s.message());
    *finish = reason == session::Finish::length     ? XFMR_FINISH_LENGTH
              : reason == session::Finish::endToken ? XFMR_FINISH_END
              : reason == session::Finish::context  ? XFMR_FINISH_CONTEXT
                                                   : XFMR_FINISH_STOPPED;
    return XFMR_OK;
  });
}

xfmr_status xfmr_moe_layers(const xfmr_model *model, xfmr_moe_layer *layers, size_t capacity,
                            size_t *count) {
  if (!model || !count || (!layers && capacity))
    return missing("model, layers or count");
  const auto *known = programOf(*model).moe_layers();
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
    const auto *known = session->session->program().moe_layers();
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

/// A dispatch for the caller, without times.
static xfmr_dispatch_run describe(const program::Program &program, const program::Phase &phase, uint32_t index,
                                  uint32_t position, uint32_t rows) {
  const program::Dispatch &dispatch = *phase.dispatches()->Get(index);
  const plan::Amount amount = plan::amountOf(dispatch, position, rows);
  xfmr_dispatch_run run = {};
  run.size = sizeof run;
  run.phase = phase.name()->c_str();
  run.kernel = program.kernels()->Get(dispatch.kernel())->name()->c_str();
  run.label = dispatch.label() ? dispatch.label()->c_str() : "";
  run.weights = dispatch.work() && dispatch.work()->weight_bytes() ? program::EnumNameElement(dispatch.work()->weights()) : "";
  run.index = index;
  run.layer = plan::layerOf(dispatch);
  run.position = position;
  run.rows = rows;
  run.operations = amount.operations;
  run.weight_bytes = amount.weightBytes;
  run.cache_bytes = amount.cacheBytes;
  return run;
}

xfmr_status xfmr_profile(xfmr_session *session, const char *phase, uint32_t tokens,
                         xfmr_on_dispatch on_dispatch, void *user) {
  if (!session || !phase || !on_dispatch)
    return missing("session, phase or on_dispatch");
  return guarded([&] {
    auto handOver = [&](const session::Dispatched &done) {
      const xfmr_dispatch_run run = describe(done.program, done.phase, done.ran.dispatch, done.position, done.rows);
      on_dispatch(user, run.label, run.kernel, done.ran.seconds);
    };
    return outcome(session->session->profile(phase, tokens, handOver), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_watch(xfmr_session *session, xfmr_on_dispatch_run on_run, void *user) {
  if (!session)
    return missing("session");
  return guarded([&] {
    if (!on_run)
      return outcome(session->session->watch({}), XFMR_ERROR_DEVICE);
    auto handOver = [on_run, user](const session::Dispatched &done) {
      std::vector<xfmr_thread_time> threads;
      for (const engine::Ran::Part &part : done.ran.parts)
        threads.push_back({part.thread, part.begin, part.end});
      xfmr_dispatch_run run = describe(done.program, done.phase, done.ran.dispatch, done.position, done.rows);
      run.seconds = done.ran.seconds;
      run.begin = done.ran.begin;
      run.end = done.ran.end;
      run.threads = threads.data();
      run.num_threads = threads.size();
      on_run(user, &run);
    };
    return outcome(session->session->watch(handOver), XFMR_ERROR_DEVICE);
  });
}

xfmr_status xfmr_phase_work(const xfmr_model *model, const char *phase, uint32_t position, uint32_t rows,
                            xfmr_on_dispatch_run on_run, void *user) {
  if (!model || !phase || !on_run)
    return missing("model, phase or on_run");
  const program::Program &program = programOf(*model);
  uint32_t index = 0;
  while (index < program.phases()->size() && program.phases()->Get(index)->name()->string_view() != phase)
    ++index;
  if (index == program.phases()->size())
    return fail(XFMR_ERROR_ARGUMENT, "the program has no phase '" + std::string(phase) + "'");
  std::vector<engine::Engine::Extent> extents = {{&program, index, 0, program.phases()->Get(index)->dispatches()->size()}};
  if (model->engine)
    extents = model->engine->extents(index);
  for (const engine::Engine::Extent &extent : extents)
    for (uint32_t at = extent.first; at < extent.end; ++at) {
      const program::Phase &found = *extent.program->phases()->Get(extent.phase);
      const xfmr_dispatch_run run = describe(*extent.program, found, at, position, plan::rowsOf(found, rows));
      on_run(user, &run);
    }
  return XFMR_OK;
}
