// Machine code of one function, by LLVM's disassembler; see KernelText.h.
#include "tools/xfmr-inspect/KernelText.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace xfmr::inspect {
namespace {

// A function of an object: its instructions and where they lie.
struct Function {
  Triple triple;
  uint64_t address = 0;
  ArrayRef<uint8_t> bytes;
};

Expected<Function> findFunction(const object::ELFObjectFileBase &object, StringRef symbol) {
  for (const object::ELFSymbolRef &each : object.getDynamicSymbolIterators()) {
    Expected<StringRef> name = each.getName();
    if (!name || *name != symbol) {
      consumeError(name.takeError());
      continue;
    }
    Expected<uint64_t> address = each.getAddress();
    if (!address)
      return address.takeError();
    Expected<object::section_iterator> section = each.getSection();
    if (!section)
      return section.takeError();
    if (*section == object.section_end())
      break;
    Expected<StringRef> contents = (*section)->getContents();
    if (!contents)
      return contents.takeError();
    const uint64_t start = *address - (*section)->getAddress();
    return Function{object.makeTriple(), *address, arrayRefFromStringRef(contents->substr(start, each.getSize()))};
  }
  return createStringError("there is no function \"" + symbol.str() + "\"");
}

Error disassemble(const Function &function, raw_ostream &out) {
  InitializeAllTargetInfos();
  InitializeAllTargetMCs();
  InitializeAllDisassemblers();
  std::string unknown;
  const Target *target = TargetRegistry::lookupTarget(function.triple, unknown);
  if (!target)
    return createStringError(unknown);
  // A disassembler of a machine with everything reads what any of its kind runs.
  const StringRef features = function.triple.isAArch64() ? "+all" : "";
  std::unique_ptr<MCRegisterInfo> registers(target->createMCRegInfo(function.triple));
  std::unique_ptr<MCAsmInfo> assembly(target->createMCAsmInfo(*registers, function.triple, MCTargetOptions()));
  std::unique_ptr<MCInstrInfo> instructions(target->createMCInstrInfo());
  std::unique_ptr<MCSubtargetInfo> machine(target->createMCSubtargetInfo(function.triple, "", features));
  if (!registers || !assembly || !instructions || !machine)
    return createStringError("no disassembler for " + function.triple.str());
  MCContext context(function.triple, assembly.get(), registers.get(), machine.get());
  std::unique_ptr<MCDisassembler> reader(target->createMCDisassembler(*machine, context));
  std::unique_ptr<MCInstPrinter> printer(target->createMCInstPrinter(function.triple, 0, *assembly, *instructions, *registers));
  if (!reader || !printer)
    return createStringError("no disassembler for " + function.triple.str());
  printer->setPrintImmHex(true);
  printer->setPrintBranchImmAsAddress(true);
  for (uint64_t at = 0; at < function.bytes.size();) {
    MCInst instruction;
    uint64_t size = 0;
    const uint64_t address = function.address + at;
    out << format_hex_no_prefix(address, 8) << ":";
    if (reader->getInstruction(instruction, size, function.bytes.drop_front(at), address, nulls()) == MCDisassembler::Fail) {
      size = std::max<uint64_t>(size, 1);
      out << "\t(" << size << " bytes of data)";
    } else {
      printer->printInst(&instruction, address, "", *machine, out);
    }
    out << "\n";
    at += size;
  }
  return Error::success();
}

} // namespace

Status printMachineCode(std::string_view code, const std::string &symbol, std::ostream &out) {
  Expected<std::unique_ptr<object::ObjectFile>> object =
      object::ObjectFile::createObjectFile(MemoryBufferRef(StringRef(code), symbol));
  if (!object)
    return Status::error(toString(object.takeError()));
  const auto *elf = dyn_cast<object::ELFObjectFileBase>(object->get());
  if (!elf)
    return Status::error("expected an ELF file");
  Expected<Function> function = findFunction(*elf, symbol);
  if (!function)
    return Status::error(toString(function.takeError()));
  std::string text;
  raw_string_ostream stream(text);
  if (Error error = disassemble(*function, stream))
    return Status::error(toString(std::move(error)));
  out << text;
  return Status::success();
}

} // namespace xfmr::inspect
