// Container-level checks of an artifact: version, checksum, program; see Artifact.h.
#include "runtime/artifact/Artifact.h"
#include "runtime/artifact/ProgramCheck.h"
#include <cstring>
#include <xxhash.h>

using namespace xfmr;
using namespace xfmr::artifact;

static Status checkVersion(const SafetensorsFile &file) {
  auto found = file.metadata().find(kVersionKey);
  if (found == file.metadata().end())
    return Status::error("not an xfmr artifact: the metadata has no '" + std::string(kVersionKey) +
                         "'; make one with xfmr-compile");
  for (uint32_t version = kOldestProgramVersion; version <= kProgramVersion; ++version)
    if (found->second == std::to_string(version))
      return Status::success();
  return Status::error("artifact version " + found->second.substr(0, 20) + " found, this runtime reads versions " +
                       std::to_string(kOldestProgramVersion) + " to " + std::to_string(kProgramVersion) +
                       "; compile the model again with the matching xfmr-compile");
}

static Status checkChecksum(const SafetensorsFile &file) {
  const TensorView *stored = file.find(kChecksumTensor);
  if (!stored || stored->byteSize != kChecksumBytes ||
      stored->fileOffset + kChecksumBytes != file.fileSize())
    return Status::error("artifact has no checksum at its end");
  const uint8_t *bytes = file.mapping().data();
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(bytes, stored->fileOffset));
  if (std::memcmp(&digest, stored->data, kChecksumBytes) != 0)
    return Status::error("checksum mismatch: the artifact is damaged; compile or copy it again");
  return Status::success();
}

Status Artifact::open(const std::string &path, Artifact &out) {
  auto inFile = [&](const Status &status) {
    return Status::error("'" + path + "': " + status.message());
  };
  if (Status status = SafetensorsFile::open(path, out.file_); status.failed())
    return status;
  if (Status status = checkVersion(out.file_); status.failed())
    return inFile(status);
  if (Status status = checkChecksum(out.file_); status.failed())
    return inFile(status);
  for (Target target : kTargets)
    if (Status status = out.readProgram(target); status.failed())
      return inFile(status);
  const program::Program *vulkan = out.program(Target::vulkan), *cpu = out.program(Target::cpu);
  if (!vulkan && !cpu)
    return inFile(Status::error("artifact has no program: neither a tensor '" + std::string(kProgramTensor) +
                                "' nor '" + kCpuProgramTensor + "'"));
  if (vulkan && cpu)
    if (Status status = checkSameModel(*vulkan, *cpu); status.failed())
      return inFile(status);
  return Status::success();
}

Status Artifact::readProgram(Target target) {
  const TensorView *tensor = file_.find(programTensor(target));
  if (!tensor)
    return Status::success();
  const std::string name = std::string("'") + programTensor(target) + "'";
  if (tensor->fileOffset % kTensorAlign)
    return Status::error("the program " + name + " is not aligned");
  // A table may be listed any number of times: a vector of a hundred thousand lists of a hundred thousand takes a megabyte.
  constexpr flatbuffers::uoffset_t kMaxTables = 1 << 22; // a thousand blocks have about 200,000
  flatbuffers::Verifier verifier(tensor->data, tensor->byteSize, /*max_depth=*/64, kMaxTables);
  if (!program::VerifyProgramBuffer(verifier))
    return Status::error("the program " + name + " does not follow its schema");
  const program::Program *found = program::GetProgram(tensor->data);
  if (Status status = checkProgram(*found, file_, target); status.failed())
    return status;
  programs_[static_cast<size_t>(target)] = found;
  return Status::success();
}

const program::Program &Artifact::program() const {
  const program::Program *first = program(Target::vulkan);
  return first ? *first : *program(Target::cpu);
}

std::string Artifact::targets() const {
  std::string text;
  for (Target target : kTargets)
    if (program(target))
      text += (text.empty() ? "" : " and ") + std::string(targetName(target));
  return text;
}

const program::Phase *xfmr::artifact::findPhase(const program::Program &program, std::string_view name) {
  for (const program::Phase *phase : *program.phases())
    if (phase->name()->string_view() == name)
      return phase;
  return nullptr;
}

bool xfmr::artifact::isEncoder(const program::Program &program) { return !findPhase(program, "decode"); }

bool xfmr::artifact::readsSource(const program::Program &program) { return findPhase(program, "encode") != nullptr; }

uint32_t xfmr::artifact::outputWidth(const program::Program &program) {
  return isEncoder(program) ? program.hidden_size() : program.vocab_size();
}

std::vector<uint32_t> xfmr::artifact::probesOf(const program::Program &program) {
  std::vector<uint32_t> probes;
  for (uint32_t i = 0; i < program.buffers()->size(); ++i)
    if (program.buffers()->Get(i)->kind() == program::BufferKind::probe)
      probes.push_back(i);
  return probes;
}

int xfmr::artifact::bufferOfKind(const program::Program &program, program::BufferKind kind) {
  for (uint32_t i = 0; i < program.buffers()->size(); ++i)
    if (program.buffers()->Get(i)->kind() == kind)
      return static_cast<int>(i);
  return -1;
}

std::string_view Artifact::text(std::string_view name) const {
  const TensorView *tensor = file_.find(name);
  if (!tensor)
    return {};
  return {reinterpret_cast<const char *>(tensor->data), static_cast<size_t>(tensor->byteSize)};
}
