/* The toy's kernels for the CPU, once a level; see the .comp files for what they compute. A tile is a row of embed and
 * append and one logit of a row of logits; sample is one tile. Symbols are NAME.LEVEL, as a compiler of kernels has it. */
#include <stdint.h>

static void embed(void *const *buffers, int64_t lo, int64_t hi) {
  const uint32_t *state = buffers[0];
  const int32_t *tokens = buffers[1];
  float *x = buffers[2];
  for (int64_t t = lo; t < hi; ++t)
    if (t < state[1])
      x[t] = (float)tokens[t];
}

static void append(void *const *buffers, int64_t lo, int64_t hi) {
  const uint32_t *state = buffers[0];
  const float *x = buffers[1];
  float *cache = buffers[2];
  for (int64_t t = lo; t < hi; ++t)
    if (t < state[1])
      cache[state[0] + t] = x[t];
}

static void logits(void *const *buffers, int64_t lo, int64_t hi, int all) {
  const uint32_t *state = buffers[0];
  const float *cache = buffers[1], *weight = buffers[2];
  float *out = buffers[3];
  for (int64_t tile = lo; tile < hi; ++tile) {
    uint32_t row = (uint32_t)(tile / 16), v = (uint32_t)(tile % 16);
    uint32_t rows = all ? state[1] : (state[1] ? 1 : 0);
    if (row >= rows)
      continue;
    uint32_t last = state[0] + (all ? row : state[1] - 1);
    float sum = weight[0];
    for (uint32_t j = 0; j <= last; ++j)
      sum += cache[j];
    out[row * 16 + v] = v == (uint32_t)sum % 16 ? 1.0f : -0.01f * (float)v;
  }
}

static void sample(void *const *buffers) {
  uint32_t *state = buffers[0];
  const float *logits = buffers[1];
  int32_t *ids = buffers[2], *tokens = buffers[3];
  union { uint32_t bits; float value; } temperature = {state[7]};
  if (state[1] == 0)
    return;
  uint32_t id = 0, row = state[19];
  for (uint32_t v = 1; v < 16; ++v)
    if (logits[row * 16 + v] > logits[row * 16 + id])
      id = v;
  if (temperature.value > 0)
    id = (id + state[5] + (uint32_t)temperature.value) % 16;
  uint32_t position = state[0] + state[1];
  state[0] = position;
  ids[state[3]] = (int32_t)id;
  tokens[0] = (int32_t)id;
  state[3] += 1;
  state[1] = 1;
  for (uint32_t i = 0; i < state[10]; ++i)
    if (state[11 + i] == id) {
      state[4] = 1;
      state[1] = 0;
    }
  if (state[1] != 0 && position >= state[2]) {
    state[4] = 2;
    state[1] = 0;
  }
}

#define KERNEL(NAME, LEVEL, CALL)                                                                                      \
  void NAME##_##LEVEL(void *const *buffers, int64_t lo, int64_t hi) __asm__(#NAME "." #LEVEL);                         \
  void NAME##_##LEVEL(void *const *buffers, int64_t lo, int64_t hi) { (void)lo, (void)hi, CALL; }
#define KERNELS(LEVEL)                                                                                                 \
  KERNEL(embed, LEVEL, embed(buffers, lo, hi))                                                                         \
  KERNEL(append, LEVEL, append(buffers, lo, hi))                                                                       \
  KERNEL(logits, LEVEL, logits(buffers, lo, hi, 0))                                                                    \
  KERNEL(logits_all, LEVEL, logits(buffers, lo, hi, 1))                                                                \
  KERNEL(sample, LEVEL, sample(buffers))
KERNELS(v2)
KERNELS(v3)
KERNELS(v4)
