// The report as a page: Page.html with the JSON in its place. See Report.h.
#include "runtime/artifact/AtomicFile.h"
#include "tools/xfmr-inspect/Report.h"
#include <nlohmann/json.hpp>

namespace xfmr::inspect {

static const char kTemplate[] =
#include "tools/xfmr-inspect/PageTemplate.inc"
    ;

Status writePage(const Report &report, const std::string &path) {
  std::string page = kTemplate, data;
  // "<" could end the script element that holds the data.
  for (char c : toJson(report).dump())
    data += c == '<' ? std::string("\\u003c") : std::string(1, c);
  const std::string place = "@REPORT@";
  page.replace(page.find(place), place.size(), data);
  AtomicFile file;
  Status status = file.open(path);
  if (status.ok())
    status = file.write(page.data(), page.size());
  return status.ok() ? file.commit() : status;
}

} // namespace xfmr::inspect
