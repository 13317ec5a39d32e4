/* The C interface of the xfmr runtime: open an artifact, make sessions, run tokens, generate.
 *
 * Handles are opaque. Every function that can fail returns a status and puts its results into parameters
 * that come last; on failure these are untouched and xfmr_last_error() has the text for the calling thread.
 * Strings are UTF-8. A model may be shared by threads; a session or decoder serves one thread at a time.
 * Close sessions and decoders before or after their model, as you like: they keep what they need.
 */
#ifndef XFMR_H
#define XFMR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum xfmr_status {
  XFMR_OK = 0,
  XFMR_ERROR_ARGUMENT = 1,     /* a null or impossible argument: a mistake in the calling program */
  XFMR_ERROR_ARTIFACT = 2,     /* the file cannot be read, is damaged, or is of another version */
  XFMR_ERROR_DEVICE = 3,       /* no device can run it, or the device failed */
  XFMR_ERROR_TOKENS = 4,       /* an id outside the vocabulary, no room in the context, nothing to continue */
  XFMR_ERROR_TOKENIZER = 5,    /* the artifact has no tokenizer, or the text cannot be encoded */
  XFMR_ERROR_CAPACITY = 6,     /* the caller's buffer is too small; the needed size was stored */
  XFMR_ERROR_OUT_OF_MEMORY = 7 /* host memory */
} xfmr_status;

typedef struct xfmr_model xfmr_model;
typedef struct xfmr_session xfmr_session;
typedef struct xfmr_decoder xfmr_decoder;

/* Text of the last failure in this thread, lower case, no final period; "" if there was none. Valid until
 * the next call of this library from the same thread. */
const char *xfmr_last_error(void);

/* Version of the runtime, "0.1.0". */
const char *xfmr_version(void);

/* Messages that engines' own checkers gave in this process so far: Vulkan's validation layer, which
 * XFMR_VALIDATE=1 switches on. */
uint32_t xfmr_checker_messages(void);
/* The same, by its first name. */
uint32_t xfmr_validation_messages(void);

/* ---- devices ---- */

/* What a device offers. Strings live during the call that hands it over. */
typedef struct xfmr_device {
  size_t size;          /* of this struct as the library knows it */
  const char *id;       /* what xfmr_model_open takes: "cpu", "0", "1", … */
  const char *name;
  const char *kind;     /* "CPU", "discrete GPU", … */
  const char *offers;   /* for people: "x86-64-v4, 16 cores", "Vulkan 1.3, subgroups of 32, float16, …" */
  uint64_t memory;      /* bytes of the device's own memory; 0: that of the host */
  const char *lacks;    /* why it cannot run the model that was asked about; "": it can, or none was */
  const char *limits;   /* of a Vulkan device, lines for people: memory, limits, subgroups, matrix units; "" of the CPU */
  const char *variants; /* lines for people: which variants of the model's kernels a Vulkan device takes, and why not others;
                           "" without a model */
  uint32_t blocks;           /* of the model; 0: none was asked about, it is the CPU, or more than memory is wanting */
  uint32_t blocks_with_room; /* of these, from the first on, a Vulkan device has memory for */
} xfmr_device;

typedef void (*xfmr_on_device)(void *user, const xfmr_device *device);
/* The CPU, then every Vulkan device in the order of their indices; none of these where there is no driver. With a
 * `model` (which may be opened with "none"; or null) `lacks` says which can run it. */
xfmr_status xfmr_list_devices(const xfmr_model *model, xfmr_on_device on_device, void *user);

/* What a self-test found of one variant of a kernel; strings live during the call that hands it over. */
typedef struct xfmr_finding {
  size_t size;         /* of this struct as the library knows it */
  const char *device;  /* its name */
  const char *kernel;
  const char *variant; /* what it requires, "portable"; "": there is no case of the kernel, nothing was tested */
  const char *wrong;   /* what differs from the values that the artifact holds; "": nothing does */
  bool left_out;       /* wrong, and another variant is taken instead from now on */
} xfmr_finding;

typedef void (*xfmr_on_finding)(void *user, const xfmr_finding *finding);
/* Runs every kernel of the artifact at `path` on a Vulkan device ("auto", an index or a part of its name) and compares with
 * values that were computed when it was compiled. Variants that differ are left out now and whenever this driver version
 * opens an artifact that has them. `wrong` (may be null): kernels of which no variant is right. */
