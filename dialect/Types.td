// The element type of quantised weights.
#ifndef XFMR_TYPES
#define XFMR_TYPES

include "dialect/Enums.td"

def Xfmr_QuantType : TypeDef<Xfmr_Dialect, "Quant"> {
  let mnemonic = "q";
  let summary = "element of a quantised matrix: codes of a few bits, scales over runs of columns";
  let description = [{
    The first word is the code: `int2`, `int3`, `int4`, `int5`, `int6`, `int8`, or a code book, `e2m1`, `iq4_nl`, `nf4`.
    `group` is the number of neighbouring columns that share a scale, or `row`; `scale` the type it is stored in (`f16`
    where nothing is said, `bf16`, `f32`, `e8m0`); `min` says that every group has a minimum too. With `super` and `sub` a
    group's scale (and minimum) is a small integer times one of a run of `super` columns. passes/codegen/QuantScheme.h
    has the formulas.

    Constraints:
    - C1: `group` is `row` or 1 to 16777216
    - C2: `super` is a multiple of `group`, at most 65536, and comes with `sub`
    - C3: `sub` is `u4` or `u6` with `min`, `i6` or `i8` without
    - C4: `min` needs integer codes; `min` and `super` a scale that is no `e8m0`

    ```
    tensor<4096x14336x!xfmr.q<int4, group = 32>>                                    // q4_0 of GGUF
    tensor<4096x14336x!xfmr.q<int4, group = 32, min, super = 256, sub = u6>>        // q4_K
    tensor<32x2880x2880x!xfmr.q<e2m1, group = 32, scale = e8m0>>                    // MXFP4
    tensor<4096x4096x!xfmr.q<int8, group = row, scale = f32>>
    ```
  }];
  let parameters = (ins "::xfmr::QuantScheme":$scheme);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // XFMR_TYPES
