// What is alive where blocks meet, of phases written by hand: each dispatch reads one place and writes another.
#include "passes/lowering/Borders.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;

namespace xfmr {
namespace {

/// "BUFFER OFFSET TYPE"
struct Place {
  const char *buffer;
  int offset;
  const char *type = "1x64xf32";
};
struct Line {
  const char *label;
  Place from, to;
};

constexpr const char *kHead = R"mlir(
xfmr.program @p max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 8, vocab_size = 8, max_position = 8> sources {} {
  xfmr.executable @k #xfmr.elementwise<>
  xfmr.buffer @state state size 128
  xfmr.buffer @kv0 cache size 512
  xfmr.buffer @arena arena size 4096
  xfmr.phase decode rows 1 {
    %s = xfmr.buffer_ref @state : memref<32xi32>
)mlir";

/// "DISPATCH: OFFSET+BYTES …" or "DISPATCH: FAULT" of each border. Places with the same buffer, offset and type are one value.
std::string borders(std::initializer_list<Line> lines) {
  std::string refs, dispatches;
  auto ref = [&](const Place &place) {
    const std::string name =
        "%" + std::string(place.buffer) + "_" + std::to_string(place.offset) + "_" + place.type[0] + place.type[2];
    const std::string text = "    " + name + " = xfmr.buffer_ref @" + place.buffer +
                             (place.offset ? " offset " + std::to_string(place.offset) : "") + " : memref<" +
                             place.type + ">\n";
    if (refs.find(text) == std::string::npos)
      refs += text;
    return name;
  };
  for (const Line &line : lines)
    dispatches += "    xfmr.dispatch @k \"" + std::string(line.label) +
                  "\" #xfmr.elementwise_params<width = 64, max_rows = 1> (%s read, " + ref(line.from) + " read, " +
                  ref(line.to) + " write) : memref<32xi32>, memref<" + line.from.type + ">, memref<" + line.to.type +
                  ">\n";
  MLIRContext context;
  context.loadDialect<XfmrDialect, memref::MemRefDialect>();
  auto module = parseSourceString<ModuleOp>(kHead + refs + dispatches + "    xfmr.yield\n  }\n}\n", &context);
  if (!module)
    return "does not parse";
  std::string text;
  for (const Border &border : bordersOf(*(*module->getOps<ProgramOp>().begin()).getBody().getOps<PhaseOp>().begin())) {
    text += (text.empty() ? "" : "; ") + std::to_string(border.dispatch) + ":" +
            (border.fault.empty() ? "" : " " + border.fault);
    for (BufferRefOp rows : border.live)
      text += " " + rows.getBuffer().str() + "+" + std::to_string(rows.getOffset());
  }
  return text;
}

TEST(Borders, TheResidualCrosses) {
  EXPECT_EQ(borders({{"embedding", {"kv0", 256}, {"arena", 0}},
                     {"block 0 norm", {"arena", 0}, {"arena", 512}},
                     {"block 0 linear", {"arena", 512}, {"arena", 1024}},
                     {"block 1 norm", {"arena", 1024}, {"arena", 512}}, // what lay there is dead
                     {"block 1 linear", {"arena", 512}, {"arena", 0}},
                     {"linear", {"arena", 0}, {"arena", 2048}}}),
            "3: arena+1024");
}

TEST(Borders, BlocksNeedNotFollowEachOtherInNumber) {
  EXPECT_EQ(borders({{"block 0 norm", {"arena", 0}, {"arena", 256}},
                     {"block 3 norm", {"arena", 256}, {"arena", 512}},
                     {"probe", {"arena", 512}, {"arena", 1024}},
                     {"block 12 norm", {"arena", 512}, {"arena", 768}}}),
            "1: arena+256; 3: arena+512");
  EXPECT_EQ(borders({{"block 0 norm", {"arena", 0}, {"arena", 256}}, {"blocked", {"arena", 256}, {"arena", 512}}}), "");
}

TEST(Borders, EverythingThatIsReadLaterInTheOrderOfWriting) {
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"arena", 1024}},
                     {"block 0 b", {"arena", 0}, {"arena", 512}},
                     {"block 1 c", {"arena", 512}, {"arena", 0}},
                     {"block 2 d", {"arena", 1024}, {"arena", 2048}}}),
            "2: arena+1024 arena+512; 3: arena+1024");
}

TEST(Borders, AValueWrittenInPartsIsOne) {
  EXPECT_EQ(borders({{"block 0 left", {"arena", 0}, {"arena", 512, "1x32xf32"}},
                     {"block 0 right", {"arena", 0}, {"arena", 640, "1x32xf32"}},
                     {"block 1 norm", {"arena", 512}, {"arena", 1024}}}),
            "2: arena+512");
}

TEST(Borders, Faults) {
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"kv0", 0}}, {"block 1 b", {"kv0", 0}, {"arena", 0}}}),
            "1: the buffer 'kv0' is used by blocks on both sides");
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"kv0", 0}}, {"block 1 b", {"arena", 0}, {"kv0", 256}}}),
            "1:"); // bytes of its own
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"arena", 256}},
                     {"block 1 b", {"arena", 256}, {"arena", 512}},
                     {"block 0 c", {"arena", 256}, {"arena", 1024}}}),
            "1: block 0 goes on behind the begin of block 1");
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"arena", 256, "64xf32"}},
                     {"block 1 b", {"arena", 256, "64xf32"}, {"arena", 512}}}),
            "1: a value that is alive there has no rows of f32");
  EXPECT_EQ(borders({{"block 0 a", {"arena", 0}, {"arena", 256}}, {"block 1 b", {"arena", 384}, {"arena", 1024}}}),
            "1: values that overlap are alive there");
}

} // namespace
} // namespace xfmr