xfmr_status xfmr_self_test(const char *path, const char *device, xfmr_on_finding on_finding, void *user, uint32_t *wrong);

/* What was measured of one variant of a kernel that has several; strings live during the call that hands it over. */
typedef struct xfmr_measured {
  size_t size;         /* of this struct as the library knows it */
  const char *device;  /* its name */
  const char *kernel;
  const char *variant; /* what it requires, "portable" */
  double seconds;      /* of a prompt and some tokens; 0: the kernel was not run */
  bool chosen;         /* taken from now on */
} xfmr_measured;

typedef void (*xfmr_on_measured)(void *user, const xfmr_measured *measured);
/* Measures the variants of each kernel of the artifact at `path` on a Vulkan device, but for those that a self-test left out, and
 * keeps the choice for whoever opens the artifact on this device and driver version. `on_measured` gets every variant of a
 * kernel that has several. `file` (may be null; `capacity` bytes, zero-terminated): where the choice is kept, "": nowhere. */
xfmr_status xfmr_tune(const char *path, const char *device, xfmr_on_measured on_measured, void *user, char *file, size_t capacity);

/* ---- models ---- */

/* Opens and validates the artifact at `path`. `device` as in xfmr_model_open_options; with "none" no device is
 * opened and only the information and the tokenizer can be used. */
xfmr_status xfmr_model_open(const char *path, const char *device, xfmr_model **model);

/* Structs that may grow begin with their size: set it to sizeof and zero the rest. Fields that a library does not
 * know must be zero; fields that a program does not know keep their defaults. */
typedef struct xfmr_model_open_options {
  size_t size;
  const char *device; /* "auto" (or null): a discrete GPU if there is one, else the CPU if the artifact has a program for
                         it, else Vulkan; "cpu"; "gpu": the best Vulkan device; an index or a part of a Vulkan
                         device's name; "gpu:layers=N,cpu" (an index or a name in place of gpu): the first N
                         blocks there, or with layers=auto as many as fit, the rest on the CPU; "none" */
  uint32_t threads;   /* of the CPU; 0: as many as cores are allowed to the process */
} xfmr_model_open_options;

xfmr_status xfmr_model_open_with(const char *path, const xfmr_model_open_options *options, xfmr_model **model);
void xfmr_model_close(xfmr_model *model);

typedef struct xfmr_model_info {
  const char *name;          /* of the model; these strings live as long as the model */
  const char *device;        /* name of the device, "" with "none" */
  const char *report;        /* several lines for a person: device and why, memory, kernel variants */
  uint32_t vocab_size;
  uint32_t hidden_size;
  uint32_t max_context;      /* tokens a session can hold */
  uint32_t prefill_chunk;    /* tokens that prefill runs at once */
  uint32_t prefill_few;      /* runs of at most so many take the phase "prefill_few"; 0: there is none */
  uint64_t parameters;
  int32_t bos_token;         /* -1: none */
  const int32_t *eos_tokens; /* [num_eos_tokens] */
  size_t num_eos_tokens;
  bool has_tokenizer;
} xfmr_model_info;

xfmr_status xfmr_model_get_info(const xfmr_model *model, xfmr_model_info *info);

/* More about a model; the caller sets `size`, fields that the library does not know become zero. */
typedef struct xfmr_model_details {
  size_t size;
  const char *engine;    /* "vulkan", "cpu", "" with "none"; these strings live as long as the model */
  const char *targets;   /* what the artifact holds programs for: "vulkan", "cpu" or "vulkan and cpu" */
  uint32_t threads;      /* of the host that compute; 0 where a device does */
  uint32_t max_position; /* longest context the model was made for; 0: unknown */
  const char *why;       /* this engine, in a few words */
  bool is_encoder;       /* gives embeddings (xfmr_embed) and hidden states, and generates nothing */
  const char *pooling;   /* of an encoder, as its checkpoint says: "mean normalize"; "" where it says nothing */
  bool reads_source;     /* an encoder with a decoder: xfmr_source comes first, and bos_token is what the decoder begins with */
  uint32_t embedding_size; /* of an encoder: numbers of xfmr_embed's vector with the pooling of the checkpoint, which may have
                              dense layers behind it; 0 where text is generated */
} xfmr_model_details;

xfmr_status xfmr_model_get_details(const xfmr_model *model, xfmr_model_details *details);

