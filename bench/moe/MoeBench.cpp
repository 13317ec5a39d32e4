// A mixture layer step by step (router, plan, first and second product, combination; or by expert id), beside our
// own dense layer of equal active size (top_k * F wide), timed alternately with it. Medians of the wall clock
// (steady_clock, submission to fence) and of the process's CPU time, which is the one to trust where a software
// driver shares its cores with other work. Grouped products run the grid the plan asks for, as indirect dispatch
// does. Device 0 of the loader unless VK_ICD_FILENAMES says.
//
// Usage: moe-bench [ROUNDS [TOKENS EXPERTS TOP_K HIDDEN WIDTH]]
#include "bench/Timing.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/Gemm.h"
#include "passes/codegen/MoeGemv.h"
#include "passes/codegen/MoeRouter.h"
#include "runtime/plan/State.h"
#include "test/codegen/TestDevice.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace xfmr::codegen;
using test::DeviceBuffer;
using test::Pipeline;
using test::TestDevice;
using xfmr::bench::cpuSeconds;
using xfmr::bench::median;

namespace {

struct Sizes {
  uint32_t tokens = 512, experts = 8, topK = 2, hidden = 2048, width = 1024;
};
enum class Spread { Even, Skewed, One };
const char *const kLoads[] = {"even", "skewed", "one expert"};

// One dispatch to time.
struct Step {
  std::string name;
  std::unique_ptr<Pipeline> pipeline;
  std::vector<uint32_t> push;
  std::array<uint32_t, 3> grid;
  std::vector<double> wall = {}, cpu = {};

  void round(bool count) {
    const double start = cpuSeconds();
    const double seconds = pipeline->run(push, grid);
    if (!count)
      return;
    wall.push_back(seconds);
    cpu.push_back(cpuSeconds() - start);
  }
};

class Bench {
public:
  Bench(int rounds, const Sizes &sizes) : rounds(rounds), s(sizes) {}

