/* Uses the whole C interface on the toy artifact and a device, as a C program linked to libxfmr.so would. */
#include "runtime/xfmr.h"
#include <stdio.h>
#include <string.h>

static int failures = 0;
#define EXPECT(condition)                                                                            \
  do {                                                                                               \
    if (!(condition)) {                                                                              \
      printf("line %d: %s is false (last error: %s)\n", __LINE__, #condition, xfmr_last_error());    \
      ++failures;                                                                                    \
    }                                                                                                \
  } while (0)

struct ids {
  int32_t list[64];
  size_t count, stop_at;
};

static bool on_token(void *user, int32_t id) {
  struct ids *ids = user;
  ids->list[ids->count++] = id;
  return ids->count != ids->stop_at;
}

static void on_logits(void *user, uint32_t first, uint32_t rows, const float *logits, size_t stride) {
  float *out = user;
  for (uint32_t r = 0; r < rows; ++r)
    memcpy(out + 16 * (first + r), logits + r * stride, 16 * sizeof(float));
}

static void on_probe(void *user, size_t index, uint32_t first, uint32_t rows, const float *values, size_t stride) {
  (void)index, (void)first, (void)rows, (void)values, (void)stride;
  *(float *)user = 99.0f;
}

static void on_device(void *user, const xfmr_device *device) {
  int *found = user;
  EXPECT(device->size == sizeof *device && device->id && device->name && device->kind && device->offers && device->lacks);
  if (strcmp(device->id, "cpu") == 0)
    found[0] += strstr(device->offers, "x86-64-v") != NULL;
  if (strcmp(device->id, "0") == 0)
    found[1] += strstr(device->offers, "Vulkan 1.") == device->offers && device->lacks[0] == 0;
}

static void test_devices(const xfmr_model *model) {
  int found[2] = {0, 0};
  EXPECT(xfmr_list_devices(NULL, on_device, found) == XFMR_OK && found[0] == 1 && found[1] == 1);
  EXPECT(xfmr_list_devices(model, on_device, found) == XFMR_OK && found[0] == 2 && found[1] == 2);
  EXPECT(xfmr_list_devices(NULL, NULL, NULL) == XFMR_ERROR_ARGUMENT);
}

static void test_chat(const xfmr_model *model) {
  xfmr_message message = {"user", NULL};
  char text[8];
  size_t bytes = 0;
  EXPECT(xfmr_chat_text(model, &message, 1, true, text, sizeof text, &bytes) == XFMR_ERROR_ARGUMENT);
  message.content = "hello";
  EXPECT(xfmr_chat_text(model, &message, 1, true, text, sizeof text, &bytes) == XFMR_ERROR_TOKENIZER);
  EXPECT(strcmp(xfmr_last_error(), "the model has no chat template") == 0);
}

static void test_sampling(xfmr_session *session) {
  xfmr_sampling_options options = {sizeof options, 0, 0, 0, 0, 0, 0, false};
  struct ids ids = {{0}, 0, 0};
  xfmr_finish finish;
  int32_t prompt[] = {1, 2, 3};
  xfmr_session_reset(session);
  EXPECT(xfmr_prefill(session, prompt, 3) == XFMR_OK);
  options.min_p = 2;
  EXPECT(xfmr_generate_with(session, &options, 4, on_token, &ids, &finish) == XFMR_ERROR_ARGUMENT);
  options.min_p = 0.1f; /* the toy's kernel is as old as this can be */
  EXPECT(xfmr_generate_with(session, &options, 4, on_token, &ids, &finish) == XFMR_ERROR_ARTIFACT);
  options.min_p = 0;
  options.repetition_penalty = 1;
  EXPECT(xfmr_generate_with(session, &options, 4, on_token, &ids, &finish) == XFMR_OK && ids.count == 4);
  EXPECT(ids.list[0] == 9 && ids.list[1] == 2 && ids.list[2] == 4 && ids.list[3] == 8);
  options.size = 4;
  EXPECT(xfmr_generate_with(session, &options, 4, on_token, &ids, &finish) == XFMR_ERROR_ARGUMENT);
}

/* Structs that begin with their size: shorter, longer, and wrong ones. */
static void test_sizes(const char *path) {
  struct {
    xfmr_model_open_options known;
    const void *later;
  } options = {{sizeof options, "cpu", 2}, NULL};
  struct {
    xfmr_model_details known;
    uint64_t later;
  } details = {{sizeof details, NULL, NULL, 9, 9, NULL}, 9};
  xfmr_model *model = NULL;
  const char *phase = NULL;
  EXPECT(xfmr_model_open_with(path, NULL, &model) == XFMR_ERROR_ARGUMENT);
  options.later = path; /* a field this library does not know */
  EXPECT(xfmr_model_open_with(path, &options.known, &model) == XFMR_ERROR_ARGUMENT && !model);
  options.later = NULL;
  EXPECT(xfmr_model_open_with(path, &options.known, &model) == XFMR_OK && model);
  EXPECT(xfmr_model_get_details(model, &details.known) == XFMR_OK);
  EXPECT(strcmp(details.known.engine, "cpu") == 0 && strcmp(details.known.targets, "vulkan and cpu") == 0);
  EXPECT(details.known.threads == 2 && details.known.max_position == 0 && details.later == 0);
  EXPECT(details.known.size == sizeof details && strcmp(details.known.why, "asked for by name") == 0);
  details.known.size = offsetof(xfmr_model_details, threads);
  details.known.threads = 7;
  EXPECT(xfmr_model_get_details(model, &details.known) == XFMR_OK && details.known.threads == 7);
  details.known.size = 0;
  EXPECT(xfmr_model_get_details(model, &details.known) == XFMR_ERROR_ARGUMENT);
  size_t probes = 7;
  EXPECT(xfmr_model_probes(model, NULL, 0, &probes) == XFMR_OK && probes == 0);
  EXPECT(xfmr_model_probes(NULL, NULL, 0, &probes) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_prefill_phase(model, 3, &phase) == XFMR_OK && strcmp(phase, "prefill") == 0);
  xfmr_model_close(model);
  options.known.size = offsetof(xfmr_model_open_options, device); /* all defaults */
  model = NULL;
  EXPECT(xfmr_model_open_with(path, &options.known, &model) == XFMR_OK && model);
  xfmr_model_close(model);
}

static void test_text(const xfmr_model *model) {
  int32_t ids[8];
  size_t count = 0, bytes = 0;
  char text[32];
  EXPECT(xfmr_encode(model, "w2 w3", 5, true, ids, 8, &count) == XFMR_OK);
  EXPECT(count == 3 && ids[0] == 1 && ids[1] == 2 && ids[2] == 3);
  EXPECT(xfmr_encode(model, "w2 w3", 5, true, ids, 2, &count) == XFMR_ERROR_CAPACITY && count == 3);
  EXPECT(strcmp(xfmr_last_error(), "the text has 3 ids, there is room for 2") == 0);
  EXPECT(xfmr_encode_pair(model, "w2", 2, "w3", 2, ids, 8, &count) == XFMR_ERROR_ARGUMENT);
  EXPECT(strcmp(xfmr_last_error(), "the model continues one text: an encoder reads two as one") == 0);
  EXPECT(xfmr_encode_pair(model, "w2", 2, NULL, 0, ids, 8, &count) == XFMR_ERROR_ARGUMENT);
  EXPECT(strcmp(xfmr_last_error(), "model, first, second, ids or count is null") == 0);
  EXPECT(xfmr_decode_text(model, ids, 3, text, sizeof text, &bytes) == XFMR_OK);
  EXPECT(bytes == 5 && memcmp(text, "w2 w3", 5) == 0);
  xfmr_decoder *decoder = NULL;
  const char *piece = NULL;
  EXPECT(xfmr_decoder_create(model, &decoder) == XFMR_OK);
  EXPECT(xfmr_decoder_push(decoder, 5, &piece, &bytes) == XFMR_OK && strcmp(piece, "w5") == 0);
  EXPECT(xfmr_decoder_push(decoder, 6, &piece, &bytes) == XFMR_OK && strcmp(piece, " w6") == 0);
  EXPECT(xfmr_decoder_flush(decoder, &piece, &bytes) == XFMR_OK && bytes == 0);
  xfmr_decoder_close(decoder);
}

static void test_session(xfmr_session *session) {
  const int32_t prompt[] = {1, 2, 3, 4, 5, 6};
  float logits[16], all[6 * 16];
  struct ids ids = {{0}, 0, 0};
  xfmr_finish finish = XFMR_FINISH_STOPPED;
  EXPECT(xfmr_generate(session, NULL, 1, on_token, &ids, &finish) == XFMR_ERROR_TOKENS);
  EXPECT(strcmp(xfmr_last_error(), "there is nothing to continue: prefill or decode first") == 0);
  EXPECT(xfmr_prefill_logits(session, prompt, 6, on_logits, all) == XFMR_OK);
  EXPECT(all[4] == 0.0f + -0.01f * 4 || all[4] == 1.0f);
  EXPECT(all[5 * 16 + (3 + 21) % 16] == 1.0f);
  EXPECT(xfmr_logits(session, logits, 15) == XFMR_ERROR_CAPACITY);
  EXPECT(xfmr_logits(session, logits, 16) == XFMR_OK);
  EXPECT(memcmp(logits, all + 5 * 16, sizeof logits) == 0);
  EXPECT(xfmr_session_position(session) == 6);
  EXPECT(xfmr_prefill_probes(session, prompt, 6, NULL, on_logits, all) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_session_reset(session) == XFMR_OK);
  memset(all, 0, sizeof all);
  EXPECT(xfmr_prefill_probes(session, prompt, 6, on_probe, on_logits, all) == XFMR_OK); /* the toy has no probes */
  EXPECT(all[5 * 16 + (3 + 21) % 16] == 1.0f && all[0] != 99.0f);

  EXPECT(xfmr_session_reset(session) == XFMR_OK);
  EXPECT(xfmr_prefill(session, prompt, 3) == XFMR_OK);
  EXPECT(xfmr_generate(session, NULL, 10, on_token, &ids, &finish) == XFMR_OK);
  EXPECT(finish == XFMR_FINISH_END && ids.count == 4);
  EXPECT(ids.list[0] == 9 && ids.list[1] == 2 && ids.list[2] == 4 && ids.list[3] == 8);

  xfmr_sampling sampling = {0, 0, 1, 0, true};
  EXPECT(xfmr_decode(session, 8) == XFMR_OK);
  ids.count = 0;
  ids.stop_at = 2;
  EXPECT(xfmr_generate(session, &sampling, 10, on_token, &ids, &finish) == XFMR_OK);
  EXPECT(finish == XFMR_FINISH_STOPPED && ids.count == 2 && ids.list[1] == 0);
  sampling.top_p = 0;
  EXPECT(xfmr_generate(session, &sampling, 1, on_token, &ids, &finish) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_prefill(session, NULL, 0) == XFMR_ERROR_TOKENS);
  EXPECT(xfmr_decode(session, 16) == XFMR_ERROR_TOKENS);
}

struct seen {
  int dispatches, products;
  double operations, seconds;
};

static void on_run(void *user, const xfmr_dispatch_run *run) {
  struct seen *seen = user;
  ++seen->dispatches;
  seen->seconds += run->seconds;
  seen->operations += run->operations;
  EXPECT(run->size == sizeof *run && run->layer == -1 && run->cache_bytes == 0 && run->end >= run->begin);
  EXPECT((run->num_threads == 0) == (run->threads == NULL) || run->seconds == 0);
  if (strcmp(run->label, "head") == 0) {
    ++seen->products;
    EXPECT(run->operations == 32.0 * run->rows && run->weight_bytes == 32 && strcmp(run->weights, "f32") == 0);
    EXPECT(strcmp(run->phase, "prefill") != 0 && strncmp(run->kernel, "logits", 6) == 0);
  } else {
    EXPECT(run->operations == 0 && run->weight_bytes == 0 && strcmp(run->weights, "") == 0);
  }
}

/* What phases have to do, and what runs while somebody watches. */
static void test_watching(const xfmr_model *model) {
  struct seen seen = {0, 0, 0, 0};
  xfmr_session *session = NULL;
  int32_t ids[] = {1, 2, 3, 4, 5};
  float logits[16];
  EXPECT(xfmr_phase_work(model, "all_logits", 0, 4, on_run, &seen) == XFMR_OK);
  EXPECT(seen.dispatches == 1 && seen.operations == 128 && seen.seconds == 0);
  EXPECT(xfmr_phase_work(model, "prologue", 0, 1, on_run, &seen) == XFMR_ERROR_ARGUMENT);
  EXPECT(strcmp(xfmr_last_error(), "the program has no phase 'prologue'") == 0);
  EXPECT(xfmr_phase_work(model, NULL, 0, 1, on_run, &seen) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_watch(NULL, on_run, &seen) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_session_create(model, &session) == XFMR_OK);
  EXPECT(xfmr_watch(session, on_run, &seen) == XFMR_OK);
  memset(&seen, 0, sizeof seen);
  EXPECT(xfmr_prefill(session, ids, 5) == XFMR_OK && xfmr_logits(session, logits, 16) == XFMR_OK);
  EXPECT(seen.dispatches == 5 && seen.products == 1 && seen.operations == 32 && seen.seconds > 0); /* chunks of 4 and 1 */
  EXPECT(xfmr_watch(session, NULL, NULL) == XFMR_OK && xfmr_decode(session, 1) == XFMR_OK && seen.dispatches == 5);
  xfmr_session_close(session);
}

int main(int argc, char **argv) {
  xfmr_model *model = NULL, *plain = NULL;
  xfmr_session *session = NULL;
  xfmr_model_info info;
  if (argc != 3)
    return 2;
  EXPECT(strcmp(xfmr_last_error(), "") == 0);
  EXPECT(xfmr_model_open("/nowhere.xfm", NULL, &model) == XFMR_ERROR_ARTIFACT && !model);
  EXPECT(xfmr_model_open(NULL, NULL, &model) == XFMR_ERROR_ARGUMENT);
  EXPECT(xfmr_model_open(argv[1], "no such device", &model) == XFMR_ERROR_DEVICE && !model);
  EXPECT(xfmr_model_open(argv[1], "none", &plain) == XFMR_OK);
  EXPECT(xfmr_session_create(plain, &session) == XFMR_ERROR_ARGUMENT && !session);
  EXPECT(xfmr_model_open(argv[1], argv[2], &model) == XFMR_OK);
  if (!model)
    return 1;
  EXPECT(xfmr_model_get_info(model, &info) == XFMR_OK);
  EXPECT(strcmp(info.name, "toy") == 0 && info.vocab_size == 16 && info.max_context == 32);
  EXPECT(info.bos_token == 1 && info.num_eos_tokens == 1 && info.eos_tokens[0] == 0);
  EXPECT(info.has_tokenizer && strlen(info.device) > 0 && strlen(info.report) > 0);
  test_sizes(argv[1]);
  test_text(plain);
  test_watching(model);
  test_chat(plain);
  test_devices(plain);
  xfmr_model_close(plain);
  EXPECT(xfmr_session_create(model, &session) == XFMR_OK);
  xfmr_model_close(model); /* the session keeps what it needs */
  test_session(session);
  test_sampling(session);
  xfmr_session_close(session);
  EXPECT(xfmr_validation_messages() == 0 && xfmr_checker_messages() == 0);
  printf(failures ? "%d failures\n" : "passed\n", failures);
  return failures != 0;
}
