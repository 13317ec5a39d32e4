// Syntax and verifiers of the program stages. Constraint numbers are those of Program.td.
#include "dialect/Xfmr.h"

using namespace mlir;
using namespace xfmr;

LogicalResult ProgramOp::verify() {
  int64_t context = getMaxContext(), chunk = getChunk();
  if (context <= 0 || chunk <= 0 || chunk > context) // C1
    return emitOpError("needs 1 <= chunk <= max_context, got chunk ")
           << chunk << " and max_context " << context;
  if (!getKvType().isF32() && !getKvType().isF16()) // C2
    return emitOpError("kv type must be f32 or f16, got ") << getKvType();
  return success();
}

TargetAttr ProgramOp::targetOrPortable() {
  return getTarget() ? *getTarget() : TargetAttr::portableVulkan(getContext());
}

LogicalResult KvCacheOp::verify() {
  if (static_cast<int64_t>(getNumKvHeads()) <= 0 || static_cast<int64_t>(getHeadDim()) <= 0) // C1
    return emitOpError("needs positive kv_heads and head_dim");
  return success();
}

LogicalResult PhaseOp::verify() {
  const int64_t rows = getRows();
  const bool single = getKind() == PhaseKind::last_logits || getKind() == PhaseKind::decode ||
                      getKind() == PhaseKind::sample;
  if (rows <= 0 || (single && rows != 1)) // C1
    return emitOpError("needs ") << (single ? "one row" : "a positive number of rows") << ", got " << rows;
  return success();
}

LogicalResult CachedAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto cache = symbols.lookupNearestSymbolFrom<KvCacheOp>(*this, getCacheAttr());
  if (!cache) // C1
    return emitOpError("names no kv_cache of the program: ") << getCacheAttr();
  if (cache.getNumKvHeads() != getNumKvHeads() || cache.getHeadDim() != getHeadDim()) { // C1
    InFlightDiagnostic error = emitOpError("has kv_heads ") << getNumKvHeads() << " and head_dim " << getHeadDim()
                                                            << ", its cache " << cache.getNumKvHeads() << " and "
                                                            << cache.getHeadDim();
    error.attachNote(cache.getLoc()) << "the cache is here";
    return error;
  }
  return success();
}

LogicalResult BufferOp::verify() {
  if (static_cast<int64_t>(getSize()) <= 0) // C1
    return emitOpError("needs a positive size in bytes");
  return success();
}

LogicalResult RopeTableOp::verify() {
  const int64_t rows = getRows(), rotated = getRotaryDim();
  if (rows <= 0 || rotated <= 0 || rotated % 2) // C1
    return emitOpError("needs positive rows and a positive even rotary_dim, got ") << rows << " and " << rotated;
  return success();
}

LogicalResult BufferRefOp::verify() {
  if (static_cast<int64_t>(getOffset()) < 0) // C2
    return emitOpError("needs an offset of 0 or more bytes");
  return success();
}

LogicalResult BufferRefOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *buffer = symbols.lookupNearestSymbolFrom(*this, getBufferAttr());
  if (!isa_and_present<BufferOp, PackedWeightOp, RopeTableOp>(buffer)) // C1
    return emitOpError("names no buffer, packed weight or rope table of the program: ") << getBufferAttr();
  return success();
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr())) // C3
    return emitOpError("names no kernel of the program: ") << getKernelAttr();
  return success();
}

