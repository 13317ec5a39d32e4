// Names tell kernels apart: over every value of every field, specs that differ have names that differ. Executables are
// found by name, so two kernels of one name would be one.
#include "passes/codegen/AllKernels.h"
#include <gtest/gtest.h>
#include <map>

namespace xfmr::codegen {
namespace {

// Two numbers that a kernel takes, for each field that is a number.
uint32_t number(const std::string &field, uint32_t choice) {
  static const std::map<std::string, std::array<uint32_t, 2>> all = {
      {"head_dim", {16, 64}}, {"experts", {4, 8}},     {"top_k", {1, 2}},          {"groups", {1, 2}},
      {"kept_groups", {1, 2}}, {"tile_rows", {8, 64}}, {"rows_per_group", {1, 4}}, {"top", {4, 8}},
  };
  return all.at(field)[choice];
}

// Sets every field from the digits of `index`, and leaves in it what no field took.
struct Pick {
  uint64_t &index, &combinations;

  template <class T> void operator()(const char *name, T &value) {
    auto digit = [&](uint64_t base) {
      uint64_t result = index % base;
      index /= base;
      combinations *= base;
      return result;
    };
    if constexpr (HasFields<T>::value)
      T::fields(value, *this);
    else if constexpr (std::is_same_v<T, bool>)
      value = digit(2) != 0;
    else if constexpr (std::is_enum_v<T>)
      value = static_cast<T>(digit(std::size(Words<T>::all)));
    else
      value = number(name, static_cast<uint32_t>(digit(2)));
  }
};

template <class Spec> void expectDistinctNames() {
  std::map<std::string, llvm::SmallVector<uint32_t, 16>> seen;
  for (uint64_t i = 0, combinations = 1; i < combinations; ++i) {
    uint64_t index = i;
    combinations = 1;
    Spec spec;
    Spec::fields(spec, Pick{index, combinations});
    if (!spec.fault().empty())
      continue;
    auto [entry, isNew] = seen.try_emplace(spec.name(), numbersOf(spec));
    ASSERT_TRUE(isNew || entry->second == numbersOf(spec)) << "two kernels are called " << spec.name();
  }
  EXPECT_FALSE(seen.empty());
}

#define XFMR_NAMES(Name)                                                                                             \
  TEST(Names, Name) { expectDistinctNames<Name##Spec>(); }
XFMR_KERNELS(XFMR_NAMES)
#undef XFMR_NAMES

} // namespace
} // namespace xfmr::codegen
