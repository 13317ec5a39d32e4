// What runs have to do, against sums written out.
#include "runtime/plan/Work.h"
#include <functional>
#include <gtest/gtest.h>

using namespace xfmr;
using namespace xfmr::plan;

namespace {

/// A dispatch with this work.
struct Packed {
  flatbuffers::FlatBufferBuilder builder;
  const program::Dispatch *dispatch;
  explicit Packed(const std::function<void(program::WorkT &)> &fill, const char *label = "") {
    program::DispatchT item;
    item.label = label;
    item.grid = {1, 1, 1};
    item.work = std::make_unique<program::WorkT>();
    fill(*item.work);
    builder.Finish(program::Dispatch::Pack(builder, &item));
    dispatch = flatbuffers::GetRoot<program::Dispatch>(builder.GetBufferPointer());
  }
};

} // namespace

TEST(Work, AMatrixIsReadOnceForAllRows) {
  Packed gemm([](auto &work) { work.row_operations = 200, work.weight_bytes = 400; });
  EXPECT_EQ(amountOf(*gemm.dispatch, 5, 7).operations, 1400);
  EXPECT_EQ(amountOf(*gemm.dispatch, 5, 7).weightBytes, 400);
  EXPECT_EQ(amountOf(*gemm.dispatch, 5, 7).cacheBytes, 0);
  EXPECT_EQ(amountOf(*gemm.dispatch, 5, 0).bytes(), 0);
  Packed table([](auto &work) { work.row_bytes = 64; });
  EXPECT_EQ(amountOf(*table.dispatch, 0, 3).weightBytes, 192);
}

TEST(Work, AttentionSeesWhatLiesBeforeARow) {
  for (uint32_t window : {0u, 1u, 4u, 6u, 100u})
    for (uint32_t position : {0u, 3u, 9u})
      for (uint32_t rows : {1u, 2u, 5u, 12u}) {
        SCOPED_TRACE(std::to_string(window) + " " + std::to_string(position) + " " + std::to_string(rows));
        Packed packed([&](auto &work) { work.key_operations = 10, work.key_bytes = 3, work.window = window; });
        uint64_t pairs = 0;
        std::vector<bool> seen(position + rows);
        for (uint32_t i = position; i < position + rows; ++i)
          for (uint32_t j = 0; j <= i; ++j)
            if (!window || j + window > i) {
              ++pairs;
              seen[j] = true;
            }
        const Amount amount = amountOf(*packed.dispatch, position, rows);
        EXPECT_EQ(amount.operations, 10.0 * static_cast<double>(pairs));
        EXPECT_EQ(amount.cacheBytes, 3.0 * static_cast<double>(std::count(seen.begin(), seen.end(), true)));
      }
  Packed both([](auto &work) { work.key_operations = 1, work.key_bytes = 1, work.all_keys = true; });
  EXPECT_EQ(amountOf(*both.dispatch, 0, 6).operations, 36);
  EXPECT_EQ(amountOf(*both.dispatch, 0, 6).cacheBytes, 6);
}

TEST(Work, OfAMixtureOnlyChosenExpertsAreRead) {
  Packed packed([](auto &work) { work.row_operations = 100, work.weight_bytes = 8000, work.experts = 8, work.chosen = 2; });
  EXPECT_EQ(amountOf(*packed.dispatch, 0, 1).weightBytes, 2000);
  // Two rows: each misses an expert with probability 3/4.
  EXPECT_DOUBLE_EQ(amountOf(*packed.dispatch, 0, 2).weightBytes, 8000 * (1 - 0.75 * 0.75));
  EXPECT_NEAR(amountOf(*packed.dispatch, 0, 512).weightBytes, 8000, 1e-6);
  EXPECT_EQ(amountOf(*packed.dispatch, 0, 2).operations, 200);
}

TEST(Work, RowsAndLayers) {
  flatbuffers::FlatBufferBuilder builder;
  for (auto [name, rows] : {std::pair("prefill", 5u), {"prefill_few", 5u}, {"all_logits", 5u}, {"last_logits", 1u}, {"decode", 1u}}) {
    program::PhaseT phase;
    phase.name = name;
    builder.Clear();
    builder.Finish(program::Phase::Pack(builder, &phase));
    EXPECT_EQ(rowsOf(*flatbuffers::GetRoot<program::Phase>(builder.GetBufferPointer()), 5), rows) << name;
    EXPECT_EQ(rowsOf(*flatbuffers::GetRoot<program::Phase>(builder.GetBufferPointer()), 0), 0u) << name;
  }
  auto nothing = [](auto &) {};
  EXPECT_EQ(layerOf(*Packed(nothing, "block 12 attention").dispatch), 12);
  EXPECT_EQ(layerOf(*Packed(nothing, "embedding").dispatch), -1);
  EXPECT_EQ(layerOf(*Packed(nothing, "block").dispatch), -1);
}

TEST(Work, ProgramsWithoutItComeToNothing) {
  flatbuffers::FlatBufferBuilder builder;
  program::DispatchT item;
  item.grid = {1, 1, 1};
  builder.Finish(program::Dispatch::Pack(builder, &item));
  const Amount amount = amountOf(*flatbuffers::GetRoot<program::Dispatch>(builder.GetBufferPointer()), 3, 4);
  EXPECT_EQ(amount.operations + amount.bytes(), 0);
}
