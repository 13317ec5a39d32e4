// See FileKind.h.
#include "runtime/artifact/FileKind.h"
#include <algorithm>
#include <string_view>

namespace xfmr {

static bool startsWith(std::string_view text, std::string_view begin) { return text.substr(0, begin.size()) == begin; }

std::string fileKind(const uint8_t *bytes, uint64_t size) {
  const std::string_view text(reinterpret_cast<const char *>(bytes), size < 4096 ? size : 4096);
  if (text.empty())
    return "empty";
  // First: the length of a header may begin with any byte.
  if (size > 9 && text[8] == '{' && text[7] == 0 && text[6] == 0 && text[5] == 0)
    return text.find("xfmr.version") != text.npos ? "an .xfm artifact" : "a safetensors file";
  if (startsWith(text, "version https://git-lfs."))
    return "a git-lfs pointer, its content is missing (\"git lfs pull\" fetches it)";
  if (startsWith(text, "ML\xefR"))
    return "MLIR bytecode";
  if (startsWith(text, "GGUF"))
    return "a GGUF file";
  if (startsWith(text, "PK\x03\x04"))
    return "a zip archive (as PyTorch saves weights)";
  if (startsWith(text, "\x1f\x8b"))
    return "compressed with gzip";
  if (startsWith(text, "\x7f""ELF"))
    return "a program";
  const size_t first = text.find_first_not_of(" \t\r\n");
  const std::string_view rest = first == text.npos ? std::string_view() : text.substr(first);
  if (startsWith(rest, "<!") || startsWith(rest, "<html") || startsWith(rest, "<?xml"))
    return "a web page";
  if (startsWith(rest, "module") || startsWith(rest, "xfmr.") || startsWith(rest, "builtin.module") ||
      (startsWith(rest, "//") && rest.find("xfmr.") != rest.npos) ||
      (startsWith(rest, "#") && rest.find(" = ") != rest.npos))
    return "MLIR text";
  if (startsWith(rest, "{") || startsWith(rest, "["))
    return "JSON text";
  return "";
}

bool beginsWithLetters(const uint8_t *bytes, uint64_t size) {
  const auto isLetter = [](uint8_t c) { return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\r' || c == '\t'; };
  return size >= 16 && std::all_of(bytes, bytes + 16, isLetter);
}

} // namespace xfmr
