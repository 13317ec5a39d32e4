// See Vocabulary.h.
#include "runtime/tokenizer/Vocabulary.h"

namespace xfmr::tokenizer {

bool Vocabulary::add(std::string_view token, int32_t id) {
  if (this->token(id) || find(token) >= 0)
    return false;
  storage.emplace_back(token);
  const std::string &kept = storage.back();
  ids.emplace(kept, id);
  if (static_cast<size_t>(id) >= tokens.size())
    tokens.resize(id + 1, nullptr);
  tokens[id] = &kept;
  return true;
}

} // namespace xfmr::tokenizer
