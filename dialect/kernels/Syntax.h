// The syntax of attributes that wrap a struct of passes/codegen, from its `fields`: `<n = 64, x = <stride = 16>, glu>`.
// A flag that is on is its name alone, enums are words, fields of their default value are left out.
#pragma once
#include "mlir/IR/OpImplementation.h"
#include "passes/codegen/Fields.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

namespace xfmr {

template <class S> mlir::ParseResult parseStruct(mlir::AsmParser &parser, S &value);

/// Reads the value of one field, the one called `key`.
class FieldParser {
public:
  FieldParser(mlir::AsmParser &parser, llvm::StringRef key) : parser(parser), key(key) {}

  template <class T> void operator()(const char *name, T &value) {
    names.push_back(name);
    if (key != name)
      return;
    found = true;
    if constexpr (std::is_same_v<T, bool>)
      result = parseFlag(value);
    else if (parser.parseEqual())
      result = mlir::failure();
    else if constexpr (codegen::HasFields<T>::value)
      result = parseStruct(parser, value);
    else if constexpr (std::is_same_v<T, float>)
      result = parseNumber(value);
    else if constexpr (std::is_enum_v<T>)
      result = parseWord(value);
    else
      result = parser.parseInteger(value);
  }

  bool found = false;
  mlir::ParseResult result = mlir::success();
  llvm::SmallVector<llvm::StringRef> names;

private:
  mlir::ParseResult parseFlag(bool &value) {
    value = true;
    if (parser.parseOptionalEqual())
      return mlir::success();
    llvm::SMLoc loc = parser.getCurrentLocation();
    llvm::StringRef word;
    if (parser.parseKeyword(&word))
      return mlir::failure();
    if (word != "true" && word != "false")
      return parser.emitError(loc, "expected true or false for ") << key << ", got " << word;
    value = word == "true";
    return mlir::success();
  }

  mlir::ParseResult parseNumber(float &value) {
    llvm::SMLoc loc = parser.getCurrentLocation();
    double number;
    if (parser.parseFloat(number))
      return mlir::failure();
    value = static_cast<float>(number);
    if (!std::isfinite(value))
      return parser.emitError(loc, "expected a finite f32 for ") << key;
    return mlir::success();
  }

  template <class E> mlir::ParseResult parseWord(E &value) {
    llvm::SMLoc loc = parser.getCurrentLocation();
    llvm::StringRef word;
    if (parser.parseKeyword(&word))
      return mlir::failure();
    for (auto [index, name] : llvm::enumerate(codegen::Words<E>::all))
      if (word == name) {
        value = static_cast<E>(index);
        return mlir::success();
      }
    return parser.emitError(loc, "expected one of ")
           << llvm::join(llvm::map_range(codegen::Words<E>::all, [](const char *w) { return std::string(w); }), ", ")
           << " for " << key << ", got " << word;
  }

  mlir::AsmParser &parser;
  llvm::StringRef key;
};

template <class S> mlir::ParseResult parseStruct(mlir::AsmParser &parser, S &value) {
  llvm::StringSet<> seen;
  return parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::LessGreater, [&]() -> mlir::ParseResult {
    llvm::SMLoc loc = parser.getCurrentLocation();
    llvm::StringRef key;
    if (parser.parseKeyword(&key))
      return mlir::failure();
    if (!seen.insert(key).second)
      return parser.emitError(loc, key) << " is given twice";
    FieldParser field(parser, key);
    S::fields(value, field);
    if (!field.found) {
      auto error = parser.emitError(loc, "no field is called ") << key;
      if (!field.names.empty())
        error << "; there are " << llvm::join(field.names, ", ");
      return error;
    }
    return field.result;
  });
}

/// An attribute of the fields in angle brackets, or of defaults where there are none.
template <class Attr, class S> mlir::Attribute parseFields(mlir::AsmParser &parser) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  S value;
  // The parser has no look-ahead for a list that may be absent: only a struct without fields may lack it.
  if constexpr (std::is_empty_v<S>)
    return parser.getChecked<Attr>(loc, parser.getContext(), value);
  else
    return parseStruct(parser, value) ? mlir::Attribute() : parser.getChecked<Attr>(loc, parser.getContext(), value);
}

template <class S> void printStruct(mlir::AsmPrinter &printer, const S &value);

class FieldPrinter {
public:
  FieldPrinter(mlir::AsmPrinter &printer, llvm::ArrayRef<const void *> defaults) : printer(printer), defaults(defaults) {}

  template <class T> void operator()(const char *name, const T &value) {
    const T &plain = *static_cast<const T *>(defaults[index++]);
    if (value == plain)
      return;
    printer << (first ? "" : ", ") << name;
    first = false;
    if constexpr (std::is_same_v<T, bool>) {
      if (!value)
        printer << " = false";
      return;
    } else {
      printer << " = ";
      if constexpr (codegen::HasFields<T>::value)
        printStruct(printer, value);
      else if constexpr (std::is_same_v<T, float>)
        printer.printFloat(llvm::APFloat(static_cast<double>(value)));
      else if constexpr (std::is_enum_v<T>)
        printer << codegen::Words<T>::all[static_cast<size_t>(value)];
      else
        printer << value;
    }
  }

private:
  mlir::AsmPrinter &printer;
  llvm::ArrayRef<const void *> defaults; // the fields of a default struct, in order
  size_t index = 0;
  bool first = true;
};

template <class S> void printStruct(mlir::AsmPrinter &printer, const S &value) {
  const S plain;
  llvm::SmallVector<const void *> defaults;
  S::fields(plain, [&](const char *, const auto &field) { defaults.push_back(&field); });
  printer << '<';
  S::fields(value, FieldPrinter(printer, defaults));
  printer << '>';
}

template <class S> void printFields(mlir::AsmPrinter &printer, const S &value) {
  if constexpr (!std::is_empty_v<S>)
    printStruct(printer, value);
}

} // namespace xfmr
