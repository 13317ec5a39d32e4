// Matrix products of the CPU, one thread, at every level of this machine: gemm in GFLOP/s beside OpenBLAS (f32, its own
// choice of instructions), beside oneDNN (f32, and bf16 rows by bf16 weights; where libdnnl-dev is) and beside a loop of
// multiply-adds on registers of the level (runtime/roofline), which nothing can beat;
// gemv over weights far larger than the caches in GB/s beside a plain read of the same bytes. All of a line are timed
// alternately by the CPU time of this process (bench/Timing.h); medians, and the ratio of them.
//
// Usage: cpu-kernel-bench [ROUNDS [gemm|gemv [LEVEL]]]     XFMR_DUMP=FOLDER keeps the shared objects there
#include "bench/Timing.h"
#include "bench/kernels/OneDnn.h"
#include "runtime/cpu/Level.h"
#include "runtime/plan/State.h"
#include "runtime/roofline/Roofline.h"
#include "test/codegen/CpuRunner.h"
#include <cblas.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <sys/mman.h>

using namespace xfmr::codegen;
using namespace xfmr::codegen::cpu;
using test::CpuKernel;
using xfmr::bench::cpuSeconds;
using xfmr::bench::Numbers;
using xfmr::bench::oneDnnProduct;
using xfmr::bench::median;

namespace {

using xfmr::roofline::Loop;
using xfmr::roofline::Operands;

/// The loop on registers for a level; null where this CPU has none.
const Loop *loopOf(Operands operands, Level level) {
  const Loop *best = nullptr;
  for (const Loop &loop : xfmr::roofline::loops())
    if (loop.operands == operands && loop.runs && loop.level <= xfmr::cpu::parseLevel(facts(level).name))
      best = &loop;
  return best;
}

// Pages are there, and large where the system allows: the time of page faults is nobody's.
char *memory(size_t bytes) {
  void *result = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(result, bytes, MADV_HUGEPAGE);
  auto *words = static_cast<uint16_t *>(result);
  for (size_t i = 0; i < bytes / 2; ++i)
    words[i] = static_cast<uint16_t>(0x3c00 + (i * 2654435761u >> 25)); // small numbers of every weight type
  return static_cast<char *>(result);
}

// Seconds of each, alternately.
std::vector<double> interleave(int rounds, const std::vector<std::function<void()>> &runs) {
  std::vector<std::vector<double>> times(runs.size());
  for (int i = -1; i < rounds; ++i)
    for (size_t r = 0; r < runs.size(); ++r) {
      double start = cpuSeconds();
      runs[r]();
      if (i >= 0)
        times[r].push_back(cpuSeconds() - start);
    }
  std::vector<double> result;
  for (auto &t : times)
    result.push_back(median(t));
  return result;
}

template <typename Spec, typename Params>
CpuKernel compileKernel(mlir::MLIRContext &context, const Spec &spec, const Params &params, Level level, double &ms) {
  double start = cpuSeconds();
  auto kernel = test::compileForCpu(context, spec, params, level);
  ms = 1e3 * (cpuSeconds() - start);
  if (!kernel) {
    std::fprintf(stderr, "%s\n", llvm::toString(kernel.takeError()).c_str());
    std::exit(1);
  }
  if (const char *folder = std::getenv("XFMR_DUMP")) {
    std::FILE *file = std::fopen((std::string(folder) + "/" + spec.name() + "." + facts(level).name + ".so").c_str(), "wb");
    std::fwrite(kernel->bytes.data(), 1, kernel->bytes.size(), file);
    std::fclose(file);
  }
  return std::move(*kernel);
}

// Weight types, quantised ones that meet rows of codes, and bf16 that meets rows of pairs.
struct Form {
  WeightType type;
  bool codes = false, pairs = false;
  std::string name() const { return std::string(toString(type)) + (codes ? " by codes" : pairs ? " by pairs" : ""); }
};
std::vector<Form> formsOf(Level level, bool severalRows) {
  std::vector<Form> forms = {{WeightType::F32}, {WeightType::BF16}, {WeightType::F16}};
  if (severalRows && goesByPairs(true, level))
    forms.insert(forms.begin() + 2, {WeightType::BF16, false, true});
  if (!goesByCodes(true, level))
    forms.insert(forms.end(), {{WeightType::Q8}, {WeightType::Q4}, {WeightType::Q6Fine}});
  else
    forms.insert(forms.end(), {{WeightType::Q8, true},
                               {WeightType::Q4, true},
                               {WeightType::Q4Wide, true},
                               {WeightType::Q6Fine, true},
                               {WeightType::Q4FineWide, true}});
  return forms;
}

void gemm(mlir::MLIRContext &context, int rounds, Level level) {
  static char *x = memory(512 * rowStride(4096) * 4), *w = memory(4096 * 4096 * 4), *out = memory(512 * rowStride(4096) * 4),
              *codes = memory((512 + kRowsBehind) * codeWords(4096, true) * 4); // as large as pairs at least
  std::vector<uint32_t> words(xfmr::state::kWords);
  struct Shape {
    uint32_t t, k, n;
  };
  for (Shape s : {Shape{512, 768, 2048}, {512, 2048, 768}, {512, 4096, 1024}, {37, 768, 2048}, {8, 768, 2048}})
    for (Form form : formsOf(level, true)) {
      const WeightType type = form.type;
      GemmSpec spec{type, {}, form.codes, form.pairs};
      GemmParams p;
      p.n = s.n, p.k = s.k, p.maxRows = s.t, p.x = {rowStride(s.k), 0}, p.out = {rowStride(s.n), 0};
      double ms;
      CpuKernel kernel = compileKernel(context, spec, p, level, ms);
      words[xfmr::state::kCount] = s.t;
      const double flops = 2.0 * s.t * s.k * s.n;
      // bf16 stands under its own instructions where the CPU has them, though a level may not use them.
      const Loop *loop = loopOf(type == WeightType::BF16 ? Operands::bf16 : Operands::f32, level);
      if (!loop)
        loop = loopOf(Operands::f32, level);
      const auto peakRounds = static_cast<uint64_t>(flops / loop->run(1));
      const auto oneDnn = type != WeightType::F32 && type != WeightType::BF16 ? std::function<void()>()
                                                  : oneDnnProduct(type == WeightType::F32 ? Numbers::f32 : Numbers::bf16, s.t, s.k, s.n);
      auto times = interleave(rounds, {[&] { kernel.run({words.data(), x, w, out, codes}, 0, int64_t(tiles(spec, p))); },
                                       [&] { loop->run(peakRounds); },
                                       [&] {
                                         cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, int(s.t), int(s.n), int(s.k), 1,
                                                     reinterpret_cast<float *>(x), int(s.k), reinterpret_cast<float *>(w), int(s.k), 0,
                                                     reinterpret_cast<float *>(out), int(s.n));
                                       },
                                       [&] {
                                         if (oneDnn)
                                           oneDnn();
                                       }});
      char against[48] = "";
      if (oneDnn)
        std::snprintf(against, sizeof against, ", %.2f of oneDNN %.1f", times[3] / times[0], flops / times[3] * 1e-9);
      std::printf("gemm %s %-16s %3ux%ux%u: %6.1f GFLOP/s, %3.0f %% of the peak %.1f, %.2f of OpenBLAS %.1f%s   (compiled in %.0f ms)\n",
                  facts(level).name, form.name().c_str(), s.t, s.k, s.n, flops / times[0] * 1e-9, 100 * times[1] / times[0],
                  flops / times[1] * 1e-9, times[2] / times[0], flops / times[2] * 1e-9, against, ms);
    }
}

