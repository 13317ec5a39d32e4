// What a file is, by its first bytes: messages about a file of the wrong kind name the true one instead of reading its
// letters as numbers.
#pragma once
#include <cstdint>
#include <string>

namespace xfmr {

/// "MLIR text", "a git-lfs pointer, its content is missing (\"git lfs pull\" fetches it)", …; empty where nothing is known.
std::string fileKind(const uint8_t *bytes, uint64_t size);

/// Whether the first sixteen bytes could be text, as no length of a header could.
bool beginsWithLetters(const uint8_t *bytes, uint64_t size);

} // namespace xfmr
