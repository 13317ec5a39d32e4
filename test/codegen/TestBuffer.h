// Memory a kernel under test works on, of whatever target: mapped for its whole life, filled with a pattern at first.
// Writes past the end show: behind `bytes` lies slack with the same pattern (Vulkan) or a page nobody may touch (CPU).
#pragma once
#include <cstddef>
#include <cstdint>

namespace xfmr::codegen::test {

class TestBuffer {
public:
  static constexpr uint8_t kPattern = 0xA5;

  explicit TestBuffer(size_t bytes) : bytes(bytes) {}
  TestBuffer(const TestBuffer &) = delete;
  virtual ~TestBuffer() = default;
  template <typename T> T *as() { return static_cast<T *>(mapped); }
  virtual bool slackIntact() const { return true; }

  size_t bytes;

protected:
  void *mapped = nullptr;
};

} // namespace xfmr::codegen::test
