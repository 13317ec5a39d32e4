// The report as a page: Page.html with the JSON in its place, and behind it LookPage.html with a look's. See Report.h.
#include "runtime/artifact/AtomicFile.h"
#include "tools/xfmr-inspect/Report.h"
#include <nlohmann/json.hpp>

namespace xfmr::inspect {

static const char kTemplate[] =
#include "tools/xfmr-inspect/PageTemplate.inc"
    ;
static const char kLook[] =
#include "tools/xfmr-inspect/LookTemplate.inc"
    ;

// "<" could end the script element that holds the data.
static std::string filled(std::string page, const std::string &place, const nlohmann::ordered_json &json) {
  std::string data;
  for (char c : json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
    data += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return page.replace(page.find(place), place.size(), data);
}

Status writePage(const Report &report, const std::string &path, const nlohmann::ordered_json *look) {
  std::string page = filled(kTemplate, "@REPORT@", toJson(report));
  if (look)
    page.insert(page.rfind("</body>"), filled(kLook, "@LOOK@", *look));
  return writeAtomically(path, page);
}

} // namespace xfmr::inspect
