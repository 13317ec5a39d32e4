// Syntax and verifier of #xfmr.target. Constraint numbers are those of Attributes.td.
#include "dialect/Xfmr.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Triple.h"
#include <limits>

using namespace mlir;
using namespace xfmr;

namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// What Vulkan 1.1 guarantees on every device (maxStorageBufferRange, maxPushConstantsSize less what is kept free,
// maxComputeWorkGroupCount, minStorageBufferOffsetAlignment).
constexpr int64_t kPushWords = 16, kGrid = 65535, kAlignment = 256;
constexpr int64_t kCpuAlignment = 64; // a cache line
constexpr int64_t kLeastBinding = 65536;

} // namespace

TargetAttr TargetAttr::portableVulkan(MLIRContext *context, int64_t bindingBytes) {
  return get(context, TargetKind::vulkan, bindingBytes, kPushWords, kGrid, kAlignment, {});
}

TargetAttr TargetAttr::cpu(MLIRContext *context, StringRef triple) {
  const llvm::Triple parsed(llvm::Triple::normalize(triple));
  auto of = [&](ArrayRef<CpuLevel> levels) { return get(context, TargetKind::cpu, 0, 0, 0, kCpuAlignment, levels); };
  if (!parsed.isOSLinux() || parsed.isX32() || parsed.isMusl())
    return {};
  switch (parsed.getArch()) {
  case llvm::Triple::x86_64: return of({CpuLevel::v2, CpuLevel::v3, CpuLevel::v4, CpuLevel::v4_dot, CpuLevel::v4_amx});
  case llvm::Triple::aarch64: return of({CpuLevel::neon, CpuLevel::neon_dot});
  default: return {};
  }
}

int64_t TargetAttr::mostBindingBytes() const { return isVulkan() ? getBindingBytes() : kNoLimit; }
int64_t TargetAttr::mostPushWords() const { return isVulkan() ? getPushWords() : kNoLimit; }
int64_t TargetAttr::mostGridExtent() const { return isVulkan() ? getGrid() : kNoLimit; }

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError, TargetKind kind, int64_t bindingBytes,
                                 int64_t pushWords, int64_t grid, int64_t alignment, ArrayRef<CpuLevel> levels) {
  for (auto [name, value] : {std::pair("binding_bytes", bindingBytes), {"push_words", pushWords}, {"grid", grid}})
    if (value < 0) // C1
      return emitError() << name << " must be positive, got " << value;
  if (bindingBytes && bindingBytes < kLeastBinding) // C1
    return emitError() << "binding_bytes must be at least " << kLeastBinding << ", got " << bindingBytes;
  if (alignment < 4 || !llvm::isPowerOf2_64(static_cast<uint64_t>(alignment))) // C2
    return emitError() << "alignment must be a power of two of 4 or more bytes, got " << alignment;
  const bool limited = bindingBytes || pushWords || grid;
  if (kind == TargetKind::vulkan) {
    if (!bindingBytes || !pushWords || !grid || !levels.empty()) // C3
      return emitError() << "vulkan needs binding_bytes, push_words and grid, and has no levels";
    return success();
  }
  if (limited || levels.empty() || !llvm::is_sorted(levels, [](auto a, auto b) { return a < b; }) ||
      std::adjacent_find(levels.begin(), levels.end()) != levels.end()) // C4
    return emitError() << "cpu needs levels in ascending order, and no limits";
  if (levels.front() < CpuLevel::neon && levels.back() >= CpuLevel::neon) // C5
    return emitError() << "levels must be of one architecture, got " << stringifyCpuLevel(levels.front()) << " and "
                       << stringifyCpuLevel(levels.back());
  return success();
}

// <vulkan, binding_bytes = 134217728, push_words = 16, grid = 65535, alignment = 256>
Attribute TargetAttr::parse(AsmParser &parser, Type) {
  const SMLoc start = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseLess() || parser.parseKeyword(&word))
    return {};
  std::optional<TargetKind> kind = symbolizeTargetKind(word);
  if (!kind)
    return parser.emitError(start, "expected vulkan or cpu, got ") << word, Attribute();
  int64_t bindingBytes = 0, pushWords = 0, grid = 0, alignment = 0;
  SmallVector<CpuLevel> levels;
  auto parseLevel = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    std::optional<CpuLevel> level = symbolizeCpuLevel(name);
    if (!level)
      return parser.emitError(loc, "expected v2, v3, v4, v4_dot, v4_amx, neon or neon_dot, got ") << name;
    levels.push_back(*level);
    return success();
  };
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef key;
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return {};
    int64_t *number = key == "binding_bytes" ? &bindingBytes
                      : key == "push_words"  ? &pushWords
                      : key == "grid"        ? &grid
                      : key == "alignment"   ? &alignment
                                             : nullptr;
    if (key == "levels") {
      if (!levels.empty())
        return parser.emitError(loc, "levels is given twice"), Attribute();
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseLevel))
        return {};
    } else if (!number) {
      return parser.emitError(loc, "expected binding_bytes, push_words, grid, alignment or levels, got ") << key,
             Attribute();
    } else if (*number) {
      return parser.emitError(loc, key) << " is given twice", Attribute();
    } else if (parser.parseInteger(*number)) {
      return {};
    } else if (*number == 0) {
      return parser.emitError(loc, key) << " must be positive, got 0", Attribute(); // C1
    }
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<TargetAttr>(start, parser.getContext(), *kind, bindingBytes, pushWords, grid, alignment,
                                       ArrayRef<CpuLevel>(levels));
}

void TargetAttr::print(AsmPrinter &printer) const {
  printer << '<' << stringifyTargetKind(getKind());
  for (auto [name, value] : {std::pair("binding_bytes", getBindingBytes()), {"push_words", getPushWords()},
                             {"grid", getGrid()}, {"alignment", getAlignment()}})
    if (value)
      printer << ", " << name << " = " << value;
  if (!getLevels().empty()) {
    printer << ", levels = [";
    llvm::interleaveComma(getLevels(), printer, [&](CpuLevel level) { printer << stringifyCpuLevel(level); });
    printer << ']';
  }
  printer << '>';
}
