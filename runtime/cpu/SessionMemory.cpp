// Running phases tile by tile; see SessionMemory.h. Calls return when the work is done: there is no device to wait for.
#include "runtime/cpu/SessionMemory.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <sys/mman.h>
#include <utility>

using namespace xfmr;
using namespace xfmr::cpu;
using program::BufferKind;
using Clock = std::chrono::steady_clock;

namespace {

// Chunks a thread gets of a segment: enough that one that is slow leaves its share to others.
constexpr uint32_t kChunksAThread = 4;
// Work for which no other thread is called: waking and joining cost some microseconds.
constexpr double kAloneSeconds = 8e-6;
constexpr uint64_t kAlign = 64, kPage = 4096, kMostBytes = uint64_t(1) << 47;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

} // namespace

SessionMemory::~SessionMemory() {
  if (memory_)
    munmap(memory_, size_);
}

Status SessionMemory::create() {
  const program::Program &program = *loaded_->program;
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < program.buffers()->size(); ++i) {
    const uint64_t bytes = loaded_->part.bytes[i];
    const uint64_t align = bytes >= kPage ? kPage : kAlign;
    size_ = (size_ + align - 1) / align * align;
    offsets.push_back(size_);
    size_ += program.buffers()->Get(i)->kind() == BufferKind::weight ? 0 : bytes;
    if (size_ > kMostBytes)
      break;
  }
  void *mapped = size_ > kMostBytes
                     ? MAP_FAILED
                     : mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // zeros
  if (mapped == MAP_FAILED)
    return Status::error("no memory for a session of at least " + std::to_string(size_) +
                         " bytes; compile with a smaller --max-context");
  memory_ = static_cast<uint8_t *>(mapped);
  madvise(mapped, size_, MADV_HUGEPAGE); // caches are read from end to end; where the system has no large pages nothing is lost
  for (uint32_t i = 0; i < offsets.size(); ++i) {
    const program::Buffer &buffer = *program.buffers()->Get(i);
    // Kernels read weights only (ProgramCheck): the mapping is read-only.
    buffers_.push_back(buffer.kind() == BufferKind::weight
                           ? const_cast<uint8_t *>(loaded_->artifact->tensor(buffer.name()->string_view())->data)
                           : memory_ + offsets[i]);
  }
  for (uint32_t p = 0; p < program.phases()->size(); ++p) {
    const plan::Part::Range range = loaded_->part.phases[p];
    std::vector<Segment> segments;
    for (uint32_t index = range.first; index < range.end; ++index) {
      const program::Dispatch *source = program.phases()->Get(p)->dispatches()->Get(index);
      Dispatch dispatch;
      dispatch.kernel = loaded_->kernels[source->kernel()];
      dispatch.index = index;
      dispatch.tiles = uint64_t(source->grid()->Get(0)) * source->grid()->Get(1) * source->grid()->Get(2);
      for (const program::Binding *binding : *source->bindings())
        dispatch.buffers.push_back(buffers_[binding->buffer()] + binding->offset());
      if (source->indirect_buffer() >= 0)
        dispatch.indirect = buffers_[static_cast<uint32_t>(source->indirect_buffer())] + source->indirect_offset();
      if (segments.empty() || source->barrier())
        segments.emplace_back();
      segments.back().dispatches.push_back(std::move(dispatch));
    }
    phases_.push_back(std::move(segments));
  }
  return Status::success();
}

/// The chunks of a segment: for each dispatch the first of its chunks, how many tiles a chunk has, and how many there are.
struct SessionMemory::Job {
  struct Part {
    const Dispatch *dispatch;
    uint32_t firstChunk;
    uint64_t tiles, grain;
  };
  std::vector<Part> parts;
  uint32_t chunks = 0;
  std::atomic<uint64_t> nanoseconds{0}; // in kernels, on all threads
  ChunkTime *ran = nullptr;             // [chunks], when somebody watches

