// What a dispatch costs, from its spec, its params and the machine: floating-point operations and bytes, the part that
// depends on the number of tokens apart, and an estimate of time from them. Formulas of shapes, not measurements: they
// rank kernels and say what bounds one. A multiply-add counts two operations, a function made of exp or tanh
// kFunctionFlops. Bytes are those that must come from or go to memory once; a tile that is still in a cache is free.
#pragma once
#include "passes/codegen/AllKernels.h"

namespace xfmr::codegen {

// A run: how many tokens, and how many positions each of them sees (itself included) on the mean.
struct Load {
  double tokens = 1;
  double keys = 1;
};

struct Work {
  double flops = 0;
  double weightBytes = 0;     // of packed weights, tables and biases
  double activationBytes = 0; // of everything else: rows, caches, ids, plans; read and written
  double byteOps = 0;         // operations on bytes, where products go by codes; not among flops

  double bytes() const { return weightBytes + activationBytes; }
  Work &operator+=(const Work &other);
};

struct Cost {
  Work once;     // whatever the number of tokens
  Work ofTokens; // of the Load's tokens

  Work total() const;
};

// What a target can do a second. The rates are assumptions about a machine of its kind, on the CPU of one core.
struct Machine {
  const char *name;        // "v3", "vulkan"
  double flops;            // operations a second, in the products
  double bytes;            // a second, from memory
  double start;            // seconds that a dispatch and its barrier cost besides
  uint32_t rowsAWeight;    // rows of X that gemm multiplies by a weight each time it reads it
  uint32_t queriesAKey;    // rows of Q that attention_prefill serves each time it reads the cache
  double byteOps = 0;      // operations on bytes a second; 0: it has no dots of bytes, codes are multiplied as f32
};

constexpr double kFunctionFlops = 16; // of an exp, sigmoid, tanh or erf: a polynomial and a division

// Multiply-adds and the bytes of a key are those of Work.h, which the artifact keeps. With S the bytes of a stored
// matrix [n, k] (rows and columns padded; scales of quantised ones included), T the load's tokens, C its keys:
// Products of codes (RowCodes.h) have their 2nk in operations on bytes where the machine has them.
//   gemv               2nk flops; S; 4 (k + outputs) bytes, for one row
//   gemm               2nkT; S, then S again for each further rowsAWeight rows; 4T (k + outputs)
//   embedding          no flops; a row of the table(s) a token; 4T width
//   norm               4 (rms) or 7 (layer) a number; its vectors; 8 bytes a number
//   elementwise        1, a function's or 0 a number; 4 bytes a number read or written
//   rope_cache         3 a rotated number, 4 a normed one; a row of the table a token; q read and written, k and v
//                      read and their cache written
//   attention_prefill  (4 head_dim + function) a head, token and key; keys and values once for queriesAKey rows; q, out
//   attention_decode   the same for one row, whose partial results are written where the keys are split; with `combines` and
//                      `caches` also those of attention_combine and rope_cache
//   attention_combine  2 head_dim a head and split; partial results read, out written
//   head_product       2nkT a head; S; what is read and written
//   latent_expand      2 (2 head_dim - rotary_dim) latent C a head; S; rows of the cache read, keys and values written
//   moe_router         2kE + E functions a token; S; rows of x, 8 bytes a chosen expert
//   moe_plan           no flops; 12 bytes a token and chosen expert, 12 an expert
//   moe_gemv           2nk a token and chosen expert; that expert's S each time; its rows
//   moe_gemm           2nk a token and chosen expert; S of each expert that is touched (expertsTouched of Choice.h); rows
//   moe_combine        a flop and 4 bytes a number of each part
//   row_codes          4 a number (magnitude, maximum, product, rounding); rows read, codes written
//   row_pairs          1 a number; rows read, pairs written
//   sample             a function and 4 bytes an id of the vocabulary; each of its parts alike
//   top_k              4 a number and place (key, two comparisons, maximum); rows read, places written
// Products of a part of the experts do their share of it. Epilogues add a flop a step and a function for an activation, a
// softcap or a gate. Kernels on one row count one token whatever the load says.
#define XFMR_COST(Family)                                                                                              \
  Cost costOf(const Family##Spec &spec, const Family##Params &params, const Machine &machine, const Load &load);
XFMR_KERNELS(XFMR_COST)
#undef XFMR_COST

// The larger of computing and reading, and the start.
double secondsOf(const Work &work, const Machine &machine);

} // namespace xfmr::codegen
