// Executables, their variants and dispatches: syntax and verifiers. Constraint numbers are those of Program.td.
#include "dialect/Xfmr.h"
#include "llvm/ADT/StringSet.h"
#include <limits>

using namespace mlir;
using namespace xfmr;

// xfmr.dispatch @kernel "label" #xfmr.norm_params<...> (%state read, %x read, %out write)
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
  if (parser.parseAttribute(kernel) || parser.parseAttribute(label))
    return failure();
  SMLoc paramsLoc = parser.getCurrentLocation();
  Attribute params;
  int64_t offset = 0;
  if (parser.parseAttribute(params))
    return failure();
  if (!isa<KernelParamsAttrInterface>(params))
    return parser.emitError(paramsLoc, "expected the params of a kernel, got ") << params;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parseBuffer))
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
  result.addAttribute(getParamsAttrName(result.name), params);
  result.addAttribute(getIndirectOffsetAttrName(result.name), builder.getI64IntegerAttr(offset));
  result.addAttribute(getOperandSegmentSizesAttrName(result.name),
                      builder.getDenseI32ArrayAttr({static_cast<int32_t>(buffers.size()),
                                                    static_cast<int32_t>(indirect.size())}));
  return success();
}

void DispatchOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getKernelAttr() << ' ' << getLabelAttr() << ' ' << getParams() << " (";
  llvm::interleaveComma(llvm::zip(getBuffers(), getAccess()), printer, [&](auto pair) {
    printer << std::get<0>(pair) << ' ' << stringifyAccess(static_cast<Access>(std::get<1>(pair)));
  });
  printer << ')';
  if (getIndirect())
    printer << " indirect " << getIndirect() << " offset " << static_cast<int64_t>(getIndirectOffset());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {getKernelAttrName(), getLabelAttrName(), getAccessAttrName(),
                                 getParamsAttrName(), getIndirectOffsetAttrName(),
                                 getOperandSegmentSizesAttrName()});
  printer << " : " << getOperandTypes();
}

LogicalResult DispatchOp::verify() {
  if (getAccess().size() != getBuffers().size()) // C1
    return emitOpError("has ") << getBuffers().size() << " buffers but " << getAccess().size() << " accesses";
  const int64_t offset = getIndirectOffset();
  if (offset < 0 || offset % 4) // C4
    return emitOpError("indirect offset ") << offset << " must be a multiple of 4, 0 or more";
  return success();
}

ExecutableOp DispatchOp::getExecutable() {
  return SymbolTable::lookupNearestSymbolFrom<ExecutableOp>(*this, getKernelAttr());
}

VulkanLaunch DispatchOp::getVulkanLaunch() {
  const TargetAttr target = (*this)->getParentOfType<ProgramOp>().targetOrPortable();
  return getExecutable().getKernel().getVulkanLaunch(getParams(), target.mostGridExtent());
}

// Whether a buffer of `type` is what a binding holds.
static bool matches(codegen::Stored stored, Type type) {
  switch (stored) {
  case codegen::Stored::F32: return type.isF32();
  case codegen::Stored::F16: return type.isF16();
  case codegen::Stored::BF16: return type.isBF16();
  case codegen::Stored::I32: return type.isInteger(32);
  case codegen::Stored::I8: return type.isInteger(8);
  case codegen::Stored::Mixed: return true;
  }
  return false;
}

static LogicalResult verifyBuffers(DispatchOp op, ArrayRef<codegen::Binding> bindings) {
  if (bindings.size() != op.getBuffers().size()) // C2
    return op.emitOpError("has ") << op.getBuffers().size() << " buffers, its kernel " << bindings.size() << " bindings";
  for (auto [binding, buffer, access] : llvm::zip(bindings, op.getBuffers(), op.getAccess())) {
    StringRef given = stringifyAccess(static_cast<Access>(access)), declared = codegen::word(binding.access);
    if (given != declared) // C2
      return op.emitOpError("gives ") << binding.name << " as " << given << ", its kernel declares " << declared;
    Type element = cast<MemRefType>(buffer.getType()).getElementType();
    if (!matches(binding.holds, element)) // C7
      return op.emitOpError("gives ") << binding.name << " as " << element << ", which is not what its kernel reads";
  }
  return success();
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto executable = symbols.lookupNearestSymbolFrom<ExecutableOp>(*this, getKernelAttr());
  if (!executable) // C3
    return emitOpError("names no executable of the program: ") << getKernelAttr();
  KernelAttrInterface kernel = executable.getKernel();
  if (failed(verifyBuffers(*this, kernel.getBindings())))
    return failure();
  if (std::string fault = kernel.getFault(getParams()); !fault.empty()) // C5
    return emitOpError(fault);
  if (executable.getParams() && *executable.getParams() != getParams()) // C5
    return emitOpError("has other params than its executable");
  TargetAttr target = executable->getParentOfType<ProgramOp>().targetOrPortable();
  if (!target.isVulkan()) {
    constexpr uint64_t kMostTiles = std::numeric_limits<int32_t>::max();
    if (const uint64_t tiles = kernel.getCpuTile(getParams()).count; tiles > kMostTiles) // C6
      return emitOpError("has ") << tiles << " tiles, a target takes " << kMostTiles;
    return success();
  }
  VulkanLaunch launch = kernel.getVulkanLaunch(getParams(), target.mostGridExtent());
  if (static_cast<int64_t>(launch.push.size()) > target.mostPushWords()) // C6
    return emitOpError("has ") << launch.push.size() << " push words, its target takes " << target.mostPushWords();
  for (uint32_t extent : launch.grid)
    if (!getIndirect() && (extent < 1 || extent > target.mostGridExtent())) // C6
      return emitOpError("grid extent ") << extent << " is outside 1 .. " << target.mostGridExtent();
  return success();
}

LogicalResult ExecutableOp::verify() {
  if (getParams())
    if (std::string fault = getKernel().getFault(*getParams()); !fault.empty()) // C1
      return emitOpError(fault);
  llvm::StringSet<> names;
  for (Operation &op : getBody().getOps()) {
    auto variant = dyn_cast<VariantOp>(op);
    if (!variant) // C2
      return emitOpError("holds ") << op.getName() << ", expected variants only";
    if (!names.insert(variant.getName()).second) // C2
      return emitOpError("has two variants called ") << variant.getName();
  }
  return success();
}

SmallVector<VariantOp> xfmr::variantsOf(ExecutableOp executable) {
  return llvm::to_vector(executable.getBody().getOps<VariantOp>());
}

LogicalResult VariantOp::verify() {
  if (getWorkgroup().size() != 3 || llvm::any_of(getWorkgroup(), [](int32_t extent) { return extent < 1; })) // C1
    return emitOpError("needs three positive workgroup extents");
  const auto ops = llvm::range_size(getBody().front());
  if ((ops == 1) == getCode().has_value()) // C2
    return emitOpError("needs one op as its body, or code and an empty body");
  return success();
}

LogicalResult MoeLayerOp::verify() {
  const int64_t layer = getLayer(), experts = getExperts(), stats = getStats();
  if (layer < 0 || stats < 0 || experts <= 0) // C1
    return emitOpError("needs a layer and stats of 0 or more and positive experts");
  return success();
}
