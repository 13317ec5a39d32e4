// What countModel() found, as JSON, as tables for people, and as a page.
#pragma once
#include "runtime/artifact/Status.h"
#include "tools/xfmr-inspect/Anatomy.h"
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>

namespace xfmr::inspect {

/// A model, and with --passes what it was before them.
struct Report {
  Anatomy model;
  std::optional<Anatomy> before;
  std::string passes;
  /// Elements of the tensors of a checkpoint that the model names, counted in its files.
  std::optional<int64_t> stored;
};

/// {"parameters": {"total", "active", "embedding", "attention", "ffn", "router", "norm", "lm_head"}, "layers",
/// "flops_per_token", "kv_bytes_per_token", "blocks": […]} and what else is known; "before" likewise.
nlohmann::ordered_json toJson(const Report &report);

void printTables(const Report &report, std::ostream &out);

/// One self-contained page with charts of the same figures, and of a look if there is one (look/LookJson.h, packed); the file
/// appears whole or not at all.
Status writePage(const Report &report, const std::string &path, const nlohmann::ordered_json *look = nullptr);

} // namespace xfmr::inspect
