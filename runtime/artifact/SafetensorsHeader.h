// The JSON header of a safetensors file as plain data, before any offset has been checked against
// the file. Internal to Safetensors.cpp.
#pragma once
#include "runtime/artifact/DType.h"
#include "runtime/artifact/Status.h"
#include <map>
#include <string>
#include <vector>

namespace xfmr {

struct HeaderTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  uint64_t begin, end;
};

struct SafetensorsHeader {
  std::vector<HeaderTensor> tensors; // in header order
  std::map<std::string, std::string> metadata;
};

/// Parses the header text with a streaming parser, so that duplicate keys are seen and nothing the
/// file claims is allocated. Messages do not name the file.
Status parseSafetensorsHeader(const char *begin, const char *end, SafetensorsHeader &out);

} // namespace xfmr
