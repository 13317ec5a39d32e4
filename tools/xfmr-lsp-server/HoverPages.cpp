// See HoverPages.h. MLIR's server cannot be extended and knows no descriptions, so what it writes is read again on its way out.
#include "tools/xfmr-lsp-server/HoverPages.h"
#include "llvm/Support/FormatVariadic.h"
#include <cerrno>
#include <unistd.h>

using namespace llvm;

namespace xfmr::lsp {

static constexpr StringLiteral kPages =
#include "tools/xfmr-lsp-server/OpPages.inc"
    ;

std::string opPage(StringRef op) {
  const std::string heading = "### `" + op.str() + "` (";
  const size_t begin = kPages.find(heading);
  if (!op.starts_with("xfmr.") || begin == StringRef::npos)
    return "";
  StringRef page = kPages.substr(begin).split('\n').second;
  page = page.substr(0, page.find("\n### "));
  page = page.substr(0, page.find("\nTraits: "));
  return page.trim().str();
}

void addPage(json::Value &message) {
  json::Object *object = message.getAsObject();
  json::Object *result = object ? object->getObject("result") : nullptr;
  json::Object *contents = result ? result->getObject("contents") : nullptr;
  const std::optional<StringRef> text = contents ? contents->getString("value") : std::nullopt;
  if (!text || !text->starts_with("\""))
    return;
  const std::string page = opPage(text->drop_front().split('"').first);
  if (!page.empty())
    (*contents)["value"] = (*text + "\n---\n\n" + page + "\n").str();
}

static void writeAll(int to, StringRef bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return; // the editor has gone; the server finds its input closed
    bytes = bytes.drop_front(written);
  }
}

// The first whole message of `bytes` is taken out of it and written.
static bool takeMessage(std::string &bytes, int to) {
  constexpr StringLiteral kLength = "Content-Length: ";
  const size_t header = bytes.find(kLength.str());
  const size_t begin = header == bytes.npos ? header : bytes.find("\r\n\r\n", header);
  size_t length = 0;
  if (begin == bytes.npos || StringRef(bytes).drop_front(header + kLength.size()).consumeInteger(10, length) ||
      bytes.size() < begin + 4 + length)
    return false;
  StringRef body = StringRef(bytes).substr(begin + 4, length);
  std::string changed;
  if (Expected<json::Value> message = json::parse(body)) {
    addPage(*message);
    changed = body.contains('\n') ? formatv("{0:2}", *message).str() : formatv("{0}", *message).str();
    body = changed;
  } else {
    consumeError(message.takeError());
  }
  writeAll(to, StringRef(bytes).take_front(header));
  writeAll(to, (kLength + Twine(body.size()) + "\r\n\r\n").str());
  writeAll(to, body);
  bytes.erase(0, begin + 4 + length);
  return true;
}

void copyMessages(int from, int to) {
  std::string bytes;
  char part[1 << 14];
  for (;;) {
    const ssize_t count = read(from, part, sizeof part);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    bytes.append(part, count);
    while (takeMessage(bytes, to))
      ;
  }
  writeAll(to, bytes);
}

} // namespace xfmr::lsp
