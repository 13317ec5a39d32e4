// Which engine runs an artifact, over made-up facts, and what wrong wishes are told.
#include "runtime/Engines.h"
#include "test/artifact/toy/ToyModel.h"
#include <gtest/gtest.h>
#include <unistd.h>

using namespace xfmr;
using artifact::Target;

namespace {

std::string choose(const std::string &wanted, bool vulkan, bool cpu, bool discrete, bool cpuRuns) {
  std::string why;
  Target target = engines::choose(wanted, {vulkan, cpu, discrete, cpuRuns}, why);
  return std::string(artifact::targetName(target)) + ": " + why;
}

TEST(EngineChoice, Auto) {
  EXPECT_EQ(choose("auto", true, true, true, true), "vulkan: a discrete GPU is there");
  EXPECT_EQ(choose("auto", true, true, false, true), "cpu: no discrete GPU that can run it");
  EXPECT_EQ(choose("auto", true, true, false, false), "vulkan: this CPU has none of the artifact's levels");
  EXPECT_EQ(choose("auto", true, false, false, false), "vulkan: the artifact has no program for the CPU");
  EXPECT_EQ(choose("auto", false, true, false, true), "cpu: the artifact is for the CPU only");
}

TEST(EngineChoice, AskedFor) {
  EXPECT_EQ(choose("cpu", true, true, true, true), "cpu: asked for by name");
  EXPECT_EQ(choose("0", true, true, false, true), "vulkan: asked for");
  EXPECT_EQ(choose("radeon", true, true, false, true), "vulkan: asked for");
}

TEST(EngineChoice, FilesOfDevices) {
  EXPECT_TRUE(engines::anyOf({"/dev/no such thing*", "/dev/nul*"}));
  EXPECT_FALSE(engines::anyOf({"/dev/no such thing*", "/no such folder/*"}));
  EXPECT_FALSE(engines::anyOf({}));
}

TEST(EngineChoice, WrongTargetSaysWhatTheArtifactHolds) {
  std::string path = testing::TempDir() + "choice." + std::to_string(getpid()) + ".xfm";
  auto open = [&](const toy::Contents &contents, const std::string &device) {
    EXPECT_EQ(toy::write(path, contents).message(), "");
    auto artifact = std::make_shared<artifact::Artifact>();
    EXPECT_EQ(artifact::Artifact::open(path, *artifact).message(), "");
    std::shared_ptr<const engine::Engine> engine;
    engines::Options options;
    options.device = device;
    std::string why;
    return engines::open(artifact, options, engine, why).message();
  };
  EXPECT_EQ(open(toy::Contents(), "cpu"),
            "'" + path + "' holds a program for vulkan, none for the CPU; compile it with --target=cpu or "
            "--target=vulkan,cpu, or choose another --device");
  EXPECT_EQ(open(toy::cpuContents(), "llvmpipe"),
            "'" + path + "' holds a program for cpu, none for Vulkan; run it with --device cpu or compile it with "
            "--target=vulkan");
  EXPECT_EQ(open(toy::cpuContents(), "auto"), "");
  unlink(path.c_str());
}

} // namespace
