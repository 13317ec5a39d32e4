// A look as JSON: a contract that other programs and the page read.
#pragma once

#include "tools/xfmr-inspect/look/Change.h"

#include <nlohmann/json.hpp>

namespace xfmr::inspect {

/// How tables are written: as arrays of arrays with six digits; or packed for a page, {"shape": [...], "f16" or "i16" or "i32":
/// base64 of little-endian numbers}, which the page unpacks into the same arrays.
enum class TableForm { arrays, packed };

nlohmann::ordered_json toJson(const Look &look, TableForm form);

/// That of the model; "before" likewise; "change": {"what", "sentence", "kl", "drift", "mean_drift", "starts"}.
nlohmann::ordered_json toJson(const Looks &looks, TableForm form);

} // namespace xfmr::inspect
