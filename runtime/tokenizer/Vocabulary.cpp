// See Vocabulary.h.
#include "runtime/tokenizer/Vocabulary.h"

#include <algorithm>

namespace xfmr::tokenizer {

bool Vocabulary::add(std::string_view token, int32_t id) {
  if (this->token(id) || find(token) >= 0)
    return false;
  storage.emplace_back(token);
  const std::string &kept = storage.back();
  ids.emplace(kept, id);
  end = std::max(end, id + 1);
  const size_t index = static_cast<size_t>(id);
  if (index >= kSlack + kSpread * std::max(ids.size(), announced)) {
    far.emplace(id, &kept);
    return true;
  }
  if (index >= near.size())
    near.resize(index + 1, nullptr);
  near[index] = &kept;
  return true;
}

const std::string *Vocabulary::token(int32_t id) const {
  if (id >= 0 && static_cast<size_t>(id) < near.size() && near[static_cast<size_t>(id)])
    return near[static_cast<size_t>(id)];
  auto it = far.find(id);
  return it == far.end() ? nullptr : it->second;
}

} // namespace xfmr::tokenizer
