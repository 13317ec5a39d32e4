// Values as text: what {{ }} prints (Python's str) and what tojson writes.
#pragma once
#include "runtime/chat/Limits.h"
#include "runtime/chat/Value.h"

namespace xfmr::chat {

/// As Python prints it: True, None, 1.0, ['a', 1].
std::string toText(const Value &value, Budget &budget);
/// As Python's json.dumps with ensure_ascii=False; `indent` below 0: on one line.
std::string toJson(const Value &value, int64_t indent, Budget &budget);

} // namespace xfmr::chat
