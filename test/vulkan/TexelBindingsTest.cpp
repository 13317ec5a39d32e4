// Which bindings a variant's code declares as texel buffers, from its words alone.
#include "runtime/vulkan/TexelBindings.h"
#include <gtest/gtest.h>

namespace xfmr::vulkan {
namespace {

constexpr uint32_t kUniformConstant = 0, kStorageBuffer = 12;

std::vector<uint32_t> header() {
  return {0x07230203, 0x00010300, 0, 100, 0};
}
void append(std::vector<uint32_t> &words, uint32_t code, const std::vector<uint32_t> &operands) {
  words.push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | code);
  words.insert(words.end(), operands.begin(), operands.end());
}
void decorate(std::vector<uint32_t> &words, uint32_t variable, uint32_t binding) {
  append(words, 71, {variable, 33, binding});
}
void declare(std::vector<uint32_t> &words, uint32_t variable, uint32_t space) {
  append(words, 59, {1, variable, space});
}

TEST(TexelBindings, AreVariablesThatAreUniformConstant) {
  std::vector<uint32_t> words = header();
  decorate(words, 7, 2);
  decorate(words, 8, 0);
  decorate(words, 9, 5);
  append(words, 71, {9, 34, 3}); // the descriptor set is no binding
  EXPECT_EQ(texelBindings(words), 0u);
  declare(words, 7, kUniformConstant);
  declare(words, 8, kStorageBuffer);
  declare(words, 9, kUniformConstant);
  declare(words, 10, kUniformConstant); // without a binding
  EXPECT_EQ(texelBindings(words), 1u << 2 | 1u << 5);
}

TEST(TexelBindings, AreNoneInBrokenWords) {
  std::vector<uint32_t> words = header();
  decorate(words, 7, 40); // more bindings than there can be
  declare(words, 7, kUniformConstant);
  EXPECT_EQ(texelBindings(words), 0u);
  decorate(words, 8, 1);
  declare(words, 8, kUniformConstant);
  EXPECT_EQ(texelBindings(words), 2u);
  std::vector<uint32_t> cut(words.begin(), words.end() - 1);
  EXPECT_EQ(texelBindings(cut), 0u); // the last instruction runs over the end
  words.push_back(0);
  EXPECT_EQ(texelBindings(words), 0u); // an instruction of no words
  EXPECT_EQ(texelBindings({}), 0u);
}

} // namespace
} // namespace xfmr::vulkan