/* The phase that runs `tokens` tokens of a prompt at once, "prefill" or "prefill_few"; for more than prefill_chunk
 * tokens the phase of a whole chunk. The string lives as long as the library. */
xfmr_status xfmr_prefill_phase(const xfmr_model *model, uint32_t tokens, const char **phase);

/* ---- text ---- */

/* Ids of `text` [bytes]. With `special`, the tokenizer's post-processor adds its own (BOS and so on). Stores
 * the number of ids in `count`, also when `capacity` is too small. */
xfmr_status xfmr_encode(const xfmr_model *model, const char *text, size_t bytes, bool special,
                        int32_t *ids, size_t capacity, size_t *count);

/* Ids of two texts as the tokenizer's post-processor joins them, for an encoder, also one with a decoder; another model is
 * XFMR_ERROR_ARGUMENT. Those of the second segment are vocab_size / 2 higher where the artifact was compiled with --pairs; without,
 * a model that tells segments apart is XFMR_ERROR_TOKENIZER, as is a tokenizer without a template for two texts. `count` as in
 * xfmr_encode. */
xfmr_status xfmr_encode_pair(const xfmr_model *model, const char *first, size_t first_bytes, const char *second, size_t second_bytes,
                             int32_t *ids, size_t capacity, size_t *count);

/* Text of ids [count], special tokens left out; not terminated. Stores the number of bytes in `bytes`, also
 * when `capacity` is too small. */
xfmr_status xfmr_decode_text(const xfmr_model *model, const int32_t *ids, size_t count, char *text,
                             size_t capacity, size_t *bytes);

/* Decodes ids as they appear, never half a character. */
xfmr_status xfmr_decoder_create(const xfmr_model *model, xfmr_decoder **decoder);
void xfmr_decoder_close(xfmr_decoder *decoder);
/* The text that `id` completes, terminated, often empty; valid until the decoder's next call. */
xfmr_status xfmr_decoder_push(xfmr_decoder *decoder, int32_t id, const char **text, size_t *bytes);
/* What is left at the end of the text. The decoder starts anew. */
xfmr_status xfmr_decoder_flush(xfmr_decoder *decoder, const char **text, size_t *bytes);

typedef struct xfmr_message {
  const char *role;     /* "system", "user" or "assistant" */
  const char *content;
} xfmr_message;

/* A conversation as the text that the model was trained to continue, by the chat template of its checkpoint; with `continues`
 * the beginning of the next answer too. Encode it without special tokens: they are in the text. Not terminated; stores the
 * number of bytes in `bytes`, also when `capacity` is too small. */
xfmr_status xfmr_chat_text(const xfmr_model *model, const xfmr_message *messages, size_t count, bool continues,
                           char *text, size_t capacity, size_t *bytes);

/* ---- sessions ---- */

xfmr_status xfmr_session_create(const xfmr_model *model, xfmr_session **session);
void xfmr_session_close(xfmr_session *session);
/* Forgets all tokens. */
xfmr_status xfmr_session_reset(xfmr_session *session);
/* Tokens in the cache. */
uint32_t xfmr_session_position(const xfmr_session *session);

/* Of an encoder with a decoder (`reads_source` of xfmr_model_details): reads the source, ids [count], and forgets all that the
 * session held. Then append what the decoder begins with, usually the model's bos_token alone, and go on as with any model. */
xfmr_status xfmr_source(xfmr_session *session, const int32_t *ids, size_t count);

/* Appends ids [count], any number that fits into the context. Fails without effect if one is outside the
 * vocabulary or there is no room. */
xfmr_status xfmr_prefill(xfmr_session *session, const int32_t *ids, size_t count);

/* Called with the logits of positions first … first + rows - 1: row r begins at logits + r * stride and has
 * vocab_size floats. Of an encoder they are hidden states, of hidden_size floats. */
typedef void (*xfmr_on_logits)(void *user, uint32_t first, uint32_t rows, const float *logits,
                               size_t stride);
/* Appends ids [count] and hands over the logits of every position, chunk by chunk. An encoder reads a text by itself: what
 * came before is forgotten. */
xfmr_status xfmr_prefill_logits(xfmr_session *session, const int32_t *ids, size_t count,
                                xfmr_on_logits on_logits, void *user);

