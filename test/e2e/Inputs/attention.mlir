// A block of tales-dense without its feed-forward network.
xfmr.model @attention (%tokens: tensor<?xi32>) -> tensor<?x1024xf32>
    config <architecture = "llama", hidden_size = 128, vocab_size = 1024, max_position = 256> sources {base = "."} {
  %table = xfmr.weight "model.embed_tokens.weight" : tensor<1024x128xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<1024x128xf32>) -> tensor<?x128xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x128xf32>) -> tensor<?x128xf32> {
  ^bb0(%h: tensor<?x128xf32>):
    %wn = xfmr.weight "model.layers.0.input_layernorm.weight" : tensor<128xf32>
    %wq = xfmr.weight "model.layers.0.self_attn.q_proj.weight" : tensor<128x128xf32>
    %wk = xfmr.weight "model.layers.0.self_attn.k_proj.weight" : tensor<64x128xf32>
    %wv = xfmr.weight "model.layers.0.self_attn.v_proj.weight" : tensor<64x128xf32>
    %wo = xfmr.weight "model.layers.0.self_attn.o_proj.weight" : tensor<128x128xf32>
    %n = xfmr.rms_norm %h, %wn eps 1.0e-5 : tensor<?x128xf32>, tensor<128xf32>
    %q = xfmr.linear %n, %wq : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    %k = xfmr.linear %n, %wk : (tensor<?x128xf32>, tensor<64x128xf32>) -> tensor<?x64xf32>
    %v = xfmr.linear %n, %wv : (tensor<?x128xf32>, tensor<64x128xf32>) -> tensor<?x64xf32>
    %qr = xfmr.rope half %q head_dim 16 theta 1.0e4 : tensor<?x128xf32>
    %kr = xfmr.rope half %k head_dim 16 theta 1.0e4 : tensor<?x64xf32>
    %a = xfmr.attention %qr, %kr, %v heads 8 kv_heads 4 head_dim 16 causal scale 0.25
        : (tensor<?x128xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x128xf32>
    %o = xfmr.linear %a, %wo : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    %r = xfmr.add %h, %o : tensor<?x128xf32>
    xfmr.yield %r : tensor<?x128xf32>
  }
  %w = xfmr.weight "model.norm.weight" : tensor<128xf32>
  %z = xfmr.rms_norm %y, %w eps 1.0e-5 : tensor<?x128xf32>, tensor<128xf32>
  %l = xfmr.linear %z, %table : (tensor<?x128xf32>, tensor<1024x128xf32>) -> tensor<?x1024xf32>
  xfmr.yield %l : tensor<?x1024xf32>
}
