// See OneDnn.h. XFMR_HAS_ONEDNN says that CMake has found the library.
#include "bench/kernels/OneDnn.h"
#include <memory>
#include <string>
#if XFMR_HAS_ONEDNN
#include <cstring>
#include <dnnl.hpp>
#endif

using namespace xfmr::bench;

#if XFMR_HAS_ONEDNN

// Of the OpenMP runtime that the library brings; the environment is read before main.
extern "C" void omp_set_num_threads(int count) __attribute__((weak));

const char *xfmr::bench::oneDnnName() {
  static const std::string name = [] {
    const dnnl_version_t *version = dnnl::version();
    return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
  }();
  return name.c_str();
}

std::function<void()> xfmr::bench::oneDnnProduct(Numbers numbers, int64_t t, int64_t k, int64_t n) {
  if (omp_set_num_threads)
    omp_set_num_threads(1);
  using dnnl::memory;
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  const auto type = numbers == Numbers::f32 ? memory::data_type::f32 : memory::data_type::bf16;
  try {
    const memory::desc rows({t, k}, type, memory::format_tag::ab), weights({k, n}, type, memory::format_tag::any),
        out({t, n}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(rows, weights, out), engine);
    struct Product {
      dnnl::matmul run;
      memory rows, weights, out;
    };
    auto product = std::make_shared<Product>(Product{dnnl::matmul(chosen), memory(chosen.src_desc(), engine),
                                                     memory(chosen.weights_desc(), engine), memory(chosen.dst_desc(), engine)});
    for (memory *each : {&product->rows, &product->weights, &product->out}) { // small numbers of either type
      auto *words = static_cast<uint16_t *>(each->get_data_handle());
      for (size_t i = 0; i < each->get_desc().get_size() / 2; ++i)
        words[i] = static_cast<uint16_t>(0x3c00 + (i * 2654435761u >> 25));
    }
    return [product] {
      product->run.execute(stream, {{DNNL_ARG_SRC, product->rows}, {DNNL_ARG_WEIGHTS, product->weights}, {DNNL_ARG_DST, product->out}});
      stream.wait();
    };
  } catch (const dnnl::error &) {
    return {};
  }
}

#else

const char *xfmr::bench::oneDnnName() { return "oneDNN is not there: install libdnnl-dev and configure again"; }
std::function<void()> xfmr::bench::oneDnnProduct(Numbers, int64_t, int64_t, int64_t) { return {}; }

#endif
