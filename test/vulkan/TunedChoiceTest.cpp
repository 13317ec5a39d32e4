// The file of a tuned choice: what is written is read again, and nothing is read from one that is not whole.
#include "runtime/vulkan/TunedChoice.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

const Tuned kChoice = {{"gemm_f16", "kernel.gemm_f16.2"}, {"gemv_f16", "kernel.gemv_f16.0"}};

TEST(TunedChoice, TextAndBack) {
  const std::string text = tunedText(kChoice);
  EXPECT_EQ(text.substr(0, text.find("sum ")),
            "xfmr tuned 1\ngemm_f16\tkernel.gemm_f16.2\ngemv_f16\tkernel.gemv_f16.0\n");
  Tuned read;
  ASSERT_TRUE(parseTuned(text, read));
  EXPECT_EQ(read, kChoice);
  ASSERT_TRUE(parseTuned(tunedText({}), read));
  EXPECT_TRUE(read.empty());
}

TEST(TunedChoice, NothingOfADamagedOne) {
  const std::string text = tunedText(kChoice);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    Tuned read = {{"k", "before"}};
    EXPECT_FALSE(parseTuned(flipped, read)) << "byte " << i;
    EXPECT_FALSE(parseTuned(text.substr(0, i), read)) << "cut at " << i;
    EXPECT_EQ(read, (Tuned{{"k", "before"}}));
  }
  Tuned read;
  EXPECT_FALSE(parseTuned(text + "x", read));
}

TEST(TunedChoice, Files) {
  const std::string path = testing::TempDir() + "/choice.tuned";
  std::filesystem::remove(path);
  Tuned read;
  EXPECT_EQ(readTuned(path, read), TunedState::none);
  EXPECT_EQ(readTuned("", read), TunedState::none);
  ASSERT_TRUE(writeTuned(path, kChoice).ok());
  EXPECT_EQ(readTuned(path, read), TunedState::found);
  EXPECT_EQ(read, kChoice);
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_EQ(readTuned(path, read), TunedState::damaged);
  std::ofstream(path, std::ios::trunc);
  EXPECT_EQ(readTuned(path, read), TunedState::damaged);
}

} // namespace
