// Host memory for CPU kernels under test: it ends where a page begins that nobody may touch, so that reading or writing
// past the end stops the test at once. Kernels may ask for no alignment beyond that of an element.
#pragma once
#include "test/codegen/TestBuffer.h"

namespace xfmr::codegen::test {

class HostBuffer : public TestBuffer {
public:
  explicit HostBuffer(size_t bytes);
  ~HostBuffer() override;

private:
  void *pages = nullptr;
  size_t size = 0; // of the pages
};

} // namespace xfmr::codegen::test