  void run(Spread load) {
    const uint32_t d = paddedWidth(s.hidden), f = paddedWidth(s.width), entries = s.tokens * s.topK;
    std::printf("%u tokens, %u experts top %u, hidden %u, width %u, f32, load %s\n", s.tokens, s.experts, s.topK,
                s.hidden, s.width, kLoads[static_cast<int>(load)]);
    auto state = zeros(xfmr::state::kWords * 4);
    state->as<uint32_t>()[xfmr::state::kCount] = s.tokens;
    auto x = noise(size_t(s.tokens) * d), router = noise(size_t(paddedWidth(s.experts)) * d);
    auto bias = zeros(paddedWidth(s.experts) * 4);
    for (uint32_t e = 0; e < s.experts; ++e)
      bias->as<float>()[e] = load == Spread::Even ? 0.0f : load == Spread::Skewed ? 1.5f * std::max(0, 2 - int(e)) : e < s.topK ? 1e3f : 0;
    auto w1 = noise(size_t(s.experts) * 2 * s.width * d), w2 = noise(size_t(s.experts) * s.hidden * f);
    auto ids = zeros(entries * 4), weights = zeros(entries * 4), stats = zeros(s.experts * 8);
    auto middle = zeros(size_t(entries) * f * 4), parts = zeros(size_t(entries) * d * 4);
    auto out = zeros(size_t(s.tokens) * d * 4);

    MoeRouterSpec routerSpec;
    routerSpec.experts = s.experts, routerSpec.topK = s.topK, routerSpec.postTopK = true, routerSpec.routerBias = true;
    routerSpec.rowsPerGroup = routerRows(s.experts, s.tokens);
    MoeRouterParams routerParams;
    routerParams.k = s.hidden, routerParams.maxRows = s.tokens, routerParams.x = {d, 0};
    MoePlanParams planParams;
    MoePlanLayout &layout = planParams.layout;
    layout.experts = s.experts, layout.topK = s.topK, layout.maxRows = s.tokens;
    layout.tileRows = moeTileRows(entries, s.experts);
    MoePlanSpec planSpec;
    planSpec.stats = true;
    auto plan = zeros(layout.words() * 4);
    MoeGemmSpec first, second;
    first.epilogue.glu = true, first.epilogue.activation = Activation::Silu;
    second.product = MoeProduct::Second, second.weighted = true;
    first.tileRows = second.tileRows = layout.tileRows;
    MoeGemmParams p1, p2;
    p1.layout = p2.layout = layout, p1.gridAt = layout.grid0(), p2.gridAt = layout.grid1();
    p1.n = 2 * s.width, p1.k = s.hidden, p1.x = {d, 0}, p1.out = {f, 0};
    p2.n = s.hidden, p2.k = s.width, p2.x = {f, 0}, p2.out = {d, 0};
    planParams.xGroups0 = p1.grid(first)[0], planParams.xGroups1 = p2.grid(second)[0];

    std::vector<Step> steps;
    auto add = [&](const char *name, const auto &spec, const auto &params, std::vector<test::TestBuffer *> bound) {
      steps.push_back({name, pipeline(spec), params.push(), params.grid(spec)});
      steps.back().pipeline->bind(bound);
    };
    add("router", routerSpec, routerParams,
        {state.get(), x.get(), router.get(), ids.get(), weights.get(), bias.get()});
    add("plan", planSpec, planParams, {state.get(), ids.get(), plan.get(), weights.get(), stats.get()});
    steps[0].round(false);
    steps[1].round(false);
    const uint32_t tiles = plan->as<uint32_t>()[MoePlanLayout::kTiles];
    add("first (gate, up)", first, p1, {state.get(), x.get(), w1.get(), plan.get(), middle.get()});
    steps.back().grid[1] = tiles;
    add("second (down)", second, p2, {state.get(), middle.get(), w2.get(), plan.get(), parts.get(), weights.get()});
    steps.back().grid[1] = tiles;
    MoeCombineParams combine;
    combine.width = s.hidden, combine.topK = s.topK, combine.maxRows = s.tokens;
    combine.parts = {d, 0}, combine.out = {d, 0};
    add("combine", MoeCombineSpec(), combine, {state.get(), parts.get(), out.get()});
    const size_t grouped = steps.size();

    // By id, for few entries: beyond them it only takes time.
    if (entries <= 256) {
      MoeGemvSpec one, two;
      one.epilogue = first.epilogue;
      two.product = MoeProduct::Second, two.weighted = true;
      MoeGemvParams q1, q2;
      q1.n = p1.n, q1.k = p1.k, q1.x = p1.x, q1.out = p1.out;
      q2.n = p2.n, q2.k = p2.k, q2.x = p2.x, q2.out = {d, 0};
      q1.topK = q2.topK = s.topK, q1.maxRows = q2.maxRows = s.tokens;
      add("first by id", one, q1, {state.get(), x.get(), w1.get(), ids.get(), middle.get()});
      add("second by id", two, q2, {state.get(), middle.get(), w2.get(), ids.get(), out.get(), weights.get()});
    }
    const size_t byId = steps.size();

    // Dense: width top_k * F.
    const uint32_t wide = paddedWidth(s.topK * s.width);
    auto d1 = noise(size_t(2) * wide * d), d2 = noise(size_t(d) * wide), dm = zeros(size_t(s.tokens) * wide * 4);
    GemmSpec denseFirst, denseSecond;
    denseFirst.epilogue.glu = true, denseFirst.epilogue.activation = Activation::Silu;
    GemmParams g1, g2;
    g1.n = 2 * s.topK * s.width, g1.k = s.hidden, g1.x = {d, 0}, g1.out = {wide, 0};
    g2.n = s.hidden, g2.k = s.topK * s.width, g2.x = {wide, 0}, g2.out = {d, 0};
    g1.maxRows = g2.maxRows = s.tokens;
    add("dense gate, up", denseFirst, g1, {state.get(), x.get(), d1.get(), dm.get()});
    add("dense down", denseSecond, g2, {state.get(), dm.get(), d2.get(), out.get()});

    for (int i = -1; i < rounds; ++i) // the first round warms up
      for (Step &step : steps)
        step.round(i >= 0);
    report(steps, grouped, byId, plan->as<uint32_t>(), layout);
  }

