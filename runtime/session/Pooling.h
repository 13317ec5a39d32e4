// How the hidden states of a text become one vector, as sentence-transformers does it; pure functions.
#pragma once
#include "runtime/artifact/Status.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xfmr::session {

enum class Pooling {
  mean,        // of all tokens
  cls,         // the first token
  max,         // the largest value of each column
  meanSqrtLen, // the sum over all tokens, divided by the square root of their number
  last         // the last token
};

struct Embedding {
  Pooling pooling = Pooling::mean;
  bool normalize = false; // to length 1
};

/// Reads what an artifact says (artifact::kPoolingTensor): "mean", "cls", "max", "mean_sqrt_len" or "last", and " normalize" behind it.
/// An empty text is the mean.
Status readEmbedding(std::string_view text, Embedding &out);

/// Brings a vector to length 1; one of zeros stays what it is.
void normalize(std::vector<float> &vector);

/// Gathers rows of `width` floats as they come.
class Pooler {
public:
  Pooler(Pooling pooling, uint32_t width) : pooling_(pooling), sums_(width, 0.0) {}
  void add(const float *row);
  /// The vector [width]; at least one row was added.
  std::vector<float> result() const;

private:
  Pooling pooling_;
  uint64_t rows_ = 0;
  std::vector<double> sums_;
};

} // namespace xfmr::session
