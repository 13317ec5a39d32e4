// See TokenTexts.h.
#include "tools/xfmr-inspect/TokenTexts.h"
#include "passes/calibration/ModelData.h"
#include "llvm/ADT/StringExtras.h"

namespace xfmr::inspect {

Status TokenTexts::open(ModelOp model) {
  Status status = loadTokenizer(model, tokenizer_);
  open_ = status.ok();
  return status;
}

std::string TokenTexts::of(int32_t id) const {
  if (!open_)
    return "#" + std::to_string(id);
  // Decoders drop the space at the start of a text, so the token is read as the second of two.
  const std::string first = of(std::vector<int32_t>{id});
  llvm::StringRef text = first;
  const std::string both = of(std::vector<int32_t>{id, id});
  if (llvm::StringRef(both).starts_with(first))
    text = llvm::StringRef(both).drop_front(first.size());
  if (text.empty() || text.contains("\xef\xbf\xbd")) // U+FFFD
    return std::string(tokenizer_.token(id));
  return text.str();
}

// The length in bytes of a control character or line end at the start of `text` and its number; 0 for others.
static size_t controlAt(llvm::StringRef text, unsigned &number) {
  const unsigned char first = text.front();
  number = first;
  if (first < 0x20 || first == 0x7f)
    return 1;
  if (first == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0) {
    number = static_cast<unsigned char>(text[1]); // U+0080 to U+009F
    return 2;
  }
  if (text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9")) {
    number = 0x2028 + (text[2] == '\xa9');
    return 3;
  }
  return 0;
}

std::string quoted(llvm::StringRef text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char first = text.front();
    unsigned number = 0;
    size_t length = 1;
    if (first == '"' || first == '\\')
      (out += '\\') += first;
    else if (first == '\n' || first == '\r' || first == '\t')
      (out += '\\') += first == '\n' ? 'n' : first == '\r' ? 'r' : 't';
    else if ((length = controlAt(text, number)))
      out += "\\u" + llvm::utohexstr(number, /*LowerCase=*/true, /*Width=*/4);
    else
      out += text[(length = 1) - 1];
    text = text.drop_front(length);
  }
  return out + "\"";
}

} // namespace xfmr::inspect