  const char *device() const { return gpu.name(); }

private:
  void report(const std::vector<Step> &steps, size_t grouped, size_t byId, const uint32_t *plan,
              const MoePlanLayout &layout) {
    auto total = [&](size_t from, size_t to, auto member) {
      double sum = 0;
      for (size_t i = from; i < to; ++i)
        sum += median(steps[i].*member);
      return sum;
    };
    const double layer = total(0, grouped, &Step::cpu);
    for (size_t i = 0; i < steps.size(); ++i) {
      std::printf("  %-18s %10.3f ms wall %10.3f ms cpu", steps[i].name.c_str(), median(steps[i].wall) * 1e3,
                  median(steps[i].cpu) * 1e3);
      if (i < grouped)
        std::printf("  %5.1f %% of the layer", 100 * median(steps[i].cpu) / layer);
      std::printf("  %s\n", steps[i].pipeline->label().c_str());
    }
    const uint32_t tiles = plan[MoePlanLayout::kTiles], entries = plan[MoePlanLayout::kEntries];
    const double flops = 6.0 * entries * s.hidden * s.width;
    const double dense = total(byId, steps.size(), &Step::cpu);
    std::printf("  tiles of %u rows: %u launched, none without rows, %.1f %% of their rows used; a grid of the most tiles "
                "would have %u\n", layout.tileRows, tiles, 100.0 * entries / (tiles * layout.tileRows), layout.maxTiles());
    std::printf("  grouped %.2f GFLOP/s (cpu), dense of equal active size %.2f: ratio %.2f (wall %.2f); routing and "
                "plan %.1f %%\n", flops / layer * 1e-9, flops / dense * 1e-9, dense / layer,
                total(byId, steps.size(), &Step::wall) / total(0, grouped, &Step::wall),
                100 * total(0, 2, &Step::cpu) / layer);
    if (byId > grouped)
      std::printf("  by id %.3f ms cpu, grouped %.3f ms cpu\n",
                  (total(grouped, byId, &Step::cpu) + median(steps[0].cpu)) * 1e3, layer * 1e3);
    std::printf("\n");
  }

  template <typename Spec> std::unique_ptr<Pipeline> pipeline(const Spec &spec) {
    llvm::Expected<CompiledKernel> kernel = compile(context, spec);
    if (!kernel) {
      llvm::errs() << "moe-bench: error: " << llvm::toString(kernel.takeError()) << "\n";
      std::exit(1);
    }
    size_t best = 0; // the best variant the device runs
    while (!gpu.supports(kernel->variants[best].features))
      ++best;
    return std::make_unique<Pipeline>(gpu, *kernel, best);
  }
  std::unique_ptr<DeviceBuffer> zeros(size_t bytes) {
    auto buffer = std::make_unique<DeviceBuffer>(gpu, bytes);
    std::memset(buffer->as<void>(), 0, bytes);
    return buffer;
  }
  std::unique_ptr<DeviceBuffer> noise(size_t count) {
    auto buffer = std::make_unique<DeviceBuffer>(gpu, count * 4);
    for (size_t i = 0; i < count; ++i) {
      seed = seed * 1664525u + 1013904223u;
      buffer->as<float>()[i] = (static_cast<float>(seed >> 8) / (1 << 23) - 1) * 0.05f;
    }
    return buffer;
  }

  int rounds;
  Sizes s;
  uint32_t seed = 1;
  TestDevice gpu{/*validate=*/false};
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

} // namespace

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  Sizes sizes;
  uint32_t *fields[] = {&sizes.tokens, &sizes.experts, &sizes.topK, &sizes.hidden, &sizes.width};
  bool right = rounds > 0 && (argc <= 2 || argc == 7);
  for (int i = 2; right && i < argc; ++i) {
    const int value = std::atoi(argv[i]);
    right = value > 0 && value <= 1 << 16;
    *fields[i - 2] = static_cast<uint32_t>(value);
  }
  if (!right || sizes.topK > sizes.experts || sizes.topK > 16 || sizes.experts > 512) {
    std::fprintf(stderr, "usage: moe-bench [ROUNDS [TOKENS EXPERTS TOP_K HIDDEN WIDTH]]\n");
    return 2;
  }
  Bench bench(rounds, sizes);
  std::printf("device: %s\nclock: median of %d\n\n", bench.device(), rounds);
  for (Spread load : {Spread::Even, Spread::Skewed, Spread::One})
    bench.run(load);
  return 0;
}
