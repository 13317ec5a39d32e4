// The table of kernels; see KernelTable.h.
#include "passes/lowering/KernelTable.h"
#include "passes/codegen/Choice.h"
#include "passes/codegen/cpu/Level.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace xfmr;

namespace {

// "1.50 G", three digits in all.
std::string amount(double value) {
  const char *units[] = {"", " k", " M", " G", " T", " P"};
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(units); ++unit)
    value /= 1000;
  std::string text;
  const bool isWhole = unit == 0 && value == static_cast<double>(static_cast<uint64_t>(value));
  llvm::raw_string_ostream(text) << llvm::format(isWhole || value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value)
                                 << units[unit];
  return text;
}

std::string duration(double seconds) {
  std::string text;
  llvm::raw_string_ostream os(text);
  seconds < 1e-3 ? os << llvm::format("%.1f us", seconds * 1e6) : os << llvm::format("%.2f ms", seconds * 1e3);
  return text;
}

struct Line {
  std::string kernel, piece;
  unsigned count = 0;
  codegen::Work work; // of one dispatch
};

class Table {
public:
  Table(ProgramOp program, raw_ostream &os)
      : program(program), target(program.targetOrPortable()), machine(machineOf(target)), os(os) {}

  void print() {
    os << "kernels of @" << program.getSymName() << " on " << machine.name << ", at " << amount(machine.flops) << "flop/s and "
       << amount(machine.bytes) << "B/s" << (target.isVulkan() ? "" : " a core") << "\n";
    for (auto phase : program.getBody().getOps<PhaseOp>())
      print(phase);
  }

private:
  codegen::Load loadOf(PhaseOp phase) {
    const auto rows = static_cast<double>(phase.getRows());
    const bool isPrefill = phase.getKind() == PhaseKind::prefill || phase.getKind() == PhaseKind::prefill_few;
    return {rows, isPrefill ? (rows + 1) / 2 : std::max(1.0, static_cast<double>(program.getMaxContext()) / 2)};
  }

  // The tiles of a product that has a variant for matrix units.
  static const char *matrixTiles(DispatchOp dispatch) {
    bool isWide;
    Attribute kernel = dispatch.getExecutable().getKernel(), params = dispatch.getParams();
    if (auto gemm = dyn_cast<GemmAttr>(kernel); gemm && gemm.getFields().weight == codegen::WeightType::F16)
      isWide = codegen::tilesAreWide(cast<GemmParamsAttr>(params).getFields());
    else if (auto moe = dyn_cast<MoeGemmAttr>(kernel); moe && moe.getFields().weight == codegen::WeightType::F16)
      isWide = codegen::tilesAreWide(moe.getFields(), cast<MoeGemmParamsAttr>(params).getFields());
    else
      return "";
    return isWide ? ", wide" : ", narrow";
  }

  std::string pieceOf(DispatchOp dispatch) {
    std::string text;
    llvm::raw_string_ostream piece(text);
    if (!target.isVulkan()) {
      codegen::cpu::Tile tile = dispatch.getExecutable().getKernel().getCpuTile(dispatch.getParams());
      piece << tile.count << " of " << tile.rows << "x" << tile.columns;
    } else {
      std::array<uint32_t, 3> grid = dispatch.getVulkanLaunch().grid;
      piece << grid[0] << "x" << grid[1] * grid[2] << matrixTiles(dispatch);
    }
    return text;
  }

  void print(PhaseOp phase) {
    const codegen::Load load = loadOf(phase);
    llvm::MapVector<std::pair<Attribute, Attribute>, Line> lines; // kernel and params, in order
    for (auto dispatch : phase.getBody().getOps<DispatchOp>()) {
      KernelAttrInterface kernel = dispatch.getExecutable().getKernel();
      Line &line = lines[{kernel, dispatch.getParams()}];
      if (!line.count++) {
        line.kernel = kernel.getKernelName();
        line.piece = pieceOf(dispatch);
        line.work = kernel.getCost(dispatch.getParams(), machine, load).total();
      }
    }
    os << stringifyPhaseKind(phase.getKind()) << " of "
       << (load.tokens == 1 ? "1 token, " : amount(load.tokens) + " tokens, each with ") << amount(load.keys) << " keys:\n"
       << llvm::left_justify("  kernel", kName) << llvm::right_justify("times", 7)
       << llvm::right_justify(target.isVulkan() ? "workgroups" : "tiles", kPiece);
    for (const char *head : {"flops/token", "weights B/token", "other B/token", "estimate"})
      os << llvm::right_justify(head, kColumn);
    os << "\n";
    codegen::Work all;
    double seconds = 0;
    for (auto &[key, line] : lines) {
      const double time = codegen::secondsOf(line.work, machine) * line.count;
      for (unsigned i = 0; i < line.count; ++i)
        all += line.work;
      seconds += time;
      codegen::Work work = line.work;
      for (double *part : {&work.byteOps, &work.flops, &work.weightBytes, &work.activationBytes})
        *part *= line.count;
      row("  " + line.kernel, std::to_string(line.count), line.piece, work, load.tokens, time);
    }
    row("  all", "", "", all, load.tokens, seconds);
  }

  void row(StringRef name, StringRef count, StringRef piece, const codegen::Work &work, double tokens, double seconds) {
    os << llvm::left_justify(name, kName) << llvm::right_justify(count, 7) << llvm::right_justify(piece, kPiece);
    for (const std::string &cell : {amount((work.flops + work.byteOps) / tokens), amount(work.weightBytes / tokens),
                                    amount(work.activationBytes / tokens), duration(seconds)})
      os << llvm::right_justify(cell, kColumn);
    os << "\n";
  }

  static constexpr unsigned kName = 44, kPiece = 16, kColumn = 17;

  ProgramOp program;
  TargetAttr target;
  const codegen::Machine machine;
  raw_ostream &os;
};

} // namespace

codegen::Machine xfmr::machineOf(TargetAttr target) {
  if (target.isVulkan())
    return {"vulkan", /*flops=*/5e12, /*bytes=*/3e11, /*start=*/5e-6, codegen::kGemmTile, codegen::queryTile(128)};
  // One core of a server of 2023 (docs/Backend.md has measurements).
  // By ByteDots; the last by the manual, as those of tiles, of which a third is reached.
  constexpr double byteOps[] = {0, 1.5e11, 3e11, 2e11}, tileByteOps = 1.5e12;
  const codegen::cpu::LevelFacts &level = codegen::cpu::facts(static_cast<codegen::cpu::Level>(target.getLevels().back()));
  return {level.name, level.fma ? 1.1e11 : 4.5e10, 2e10, 2e-6, codegen::cpu::kGemmRows, codegen::cpu::kMostQueries,
          level.tiles ? tileByteOps : byteOps[static_cast<unsigned>(level.byteDots)]};
}

void xfmr::printKernelTable(ProgramOp program, raw_ostream &os) { Table(program, os).print(); }
