// The `model` of tokenizer.json: turns pieces into token ids.
#pragma once

#include "runtime/tokenizer/JsonView.h"
#include "runtime/tokenizer/Pieces.h"
#include "runtime/tokenizer/Vocabulary.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace xfmr::tokenizer {

class Model {
public:
  virtual ~Model() = default;

  /// Appends the ids of all pieces. Fails where the text needs an unknown token that the
  /// vocabulary lacks.
  virtual bool encode(const Pieces &pieces, std::vector<int32_t> &ids,
                      std::string &error) const = 0;

  Vocabulary vocabulary;
};

/// Builds the model that `config` describes (BPE, WordPiece, WordLevel or Unigram).
bool parseModel(const JsonView &config, std::shared_ptr<Model> &out);

// One a model, each in its own file.
bool parseBpe(const JsonView &config, std::shared_ptr<Model> &out);
bool parseWordPiece(const JsonView &config, std::shared_ptr<Model> &out);
bool parseWordLevel(const JsonView &config, std::shared_ptr<Model> &out);
bool parseUnigram(const JsonView &config, std::shared_ptr<Model> &out);

/// Reads a {"token": id} object.
bool parseVocabulary(const JsonView &config, Vocabulary &out);

/// The ids of `<0x00>` … `<0xFF>`, the tokens for characters that the vocabulary lacks.
class ByteTokens {
public:
  explicit ByteTokens(const Vocabulary &vocabulary);
  /// Appends the tokens of all bytes; false, appending nothing, when one of them is missing.
  bool append(std::string_view bytes, std::vector<int32_t> &ids) const;

private:
  std::array<int32_t, 256> ids;
};

} // namespace xfmr::tokenizer
