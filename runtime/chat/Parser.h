// Templates as syntax trees: the statements and expressions of Jinja that chat templates use. What is left out (inheritance,
// imports, {% call %}, {% filter %}) is refused by name.
#pragma once
#include "runtime/chat/Syntax.h"
#include <string_view>

namespace xfmr::chat {

/// False with `error`, "line 3: …".
bool parseTemplate(std::string_view source, Body &body, std::string &error);

} // namespace xfmr::chat
