// See Tiles.h. Numbers are small integers, so sums are exact in any order.
#include "runtime/cpu/Tiles.h"
#include <cerrno>
#include <cstring>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace xfmr::cpu;

namespace {

struct alignas(64) Configuration {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64};
  uint8_t rows[16] = {16, 16, 16};
};
constexpr Configuration kConfiguration;

#define XFMR_TILE_PRODUCT(instruction, a, b, c)                                                                        \
  _tile_loadconfig(&kConfiguration);                                                                                   \
  _tile_zero(0);                                                                                                       \
  _tile_loadd(1, a, 64);                                                                                               \
  _tile_loadd(2, b, 64);                                                                                               \
  instruction(0, 1, 2);                                                                                                \
  _tile_stored(0, c, 64);                                                                                              \
  _tile_release()

__attribute__((target("amx-tile,amx-bf16"))) void bfloats(const uint16_t *a, const uint16_t *b, float *c) {
  XFMR_TILE_PRODUCT(_tile_dpbf16ps, a, b, c);
}
__attribute__((target("amx-tile,amx-int8"))) void bytes(const int8_t *a, const int8_t *b, int32_t *c) {
  XFMR_TILE_PRODUCT(_tile_dpbssd, a, b, c);
}

int left(int row, int k) {
  return (row + 2 * k) % 7 - 3;
}
int right(int k, int column) {
  return (3 * k + column) % 5 - 2;
}

uint16_t toBfloat(int number) {
  const float wide = static_cast<float>(number);
  uint32_t word;
  std::memcpy(&word, &wide, 4);
  return static_cast<uint16_t>(word >> 16);
}
int8_t toByte(int number) {
  return static_cast<int8_t>(number);
}

/// `depth` numbers in a row of A, 64 bytes.
template <typename Number, typename Sum>
bool agrees(void (*multiply)(const Number *, const Number *, Sum *), Number (*encoded)(int)) {
  constexpr int depth = 64 / sizeof(Number), each = 4 / sizeof(Number);
  Number a[16 * depth], b[16 * depth];
  Sum c[16 * 16];
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < depth; ++k) {
      a[i * depth + k] = encoded(left(i, k));
      b[(k / each * 16 + i) * each + k % each] = encoded(right(k, i));
    }
  multiply(a, b, c);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) {
      int expected = 0;
      for (int k = 0; k < depth; ++k)
        expected += left(i, k) * right(k, j);
      if (c[i * 16 + j] != static_cast<Sum>(expected))
        return false;
    }
  return true;
}

} // namespace

std::string xfmr::cpu::tileFault(const TileProducts &products) {
  if (!agrees(products.bfloats, toBfloat))
    return "a product of two tiles of bf16 is wrong";
  if (!agrees(products.bytes, toByte))
    return "a product of two tiles of bytes is wrong";
  return {};
}

std::string xfmr::cpu::enableTiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const std::string fault = [] {
    if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0)
      return "the system does not give its registers: " + std::string(std::strerror(errno));
    return tileFault({bfloats, bytes});
  }();
  return fault;
}
