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
  if (found->second != std::to_string(kProgramVersion))
    return Status::error("artifact version " + found->second.substr(0, 20) +
                         " found, this runtime needs version " + std::to_string(kProgramVersion) +
                         "; compile the model again with the matching xfmr-compile");
  return Status::success();
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
  const TensorView *tensor = out.file_.find(kProgramTensor);
  if (!tensor)
    return inFile(Status::error("artifact has no tensor '" + std::string(kProgramTensor) + "'"));
  if (tensor->fileOffset % kTensorAlign)
    return inFile(Status::error("the program is not aligned"));
  flatbuffers::Verifier verifier(tensor->data, tensor->byteSize, /*max_depth=*/64,
                                 /*max_tables=*/100000000);
  if (!program::VerifyProgramBuffer(verifier))
    return inFile(Status::error("the program does not follow its schema"));
  out.program_ = program::GetProgram(tensor->data);
  if (Status status = checkProgram(*out.program_, out.file_); status.failed())
    return inFile(status);
  return Status::success();
}

const program::Phase *Artifact::phase(std::string_view name) const {
  for (const program::Phase *phase : *program_->phases())
    if (phase->name()->string_view() == name)
      return phase;
  return nullptr;
}

int Artifact::bufferOfKind(program::BufferKind kind) const {
  for (uint32_t i = 0; i < program_->buffers()->size(); ++i)
    if (program_->buffers()->Get(i)->kind() == kind)
      return static_cast<int>(i);
  return -1;
}

std::string_view Artifact::text(std::string_view name) const {
  const TensorView *tensor = file_.find(name);
  if (!tensor)
    return {};
  return {reinterpret_cast<const char *>(tensor->data), static_cast<size_t>(tensor->byteSize)};
}
