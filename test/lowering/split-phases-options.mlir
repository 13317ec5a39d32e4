// Options that split-phases refuses.
// RUN: not xfmr-opt %s --xfmr-split-phases="target=metal" 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: target must be vulkan or cpu, got 'metal'
// RUN: not xfmr-opt %s --xfmr-split-phases="moe=both" 2>&1 | FileCheck %s --check-prefix=MOE
// MOE: error: moe must be auto, grouped or by-id, got 'both'
// RUN: not xfmr-opt %s --xfmr-split-phases="binding-bytes=512" 2>&1 | FileCheck %s --check-prefix=BINDING
// BINDING: error: binding-bytes: binding_bytes must be at least 65536, got 512
// RUN: not xfmr-opt %s --xfmr-split-phases="kv=bf16" 2>&1 | FileCheck %s --check-prefix=KV
// KV: error: kv must be auto, f32, f16 or q8, got 'bf16'
// RUN: not xfmr-opt %s --xfmr-split-phases="max-context=65" 2>&1 | FileCheck %s --check-prefix=CONTEXT
// CONTEXT: error: max-context 65 is outside 1 .. 64, the positions the model was made for
// What it chooses: limits and route stay with the program; a chunk whose logits one binding holds.
// RUN: xfmr-opt %s --xfmr-split-phases="moe=by-id binding-bytes=65536" | FileCheck %s --check-prefix=VULKAN
// VULKAN: chunk 64 kv f32 moe by_id target <vulkan, binding_bytes = 65536, push_words = 16, grid = 65535, alignment = 256>
// RUN: xfmr-opt %s --xfmr-split-phases="device-profile=navi31" | FileCheck %s --check-prefix=PROFILE
// PROFILE: target <vulkan, binding_bytes = 4294967040, push_words = 16, grid = 65535, alignment = 256>
// RUN: not xfmr-opt %s --xfmr-split-phases="device-profile=navi13" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: device-profile: there is no device 'navi13', there are gcn, polaris10, {{.*}}, swiftshader, subzero
// RUN: xfmr-opt %s --xfmr-split-phases="target=cpu" | FileCheck %s --check-prefix=CPU
// CPU: chunk 64 kv f32 moe auto target <cpu, alignment = 64, levels = [v2, v3, v4, v4_dot, v4_amx]>
// RUN: xfmr-opt %s --xfmr-split-phases="target=cpu triple=aarch64-unknown-linux-gnu" | FileCheck %s --check-prefix=ARM
// ARM: target <cpu, alignment = 64, levels = [neon, neon_dot]>
// RUN: xfmr-opt %s --xfmr-split-phases="target=cpu levels=v4,v3" | FileCheck %s --check-prefix=LEVELS
// LEVELS: target <cpu, alignment = 64, levels = [v3, v4]>
// RUN: not xfmr-opt %s --xfmr-split-phases="target=cpu levels=v3,neon" 2>&1 | FileCheck %s --check-prefix=FOREIGN
// FOREIGN: error: levels must be some of v2, v3, v4, v4_dot, v4_amx, got 'neon'
// RUN: not xfmr-opt %s --xfmr-split-phases="target=cpu triple=riscv64-linux-gnu" 2>&1 | FileCheck %s --check-prefix=TRIPLE
// TRIPLE: error: triple must be x86_64-linux-gnu or aarch64-linux-gnu, got 'riscv64-linux-gnu'
module {
  xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x8xf32>
      config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 64> sources {base = "tiny"} {
    %table = xfmr.weight "embed" : tensor<8x4xf32>
    %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
    %logits = xfmr.linear %x, %table : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
    xfmr.yield %logits : tensor<?x8xf32>
  }
}
