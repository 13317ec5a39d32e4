// Syntax and verifiers of model, block and yield. Constraint numbers are those of Structure.td.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

// xfmr.model @name (%tokens: tensor<?xi32>) -> tensor<?xVxf32> config <...> sources {...} { ... }
ParseResult ModelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  OpAsmParser::Argument tokens;
  Type output;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseLParen() || parser.parseArgument(tokens, /*allowType=*/true) ||
      parser.parseRParen() || parser.parseArrow() || parser.parseType(output) ||
      parser.parseKeyword("config"))
    return failure();
  Attribute config = ConfigAttr::parse(parser, Type());
  DictionaryAttr sources;
  if (!config || parser.parseKeyword("sources") || parser.parseAttribute(sources) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute(getOutputTypeAttrName(result.name), TypeAttr::get(output));
  result.addAttribute(getConfigAttrName(result.name), config);
  result.addAttribute(getSourcesAttrName(result.name), sources);
  return parser.parseRegion(*result.addRegion(), {tokens});
}

void ModelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << " (";
  printer.printRegionArgument(getBody().getArgument(0));
  printer << ") -> " << getOutputType();
  printer.printNewline();
  printer << "      config ";
  getConfig().print(printer);
  printer.printNewline();
  printer << "      sources " << getSources();
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getSymNameAttrName(), getOutputTypeAttrName(), getConfigAttrName(), getSourcesAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

StringRef ModelOp::getSourcePath(StringRef source) {
  auto path = getSources().getAs<StringAttr>(source);
  return path ? path.getValue() : StringRef();
}

LogicalResult ModelOp::verifyRegions() {
  Block &body = getBody().front();
  auto tokenType = body.getNumArguments() == 1
                       ? dyn_cast<RankedTensorType>(body.getArgument(0).getType())
                       : RankedTensorType();
  if (!tokenType || tokenType.getRank() != 1 || !tokenType.getElementType().isInteger(32)) // C1
    return emitOpError("body must have one argument, the token ids tensor<?xi32>");
  auto yield = dyn_cast<YieldOp>(body.back());
  if (!yield || yield.getValues().size() != 1 ||
      yield.getValues().front().getType() != getOutputType()) // C2
    return emitOpError("body must end in xfmr.yield of one value of type ") << getOutputType();
  auto output = dyn_cast<RankedTensorType>(getOutputType());
  ConfigAttr config = getConfig();
  if (!output || output.getRank() != 2 || !output.getElementType().isF32() ||
      (output.getDimSize(1) != config.getVocabSize() &&
       output.getDimSize(1) != config.getHiddenSize())) // C3
    return emitOpError("output must be tensor<?x")
           << config.getVocabSize() << "xf32> (logits) or tensor<?x" << config.getHiddenSize()
           << "xf32> (hidden states), got " << getOutputType();
  for (NamedAttribute source : getSources())
    if (!isa<StringAttr>(source.getValue())) // C4
      return emitOpError("source '") << source.getName().getValue() << "' must map to a string";
  WalkResult walk = getBody().walk([&](WeightOp weight) {
    StringRef source = weight.getSourceName();
    if (getSources().contains(source) || (getSources().empty() && source == "base"))
      return WalkResult::advance();
    weight.emitOpError("names source '") << source << "', which the model does not have"; // C5
    return WalkResult::interrupt();
  });
  llvm::StringMap<ProbeOp> probes;
  WalkResult named = getBody().walk([&](ProbeOp probe) {
    auto [entry, isNew] = probes.try_emplace(probe.getLabel(), probe);
    if (isNew)
      return WalkResult::advance();
    (probe.emitOpError("is the second one named '") << probe.getLabel() << "'").attachNote(entry->second.getLoc())
        << "the first"; // C3 of xfmr.probe
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted() || named.wasInterrupted());
}

LogicalResult BlockOp::verifyRegions() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != getInputs().getTypes()) // C1
    return emitOpError("body arguments ")
           << body.getArgumentTypes() << " must have the types of the inputs " << getInputs().getTypes();
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yield || yield.getValues().getTypes() != getResultTypes()) // C2
    return emitOpError("body must end in xfmr.yield of values of types ") << getResultTypes();
  if (static_cast<int64_t>(getLayer()) < 0) // C3
    return emitOpError("layer must not be negative, got ") << static_cast<int64_t>(getLayer());
  return success();
}
