// A MODEL compiled in this process for this CPU, at its best level and with an f32 cache, and run by the runtime. Adapters
// outside of experts stay apart, since folding them into 16-bit weights would round.
#include "tools/model/CompileHere.h"
#include "tools/xfmr-compare/ModelSide.h"
#include "tools/xfmr-compare/RuntimeSession.h"

using namespace mlir;

namespace xfmr::compare {

namespace {

class Compiled : public ModelSide {
public:
  Compiled() {
    file_.context = std::make_unique<MLIRContext>();
    registerCompilerDialects(*file_.context);
  }

  Status prepare(int64_t window) override {
    UnnamedFile artifact;
    Status status = artifact.create();
    if (status.ok())
      status = compile(window, artifact);
    if (status.ok())
      status = session_.open(artifact.path(), "cpu");
    if (status.ok())
      parameters = run::infoOf(session_.model()).parameters;
    return status;
  }

  Status logits(const std::vector<int32_t> &window, Logits &out) override { return session_.logits(window, out); }

private:
  Status compile(int64_t window, const UnnamedFile &artifact) {
    HereOptions options;
    options.passes = "canonicalize,xfmr-fuse-qkv,xfmr-fuse-glu";
    options.fuse = false;
    options.maxContext = window;
    Status status = compileHere(*file_.module, file_.sources, options, artifact);
    file_.module = nullptr; // the artifact is all that is needed from here on
    file_.sources = WeightSources();
    return status;
  }

  RuntimeSession session_;
};

} // namespace

Status openCompiled(const std::string &path, const std::string &passes, SourceOptions &sources, std::unique_ptr<Side> &out) {
  auto side = std::make_unique<Compiled>();
  Status status = side->open(path, passes, sources);
  if (status.ok())
    out = std::move(side);
  return status;
}

} // namespace xfmr::compare
