// GEMV in GB/s and GEMM in GFLOP/s, the latter against a plain shader timed alternately with it.
// Medians of the wall clock (steady_clock, submission to fence) and of the process's CPU time,
// which is the one to trust where a software driver shares its cores with other work. Device 0 of
// the loader unless VK_ICD_FILENAMES says.
//
// Usage: kernel-bench [ROUNDS [gemv|gemm|other]]
#include "bench/Timing.h"
#include "bench/kernels/PlainGemm.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/codegen/Attention.h"
#include "passes/codegen/Gemv.h"
#include "passes/codegen/Sample.h"
#include "runtime/plan/State.h"
#include "test/codegen/TestDevice.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace xfmr::codegen;
using test::DeviceBuffer;
using test::Pipeline;
using test::TestDevice;
using xfmr::bench::cpuSeconds;
using xfmr::bench::median;

namespace {

struct Seconds {
  double wall, cpu;
};

// One thing to time: a pipeline, its push words and grid.
struct Runner {
  Pipeline &pipeline;
  std::vector<uint32_t> push;
  std::array<uint32_t, 3> grid;
  std::vector<double> wall = {}, cpu = {};
  double firstCpu = 0; // of the first run, in which some drivers still compile

  void first() {
    double start = cpuSeconds();
    pipeline.run(push, grid);
    firstCpu = cpuSeconds() - start;
  }

  void round() {
    double start = cpuSeconds();
    wall.push_back(pipeline.run(push, grid));
    cpu.push_back(cpuSeconds() - start);
  }
  Seconds result() const { return {median(wall), median(cpu)}; }
};

// Alternately, so that what else the machine does hits all alike.
void interleave(std::vector<Runner *> runners, int rounds) {
  for (Runner *runner : runners)
    runner->first();
  for (int i = 0; i < rounds; ++i)
    for (Runner *runner : runners)
      runner->round();
}

class Bench {
public:
  explicit Bench(int rounds) : rounds(rounds) {
    std::printf("device: %s\nclock: median of %d, wall (steady_clock) and process CPU time\n\n",
                device.name(), rounds);
  }

  void gemvs() {
    std::printf("%-52s %10s %10s %8s %9s %9s\n", "gemv", "wall ms", "cpu ms", "GB/s", "GB/s cpu",
                "first ms");
    for (auto [n, k] : {std::pair{768u, 768u}, {2048u, 768u}, {4096u, 4096u}, {32000u, 768u}})
      for (WeightType type : {WeightType::F32, WeightType::F16, WeightType::BF16})
        gemv(type, n, k);
  }
  void gemms() {
    std::printf("%-52s %10s %10s %8s %9s %8s %8s %8s\n", "gemm", "wall ms", "cpu ms", "GFLOP/s",
                "cpu", "x plain", "x cpu", "first ms");
    for (auto [rows, n, k] :
         {std::array{64u, 512u, 512u}, {128u, 1024u, 768u}, {256u, 768u, 3072u}, {8u, 1024u, 768u}})
      gemm(rows, n, k);
  }
  void others() {
    std::printf("%-52s %10s %10s %9s\n", "attention and sample", "wall ms", "cpu ms", "first ms");
    attention();
    sample();
  }

private:
  CompiledKernel orExit(llvm::Expected<CompiledKernel> kernel) {
    if (!kernel) {
      llvm::errs() << "kernel-bench: error: " << llvm::toString(kernel.takeError()) << "\n";
      std::exit(1);
    }
    return std::move(*kernel);
  }
  // One pipeline for each variant the device can run, best first.
  template <typename Spec> std::vector<std::unique_ptr<Pipeline>> pipelines(const Spec &spec) {
    CompiledKernel kernel = orExit(compile(context, spec));
    std::vector<std::unique_ptr<Pipeline>> result;
    for (size_t i = 0; i < kernel.variants.size(); ++i)
      if (device.supports(kernel.variants[i].features))
        result.push_back(std::make_unique<Pipeline>(device, kernel, i));
    return result;
  }

