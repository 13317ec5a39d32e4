// Objects -> one shared object, by lld in this process. The result needs no other library: a symbol that no object
// defines is an error. Equal objects in equal order give equal bytes.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace xfmr::codegen::cpu {

// May be called from several threads; they take turns.
llvm::Expected<std::string> link(llvm::ArrayRef<std::string> objects);

} // namespace xfmr::codegen::cpu
