// A pattern of `rank_pattern` or `alpha_pattern` of an adapter: a regular expression that names modules by their path or by what
// follows a dot of it, `re.match(rf"(.*\.)?({pattern})$", module)` in Python.
#pragma once
#include "runtime/artifact/Status.h"
#include <memory>
#include <string>

namespace xfmr {

class ModulePattern {
public:
  /// False where `pattern` is no regular expression, or nested too deeply for one.
  static bool parse(const std::string &pattern, ModulePattern &out);

  /// Whether it names the module. An error where finding out takes more steps than any honest pattern needs.
  Status matches(const std::string &module, bool &out) const;

private:
  std::shared_ptr<void> code_;
  std::string pattern_;
};

} // namespace xfmr
