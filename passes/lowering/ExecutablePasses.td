// Passes on one program or on each of its executables: codegen, and what must hold at a stage.
#ifndef XFMR_EXECUTABLE_PASSES
#define XFMR_EXECUTABLE_PASSES

include "mlir/Pass/PassBase.td"

def XfmrGenerateKernels : Pass<"xfmr-generate-kernels", "::xfmr::ExecutableOp"> {
  let summary = "build the code of each kernel, one variant a level of the target";
  let description = [{
    On each `xfmr.executable` alone, so kernels are built in parallel. For Vulkan a variant holds a `gpu.module`.
    Executables that have variants stay as they are. Refuses a kernel whose code loads or stores other buffers than
    its contract says. With a `device-profile` only the variant that such a device takes is kept, and the portable one.

    Before:
    ```mlir
    xfmr.executable @gemv_f32 #xfmr.gemv<>
    ```
    After:
    ```mlir
    xfmr.executable @gemv_f32 #xfmr.gemv<> {
      xfmr.variant "subgroup_size_8+texel_buffers" requires ["subgroup_size_8", "texel_buffers"] workgroup [16, 1, 1] shared 1024 { ... }
      xfmr.variant "portable" workgroup [64, 1, 1] shared 1024 { gpu.module @gemv_f32 { ... } }
    }
    ```
  }];
  let options = [Option<"deviceProfile", "device-profile", "std::string", "\"\"",
                        "of vulkan: the family of devices (runtime/profiles) that variants are for; else all variants">];
  let dependentDialects = ["::xfmr::XfmrDialect"];
  let statistics = [Statistic<"numVariants", "variants", "variants built">];
}

def XfmrLowerExecutables : Pass<"xfmr-lower-executables", "::xfmr::ExecutableOp"> {
  let summary = "turn each gpu.module into a spirv.module for Vulkan 1.1";
  let description = [{
    After generate-kernels. Modules that are lowered stay as they are. Refuses bf16, which MLIR would
    turn into 16-bit integers without a word.

    Before:
    ```mlir
    xfmr.variant "portable" workgroup [64, 1, 1] { gpu.module @gemv_f32 { ... } }
    ```
    After:
    ```mlir
    xfmr.variant "portable" workgroup [64, 1, 1] { spirv.module Logical GLSL450 ... { ... } }
    ```
  }];
  let dependentDialects = ["::xfmr::XfmrDialect"];
}

def XfmrSerializeExecutables : Pass<"xfmr-serialize-executables", "::xfmr::ExecutableOp"> {
  let summary = "put the bytes of each module in its place";
  let description = [{
    After lower-executables. Variants that have `code` stay as they are.

    Before:
    ```mlir
    xfmr.variant "portable" workgroup [64, 1, 1] { spirv.module Logical GLSL450 ... { ... } }
    ```
    After:
    ```mlir
    xfmr.variant "portable" workgroup [64, 1, 1] code dense<"0x03022307..."> : tensor<900xi32> {}
    ```
  }];
  let dependentDialects = ["::xfmr::XfmrDialect"];
  let statistics = [Statistic<"numBytes", "bytes", "bytes of code">];
}

def XfmrVerifyStage : Pass<"xfmr-verify-stage", "::xfmr::ProgramOp"> {
  let summary = "refuse a program that is not what its stage says";
  let description = [{
    Runs between the stages of the compiler. What must hold after a stage holds after all that follow.

    Constraints:
    - C1 (dispatch): no op of a phase works on tensors
    - C2 (dispatch): every buffer that a dispatch uses is a `memref.alloc`, a `memref.subview` of one, or an `xfmr.buffer_ref`
    - C3 (plan): no `memref.alloc` or `memref.subview` is left
    - C4 (plan): every `xfmr.buffer_ref` lies within its buffer
    - C5 (codegen): every executable has variants, and each holds a `spirv.module` or code
    - C6 (emit): every variant has code

    The program stays as it is:
    ```mlir
    xfmr.program @p max_context 8 chunk 8 kv f32
        config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {base = "tiny"} {
    }
    ```
  }];
  let options = [Option<"stage", "stage", "std::string", "\"\"",
                        "phases, regions, dispatch, plan, codegen or emit; empty: the one it seems to be at">];
}

#endif // XFMR_EXECUTABLE_PASSES