/* Values that an artifact keeps of each token beside the logits: the probes of xfmr-insert-probes. A row of one whose name ends
 * in .top holds numbers, the largest first, and then their columns, as many. */
typedef struct xfmr_probe {
  const char *name; /* lives as long as the model */
  uint32_t columns;
} xfmr_probe;

/* The probes of the program that runs, in order; none in most artifacts. Stores their number in `count`, also when
 * `capacity` is too small. */
xfmr_status xfmr_model_probes(const xfmr_model *model, xfmr_probe *probes, size_t capacity, size_t *count);

/* Called with rows first … first + rows - 1 of probe `index`: row r begins at values + r * stride and has its columns of
 * floats. */
typedef void (*xfmr_on_probe)(void *user, size_t index, uint32_t first, uint32_t rows, const float *values,
                              size_t stride);
/* Appends ids [count] and hands over what the probes keep of every position, chunk by chunk: all probes of a chunk in order,
 * then its logits if `on_logits` is given. */
xfmr_status xfmr_prefill_probes(xfmr_session *session, const int32_t *ids, size_t count, xfmr_on_probe on_probe,
                                xfmr_on_logits on_logits, void *user);

/* Appends one id by the decode phase. */
xfmr_status xfmr_decode(xfmr_session *session, int32_t id);

/* Logits after the last token: vocab_size floats into logits [capacity]. */
xfmr_status xfmr_logits(xfmr_session *session, float *logits, size_t capacity);

/* ---- embeddings ---- */

typedef enum xfmr_pooling {
  XFMR_POOLING_MODEL = 0,         /* what the checkpoint says, the mean where it says nothing */
  XFMR_POOLING_MEAN = 1,          /* of all tokens */
  XFMR_POOLING_CLS = 2,           /* the first token */
  XFMR_POOLING_MAX = 3,           /* the largest value of each column */
  XFMR_POOLING_MEAN_SQRT_LEN = 4, /* the sum divided by the square root of the number of tokens */
  XFMR_POOLING_LAST = 5           /* the last token */
} xfmr_pooling;

/* Set `size` to sizeof and zero the rest: as the checkpoint says. */
typedef struct xfmr_embed_options {
  size_t size;
  xfmr_pooling pooling;
  int32_t normalize;    /* to length 1: 0 as the checkpoint says (with a `pooling` of your own: no), 1 yes, -1 no */
} xfmr_embed_options;

/* The vector of a text of ids [count] by an encoder: embedding_size floats (of xfmr_model_details) into vector [capacity], hidden_size
 * with a `pooling` of your own, behind which no dense layer of the checkpoint runs. A text is read by itself. Null `options` are those
 * of the checkpoint. */
xfmr_status xfmr_embed(xfmr_session *session, const int32_t *ids, size_t count, const xfmr_embed_options *options,
                       float *vector, size_t capacity);

/* ---- generation ---- */

typedef struct xfmr_sampling {
  float temperature; /* 0: greedy, the lowest id on a tie */
  uint32_t top_k;    /* 0: off */
  float top_p;       /* 1: off */
  uint64_t seed;
  bool ignore_eos;   /* an end token is like any other */
} xfmr_sampling;

typedef enum xfmr_finish {
  XFMR_FINISH_LENGTH = 0, /* as many ids as asked for */
  XFMR_FINISH_END = 1,    /* an end token, which is not handed over */
  XFMR_FINISH_CONTEXT = 2,/* the context is full */
  XFMR_FINISH_STOPPED = 3 /* the callback said so */
} xfmr_finish;

/* Called for each generated id as it appears; false stops. It must not call into the same session. */
typedef bool (*xfmr_on_token)(void *user, int32_t id);

/* Generates at most `count` ids after the last token, sampling on the device. The last id is not in the
 * cache yet: go on with xfmr_decode(id) or xfmr_prefill. A null `sampling` is greedy. */
xfmr_status xfmr_generate(xfmr_session *session, const xfmr_sampling *sampling, uint32_t count,
                          xfmr_on_token on_token, void *user, xfmr_finish *finish);

/* The same with all there is to choose; set `size` to sizeof and zero the rest, which is greedy. */
typedef struct xfmr_sampling_options {
  size_t size;
  uint64_t seed;
  float temperature;        /* 0: greedy, the lowest id on a tie */
  uint32_t top_k;           /* 0: off */
  float top_p;              /* 0 or 1: off */
  float min_p;              /* of what top-p left only ids at least so likely as this share of the likeliest; 0: off */
  float repetition_penalty; /* divides the logits of ids that the session has seen since its reset (negative ones are
                               multiplied), also with temperature 0; 0 or 1: off */
  bool ignore_eos;          /* an end token is like any other */
} xfmr_sampling_options;

