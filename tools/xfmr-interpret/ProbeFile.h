// What the probes of a model see while the interpreter runs it, as a safetensors file.
#pragma once
#include "reference/Interpreter.h"

#include <string>
#include <vector>

namespace xfmr {

class ProbeFile {
public:
  /// Keeps what the first run of `interpreter`, the prompt's, shows of each probe. Must outlive it.
  void observe(reference::Interpreter &interpreter);
  /// Writes an f32 tensor [T, columns] a probe. Errors: a model without probes.
  Status write(const std::string &path) const;

private:
  struct Seen {
    std::string name;
    reference::Tensor values;
  };
  std::vector<Seen> seen_; // in the order of the model
};

} // namespace xfmr