void gemv(mlir::MLIRContext &context, int rounds, Level level) {
  constexpr size_t kBytes = size_t(512) << 20;
  static char *w = memory(kBytes), *x = memory(4096 * 4), *out = memory(1 << 20),
              *codes = memory(codeWords(4096, true) * 4);
  std::vector<uint32_t> words(xfmr::state::kWords);
  words[xfmr::state::kCount] = 1;
  for (uint32_t k : {768u, 4096u})
    for (Form form : formsOf(level, false)) {
      GemvSpec spec;
      spec.weight = form.type, spec.codes = form.codes;
      GemvParams p;
      p.n = 4096, p.k = k;
      double ms;
      CpuKernel kernel = compileKernel(context, spec, p, level, ms);
      const size_t bytes = size_t(p.n) * rowBytes(form.type, k), matrices = kBytes / bytes;
      auto times = interleave(rounds, {[&] {
                                         for (size_t m = 0; m < matrices; ++m)
                                           kernel.run({words.data(), x, w + m * bytes, out, codes}, 0, int64_t(tiles(spec, p)));
                                       },
                                       [&] {
                                         volatile uint64_t sink = xfmr::roofline::readAll(w, matrices * bytes);
                                         (void)sink;
                                       }});
      const double all = double(matrices * bytes) * 1e-9;
      std::printf("gemv %s %-16s %ux%u: %5.1f GB/s, %3.0f %% of a plain read %.1f   (compiled in %.0f ms)\n", facts(level).name,
                  form.name().c_str(), p.n, k, all / times[0], 100 * times[1] / times[0], all / times[1], ms);
    }
}

} // namespace

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  const std::string what = argc > 2 ? argv[2] : "", only = argc > 3 ? argv[3] : "";
  openblas_set_num_threads(1);
  std::printf("%s, OpenBLAS %s, %s\n", xfmr::cpu::cpuName().c_str(), openblas_get_config(), xfmr::bench::oneDnnName());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  for (Level level : test::runnableLevels()) {
    if (facts(level).tiles && test::tilesAreModelled())
      continue;
    if (!only.empty() && only != facts(level).name)
      continue;
    if (what.empty() || what == "gemm")
      gemm(context, rounds, level);
    if (what.empty() || what == "gemv")
      gemv(context, rounds, level);
  }
}
