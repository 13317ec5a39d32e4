// What only Vulkan does: weights through staging buffers, weights in panels taken apart. The rest is asked of every engine by
// test/engine/ConformanceTest.cpp.
#include "runtime/session/Session.h"
#include "runtime/vulkan/Engine.h"
#include "test/artifact/toy/ToyModel.h"
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

/// What the toy says after a prompt.
std::vector<int32_t> generated(bool forceStaging, const toy::Contents &contents, const std::vector<int32_t> &prompt) {
  std::string path = testing::TempDir() + "session." + std::to_string(getpid()) + ".xfm";
  EXPECT_EQ(toy::write(path, contents).message(), "");
  std::shared_ptr<const Model> model;
  Model::Options options;
  options.forceStaging = forceStaging;
  EXPECT_EQ(Model::open(path, options, model).message(), "");
  unlink(path.c_str());
  if (!model)
    return {};
  std::unique_ptr<session::Session> session;
  EXPECT_EQ(session::Session::create(engineOf(model), session).message(), "");
  EXPECT_EQ(session->prefill(prompt).message(), "");
  session::Sampling sampling;
  sampling.ignoreEos = true;
  session::Finish finish;
  std::vector<int32_t> ids;
  EXPECT_EQ(session->generate(12, sampling, [&](int32_t id) { ids.push_back(id); return true; }, finish).message(), "");
  return ids;
}

TEST(Weights, SameBitsThroughStaging) {
  EXPECT_EQ(generated(/*forceStaging=*/true, {}, {6, 6, 6, 6, 6}), toy::continuation({6, 6, 6, 6, 6}, 12));
}

TEST(Weights, PanelsAreTakenApart) {
  toy::Contents contents;
  contents.weight.assign(16 * 8, 0.0f);
  for (size_t c = 0; c < 8; ++c)
    contents.weight[c * 16] = 5, contents.weight[c * 16 + 8] = toy::kOffset;
  program::BufferT &weight = *contents.program->buffers[4];
  weight.layout = program::Layout::panels;
  weight.rows = 9;
  weight.columns = 8;
  weight.size = 4 * 10 * 8; // and a row of zeros
  for (auto &phase : contents.program->phases)
    for (auto &dispatch : phase->dispatches)
      for (program::Binding &binding : dispatch->bindings)
        if (binding.buffer() == 4)
          binding = program::Binding(4, 256, 32); // row 8: no device asks for a larger alignment
  for (bool staging : {false, true})
    EXPECT_EQ(generated(staging, contents, {6, 6, 6}), toy::continuation({6, 6, 6}, 12)) << staging;
}

TEST(Weights, CpuProgramAloneIsRefused) {
  std::string path = testing::TempDir() + "cpu-only." + std::to_string(getpid()) + ".xfm";
  EXPECT_EQ(toy::write(path, toy::cpuContents()).message(), "");
  std::shared_ptr<const Model> model;
  EXPECT_EQ(Model::open(path, {}, model).message(),
            "'" + path + "' holds a program for cpu, none for Vulkan; run it with --device cpu or compile it with "
            "--target=vulkan");
  unlink(path.c_str());
}

} // namespace