xfmr_status xfmr_generate_with(xfmr_session *session, const xfmr_sampling_options *options, uint32_t count,
                               xfmr_on_token on_token, void *user, xfmr_finish *finish);

/* ---- mixtures of experts ---- */

typedef struct xfmr_moe_layer {
  uint32_t layer; /* the block it belongs to */
  uint32_t num_experts;
} xfmr_moe_layer;

/* The mixtures of a model in order; none for a dense one. Stores their number in `count`, also when
 * `capacity` is too small. */
xfmr_status xfmr_moe_layers(const xfmr_model *model, xfmr_moe_layer *layers, size_t capacity,
                            size_t *count);

/* How often each expert of mixture `index` was chosen, and the sum of its routing weights, over all tokens
 * since the session was created: num_experts numbers into counts and weights [capacity] each. Gathered on
 * the device; reading them waits for it. */
xfmr_status xfmr_moe_stats(xfmr_session *session, uint32_t index, uint32_t *counts, float *weights,
                           size_t capacity);

/* ---- measuring ---- */

/* Seconds of the session's last xfmr_generate that the host was busy, callbacks included; waiting for the
 * device does not count. */
double xfmr_host_seconds(const xfmr_session *session);

/* Called for every dispatch of a phase with its device time; the strings live during the call. */
typedef void (*xfmr_on_dispatch)(void *user, const char *label, const char *kernel, double seconds);
/* Runs a phase ("prefill", "prefill_few", "last_logits", "all_logits", "decode", "encode") once on `tokens` rows after the last token
 * and times its dispatches, by the device's clock or the host's. The tokens in the cache stay; the logits of the last one
 * are lost. */
xfmr_status xfmr_profile(xfmr_session *session, const char *phase, uint32_t tokens,
                         xfmr_on_dispatch on_dispatch, void *user);

/* When one thread of the host was at a dispatch, from first to last; seconds by a clock that all dispatches share. */
typedef struct xfmr_thread_time {
  uint32_t thread; /* 0: the one that called */
  double begin, end;
} xfmr_thread_time;

/* One dispatch of a run of a phase: where it belongs, what it had to do and, when it ran, how long that took. It and its
 * strings live during the call that hands it over. The library sets `size`; a newer one may have more fields behind. */
typedef struct xfmr_dispatch_run {
  size_t size;
  const char *phase, *kernel, *label;
  const char *weights;        /* type of the matrix, "f32", "f16" or "bf16"; "" where there is none */
  uint32_t index;             /* of the dispatch in its phase; 0: a run begins */
  int32_t layer;              /* the block it belongs to; -1: none */
  uint32_t position, rows;    /* tokens position … position + rows - 1 */
  double operations;          /* a multiply-add is two; this and the bytes are 0 for little work and in old artifacts */
  double weight_bytes;        /* of matrices, read once; of a mixture of the experts that so many rows choose on average */
  double cache_bytes;         /* of keys and values, read once */
  double seconds;             /* of the time that passed, its own: they add up */
  double begin, end;          /* seconds by a clock that all dispatches share */
  const xfmr_thread_time *threads; /* [num_threads]; none where a device did it */
  size_t num_threads;
} xfmr_dispatch_run;
typedef void (*xfmr_on_dispatch_run)(void *user, const xfmr_dispatch_run *run);

/* From now on every dispatch that the session runs is told to `on_run`, which must not call into the session; null ends
 * that. Meanwhile the device waits after each token, on Vulkan after each dispatch. Fails where a device cannot tell the
 * time. Who does not watch pays nothing. */
xfmr_status xfmr_watch(xfmr_session *session, xfmr_on_dispatch_run on_run, void *user);

/* What a phase has to do on `rows` rows from `position` on, dispatch by dispatch, without running it: seconds, begin, end
 * and threads are 0. */
xfmr_status xfmr_phase_work(const xfmr_model *model, const char *phase, uint32_t position, uint32_t rows,
                            xfmr_on_dispatch_run on_run, void *user);

#ifdef __cplusplus
}
#endif
#endif /* XFMR_H */
