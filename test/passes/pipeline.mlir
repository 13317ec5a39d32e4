// How passes nest: by flag, in a list, from any level above, and what is refused.
// RUN: xfmr-opt %s --xfmr-fuse-glu --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=FLAG
// FLAG: builtin.module(
// FLAG-NEXT: xfmr.model(
// FLAG-NEXT: xfmr.block(
// FLAG-NEXT: xfmr-fuse-glu
// RUN: xfmr-opt %s --pass-pipeline='builtin.module(xfmr-fold-lora,xfmr-fuse-glu,xfmr-fuse-qkv,canonicalize)' --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=LIST
// LIST: xfmr.model(
// LIST-NEXT: xfmr-fold-lora
// LIST: xfmr.block(
// LIST-NEXT: xfmr-fuse-glu
// LIST: xfmr.block(
// LIST-NEXT: xfmr-fuse-qkv
// LIST: canonicalize
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr.model(xfmr.block(xfmr-fold-lora)))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=LEVEL
// LEVEL: pass 'xfmr-fold-lora' runs on 'xfmr.model' and cannot be nested under 'xfmr.block'
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-fuse-glu{colour=red})' -o /dev/null 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option colour
// RUN: not xfmr-opt %s --pass-pipeline='builtin.module(xfmr-fuse-everything)' -o /dev/null 2>&1 | FileCheck %s --check-prefix=PASS
// PASS: 'xfmr-fuse-everything' does not refer to a registered pass or pass pipeline
xfmr.model @m (%tokens: tensor<?xi32>) -> tensor<?x4xf32>
    config <architecture = "llama", hidden_size = 4, vocab_size = 8, max_position = 16> sources {} {
  %w = xfmr.weight "w" : tensor<8x4xf32>
  %x = xfmr.embedding %tokens, %w : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  xfmr.yield %x : tensor<?x4xf32>
}
