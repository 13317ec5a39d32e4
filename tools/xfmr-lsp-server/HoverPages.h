// What the definitions say about an op, below what MLIR's server shows when a person points at one.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <string>

namespace xfmr::lsp {

/// The page of an op ("xfmr.linear") in Markdown: what it computes, constraints, example; empty where it is none of ours.
std::string opPage(llvm::StringRef op);

/// Adds the page to the answer to a hover over an op of ours; leaves all else as it is.
void addPage(llvm::json::Value &message);

/// Copies messages ("Content-Length: N", an empty line, N bytes) from one descriptor to another, with pages added.
void copyMessages(int from, int to);

} // namespace xfmr::lsp
