// --probe: what a model computes on a text as a file, from the kernels of a device. The model is compiled here, with probes
// (xfmr-insert-probes) behind everything else, and run window by window; nothing of the artifact is left.
#pragma once
#include "tools/xfmr-inspect/Inspect.h"

namespace xfmr::inspect {

struct ProbeOptions {
  std::string path;           // of the file
  std::string insert;         // options of xfmr-insert-probes: "what=residual reduce=top"
  std::string device = "cpu"; // as xfmr-run takes it
};

struct ProbedText {
  std::string model, device;
  int64_t rows = 0;
  struct Probe {
    std::string name;
    int64_t columns;
  };
  std::vector<Probe> probes;
};

/// Writes what the probes keep of every row of the text (look/LookText.h) to `options.path`, as `xfmr-run --probe` does.
/// Errors: an encoder, those of the passes, of the compiler and of the runtime.
Status probeText(const InspectOptions &model, const LookTextOptions &text, const ProbeOptions &options,
                 ProbedText &out);

} // namespace xfmr::inspect