  std::unique_ptr<DeviceBuffer> buffer(size_t bytes) {
    auto result = std::make_unique<DeviceBuffer>(device, bytes);
    std::memset(result->as<void>(), 0, bytes);
    return result;
  }
  // Numbers that no driver can shortcut; 0x3c003c00 is 1 twice in f16 and near 0.008 in f32 and
  // bf16.
  std::unique_ptr<DeviceBuffer> filled(size_t bytes) {
    auto result = buffer(bytes);
    std::fill_n(result->as<uint32_t>(), bytes / 4, 0x3c003c00u);
    return result;
  }
  std::unique_ptr<DeviceBuffer> state(uint32_t position, uint32_t count) {
    auto result = buffer(xfmr::state::kWords * 4);
    result->as<uint32_t>()[xfmr::state::kPosition] = position;
    result->as<uint32_t>()[xfmr::state::kCount] = count;
    return result;
  }

  void gemv(WeightType type, uint32_t n, uint32_t k) {
    GemvSpec spec{type, false, false, {}};
    GemvParams p;
    p.n = n, p.k = k;
    size_t weightBytes = size_t(n) * k * (type == WeightType::F32 ? 4 : 2);
    auto s = state(0, 1), x = filled(k * 4), w = filled(weightBytes), out = buffer(n * 4);
    auto kernels = pipelines(spec);
    std::vector<Runner> runners;
    for (auto &kernel : kernels) {
      kernel->bind({s.get(), x.get(), w.get(), out.get()});
      runners.push_back({*kernel, p.push(), p.grid(spec)});
    }
    interleave(pointers(runners), rounds);
    for (Runner &runner : runners) {
      auto [wall, cpu] = runner.result();
      std::string label = std::string(toString(type)) + " " + std::to_string(n) + " x " +
                          std::to_string(k) + ", " + runner.pipeline.label();
      std::printf("%-52s %10.3f %10.3f %8.2f %9.2f %9.0f\n", label.c_str(), wall * 1e3, cpu * 1e3,
                  weightBytes / wall * 1e-9, weightBytes / cpu * 1e-9, runner.firstCpu * 1e3);
    }
  }

  void gemm(uint32_t rows, uint32_t n, uint32_t k) {
    GemmParams p;
    p.n = n, p.k = k, p.maxRows = rows, p.x = {k, 0}, p.out = {n, 0};
    auto s = state(0, rows), x = filled(size_t(rows) * k * 4), out = buffer(size_t(rows) * n * 4);
    auto w = filled(size_t(n) * k * 4);
    std::vector<std::unique_ptr<Pipeline>> kernels;
    kernels.push_back(std::make_unique<Pipeline>(device, orExit(bench::compilePlainGemm(context))));
    std::vector<Runner> runners = {{*kernels[0], p.push(), bench::plainGemmGrid(p)}};
    std::vector<std::string> labels = {"plain f32"};
    for (WeightType type : {WeightType::F32, WeightType::BF16})
      for (auto &kernel : pipelines(GemmSpec{type, {}})) {
        runners.push_back({*kernel, p.push(), p.grid(GemmSpec{type, {}})});
        labels.push_back(std::string(toString(type)) + " " + kernel->label());
        kernels.push_back(std::move(kernel));
      }
    for (auto &kernel : kernels)
      kernel->bind({s.get(), x.get(), w.get(), out.get()});
    interleave(pointers(runners), rounds);
    double flops = 2.0 * rows * n * k;
    Seconds plain = runners[0].result();
    for (size_t i = 0; i < runners.size(); ++i) {
      auto [wall, cpu] = runners[i].result();
      std::string label = std::to_string(rows) + " rows, " + std::to_string(n) + " x " +
                          std::to_string(k) + ", " + labels[i];
      std::printf("%-52s %10.2f %10.2f %8.2f %9.2f %8.1f %8.1f %8.0f\n", label.c_str(), wall * 1e3,
                  cpu * 1e3, flops / wall * 1e-9, flops / cpu * 1e-9, plain.wall / wall,
                  plain.cpu / cpu, runners[i].firstCpu * 1e3);
    }
  }

