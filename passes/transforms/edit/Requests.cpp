// See Requests.h.
#include "passes/transforms/edit/Requests.h"

#include "passes/calibration/ModelData.h"

#include "llvm/Support/JSON.h"

namespace json = llvm::json;

namespace xfmr {
namespace {

struct Field {
  const char *name;
  std::vector<EditText> EditRequest::*texts;
  bool required;
};
constexpr Field kFields[] = {{"subject", &EditRequest::subject, true},
                             {"target", &EditRequest::target, true},
                             {"wanted", &EditRequest::wanted, false},
                             {"paraphrase", &EditRequest::paraphrase, false},
                             {"neighbour", &EditRequest::neighbour, false}};

Status readField(const json::Value &value, const std::string &place, const std::string &name,
                 std::vector<EditText> &out) {
  auto add = [&](const json::Value &each, const std::string &where) {
    std::optional<llvm::StringRef> text = each.getAsString();
    if (!text)
      return Status::error(where + " is no text, expected a text or a list of texts");
    if (text->empty())
      return Status::error(where + " is empty");
    out.push_back({text->str(), where});
    return Status::success();
  };
  const json::Array *list = value.getAsArray();
  if (!list)
    return add(value, place + ", " + name);
  if (list->empty())
    return Status::error(place + ", " + name + " is an empty list");
  Status status = Status::success();
  for (size_t i = 0; i < list->size() && status.ok(); ++i)
    status = add((*list)[i], place + ", " + name + " " + std::to_string(i + 1));
  return status;
}

Status readRequest(const json::Value &value, const std::string &place, EditRequest &out) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return Status::error(place + " is no object with \"subject\" and \"target\"");
  for (const auto &entry : *object)
    if (llvm::none_of(kFields, [&](const Field &field) { return entry.first == field.name; }))
      return Status::error(place + " has \"" + llvm::StringRef(entry.first).str() +
                           "\", expected subject, target, wanted, paraphrase, neighbour");
  for (const Field &field : kFields) {
    const json::Value *found = object->get(field.name);
    if (!found && field.required)
      return Status::error(place + " has no \"" + field.name + "\"");
    if (found)
      if (Status status = readField(*found, place, field.name, out.*field.texts); status.failed())
        return status;
  }
  if (out.wanted.size() > 1)
    return Status::error(place + ", wanted is " + std::to_string(out.wanted.size()) + " texts, expected one");
  return Status::success();
}

} // namespace

Status readEditTexts(const std::string &path, std::vector<EditText> &out) {
  std::vector<std::string> lines;
  if (path.empty())
    return Status::success();
  Status status = readPromptLines(path, lines);
  for (const auto &[index, line] : llvm::enumerate(lines))
    out.push_back({line, "prompts \"" + path + "\", line " + std::to_string(index + 1)});
  return status;
}

Status readEditRequests(const std::string &path, std::vector<EditRequest> &out) {
  std::string text;
  if (Status status = readText(path, text); status.failed())
    return status;
  const std::string file = "edits \"" + path + "\"";
  llvm::Expected<json::Value> parsed = json::parse(text);
  if (!parsed)
    return Status::error(file + ": no JSON: " + llvm::toString(parsed.takeError()));
  const json::Array *list = parsed->getAsArray();
  if (!list || list->empty())
    return Status::error(file + ": expected a list of edits, each an object with \"subject\" and \"target\"");
  for (const auto &[index, value] : llvm::enumerate(*list))
    if (Status status = readRequest(value, file + ", edit " + std::to_string(index + 1), out.emplace_back());
        status.failed())
      return status;
  return Status::success();
}

} // namespace xfmr
