// The compiler as one function: a MODEL goes through the stages of docs/Architecture.md, one line a stage.
#pragma once
#include "passes/lowering/Stage.h"
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>
#include <vector>

namespace xfmr {

struct CompileOptions {
  std::string model;
  std::string adapter;                        // folder of a low-rank adapter, or empty
  std::vector<std::string> sources;           // NAME=PATH, of --source
  std::string target = "auto";
  std::string triple = "x86_64-linux-gnu";    // of the CPU
  std::string levels;                         // of the CPU to compile for, empty: all; or native
  std::string passes;                         // the user's pipeline, run before the fusions
  std::string type;                           // of matrices: f32, f16, bf16, or as they are
  bool fuse = true;
  int64_t maxContext = 0;
  int64_t chunk = 0;
  int64_t ropeLength = 0;
  bool pairs = false;                         // an encoder reads two texts as one
  std::string kv = "auto";
  std::string moe = "auto"; // route of mixtures
  int64_t bindingBytes = int64_t(1) << 27; // most of a weight in one binding
  std::string deviceProfile; // family of Vulkan devices to compile for, or empty: any
  Stage stopAfter = Stage::Emit;
  std::string output; // the artifact, or the text of the stage stopped after ("" or "-": stdout)
  bool verbose = false; // remarks of passes, the table of kernels
  bool remarks = false; // of passes
};

/// Runs the stages up to `stopAfter`. Warnings go to stderr as they occur.
Status compileModel(const CompileOptions &options);

} // namespace xfmr
