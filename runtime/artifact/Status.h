// The result of a runtime operation that can fail: nothing, or a text for the user. Texts are lower
// case without a final period and say what was found, what was expected and where.
#pragma once
#include <string>
#include <utility>

namespace xfmr {

class [[nodiscard]] Status {
public:
  static Status success() { return Status(); }
  static Status error(std::string message) {
    Status status;
    status.failed_ = true;
    status.message_ = std::move(message);
    return status;
  }

  bool ok() const { return !failed_; }
  bool failed() const { return failed_; }
  /// Empty on success.
  const std::string &message() const { return message_; }

private:
  bool failed_ = false;
  std::string message_;
};

} // namespace xfmr
