// Matrix products of oneDNN, one thread: what a kernel is measured against. Without the library (Debian's libdnnl-dev) there are
// none, and the bench says so.
#pragma once
#include <cstdint>
#include <functional>

namespace xfmr::bench {

/// "oneDNN 2.6.3", or that it is not there.
const char *oneDnnName();

enum class Numbers : uint8_t { f32, bf16 };

/// Rows [t, k] times weights [n, k], both of these numbers, into f32 [t, n], on memory of its own with weights laid out as the
/// library likes them; the call runs one product. Empty where the library or this CPU has no such product.
std::function<void()> oneDnnProduct(Numbers numbers, int64_t t, int64_t k, int64_t n);

} // namespace xfmr::bench
