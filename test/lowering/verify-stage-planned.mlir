// What xfmr-verify-stage refuses at the stage "planned". Constraint numbers are those of passes/lowering/ExecutablePasses.td.
// RUN: xfmr-opt %s --xfmr-verify-stage="stage=planned" --split-input-file --verify-diagnostics

// expected-error @below {{no stage is called planned}}
xfmr.program @p max_context 8 chunk 8 kv f32 config <architecture = "llama", hidden_size = 16, vocab_size = 32, max_position = 8> sources {} {
}
