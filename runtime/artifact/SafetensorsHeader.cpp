// See SafetensorsHeader.h. The grammar is small: an object of tensors, each an object with three
// fields, and "__metadata__", an object of strings. A state machine follows the parser's events.
#include "runtime/artifact/SafetensorsHeader.h"
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace xfmr {
namespace {

using Json = nlohmann::json;

class HeaderHandler : public nlohmann::json_sax<Json> {
public:
  explicit HeaderHandler(SafetensorsHeader &out) : out_(out) {}
  Status status = Status::success();

  bool null() override { return scalar("null"); }
  bool boolean(bool) override { return scalar("a boolean"); }
  bool number_integer(number_integer_t value) override {
    if (place_ == Place::shape || place_ == Place::offsets)
      return fail("tensor \"" + tensor_.name + "\": " + fieldName() + " holds " +
                  std::to_string(value) + ", expected a non-negative integer");
    return scalar("a number");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return fail("tensor \"" + tensor_.name + "\": dimension " + std::to_string(value) +
                    " is too large");
      tensor_.shape.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (place_ == Place::offsets) {
      offsets_.push_back(value);
      return true;
    }
    return scalar("a number");
  }
  bool number_float(number_float_t, const string_t &text) override {
    if (place_ == Place::shape || place_ == Place::offsets)
      return fail("tensor \"" + tensor_.name + "\": " + fieldName() + " holds " + text +
                  ", expected a non-negative integer");
    return scalar("a number");
  }
  bool string(string_t &value) override {
    if (place_ == Place::metadata) {
      out_.metadata[key_] = value;
      return true;
    }
    if (place_ == Place::tensor && key_ == "dtype") {
      std::optional<DType> dtype = parseDType(value);
      if (!dtype)
        return fail("tensor \"" + tensor_.name + "\": unknown dtype \"" + value + "\"");
      tensor_.dtype = *dtype;
      return true;
    }
    return scalar("a string");
  }
  bool binary(binary_t &) override { return scalar("binary"); }

  bool start_object(std::size_t) override {
    switch (place_) {
    case Place::outside:
      place_ = Place::top;
      return true;
    case Place::top:
      fields_.clear();
      if (key_ == "__metadata__") {
        place_ = Place::metadata;
      } else {
        place_ = Place::tensor;
        tensor_ = HeaderTensor();
        tensor_.name = key_;
        offsets_.clear();
      }
      return true;
    case Place::tensor:
      if (isKnownField())
        return scalar("an object");
      [[fallthrough]];
    case Place::ignored:
      place_ = Place::ignored;
      ++ignoredDepth_;
      return true;
    default:
      return scalar("an object");
    }
  }
  bool key(string_t &name) override {
    if (place_ == Place::ignored)
      return true;
    std::set<std::string> &seen = place_ == Place::top ? names_ : fields_;
    if (!seen.insert(name).second)
      return fail(place_ == Place::tensor
                      ? "tensor \"" + tensor_.name + "\": duplicate field \"" + name + "\""
                      : "duplicate key \"" + name + "\"");
    key_ = name;
    return true;
  }
  bool end_object() override {
    switch (place_) {
    case Place::tensor:
      place_ = Place::top;
      return finishTensor();
    case Place::metadata:
      place_ = Place::top;
      return true;
    case Place::ignored:
      leaveIgnored();
      return true;
    default:
      return true;
    }
  }
  bool start_array(std::size_t) override {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
      return true;
    }
    if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
      return true;
    }
    if (place_ == Place::ignored || (place_ == Place::tensor && !isKnownField())) {
      place_ = Place::ignored;
      ++ignoredDepth_;
      return true;
    }
    return scalar("an array");
  }
  bool end_array() override {
    if (place_ == Place::shape || place_ == Place::offsets)
      place_ = Place::tensor;
    else
      leaveIgnored();
    return true;
  }
  bool parse_error(std::size_t position, const std::string &,
                   const nlohmann::detail::exception &error) override {
    return fail("header is not valid JSON at byte " + std::to_string(position) + ": " +
                error.what());
  }

private:
  // Where the parser stands. `ignored` is inside a field that the format does not define.
  enum class Place { outside, top, metadata, tensor, shape, offsets, ignored };

  bool isKnownField() const { return key_ == "dtype" || key_ == "shape" || key_ == "data_offsets"; }
  std::string fieldName() const { return place_ == Place::shape ? "shape" : "data_offsets"; }

  bool fail(std::string message) {
    status = Status::error(std::move(message));
    return false;
  }
  /// A value of a kind that its place does not take, or one to be ignored.
  bool scalar(const char *found) {
    switch (place_) {
    case Place::ignored:
      return true;
    case Place::tensor:
      if (!isKnownField())
        return true;
      return fail("tensor \"" + tensor_.name + "\": " + key_ + " is " + found + ", expected " +
                  (key_ == "dtype" ? "a string" : "an array of integers"));
    case Place::shape:
    case Place::offsets:
      return fail("tensor \"" + tensor_.name + "\": " + fieldName() + " holds " + found +
                  ", expected a non-negative integer");
    case Place::metadata:
      return fail("__metadata__ entry \"" + key_ + "\" is " + found + ", expected a string");
    case Place::top:
      return fail("entry \"" + key_ + "\" is " + found + ", expected an object");
    case Place::outside:
      return fail(std::string("header is ") + found + ", expected an object");
    }
    return false;
  }
  void leaveIgnored() {
    if (place_ == Place::ignored && --ignoredDepth_ == 0)
      place_ = Place::tensor;
  }
  bool finishTensor() {
    for (const char *field : {"dtype", "shape", "data_offsets"})
      if (!fields_.count(field))
        return fail("tensor \"" + tensor_.name + "\": no field \"" + field + "\"");
    if (offsets_.size() != 2)
      return fail("tensor \"" + tensor_.name + "\": data_offsets has " +
                  std::to_string(offsets_.size()) + " entries, expected 2");
    tensor_.begin = offsets_[0];
    tensor_.end = offsets_[1];
    out_.tensors.push_back(std::move(tensor_));
    return true;
  }

  SafetensorsHeader &out_;
  Place place_ = Place::outside;
  int ignoredDepth_ = 0;
  std::string key_;
  std::set<std::string> names_;  // keys of the top object
  std::set<std::string> fields_; // keys of the current inner object
  HeaderTensor tensor_;
  std::vector<uint64_t> offsets_;
};

} // namespace

Status parseSafetensorsHeader(const char *begin, const char *end, SafetensorsHeader &out) {
  HeaderHandler handler(out);
  bool parsed = Json::sax_parse(begin, end, &handler);
  if (!parsed && handler.status.ok())
    return Status::error("header is not valid JSON");
  return handler.status;
}

} // namespace xfmr
