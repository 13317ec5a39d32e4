// Walks a parsed template and prints. Scopes as in Jinja: a loop or macro has its own, a branch has not; only fields of a
// namespace can be set from inside for outside.
#pragma once
#include "runtime/chat/Limits.h"
#include "runtime/chat/Syntax.h"
#include <map>

namespace xfmr::chat {

struct Macro {
  const Statement *statement; // of the template, which outlives the evaluation
};

/// Prints `body` with `globals` to `out`. Throws TemplateError, "line 3: …", for what a template does wrong or too much of.
void evaluate(const Body &body, const Map &globals, std::string &out);

} // namespace xfmr::chat