  static std::vector<Runner *> pointers(std::vector<Runner> &runners) {
    std::vector<Runner *> result;
    for (Runner &runner : runners)
      result.push_back(&runner);
    return result;
  }

  void attention() {
    for (auto [heads, dim, rows] :
         {std::array{8u, 16u, 256u}, {12u, 64u, 256u}, {8u, 128u, 256u}}) {
      AttentionPrefillSpec spec{dim};
      AttentionPrefillParams p;
      uint32_t width = heads * dim;
      p.numHeads = p.numKvHeads = heads, p.maxContext = p.maxRows = rows, p.q = p.out = {width, 0};
      auto kernels = pipelines(spec);
      size_t bytes = size_t(rows) * width * 4;
      auto s = state(0, rows), q = filled(bytes), keys = filled(bytes), values = filled(bytes),
           out = buffer(bytes);
      for (auto &kernel : kernels) {
        kernel->bind({s.get(), q.get(), keys.get(), values.get(), out.get()});
        report("prefill, " + std::to_string(rows) + " rows, " + std::to_string(heads) + " x " +
                   std::to_string(dim) + ", " + kernel->label(),
               {*kernel, p.push(), p.grid(spec)});
      }

      AttentionDecodeSpec one{dim, CacheType::F32, true};
      AttentionDecodeParams d;
      d.numHeads = d.numKvHeads = heads, d.maxContext = rows;
      auto decodes = pipelines(one);
      auto now = state(rows - 1, 1);
      decodes.back()->bind({now.get(), q.get(), keys.get(), values.get(), out.get()});
      report("decode, " + std::to_string(rows) + " keys, " + std::to_string(heads) + " x " +
                 std::to_string(dim),
             {*decodes.back(), d.push(), d.grid(one)});
    }
  }

  void sample() {
    for (float temperature : {0.0f, 1.0f})
      for (uint32_t vocab : {1024u, 32000u}) {
        SampleParams p;
        p.vocab = p.rowStride = vocab, p.outputCapacity = 1;
        auto kernels = pipelines(SampleSpec{});
        auto s = state(0, 1), logits = filled(vocab * 4), output = buffer(4), tokens = buffer(4), seen = buffer(vocab / 8);
        for (uint32_t i = 0; i < vocab; ++i)
          logits->as<float>()[i] = float(i * 7919u % 1000u) * 0.01f;
        auto *words = s->as<uint32_t>();
        words[xfmr::state::kTemperature] = floatBits(temperature);
        words[xfmr::state::kLimit] = ~0u;
        words[xfmr::state::kTopK] = 40, words[xfmr::state::kTopP] = floatBits(0.9f);
        kernels.back()->bind({s.get(), logits.get(), output.get(), tokens.get(), seen.get()});
        report(std::string("sample, ") + (temperature ? "top-k and top-p" : "greedy") +
                   ", vocabulary " + std::to_string(vocab),
               {*kernels.back(), p.push(), p.grid({})});
      }
  }

  void report(const std::string &label, Runner runner) {
    interleave({&runner}, rounds);
    std::printf("%-52s %10.3f %10.3f %9.0f\n", label.c_str(), runner.result().wall * 1e3,
                runner.result().cpu * 1e3, runner.firstCpu * 1e3);
  }

  int rounds;
  TestDevice device{/*validate=*/false};
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

} // namespace

int main(int argc, char **argv) {
  int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  std::string only = argc > 2 ? argv[2] : "";
  if (rounds < 1 || (!only.empty() && only != "gemv" && only != "gemm" && only != "other")) {
    std::fprintf(stderr, "usage: kernel-bench [ROUNDS [gemv|gemm|other]]\n");
    return 2;
  }
  Bench bench(rounds);
  if (only.empty() || only == "gemv")
    bench.gemvs();
  if (only.empty() || only == "gemm")
    bench.gemms();
  if (only.empty() || only == "other")
    bench.others();
}
