// moe-token-routing FILE.xfm 1,2,3 [stepwise]: which experts each token chose on the device and how they were weighed.
// The device counts over all tokens of a session; what the last token of a prompt adds is the difference of two
// sessions, one of them a token shorter. Each prefix is one prefill run (or, stepwise, one decode run a token), so
// runs of every length up to the prompt's are seen. Prints a line "token layer expert weight" for each choice.
#include "runtime/xfmr.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "moe-token-routing: error: %s: %s\n", what, xfmr_last_error());
  std::exit(1);
}
void check(xfmr_status status, const char *what) {
  if (status != XFMR_OK)
    fail(what);
}

struct Counts {
  std::vector<uint32_t> chosen; // [num_experts]
  std::vector<float> weight;    // [num_experts]
};

// Counts of every layer after the first `count` ids.
std::vector<Counts> countsAfter(xfmr_model *model, const std::vector<xfmr_moe_layer> &layers,
                                const std::vector<int32_t> &ids, size_t count, bool stepwise) {
  xfmr_session *session = nullptr;
  check(xfmr_session_create(model, &session), "session");
  if (!stepwise && count)
    check(xfmr_prefill(session, ids.data(), count), "prefill");
  for (size_t i = 0; stepwise && i < count; ++i)
    check(xfmr_decode(session, ids[i]), "decode");
  std::vector<Counts> result;
  for (size_t i = 0; i < layers.size(); ++i) {
    const uint32_t experts = layers[i].num_experts;
    result.push_back({std::vector<uint32_t>(experts), std::vector<float>(experts)});
    check(xfmr_moe_stats(session, static_cast<uint32_t>(i), result.back().chosen.data(), result.back().weight.data(),
                         experts),
          "statistics");
  }
  xfmr_session_close(session);
  return result;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4 || (argc == 4 && std::strcmp(argv[3], "stepwise") != 0)) {
    std::fprintf(stderr, "moe-token-routing FILE.xfm 1,2,3 [stepwise]\n");
    return 2;
  }
  std::vector<int32_t> ids;
  for (char *at = argv[2]; *at;) {
    ids.push_back(static_cast<int32_t>(std::strtol(at, &at, 10)));
    at += *at == ',';
  }
  xfmr_model *model = nullptr;
  check(xfmr_model_open(argv[1], "auto", &model), "model");
  size_t number = 0;
  (void)xfmr_moe_layers(model, nullptr, 0, &number);
  std::vector<xfmr_moe_layer> layers(number);
  check(xfmr_moe_layers(model, layers.data(), layers.size(), &number), "layers");

  std::vector<Counts> before = countsAfter(model, layers, ids, 0, false);
  for (size_t token = 0; token < ids.size(); ++token) {
    std::vector<Counts> now = countsAfter(model, layers, ids, token + 1, argc == 4);
    for (size_t layer = 0; layer < now.size(); ++layer)
      for (size_t expert = 0; expert < now[layer].chosen.size(); ++expert)
        for (uint32_t i = before[layer].chosen[expert]; i < now[layer].chosen[expert]; ++i)
          std::printf("%zu %zu %zu %.9g\n", token, layer, expert,
                      static_cast<double>(now[layer].weight[expert]) - static_cast<double>(before[layer].weight[expert]));
    before = std::move(now);
  }
  xfmr_model_close(model);
  if (xfmr_validation_messages())
    fail("the validation layer reported messages");
  return 0;
}
