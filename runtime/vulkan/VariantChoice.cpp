// See VariantChoice.h.
#include "runtime/vulkan/VariantChoice.h"
#include <algorithm>

using namespace xfmr;
using namespace xfmr::vulkan;

static std::string lackOf(const program::Variant &variant, const std::set<std::string> &features) {
  std::string lacks;
  if (const auto *required = variant.requires_())
    for (const flatbuffers::String *feature : *required)
      if (!features.count(feature->str()))
        lacks += (lacks.empty() ? "" : ", ") + feature->str();
  return lacks;
}

std::vector<uint32_t> xfmr::vulkan::usableVariants(const program::Kernel &kernel, const std::set<std::string> &features,
                                                   const LeftOut &leftOut) {
  std::vector<uint32_t> usable;
  const uint32_t last = kernel.variants()->size() - 1;
  for (uint32_t i = 0; i < last; ++i) {
    const program::Variant &variant = *kernel.variants()->Get(i);
    if (!leftOut.count(variant.tensor()->str()) && lackOf(variant, features).empty())
      usable.push_back(i);
  }
  usable.push_back(last);
  return usable;
}

uint32_t xfmr::vulkan::chooseVariant(const program::Kernel &kernel, const std::set<std::string> &features,
                                     const LeftOut &leftOut, const Tuned &tuned) {
  const std::vector<uint32_t> usable = usableVariants(kernel, features, leftOut);
  if (auto wanted = tuned.find(kernel.name()->str()); wanted != tuned.end())
    for (uint32_t i : usable)
      if (kernel.variants()->Get(i)->tensor()->string_view() == wanted->second)
        return i;
  return usable.front();
}

uint32_t xfmr::vulkan::requiredSubgroupSize(const program::Variant &variant) {
  constexpr std::string_view kPrefix = "subgroup_size_";
  if (const auto *required = variant.requires_())
    for (const flatbuffers::String *feature : *required)
      if (feature->string_view().substr(0, kPrefix.size()) == kPrefix)
        return static_cast<uint32_t>(std::stoul(feature->str().substr(kPrefix.size())));
  return 0;
}

std::string xfmr::vulkan::variantLabel(const program::Variant &variant) {
  std::string label;
  if (const auto *required = variant.requires_())
    for (const flatbuffers::String *feature : *required)
      label += (label.empty() ? "" : "+") + feature->str();
  return label.empty() ? "portable" : label;
}

std::vector<VariantUse> xfmr::vulkan::variantUses(const program::Program &program,
                                                  const std::set<std::string> &features, const LeftOut &leftOut) {
  std::vector<VariantUse> uses;
  for (const program::Kernel *kernel : *program.kernels()) {
    const uint32_t taken = chooseVariant(*kernel, features, leftOut);
    for (uint32_t i = 0; i < kernel->variants()->size(); ++i) {
      const program::Variant &variant = *kernel->variants()->Get(i);
      const std::string label = variantLabel(variant);
      auto use = std::find_if(uses.begin(), uses.end(), [&](const VariantUse &each) { return each.label == label; });
      if (use == uses.end()) {
        use = uses.insert(uses.end(), VariantUse{});
        use->label = label;
        use->lacks = lackOf(variant, features);
      }
      auto &kernels = i == taken ? use->takenBy : leftOut.count(variant.tensor()->str()) ? use->leftOut : use->betterOf;
      kernels.push_back(kernel->name()->str());
    }
  }
  std::stable_partition(uses.begin(), uses.end(), [](const VariantUse &each) { return each.label != "portable"; });
  return uses;
}
