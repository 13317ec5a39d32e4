// Which engine runs an artifact, over made-up facts, and what wrong wishes are told.
#include "runtime/DeviceWish.h"
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

// "DEVICE", "DEVICE N" or the error.
std::string wish(const std::string &text) {
  engines::DeviceWish wish;
  if (Status s = engines::parseDeviceWish(text, wish); s.failed())
    return s.message();
  return wish.device + (wish.divided ? " " + (wish.asManyAsFit ? "auto" : std::to_string(wish.layers)) : "");
}

TEST(EngineChoice, Wishes) {
  EXPECT_EQ(wish("auto"), "auto");
  EXPECT_EQ(wish("NVIDIA GeForce, one: two"), "NVIDIA GeForce, one: two");
  EXPECT_EQ(wish("gpu:layers=12,cpu"), "gpu 12");
  EXPECT_EQ(wish("gpu:layers=0,cpu"), "gpu 0");
  EXPECT_EQ(wish("1:layers=auto,cpu"), "1 auto");
  EXPECT_EQ(wish("Radeon: 7900:layers=3,cpu"), "Radeon: 7900 3");
  for (const char *text : {"gpu:layers=2", "gpu:2,cpu", "gpu,cpu", "layers=2", "gpu:layers=,cpu", "gpu:layers=-1,cpu",
                           "gpu:layers=2,gpu", ":layers=2,cpu", "gpu:layers=1x,cpu", "gpu:layers=9999999,cpu",
                           "cpu:layers=1,cpu", "none:layers=1,cpu", "gpu:Layers=2,cpu", "gpu:layers=2,cpu "})
    EXPECT_EQ(wish(text),
              "the device '" + std::string(text) +
                  "' is not understood; expected DEVICE:layers=N,cpu: the first N blocks, or as many as "
                  "fit with layers=auto, on DEVICE (gpu, or an index or a part of a name), the rest on the CPU");
}

TEST(EngineChoice, OneDevice) {
  std::string device;
  EXPECT_EQ(engines::parseOneDevice("gpu", "self-tests are", device).message(), "");
  EXPECT_EQ(device, "gpu");
  EXPECT_EQ(engines::parseOneDevice("gpu:layers=1,cpu", "self-tests are", device).message(),
            "self-tests are for one Vulkan device, not for 'gpu:layers=1,cpu'");
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
            "'" + path +
                "' holds a program for vulkan, none for the CPU; compile it with --target=cpu or "
                "--target=vulkan,cpu, or choose another --device");
  EXPECT_EQ(open(toy::cpuContents(), "llvmpipe"),
            "'" + path +
                "' holds a program for cpu, none for Vulkan; run it with --device cpu or compile it with "
                "--target=vulkan");
  EXPECT_EQ(open(toy::cpuContents(), "auto"), "");
  EXPECT_EQ(open(toy::cpuContents(), "gpu:layers=1,cpu"),
            "'" + path + "' holds a program for cpu; to run on two devices compile it with --target=vulkan,cpu");
  EXPECT_EQ(open(toy::bothContents(), "gpu:layers=3,cpu"), "layers=3 is more than the 2 blocks of the model");
  for (const char *layers : {"0", "1", "2", "auto"})
    EXPECT_EQ(open(toy::bothContents(), "gpu:layers=" + std::string(layers) + ",cpu"), "");
  toy::Contents old = toy::bothContents();
  for (auto *program : {&*old.program, &*old.cpuProgram})
    for (auto &phase : program->phases)
      phase->borders.clear();
  EXPECT_EQ(open(old, "gpu:layers=7,cpu"),
            "'" + path +
                "' cannot be divided: the artifact names no place where two blocks of the model meet: it has "
                "one block, or was compiled before there were such places; compile it again");
  unlink(path.c_str());
}

} // namespace
