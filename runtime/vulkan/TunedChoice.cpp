// See TunedChoice.h.
#include "runtime/vulkan/TunedChoice.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include "runtime/vulkan/PipelineCache.h"
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

constexpr const char *kHead = "xfmr tuned 1\n";

std::string hex(uint64_t hash) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string sumOf(const std::string &text) {
  return "sum " + hex(XXH3_64bits(text.data(), text.size())) + "\n";
}

} // namespace

std::string xfmr::vulkan::tunedText(const Tuned &tuned) {
  std::string text = kHead;
  for (const auto &[kernel, tensor] : tuned)
    text += kernel + "\t" + tensor + "\n";
  return text + sumOf(text);
}

bool xfmr::vulkan::parseTuned(const std::string &text, Tuned &tuned) {
  const std::string head = kHead;
  const size_t sumBytes = sumOf("").size();
  if (text.size() < head.size() + sumBytes || text.compare(0, head.size(), head) != 0)
    return false;
  const std::string body = text.substr(0, text.size() - sumBytes);
  if (text.substr(body.size()) != sumOf(body))
    return false;
  Tuned found;
  for (size_t at = head.size(); at < body.size();) {
    const size_t tab = body.find('\t', at), end = body.find('\n', at);
    if (tab == std::string::npos || end == std::string::npos || tab > end)
      return false;
    found[body.substr(at, tab - at)] = body.substr(tab + 1, end - tab - 1);
    at = end + 1;
  }
  tuned = std::move(found);
  return true;
}

std::string xfmr::vulkan::tunedFile(const Device &device, const artifact::Artifact &artifact) {
  const TensorView &sum = *artifact.tensor(artifact::kChecksumTensor); // of every byte, the code of all kernels among them
  std::string ending = "-";
  for (uint64_t i = 0; i < sum.byteSize; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", sum.data[i]);
    ending += digits;
  }
  return cacheFile(device.physical(), (ending + ".tuned").c_str());
}

TunedState xfmr::vulkan::readTuned(const std::string &path, Tuned &tuned) {
  MappedFile file;
  if (path.empty() || MappedFile::open(path, file).failed())
    return TunedState::none;
  const std::string text(reinterpret_cast<const char *>(file.data()), file.size());
  return parseTuned(text, tuned) ? TunedState::found : TunedState::damaged;
}

Status xfmr::vulkan::writeTuned(const std::string &path, const Tuned &tuned) {
  return writeAtomically(path, tunedText(tuned));
}
