// Choice of level and variants, loading, report; see Engine.h.
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/cpu/SessionMemory.h"
#include "runtime/cpu/Threads.h"
#include "runtime/plan/Hazards.h"
#include <algorithm>
#include <map>

using namespace xfmr;
using namespace xfmr::cpu;

static int levelOfVariant(const program::Variant &variant) {
  return parseLevel(variant.requires_()->Get(0)->str());
}

Status xfmr::cpu::chooseVariants(const program::Program &program, int level, std::vector<uint32_t> &variants) {
  constexpr int kForeign = 99; // no level of this architecture was seen
  variants.clear();
  for (const program::Kernel *kernel : *program.kernels()) {
    int best = -1, bestLevel = 0, least = kForeign;
    for (uint32_t i = 0; i < kernel->variants()->size(); ++i) {
      const int found = levelOfVariant(*kernel->variants()->Get(i));
      if (found > 0)
        least = std::min(least, found);
      if (found <= level && found > bestLevel) {
        best = static_cast<int>(i);
        bestLevel = found;
      }
    }
    if (best < 0 && least == kForeign)
      return Status::error("kernel '" + kernel->name()->str() + "' is compiled for " +
                           kernel->variants()->Get(0)->requires_()->Get(0)->str() + ", this CPU is " + kArchitecture +
                           "; compile the model with --triple=" + kTriple);
    if (best < 0)
      return Status::error("kernel '" + kernel->name()->str() + "' needs " + describeLevel(least) +
                           " at least, this CPU has " + describeLevel(level) +
                           (level > 1 ? std::string("; compile the model with --levels=") + levelName(level) : ""));
    variants.push_back(static_cast<uint32_t>(best));
  }
  return Status::success();
}

namespace {

class CpuEngine : public engine::Engine {
public:
  Status open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options);

  const artifact::Artifact &artifact() const override { return *loaded_->artifact; }
  const program::Program &program() const override { return *loaded_->program; }
  const char *name() const override { return "cpu"; }
  std::string device() const override { return name_; }
  std::string report() const override { return report_; }
  uint32_t threads() const override { return loaded_->pool->threads(); }
  // A submission costs nothing and returns when it is done: a token each, none in vain.
  engine::Pace pace() const override { return {1, 0}; }
  Status createMemory(std::unique_ptr<engine::Memory> &out) const override {
    auto memory = std::make_unique<SessionMemory>(loaded_);
    Status status = memory->create();
    if (status.ok())
      out = std::move(memory);
    return status;
  }

private:
  Status loadKernels(int level);
  void describe(int level, const std::string &note);

  std::shared_ptr<Loaded> loaded_ = std::make_shared<Loaded>();
  std::map<std::string, uint32_t> levels_; // how many kernels run at which level
  std::string name_, report_;
};

Status CpuEngine::loadKernels(int level) {
  std::vector<uint32_t> variants;
  if (Status s = chooseVariants(*loaded_->program, level, variants); s.failed())
    return s;
  if (const TensorView *code = loaded_->artifact->tensor(artifact::kCpuCodeTensor))
    if (Status s = loaded_->library.load(code->data, code->byteSize); s.failed())
      return s;
  for (uint32_t i = 0; i < variants.size(); ++i) {
    const program::Kernel &kernel = *loaded_->program->kernels()->Get(i);
    const program::Variant &variant = *kernel.variants()->Get(variants[i]);
    void *symbol = loaded_->library.symbol(variant.entry()->str());
    if (!symbol)
      return Status::error("'" + loaded_->artifact->path() + "': kernel '" + kernel.name()->str() + "': the symbol '" +
                           variant.entry()->str() + "' is not in " + artifact::kCpuCodeTensor);
    loaded_->kernels.push_back(reinterpret_cast<Kernel>(symbol));
    ++levels_[variant.requires_()->Get(0)->str()];
  }
  return Status::success();
}

void CpuEngine::describe(int level, const std::string &note) {
  name_ = cpuName();
  report_ = "device: " + name_ + ", " + describeLevel(level) + ", " + std::to_string(threads()) + " threads\n";
  if (!note.empty())
    report_ += "warning: " + note + "\n";
  uint64_t weights = 0;
  for (uint32_t i = 0; i < loaded_->part.bytes.size(); ++i)
    weights += loaded_->program->buffers()->Get(i)->kind() == program::BufferKind::weight ? loaded_->part.bytes[i] : 0;
  report_ += "memory: weights " + std::to_string((weights + (1 << 19)) >> 20) + " MiB, used where the file is mapped\n";
  report_ += "kernels:";
  const char *separator = " ";
  for (const auto &[name, count] : levels_) {
    report_ += separator + std::to_string(count) + " for " + name;
    separator = ", ";
  }
  report_ += std::string(", loaded from ") + loaded_->library.where() + "\n";
}

Status CpuEngine::open(std::shared_ptr<const artifact::Artifact> artifact, const Options &options) {
  loaded_->artifact = std::move(artifact);
  loaded_->program = loaded_->artifact->program(artifact::Target::cpu);
  if (!loaded_->program)
    return Status::error("'" + loaded_->artifact->path() + "' holds a program for " + loaded_->artifact->targets() +
                         ", none for the CPU; compile it with --target=cpu or --target=vulkan,cpu, or choose another --device");
  loaded_->part = options.part ? *options.part : plan::wholeOf(*loaded_->program);
  if (Status s = plan::verifyHazards(*loaded_->program); s.failed())
    return Status::error("'" + loaded_->artifact->path() + "': " + s.message());
  int level = 0;
  std::string note;
  if (Status s = usableLevel(level, &note); s.failed())
    return s;
  if (Status s = loadKernels(level); s.failed())
    return s;
  const uint32_t threads = options.threads ? options.threads : allowedCores();
  loaded_->pool = std::make_unique<Pool>(std::min(threads, 1024u));
  describe(level, note);
  return Status::success();
}

} // namespace

Status xfmr::cpu::openEngine(std::shared_ptr<const artifact::Artifact> artifact, const Options &options,
                             std::shared_ptr<const engine::Engine> &out) {
  auto engine = std::make_shared<CpuEngine>();
  if (Status s = engine->open(std::move(artifact), options); s.failed())
    return s;
  out = std::move(engine);
  return Status::success();
}
