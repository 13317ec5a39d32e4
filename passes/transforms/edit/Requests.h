// What edits are asked for, as texts: from files of prompts, or a JSON file of many edits.
#pragma once

#include "runtime/artifact/Status.h"

#include <string>
#include <vector>

namespace xfmr {

/// A text and where a person wrote it: `prompts "girl.txt", line 2`, `edits "ten.json", edit 3, neighbour 1`.
struct EditText {
  std::string text, place;
};

struct EditRequest {
  std::vector<EditText> subject, target;       // prompts: what is edited, what already gives what is wanted
  std::vector<EditText> paraphrase, neighbour; // prompts that should follow, and those that must not
  std::vector<EditText> wanted;                // the continuation, one or none
};

/// Appends the lines of a file; nothing for an empty path.
Status readEditTexts(const std::string &path, std::vector<EditText> &out);

/// A JSON list of {"subject": …, "target": …, "wanted": …, "paraphrase": …, "neighbour": …}, each a text or a list of texts. Errors name
/// the file, the edit and what was found.
Status readEditRequests(const std::string &path, std::vector<EditRequest> &out);

} // namespace xfmr
