// Sums over the phases of a prompt and of a generation; see Explain.h.
#include "tools/xfmr-run/Explain.h"
#include "tools/xfmr-run/Rates.h"
#include "tools/xfmr-run/Roofs.h"
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace xfmr;
using namespace xfmr::run;

namespace {

struct Adding {
  const Roofs &roofs;
  Needs &needs;
};

Status addPhase(const ModelHandle &model, const char *phase, uint32_t position, uint32_t rows, Adding adding) {
  auto onRun = [](void *user, const xfmr_dispatch_run *run) {
    Adding &a = *static_cast<Adding *>(user);
    a.roofs.add(*run, a.needs);
  };
  return checked(xfmr_phase_work(model.get(), phase, position, rows, onRun, &adding));
}

/// What `count` tokens of a prompt behind `depth` need, in the chunks that a session takes.
Status promptNeeds(const ModelHandle &model, const Roofs &roofs, uint32_t depth, uint32_t count, Needs &needs) {
  const uint32_t chunk = infoOf(model).prefill_chunk;
  for (uint32_t at = 0; at < count; at += chunk) {
    const uint32_t rows = std::min(chunk, count - at);
    if (Status s = addPhase(model, prefillPhase(model, rows), depth + at, rows, {roofs, needs}); s.failed())
      return s;
  }
  return Status::success();
}

Status generationNeeds(const ModelHandle &model, const Roofs &roofs, uint32_t depth, uint32_t count, Needs &needs) {
  for (uint32_t i = 0; i < count; ++i)
    if (Status s = addPhase(model, "decode", depth + i, 1, {roofs, needs}); s.failed())
      return s;
  return Status::success();
}

struct Finding {
  const char *name, *what;
  uint32_t depth, tokens;
  Needs needs;
  Rates measured;

  double arithmeticRate() const { return tokens / needs.arithmeticSeconds; }
  double memoryRate() const { return tokens / needs.memorySeconds; }
  bool boundByMemory() const { return needs.memorySeconds > needs.arithmeticSeconds; }
  double bestRate() const { return std::min(arithmeticRate(), memoryRate()); }
};

void print(const Finding &found, const Roofs &roofs) {
  const double tokens = found.tokens;
  std::printf("\n%s of %u tokens%s\n", found.what, found.tokens,
              found.depth ? (" behind " + std::to_string(found.depth)).c_str() : "");
  std::printf("  a token needs  %.1f MFLOP, %.2f MB of weights, %.2f MB of the cache\n", found.needs.operations / tokens * 1e-6,
              found.needs.weightBytes / tokens * 1e-6, found.needs.cacheBytes / tokens * 1e-6);
  if (roofs.known()) {
    std::printf("  arithmetic     at most %10.1f tokens/s%s\n", found.arithmeticRate(), found.boundByMemory() ? "" : "   <- the bound");
    std::printf("  memory         at most %10.1f tokens/s%s\n", found.memoryRate(), found.boundByMemory() ? "   <- the bound" : "");
  }
  std::printf("  measured       %18.1f tokens/s", found.measured.median);
  if (roofs.known())
    std::printf(", %.0f %% of the bound", 100 * found.measured.median / found.bestRate());
  std::printf("  (%.1f to %.1f; %.1f GFLOP/s, %.1f GB/s)\n", found.measured.least, found.measured.most,
              found.needs.operations / tokens * found.measured.median * 1e-9, found.needs.bytes() / tokens * found.measured.median * 1e-9);
}

nlohmann::ordered_json json(const Finding &found, const Roofs &roofs) {
  nlohmann::ordered_json out = {{"n", found.tokens},
                                {"depth", found.depth},
                                {"operations", found.needs.operations},
                                {"weight_bytes", found.needs.weightBytes},
                                {"cache_bytes", found.needs.cacheBytes}};
  if (roofs.known()) {
    out["arithmetic_tokens_per_s"] = found.arithmeticRate();
    out["memory_tokens_per_s"] = found.memoryRate();
    out["bound"] = found.boundByMemory() ? "memory" : "arithmetic";
  }
  out["tokens_per_s"] = {{"median", found.measured.median}, {"min", found.measured.least}, {"max", found.measured.most}};
  return out;
}

} // namespace

Status xfmr::run::explain(const ModelHandle &model, const Options &options) {
  const xfmr_model_info info = infoOf(model);
  Workload workload;
  workload.depth = options.depth;
  workload.repeat = options.repeat.value_or(3);
  const uint32_t room = info.max_context - std::min(info.max_context, std::max(workload.depth, 1u));
  workload.pp = options.pp.value_or(std::min(512u, room));
  workload.tg = options.tg.value_or(std::min(32u, room));
  if (Status s = fits(workload, info.max_context); s.failed())
    return s;
  const Roofs roofs = Roofs::measure(model);
  Finding prompt = {"pp", "prompt", workload.depth, workload.pp, {}, {}};
  Finding generation = {"tg", "generation", std::max(workload.depth, 1u), workload.tg, {}, {}};
  if (Status s = promptNeeds(model, roofs, prompt.depth, prompt.tokens, prompt.needs); s.failed())
    return s;
  if (Status s = generationNeeds(model, roofs, generation.depth, generation.tokens, generation.needs); s.failed())
    return s;
  if (prompt.needs.operations + generation.needs.operations == 0)
    return Status::error("the artifact does not say what its kernels have to do; compile the model again");
  SessionHandle session;
  if (Status s = createSession(model, session); s.failed())
    return s;
  if (prompt.tokens)
    if (Status s = measurePrefill(session, workload, info.vocab_size, prompt.measured); s.failed())
      return s;
  if (generation.tokens)
    if (Status s = measureGeneration(session, workload, info.vocab_size, generation.measured); s.failed())
      return s;

  nlohmann::ordered_json result = {{"model", info.name}, {"parameters", info.parameters}, {"device", info.device}};
  if (roofs.known())
    result["roofs"] = {{"bytes_per_s", roofs.bandwidth()}, {"f32", roofs.peak("f32")}, {"bf16", roofs.peak("bf16")},
                       {"int8", roofs.peak("q8")}};
  if (!options.json) {
    std::printf("model: %s, %.1f million parameters\ndevice: %s\n", info.name, static_cast<double>(info.parameters) * 1e-6, info.device);
    std::printf("roofs: %s\n", roofs.known() ? roofs.text().c_str() : "those of this device are not measured");
  }
  for (const Finding *found : {&prompt, &generation}) {
    if (!found->tokens)
      continue;
    if (options.json)
      result[found->name] = json(*found, roofs);
    else
      print(*found, roofs);
  }
  if (options.json)
    std::printf("%s\n", result.dump().c_str());
  else
    std::printf("\n--bench --profile shows by kernel where the rest goes\n");
  return Status::success();
}
