// See ModulePattern.h. PCRE2 bounds depth and steps, where std::regex recurses once a character and never gives up.
#include "import/ModulePattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace xfmr {

bool ModulePattern::parse(const std::string &pattern, ModulePattern &out) {
  const std::string whole = "(.*\\.)?(" + pattern + ")";
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(whole.data()), whole.size(),
                    PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code)
    return false;
  out.code_.reset(code, [](void *code) { pcre2_code_free(static_cast<pcre2_code *>(code)); });
  out.pattern_ = pattern;
  return true;
}

Status ModulePattern::matches(const std::string &module, bool &out) const {
  constexpr uint32_t kMostSteps = 1000000, kMostKilobytes = 16 << 10;
  const auto *code = static_cast<const pcre2_code *>(code_.get());
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> limits(pcre2_match_context_create(nullptr),
                                                                                   pcre2_match_context_free);
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(code, nullptr), pcre2_match_data_free);
  pcre2_set_match_limit(limits.get(), kMostSteps);
  pcre2_set_heap_limit(limits.get(), kMostKilobytes);
  const int result =
      pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(module.data()), module.size(), 0, 0, data.get(), limits.get());
  out = result >= 0;
  if (result >= 0 || result == PCRE2_ERROR_NOMATCH)
    return Status::success();
  return Status::error("pattern \"" + pattern_ + "\" takes too long to compare with module \"" + module.substr(0, 200) +
                       "\"");
}

} // namespace xfmr
