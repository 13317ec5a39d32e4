// See Tuning.h.
#include "runtime/Tuning.h"
#include "runtime/DeviceWish.h"
#include "runtime/session/Session.h"
#include "runtime/vulkan/Engine.h"
#include <algorithm>

using namespace xfmr;
using artifact::Target;

namespace {

constexpr uint32_t kPrompt = 512, kTokens = 8, kRepeats = 3;

/// Seconds of each kernel of the program, by its index.
using Times = std::vector<double>;

std::vector<int32_t> somePrompt(const program::Program &program, uint32_t tokens) {
  std::vector<int32_t> ids(tokens);
  for (uint32_t i = 0; i < tokens; ++i) // not the same token again and again: it would choose the same experts
    ids[i] = static_cast<int32_t>((uint64_t(i) * 7919 + 1) % program.vocab_size());
  return ids;
}

Status runOnce(session::Session &session, Times &times) {
  const program::Program &program = session.program();
  std::fill(times.begin(), times.end(), 0.0);
  if (Status s =
          session.watch([&](const session::Dispatched &ran) { times[ran.dispatch.kernel()] += ran.ran.seconds; });
      s.failed())
    return s;
  const program::Phase *prefill = artifact::findPhase(program, "prefill");
  const uint32_t context = program.max_context();
  session.reset();
  if (session.isEncoder())
    return session.prefillAllLogits(somePrompt(program, std::min({kPrompt, prefill->tokens(), context})),
                                    [](uint32_t, uint32_t, const float *, size_t) {});
  const uint32_t room = context > kTokens + 4 ? context - kTokens - 4 : 1;
  if (Status s = session.prefill(somePrompt(program, std::min({kPrompt, prefill->tokens(), room}))); s.failed())
    return s;
  if (artifact::findPhase(program, "prefill_few") && context - session.position() > 3 + kTokens)
    if (Status s = session.prefill(somePrompt(program, 3)); s.failed())
      return s;
  session::Sampling greedy;
  greedy.ignoreEos = true;
  session::Finish finish;
  return session.generate(
      std::min(kTokens, context - session.position()), greedy, [](int32_t) { return true; }, finish);
}

/// The least of several runs, for whatever else a machine does only adds to it.
Status measure(std::shared_ptr<const vulkan::Model> model, Times &least) {
  std::unique_ptr<session::Session> session;
  if (Status s = session::Session::create(vulkan::engineOf(std::move(model)), session); s.failed())
    return s;
  Times times(least.size());
  for (uint32_t i = 0; i <= kRepeats; ++i) {
    if (Status s = runOnce(*session, times); s.failed())
      return s;
    for (size_t k = 0; i > 0 && k < times.size(); ++k) // the first one warms up
      least[k] = i == 1 ? times[k] : std::min(least[k], times[k]);
  }
  return Status::success();
}

} // namespace

size_t xfmr::engines::fastest(const std::vector<Candidate> &candidates) {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i)
    if (candidates[i].seconds < candidates[best].seconds)
      best = i;
  return candidates[best].seconds < candidates[0].seconds * (1 - kMargin) ? best : 0;
}

Status xfmr::engines::tune(std::shared_ptr<const artifact::Artifact> artifact, const std::string &device,
                           const std::function<void(const TunedKernel &)> &tuned, std::string &path) {
  vulkan::Model::Options options;
  if (Status s = parseOneDevice(device, "tuning is", options.device); s.failed())
    return s;
  if (device == "cpu")
    return Status::error("tuning is for Vulkan devices: a kernel for the CPU has one variant a level");
  if (!artifact->program(Target::vulkan))
    return Status::error("'" + artifact->path() + "' holds a program for " + artifact->targets() +
                         ", none for Vulkan, which tuning is for");
  std::shared_ptr<const vulkan::Model> model;
  if (Status s = vulkan::Model::open(std::move(artifact), options, model); s.failed())
    return s;
  const auto &kernels = *model->program().kernels();
  const vulkan::DeviceFacts &facts = model->device()->facts();
  path = vulkan::tunedFile(*model->device(), model->artifact());

  std::vector<std::vector<uint32_t>> usable;
  std::vector<TunedKernel> found;
  size_t rounds = 0;
  for (const program::Kernel *kernel : kernels) {
    usable.push_back(vulkan::usableVariants(*kernel, facts.features, model->leftOut()));
    rounds = std::max(rounds, usable.back().size());
    found.push_back({facts.name, kernel->name()->str(), {}, 0});
    for (uint32_t variant : usable.back())
      found.back().candidates.push_back({vulkan::variantLabel(*kernel->variants()->Get(variant)), 0});
  }
  for (size_t round = 0; round < rounds && rounds > 1; ++round) {
    vulkan::Tuned choice;
    for (uint32_t k = 0; k < kernels.size(); ++k)
      choice[found[k].kernel] =
          kernels.Get(k)->variants()->Get(usable[k][round < usable[k].size() ? round : 0])->tensor()->str();
    std::shared_ptr<const vulkan::Model> other;
    if (Status s = vulkan::Model::openTuned(*model, choice, other); s.failed())
      return s;
    Times times(kernels.size());
    if (Status s = measure(std::move(other), times); s.failed())
      return s;
    for (uint32_t k = 0; k < kernels.size(); ++k)
      if (round < usable[k].size())
        found[k].candidates[round].seconds = times[k];
  }
  vulkan::Tuned choice;
  for (uint32_t k = 0; k < kernels.size(); ++k) {
    if (usable[k].size() < 2)
      continue;
    found[k].chosen = fastest(found[k].candidates);
    choice[found[k].kernel] = kernels.Get(k)->variants()->Get(usable[k][found[k].chosen])->tensor()->str();
    tuned(found[k]);
  }
  return path.empty() ? Status::success() : vulkan::writeTuned(path, choice);
}
