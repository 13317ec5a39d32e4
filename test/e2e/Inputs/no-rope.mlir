// Two layers of attention without rotations, three heads of @D@ over one key/value head. odd-heads.sh puts sizes in.
xfmr.model @plain (%tokens: tensor<?xi32>) -> tensor<?x16xf32>
    config <architecture = "llama", hidden_size = 24, vocab_size = 16, max_position = 600> sources {base = "."} {
  %table = xfmr.weight "model.embed_tokens.weight" : tensor<16x24xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<16x24xf32>) -> tensor<?x24xf32>
  %x0 = xfmr.block 0 (%x) : (tensor<?x24xf32>) -> tensor<?x24xf32> {
  ^bb0(%h: tensor<?x24xf32>):
    %wn = xfmr.weight "model.layers.0.input_layernorm.weight" : tensor<24xf32>
    %wq = xfmr.weight "model.layers.0.self_attn.q_proj.weight" : tensor<@Q@x24xf32>
    %wk = xfmr.weight "model.layers.0.self_attn.k_proj.weight" : tensor<@D@x24xf32>
    %wv = xfmr.weight "model.layers.0.self_attn.v_proj.weight" : tensor<@D@x24xf32>
    %wo = xfmr.weight "model.layers.0.self_attn.o_proj.weight" : tensor<24x@Q@xf32>
    %n = xfmr.rms_norm %h, %wn eps 1.0e-5 : tensor<?x24xf32>, tensor<24xf32>
    %q = xfmr.linear %n, %wq : (tensor<?x24xf32>, tensor<@Q@x24xf32>) -> tensor<?x@Q@xf32>
    %k = xfmr.linear %n, %wk : (tensor<?x24xf32>, tensor<@D@x24xf32>) -> tensor<?x@D@xf32>
    %v = xfmr.linear %n, %wv : (tensor<?x24xf32>, tensor<@D@x24xf32>) -> tensor<?x@D@xf32>
    %a = xfmr.attention %q, %k, %v heads 3 kv_heads 1 head_dim @D@ causal scale 0.25
        : (tensor<?x@Q@xf32>, tensor<?x@D@xf32>, tensor<?x@D@xf32>) -> tensor<?x@Q@xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x@Q@xf32>, tensor<24x@Q@xf32>) -> tensor<?x24xf32>
    %r = xfmr.add %h, %o : tensor<?x24xf32>
    xfmr.yield %r : tensor<?x24xf32>
  }
  %x1 = xfmr.block 1 (%x0) : (tensor<?x24xf32>) -> tensor<?x24xf32> {
  ^bb0(%h: tensor<?x24xf32>):
    %wn = xfmr.weight "model.layers.1.input_layernorm.weight" : tensor<24xf32>
    %wq = xfmr.weight "model.layers.1.self_attn.q_proj.weight" : tensor<@Q@x24xf32>
    %wk = xfmr.weight "model.layers.1.self_attn.k_proj.weight" : tensor<@D@x24xf32>
    %wv = xfmr.weight "model.layers.1.self_attn.v_proj.weight" : tensor<@D@x24xf32>
    %wo = xfmr.weight "model.layers.1.self_attn.o_proj.weight" : tensor<24x@Q@xf32>
    %n = xfmr.rms_norm %h, %wn eps 1.0e-5 : tensor<?x24xf32>, tensor<24xf32>
    %q = xfmr.linear %n, %wq : (tensor<?x24xf32>, tensor<@Q@x24xf32>) -> tensor<?x@Q@xf32>
    %k = xfmr.linear %n, %wk : (tensor<?x24xf32>, tensor<@D@x24xf32>) -> tensor<?x@D@xf32>
    %v = xfmr.linear %n, %wv : (tensor<?x24xf32>, tensor<@D@x24xf32>) -> tensor<?x@D@xf32>
    %a = xfmr.attention %q, %k, %v heads 3 kv_heads 1 head_dim @D@ causal scale 0.25 window 5
        : (tensor<?x@Q@xf32>, tensor<?x@D@xf32>, tensor<?x@D@xf32>) -> tensor<?x@Q@xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x@Q@xf32>, tensor<24x@Q@xf32>) -> tensor<?x24xf32>
    %r = xfmr.add %h, %o : tensor<?x24xf32>
    xfmr.yield %r : tensor<?x24xf32>
  }
  %w = xfmr.weight "model.norm.weight" : tensor<24xf32>
  %z = xfmr.rms_norm %x1, %w eps 1.0e-5 : tensor<?x24xf32>, tensor<24xf32>
  %wh = xfmr.weight "lm_head.weight" : tensor<16x24xf32>
  %l = xfmr.linear %z, %wh : (tensor<?x24xf32>, tensor<16x24xf32>) -> tensor<?x16xf32>
  xfmr.yield %l : tensor<?x16xf32>
}
