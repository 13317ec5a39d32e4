// See Parallel.h.
#include "passes/calibration/Parallel.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ThreadPool.h"

#include <atomic>
#include <memory>
#include <mutex>

// OpenBLAS would start threads of its own inside of every piece, and how it cuts a product depends on their number.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int threads);

namespace xfmr {
namespace {

struct Workers {
  std::mutex mutex;
  unsigned wanted = 0;
  std::unique_ptr<llvm::DefaultThreadPool> pool; // all but the caller; null for one thread
  bool ready = false;

  llvm::DefaultThreadPool *started() {
    const std::lock_guard<std::mutex> lock(mutex); // models of a module may be worked on side by side
    if (!ready)
      start();
    return pool.get();
  }

  void start() {
    ready = true;
    if (openblas_set_num_threads)
      openblas_set_num_threads(1);
    const unsigned threads = llvm::hardware_concurrency(wanted).compute_thread_count();
    pool = threads > 1 ? std::make_unique<llvm::DefaultThreadPool>(llvm::hardware_concurrency(threads - 1)) : nullptr;
  }
};

Workers &workers() {
  static Workers all;
  return all;
}

thread_local bool inside = false;

} // namespace

void setCalibrationThreads(unsigned threads) {
  workers().wanted = threads;
  workers().ready = false;
}

void parallelFor(int64_t count, llvm::function_ref<void(int64_t)> body) {
  llvm::DefaultThreadPool *pool = inside ? nullptr : workers().started();
  if (!pool || count < 2) {
    for (int64_t i = 0; i < count; ++i)
      body(i);
    return;
  }
  std::atomic<int64_t> next = 0;
  auto take = [&] {
    inside = true;
    for (int64_t i; (i = next.fetch_add(1)) < count;)
      body(i);
    inside = false;
  };
  llvm::ThreadPoolTaskGroup group(*pool);
  for (int64_t i = 0; i < std::min<int64_t>(pool->getMaxConcurrency(), count - 1); ++i)
    group.async(take);
  take();
  group.wait();
}

void parallelTiles(int64_t rows, int64_t columns, int64_t extent, bool lower,
                   llvm::function_ref<void(const Tile &)> body) {
  llvm::SmallVector<Tile> tiles;
  for (int64_t row = 0; row < rows; row += extent)
    for (int64_t column = 0; column < columns && (!lower || column <= row); column += extent)
      tiles.push_back({row, column, std::min(extent, rows - row), std::min(extent, columns - column)});
  parallelFor(tiles.size(), [&](int64_t i) { body(tiles[i]); });
}

} // namespace xfmr
