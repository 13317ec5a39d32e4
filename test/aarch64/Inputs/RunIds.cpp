// run-ids MODEL.xfm --prompt-ids 1,2,3 -n N --ids --ignore-eos --logits OUT.safetensors [--threads N]: what xfmr-run does with
// these options, on the CPU and without text. `run-ids --facts` says what it runs on.
#include "runtime/artifact/Safetensors.h"
#include "runtime/cpu/Engine.h"
#include "runtime/cpu/Level.h"
#include "runtime/roofline/Roofline.h"
#include "runtime/session/Session.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace xfmr;

static int fail(const Status &status) {
  std::fprintf(stderr, "run-ids: error: %s\n", status.message().c_str());
  return 1;
}

static int facts() {
  std::printf("%s\n", cpu::describeLevel(cpu::levelOf(cpu::cpuFacts())).c_str());
  for (const roofline::Loop &loop : roofline::loops())
    if (loop.runs)
      std::printf("%s: %g operations\n", loop.instructions, loop.run(10));
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && std::strcmp(argv[1], "--facts") == 0)
    return facts();
  std::vector<int32_t> ids;
  std::string logitsPath;
  uint32_t count = 0;
  cpu::Options options;
  for (int i = 2; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--ids" || option == "--ignore-eos")
      continue;
    if (++i == argc)
      return fail(Status::error(option + " lacks its value"));
    if (option == "--prompt-ids")
      for (char *at = argv[i]; *at; at += *at == ',')
        ids.push_back(static_cast<int32_t>(std::strtol(at, &at, 10)));
    else if (option == "-n")
      count = static_cast<uint32_t>(std::atoi(argv[i]));
    else if (option == "--threads")
      options.threads = static_cast<uint32_t>(std::atoi(argv[i]));
    else if (option == "--logits")
      logitsPath = argv[i];
    else
      return fail(Status::error("unknown option " + option));
  }
  auto artifact = std::make_shared<artifact::Artifact>();
  std::shared_ptr<const engine::Engine> engine;
  std::unique_ptr<session::Session> session;
  if (argc < 2)
    return fail(Status::error("no model"));
  if (Status s = artifact::Artifact::open(argv[1], *artifact); s.failed())
    return fail(s);
  if (Status s = cpu::openEngine(artifact, options, engine); s.failed())
    return fail(s);
  if (Status s = session::Session::create(engine, session); s.failed())
    return fail(s);
  const uint32_t vocabulary = engine->program().vocab_size();
  SafetensorsWriter writer;
  if (Status s = writer.declare("logits", DType::f32, {static_cast<int64_t>(ids.size()), vocabulary}); s.failed())
    return fail(s);
  if (Status s = writer.begin(logitsPath); s.failed())
    return fail(s);
  Status written = Status::success();
  auto append = [&](uint32_t, uint32_t rows, const float *values, size_t stride) {
    for (uint32_t r = 0; r < rows && written.ok(); ++r)
      written = writer.append(values + r * stride, 4 * uint64_t(vocabulary));
  };
  if (Status s = session->prefillAllLogits(ids, append); s.failed())
    return fail(s);
  if (Status s = written.ok() ? writer.finish() : written; s.failed())
    return fail(s);
  session::Sampling greedy;
  greedy.ignoreEos = true;
  session::Finish finish;
  auto print = [](int32_t id) { return std::printf("%d ", id) > 0; };
  if (Status s = session->generate(count, greedy, print, finish); s.failed())
    return fail(s);
  std::puts("");
  return 0;
}
