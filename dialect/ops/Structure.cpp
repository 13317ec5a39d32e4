// Syntax and verifiers of model, block and yield. Constraint numbers are those of Structure.td.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

// xfmr.model @name ([%source: tensor<?xi32>, ] %tokens: tensor<?xi32>) -> tensor<?xVxf32> config <...> sources {...} { ... }
ParseResult ModelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  Type output;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseArrow() || parser.parseType(output) ||
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
  return parser.parseRegion(*result.addRegion(), arguments);
}

void ModelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << " (";
  llvm::interleaveComma(getBody().getArguments(), printer, [&](BlockArgument a) { printer.printRegionArgument(a); });
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

Operation *ModelOp::getDecoderBegin() {
  if (!getSource())
    return nullptr;
  for (Operation &op : getBody().front())
    if (llvm::is_contained(op.getOperands(), getTokens()))
      return &op;
  return nullptr;
}

LogicalResult ModelOp::verifyRegions() {
  Block &body = getBody().front();
  auto areTokens = [](BlockArgument argument) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    return type && type.getRank() == 1 && type.getElementType().isInteger(32);
  };
  if (body.getNumArguments() < 1 || body.getNumArguments() > 2 || !llvm::all_of(body.getArguments(), areTokens)) // C1
    return emitOpError("body must have one argument, the token ids tensor<?xi32>, or two, the source in front");
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
