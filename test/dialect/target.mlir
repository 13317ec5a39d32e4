// The target and the route of mixtures on a program: text goes round. A limit that a target has not is not written.
// RUN: xfmr-opt %s --split-input-file --allow-unregistered-dialect | xfmr-opt --split-input-file --allow-unregistered-dialect | FileCheck %s

// CHECK: xfmr.program @portable max_context 8 chunk 8 kv f32 moe by_id target <vulkan, binding_bytes = 134217728, push_words = 16, grid = 65535, alignment = 256> config
xfmr.program @portable max_context 8 chunk 8 kv f32 moe by_id
    target <vulkan, grid = 65535, alignment = 256, push_words = 16, binding_bytes = 134217728>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

// CHECK: xfmr.program @cpu max_context 8 chunk 8 kv f16 target <cpu, alignment = 64, levels = [v2, v4]> config
xfmr.program @cpu max_context 8 chunk 8 kv f16 target <cpu, alignment = 64, levels = [v2, v4]>
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

// CHECK: xfmr.program @plain max_context 8 chunk 8 kv f32 config
xfmr.program @plain max_context 8 chunk 8 kv f32
    config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}

// -----

// CHECK: "t"() {t = #xfmr.target<cpu, alignment = 4, levels = [v3]>}
"t"() {t = #xfmr.target<cpu, alignment = 4, levels = [v3]>} : () -> ()
