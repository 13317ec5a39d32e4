// The type of quantised elements: syntax, constraints (numbers of Types.td), columns that belong together.
#include "dialect/Quantised.h"
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

namespace {

template <typename E> ParseResult parseWord(AsmParser &parser, StringRef what, E &out) {
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  if (parseQuantWord(std::string_view(word.data(), word.size()), out))
    return success();
  return parser.emitError(loc, "unknown ") << what << " '" << word << "'";
}

StringRef text(std::string_view word) {
  return StringRef(word.data(), word.size());
}

// `, key = value`, `, min`.
ParseResult parseField(AsmParser &parser, QuantScheme &scheme) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef key;
  if (parser.parseKeyword(&key))
    return failure();
  if (key == "min")
    return scheme.minimum = true, success();
  if (parser.parseEqual())
    return failure();
  if (key == "group") {
    if (succeeded(parser.parseOptionalKeyword("row")))
      return scheme.group = 0, success();
    SMLoc number = parser.getCurrentLocation();
    if (parser.parseInteger(scheme.group))
      return failure();
    return scheme.group > 0 ? success() : ParseResult(parser.emitError(number, "expected a positive number or 'row'"));
  }
  if (key == "scale")
    return parseWord(parser, "type of scales", scheme.scale);
  if (key == "super")
    return parser.parseInteger(scheme.super);
  if (key == "sub")
    return parseWord(parser, "type of scales of groups", scheme.sub);
  return parser.emitError(loc, "expected group, scale, min, super or sub, got '") << key << "'";
}

} // namespace

Type QuantType::parse(AsmParser &parser) {
  QuantScheme scheme;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parseWord(parser, "code", scheme.code))
    return {};
  while (succeeded(parser.parseOptionalComma()))
    if (parseField(parser, scheme))
      return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<QuantType>(loc, parser.getContext(), scheme);
}

void QuantType::print(AsmPrinter &printer) const {
  const QuantScheme &scheme = getScheme();
  printer << '<' << text(quantWord(scheme.code)) << ", group = ";
  if (scheme.group)
    printer << scheme.group;
  else
    printer << "row";
  if (scheme.scale != QuantScale::f16)
    printer << ", scale = " << text(quantWord(scheme.scale));
  if (scheme.minimum)
    printer << ", min";
  if (scheme.twoLevels())
    printer << ", super = " << scheme.super << ", sub = " << text(quantWord(scheme.sub));
  printer << '>';
}

LogicalResult QuantType::verify(function_ref<InFlightDiagnostic()> emitError, QuantScheme scheme) {
  if (const char *fault = scheme.fault()) // C1, C2, C3, C4
    return emitError() << fault;
  return success();
}

std::optional<QuantScheme> xfmr::quantSchemeOf(Type tensor) {
  auto shaped = dyn_cast<ShapedType>(tensor);
  auto element = shaped ? dyn_cast<QuantType>(shaped.getElementType()) : QuantType();
  return element ? std::optional(element.getScheme()) : std::nullopt;
}

RankedTensorType xfmr::withFloats(RankedTensorType type) {
  return type.clone(Float32Type::get(type.getContext()));
}

bool xfmr::takesWholeRuns(const QuantScheme &scheme, int64_t columns, ArrayRef<int64_t> indices) {
  if (scheme.group == 0) // one scale goes with all of them
    return true;
  const int64_t run = scheme.runColumns(columns), taken = indices.size();
  for (int64_t at = 0; at < taken; at += run) {
    const int64_t first = indices[at], size = std::min(run, taken - at);
    if (first % run != 0 || size != std::min(run, columns - first))
      return false;
    for (int64_t i = 1; i < size; ++i)
      if (indices[at + i] != first + i)
        return false;
  }
  return true;
}
