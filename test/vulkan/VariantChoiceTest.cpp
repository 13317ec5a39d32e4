// Which variant a device takes, why not another, and what a self-test does about wrong ones.
#include "runtime/vulkan/VariantChoice.h"
#include "runtime/vulkan/SelfTest.h"
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

using Required = std::vector<std::string>;

program::KernelT kernelOf(const std::string &name, const std::vector<Required> &variants) {
  program::KernelT kernel;
  kernel.name = name;
  kernel.workgroup_size = {1, 1, 1};
  for (const Required &required : variants) {
    auto variant = std::make_unique<program::VariantT>();
    variant->tensor = name + "." + std::to_string(kernel.variants.size());
    variant->entry = "main";
    variant->requires_ = required;
    kernel.variants.push_back(std::move(variant));
  }
  return kernel;
}

class VariantChoice : public testing::Test {
protected:
  const program::Kernel &packed(const program::KernelT &kernel) {
    builder.Finish(program::Kernel::Pack(builder, &kernel));
    return *flatbuffers::GetRoot<program::Kernel>(builder.GetBufferPointer());
  }
  flatbuffers::FlatBufferBuilder builder;
};

TEST_F(VariantChoice, FirstWhoseFeaturesAreThere) {
  const auto &kernel = packed(kernelOf("k", {{"float16", "subgroup_arithmetic"}, {"subgroup_arithmetic"}, {}}));
  EXPECT_EQ(chooseVariant(kernel, {"float16", "subgroup_arithmetic"}), 0u);
  EXPECT_EQ(chooseVariant(kernel, {"subgroup_arithmetic"}), 1u);
  EXPECT_EQ(chooseVariant(kernel, {"float16"}), 2u);
  EXPECT_EQ(chooseVariant(kernel, {"float16", "subgroup_arithmetic"}, {"k.0"}), 1u);
  EXPECT_EQ(chooseVariant(kernel, {"float16", "subgroup_arithmetic"}, {"k.0", "k.1", "k.2"}),
            2u); // the last in any case
}

TEST_F(VariantChoice, ATunedOneIsTakenWhereItIsUsable) {
  const auto &kernel = packed(kernelOf("k", {{"float16"}, {"int64"}, {}}));
  const std::set<std::string> all = {"float16", "int64"};
  EXPECT_EQ(usableVariants(kernel, all), (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(usableVariants(kernel, all, {"k.1"}), (std::vector<uint32_t>{0, 2})); // what a self-test left out is no candidate
  EXPECT_EQ(usableVariants(kernel, {"int64"}), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(chooseVariant(kernel, all, {}, {{"k", "k.2"}}), 2u);
  EXPECT_EQ(chooseVariant(kernel, all, {}, {{"k", "k.1"}}), 1u);
  EXPECT_EQ(chooseVariant(kernel, all, {"k.1"}, {{"k", "k.1"}}), 0u);   // left out since
  EXPECT_EQ(chooseVariant(kernel, {"int64"}, {}, {{"k", "k.0"}}), 1u);  // the device cannot run it
  EXPECT_EQ(chooseVariant(kernel, all, {}, {{"k", "other"}}), 0u);      // there is none of that name
  EXPECT_EQ(chooseVariant(kernel, all, {}, {{"other", "k.2"}}), 0u);    // nobody measured it
}

TEST_F(VariantChoice, SizeOfSubgroupsThatAVariantRequires) {
  auto required = [](Required features) {
    program::VariantT variant;
    variant.tensor = "t", variant.entry = "main", variant.requires_ = std::move(features);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(program::Variant::Pack(builder, &variant));
    return requiredSubgroupSize(*flatbuffers::GetRoot<program::Variant>(builder.GetBufferPointer()));
  };
  EXPECT_EQ(required({"subgroup_arithmetic", "subgroup_size_64", "workgroup_512"}), 64u);
  EXPECT_EQ(required({"subgroup_size_8", "int64"}), 8u);
  EXPECT_EQ(required({"int64"}), 0u);
  EXPECT_EQ(required({}), 0u);
}

TEST_F(VariantChoice, UsesSayWhyNot) {
  program::ProgramT program;
  program.target = "vulkan";
  program.kernels.push_back(std::make_unique<program::KernelT>(kernelOf("a", {{"subgroup_size_64"}, {"float16"}, {}})));
  program.kernels.push_back(std::make_unique<program::KernelT>(kernelOf("b", {{"float16"}, {}})));
  builder.Finish(program::Program::Pack(builder, &program));
  const auto &packed = *flatbuffers::GetRoot<program::Program>(builder.GetBufferPointer());
  const std::vector<VariantUse> uses = variantUses(packed, {"float16"}, {"b.0"});
  ASSERT_EQ(uses.size(), 3u);
  EXPECT_EQ(uses[0].label, "subgroup_size_64");
  EXPECT_EQ(uses[0].lacks, "subgroup_size_64");
  EXPECT_TRUE(uses[0].takenBy.empty());
  EXPECT_EQ(uses[1].label, "float16");
  EXPECT_EQ(uses[1].takenBy, std::vector<std::string>{"a"});
  EXPECT_EQ(uses[1].leftOut, std::vector<std::string>{"b"});
  EXPECT_EQ(uses[2].label, "portable");
  EXPECT_EQ(uses[2].takenBy, std::vector<std::string>{"b"});
  EXPECT_EQ(uses[2].betterOf, std::vector<std::string>{"a"});
}

TEST_F(VariantChoice, ASelfTestLeavesOutWhatIsWrong) {
  const auto &kernel = packed(kernelOf("k", {{"int64"}, {"float16"}, {"int8"}, {}}));
  std::vector<std::string> seen;
  auto found = [&](const Finding &each) {
    seen.push_back(each.variant + ":" + each.wrong + (each.last ? ":last" : ""));
  };
  LeftOut leftOut;
  auto wrongUntil = [](uint32_t right) {
    return [=](uint32_t variant) { return variant < right ? "off" : std::string(); };
  };
  EXPECT_TRUE(testKernel(kernel, {"float16", "int8"}, wrongUntil(2), found, leftOut));
  EXPECT_EQ(seen, (std::vector<std::string>{"float16:off", "int8:"}));
  EXPECT_EQ(leftOut, LeftOut{"k.1"});
  seen.clear();
  EXPECT_FALSE(testKernel(kernel, {"int8"}, wrongUntil(9), found, leftOut));
  EXPECT_EQ(seen, (std::vector<std::string>{"int8:off", "portable:off:last"}));
  EXPECT_EQ(leftOut, (LeftOut{"k.1", "k.2"})); // there is no other than the portable one to take
}

} // namespace
