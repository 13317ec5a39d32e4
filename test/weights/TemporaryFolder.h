// A folder for one test, removed with everything in it; and one-line writing of tensor files.
#pragma once
#include "runtime/artifact/Safetensors.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace xfmr {

class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "xfmr-test-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string &name) const { return path + "/" + name; }
  void write(const std::string &name, const std::string &text) const {
    std::ofstream(file(name), std::ios::binary) << text;
  }

  std::string path;
};

struct TestTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::vector<float> values; // rounded to dtype when written (F32, F16, BF16)
};

inline void writeTensors(const std::string &path, const std::vector<TestTensor> &tensors) {
  SafetensorsWriter writer;
  for (const TestTensor &tensor : tensors)
    ASSERT_TRUE(writer.declare(tensor.name, tensor.dtype, tensor.shape).ok());
  ASSERT_TRUE(writer.begin(path).ok());
  for (const TestTensor &tensor : tensors)
    for (float value : tensor.values) {
      uint16_t half = tensor.dtype == DType::f16 ? f16FromF32(value) : bf16FromF32(value);
      const void *bytes = tensor.dtype == DType::f32 ? static_cast<const void *>(&value) : &half;
      ASSERT_TRUE(writer.append(bytes, dtypeBits(tensor.dtype) / 8).ok());
    }
  Status status = writer.finish();
  ASSERT_TRUE(status.ok()) << status.message();
}

} // namespace xfmr