// xfmr.dispatch @kernel "label" (%state read, %x read, %out write) push [1, 2] grid [4, 1, 1]
//     [indirect %args offset 0] : memref<..>, ...
ParseResult DispatchOp::parse(OpAsmParser &parser, OperationState &result) {
  FlatSymbolRefAttr kernel;
  StringAttr label;
  SmallVector<OpAsmParser::UnresolvedOperand> buffers, indirect;
  SmallVector<int32_t> access;
  Builder &builder = parser.getBuilder();
  auto parseBuffer = [&]() -> ParseResult {
    StringRef keyword;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseOperand(buffers.emplace_back()) || parser.parseKeyword(&keyword))
      return failure();
    std::optional<Access> kind = symbolizeAccess(keyword);
    if (!kind)
      return parser.emitError(loc, "expected read, write or readwrite, got ") << keyword;
    access.push_back(static_cast<int32_t>(*kind));
    return success();
  };
  if (parser.parseAttribute(kernel) || parser.parseAttribute(label) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parseBuffer) ||
      parser.parseKeyword("push"))
    return failure();
  Attribute push = DenseI32ArrayAttr::parse(parser, Type());
  if (!push || parser.parseKeyword("grid"))
    return failure();
  Attribute grid = DenseI64ArrayAttr::parse(parser, Type());
  int64_t offset = 0;
  if (!grid)
    return failure();
  if (succeeded(parser.parseOptionalKeyword("indirect")) &&
      (parser.parseOperand(indirect.emplace_back()) || parser.parseKeyword("offset") ||
       parser.parseInteger(offset)))
    return failure();
  SmallVector<Type> types;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonTypeList(types))
    return failure();
  if (types.size() != buffers.size() + indirect.size())
    return parser.emitError(parser.getNameLoc(), "expected one type a buffer");
  if (parser.resolveOperands(buffers, ArrayRef(types).take_front(buffers.size()),
                             parser.getNameLoc(), result.operands) ||
      parser.resolveOperands(indirect, ArrayRef(types).drop_front(buffers.size()),
                             parser.getNameLoc(), result.operands))
    return failure();
  result.addAttribute(getKernelAttrName(result.name), kernel);
  result.addAttribute(getLabelAttrName(result.name), label);
  result.addAttribute(getAccessAttrName(result.name), builder.getDenseI32ArrayAttr(access));
  result.addAttribute(getPushAttrName(result.name), push);
  result.addAttribute(getGridAttrName(result.name), grid);
  result.addAttribute(getIndirectOffsetAttrName(result.name), builder.getI64IntegerAttr(offset));
  result.addAttribute(getOperandSegmentSizesAttrName(result.name),
                      builder.getDenseI32ArrayAttr({static_cast<int32_t>(buffers.size()),
                                                    static_cast<int32_t>(indirect.size())}));
  return success();
}

void DispatchOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getKernelAttr() << ' ' << getLabelAttr() << " (";
  llvm::interleaveComma(llvm::zip(getBuffers(), getAccess()), printer, [&](auto pair) {
    printer << std::get<0>(pair) << ' ' << stringifyAccess(static_cast<Access>(std::get<1>(pair)));
  });
  printer << ") push ";
  getPushAttr().print(printer);
  printer << " grid ";
  getGridAttr().print(printer);
  if (getIndirect())
    printer << " indirect " << getIndirect() << " offset " << static_cast<int64_t>(getIndirectOffset());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {getKernelAttrName(), getLabelAttrName(), getAccessAttrName(),
                                 getPushAttrName(), getGridAttrName(), getIndirectOffsetAttrName(),
                                 getOperandSegmentSizesAttrName()});
  printer << " : " << getOperandTypes();
}

LogicalResult DispatchOp::verify() {
  if (getAccess().size() != getBuffers().size()) // C1
    return emitOpError("has ") << getBuffers().size() << " buffers but " << getAccess().size() << " accesses";
  if (getPush().size() > 16) // C2
    return emitOpError("has ") << getPush().size() << " push words, at most 16 fit";
  if (getGrid().size() != 3) // C2
    return emitOpError("needs three grid extents");
  for (int64_t extent : getGrid())
    if (extent < 1 || extent > 65535) // C2
      return emitOpError("grid extent ") << extent << " is outside 1 .. 65535";
  const int64_t offset = getIndirectOffset();
  if (offset < 0 || offset % 4) // C4
    return emitOpError("indirect offset ") << offset << " must be a multiple of 4, 0 or more";
  return success();
}
