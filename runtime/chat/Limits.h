// What rendering a template may cost. A template comes with a checkpoint, so it is input that nobody has checked: it can loop,
// nest and repeat, and ends with an error where it does too much.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace xfmr::chat {

constexpr size_t kMaxTemplateBytes = 1 << 20;
constexpr uint64_t kMaxSteps = 4'000'000;      // expressions, statements, elements and characters looked at
constexpr uint64_t kMaxBytes = 64 << 20;       // of all strings and lists that are made
constexpr uint8_t kMaxNesting = 100;
constexpr uint32_t kMaxRunDepth = 600;         // calls and nested expressions

/// Why rendering ended; never leaves this folder.
struct TemplateError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Budget {
public:
  void step(uint64_t count = 1) {
    if ((steps += count) > kMaxSteps)
      throw TemplateError("the template does more than " + std::to_string(kMaxSteps) + " steps");
  }
  void bytes(uint64_t count) {
    if (count > kMaxBytes || (made += count) > kMaxBytes)
      throw TemplateError("the template makes more than " + std::to_string(kMaxBytes >> 20) + " MiB of text");
    step(count / 64);
  }

private:
  uint64_t steps = 0, made = 0;
};

} // namespace xfmr::chat
