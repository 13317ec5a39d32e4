// PCRE2 behind Regex.h.
#include "runtime/tokenizer/Regex.h"
#include "runtime/tokenizer/Unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace xfmr::tokenizer {

bool Regex::compileTranslated(std::string_view source, const std::string &translated, Regex &out,
                              std::string &error) {
  std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  PCRE2_SIZE offset = 0;
  // Ruby syntax: ^ and $ always match at lines.
  pcre2_code *compiled =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code,
                    &offset, context.get());
  if (!compiled) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(code, message, sizeof message);
    error = "regular expression '" + std::string(source) +
            "': " + reinterpret_cast<const char *>(message) + " near byte " +
            std::to_string(offset);
    return false;
  }
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); // without a JIT the interpreter runs
  out.code.reset(compiled, pcre2_code_free);
  out.source = source;
  return true;
}

bool Regex::compile(std::string_view pattern, Regex &out, std::string &error) {
  std::string translated;
  if (!translatePattern(pattern, translated, error)) {
    error = "regular expression '" + std::string(pattern) + "': " + error;
    return false;
  }
  return compileTranslated(pattern, translated, out, error);
}

bool Regex::compileLiteral(std::string_view text, Regex &out, std::string &error) {
  std::string quoted;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && isPunctuation(c))
      quoted += '\\';
    quoted += c;
  }
  return compileTranslated(text, quoted, out, error);
}

Regex::Matcher::Matcher(const Regex &regex)
    : regex(regex),
      data(pcre2_match_data_create_from_pattern(regex.code.get(), nullptr), pcre2_match_data_free) {
}

/// Runs one match; takes a larger JIT stack when the default 32 KiB do not suffice.
static int matchAt(const pcre2_code *code, std::string_view subject, size_t start,
                   pcre2_match_data *data) {
  auto text = reinterpret_cast<PCRE2_SPTR>(subject.data());
  int result = pcre2_match(code, text, subject.size(), start, PCRE2_NO_UTF_CHECK, data, nullptr);
  if (result != PCRE2_ERROR_JIT_STACKLIMIT)
    return result;
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
      pcre2_match_context_create(nullptr), pcre2_match_context_free);
  std::unique_ptr<pcre2_jit_stack, decltype(&pcre2_jit_stack_free)> stack(
      pcre2_jit_stack_create(64 << 10, 64 << 20, nullptr), pcre2_jit_stack_free);
  pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  return pcre2_match(code, text, subject.size(), start, PCRE2_NO_UTF_CHECK, data, context.get());
}

bool Regex::Matcher::findAll(std::string_view subject, std::vector<Range> &matches,
                             std::string &error) {
  matches.clear();
  const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data.get());
  bool anyMatch = false;
  size_t lastEnd = 0;
  for (size_t start = 0; start <= subject.size();) {
    int result = matchAt(regex.code.get(), subject, start, data.get());
    if (result == PCRE2_ERROR_NOMATCH)
      return true;
    if (result < 0) {
      PCRE2_UCHAR message[256];
      pcre2_get_error_message(result, message, sizeof message);
      error = "regular expression '" + regex.source + "' failed on a text of " +
              std::to_string(subject.size()) + " bytes: " + reinterpret_cast<const char *>(message);
      return false;
    }
    size_t begin = bounds[0], end = bounds[1];
    bool empty = begin >= end; // \K can put begin behind end
    if (!empty || !anyMatch || end != lastEnd)
      matches.emplace_back(empty ? end : begin, end);
    anyMatch = true;
    lastEnd = end;
    start = end;
    if (empty) {
      if (start >= subject.size())
        return true;
      nextCodePoint(subject, start);
    }
  }
  return true;
}

} // namespace xfmr::tokenizer