  void add(const Dispatch &dispatch, uint64_t tiles, uint64_t grain) {
    if (!tiles)
      return;
    parts.push_back({&dispatch, chunks, tiles, grain});
    chunks += static_cast<uint32_t>((tiles + grain - 1) / grain);
  }
  static void run(void *context, uint32_t chunk) {
    Job &job = *static_cast<Job *>(context);
    size_t i = job.parts.size() - 1;
    while (job.parts[i].firstChunk > chunk)
      --i;
    const Part &part = job.parts[i];
    const uint64_t lo = (chunk - part.firstChunk) * part.grain, hi = std::min(lo + part.grain, part.tiles);
    auto start = Clock::now();
    part.dispatch->kernel(part.dispatch->buffers.data(), static_cast<int64_t>(lo), static_cast<int64_t>(hi));
    const double seconds = secondsSince(start);
    job.nanoseconds.fetch_add(static_cast<uint64_t>(seconds * 1e9), std::memory_order_relaxed);
    if (job.ran)
      job.ran[chunk] = {part.dispatch->index, std::this_thread::get_id(), secondsOf(start), seconds};
  }
  static void runAll(void *context, uint32_t) {
    for (uint32_t chunk = 0; chunk < static_cast<Job *>(context)->chunks; ++chunk)
      run(context, chunk);
  }
};

void SessionMemory::run(Segment &segment, std::vector<ChunkTime> *ran) {
  auto tilesOf = [](const Dispatch &dispatch) {
    if (!dispatch.indirect)
      return dispatch.tiles;
    uint32_t grid[3];
    std::memcpy(grid, dispatch.indirect, sizeof grid);
    return uint64_t(grid[0]) * grid[1] * grid[2];
  };
  uint64_t tiles = 0;
  for (const Dispatch &dispatch : segment.dispatches)
    tiles += tilesOf(dispatch);
  if (!tiles)
    return;
  const uint32_t threads = loaded_->pool->threads();
  // Work that is known to be little is one chunk; the pool calls nobody for that.
  const bool alone = threads == 1 || (segment.secondsPerTile > 0 &&
                                      segment.secondsPerTile * static_cast<double>(tiles) < kAloneSeconds);
  const uint64_t grain = alone ? tiles : (tiles - 1) / (threads * kChunksAThread) + 1;
  Job job;
  for (const Dispatch &dispatch : segment.dispatches)
    job.add(dispatch, tilesOf(dispatch), grain);
  if (ran) {
    ran->resize(job.chunks);
    job.ran = ran->data();
  }
  if (alone)
    loaded_->pool->run(1, Job::runAll, &job);
  else
    loaded_->pool->run(job.chunks, Job::run, &job);
  segment.secondsPerTile = static_cast<double>(job.nanoseconds.load(std::memory_order_relaxed)) * 1e-9 /
                           static_cast<double>(tiles);
}

void SessionMemory::write(const engine::Step &step) {
  for (const engine::Write &write : step.writes)
    std::memcpy(buffers_[write.buffer] + write.offset, write.data, write.bytes);
}

Status SessionMemory::submit(uint32_t index, const std::vector<engine::Step> &steps,
                             const std::vector<engine::Range> &reads) {
  auto start = Clock::now();
  uint32_t ran = 0;
  for (const engine::Step &step : steps) {
    write(step);
    for (uint32_t i = 0; i < step.repeat; ++i)
      for (uint32_t phase : step.phases) {
        for (Segment &segment : phases_[phase])
          if (watch_)
            watch_->segment(ran, phase, segment.dispatches.size(), segment.dispatches.front().index,
                            [&](std::vector<ChunkTime> &times) { run(segment, &times); });
          else
            run(segment);
        ++ran;
      }
  }
  Slot &slot = slots_[index];
  slot.results.clear();
  uint64_t bytes = 0;
  for (const engine::Range &read : reads) {
    slot.results.push_back(bytes);
    bytes += (read.bytes + 15) / 16 * 16;
  }
  slot.bytes.resize(std::max<size_t>(slot.bytes.size(), bytes));
  for (size_t i = 0; i < reads.size(); ++i)
    std::memcpy(slot.bytes.data() + slot.results[i], buffers_[reads[i].buffer] + reads[i].offset, reads[i].bytes);
  waited_ += secondsSince(start);
  return Status::success();
}

Status SessionMemory::watch(engine::OnRan onRan) {
  watch_ = onRan ? std::make_unique<Watch>(std::move(onRan)) : nullptr;
  return Status::success();
}

double SessionMemory::takeWaitedSeconds() { return std::exchange(waited_, 0); }
