// See Verdicts.h.
#include "runtime/vulkan/Verdicts.h"
#include "runtime/artifact/AtomicFile.h"
#include "runtime/artifact/MappedFile.h"
#include "runtime/vulkan/PipelineCache.h"
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::vulkan;

namespace {

std::string hashOf(const TensorView &code) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits(code.data, code.byteSize)));
  return text;
}

std::set<std::string> readLines(const std::string &path) {
  std::set<std::string> lines;
  MappedFile file;
  if (path.empty() || MappedFile::open(path, file).failed())
    return lines;
  const std::string text(reinterpret_cast<const char *>(file.data()), file.size());
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.insert(text.substr(at, end - at));
  return lines;
}

/// Tensors of variants that are not the portable one, with the hashes of their code.
std::vector<std::pair<std::string, std::string>> variantsOf(const artifact::Artifact &artifact) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const program::Kernel *kernel : *artifact.program(artifact::Target::vulkan)->kernels())
    for (uint32_t i = 0; i + 1 < kernel->variants()->size(); ++i) {
      const std::string name = kernel->variants()->Get(i)->tensor()->str();
      found.push_back({name, hashOf(*artifact.tensor(name))});
    }
  return found;
}

} // namespace

LeftOut xfmr::vulkan::readVerdicts(const Device &device, const artifact::Artifact &artifact) {
  LeftOut leftOut;
  const std::set<std::string> wrong = readLines(cacheFile(device.physical(), ".verdicts"));
  if (!wrong.empty())
    for (const auto &[name, hash] : variantsOf(artifact))
      if (wrong.count(hash))
        leftOut.insert(name);
  return leftOut;
}

Status xfmr::vulkan::writeVerdicts(const Device &device, const artifact::Artifact &artifact, const LeftOut &leftOut,
                                   std::string &path) {
  path = cacheFile(device.physical(), ".verdicts");
  if (path.empty())
    return Status::success();
  std::set<std::string> wrong = readLines(path);
  for (const auto &[name, hash] : variantsOf(artifact))
    wrong.erase(hash);
  for (const auto &[name, hash] : variantsOf(artifact))
    if (leftOut.count(name))
      wrong.insert(hash);
  std::string text;
  for (const std::string &hash : wrong)
    text += hash + "\n";
  return writeAtomically(path, text);
}
