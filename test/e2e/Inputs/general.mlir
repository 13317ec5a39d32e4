// What real models seldom do, over the weights of tales-dense: parts of a row that start and end anywhere, a sigmoid of
// an odd width before a norm, rows scaled outside of a mixture, a query that something else reads as well, and logits
// straight from the last block, without a norm.
xfmr.model @general (%tokens: tensor<?xi32>) -> tensor<?x1024xf32>
    config <architecture = "llama", hidden_size = 128, vocab_size = 1024, max_position = 256> sources {base = "."} {
  %table = xfmr.weight "model.embed_tokens.weight" : tensor<1024x128xf32>
  %x = xfmr.embedding %tokens, %table : (tensor<?xi32>, tensor<1024x128xf32>) -> tensor<?x128xf32>
  %y = xfmr.block 0 (%x) : (tensor<?x128xf32>) -> tensor<?x128xf32> {
  ^bb0(%h: tensor<?x128xf32>):
    %wn = xfmr.weight "model.layers.0.post_attention_layernorm.weight" : tensor<128xf32>
    %wg = xfmr.weight "model.layers.0.mlp.gate_proj.weight" : tensor<352x128xf32>
    %wd = xfmr.weight "model.layers.0.mlp.down_proj.weight" : tensor<128x352xf32>
    %wq = xfmr.weight "model.layers.0.self_attn.q_proj.weight" : tensor<128x128xf32>
    %wo = xfmr.weight "model.layers.0.self_attn.o_proj.weight" : tensor<128x128xf32>
    %n = xfmr.rms_norm %h, %wn eps 1.0e-5 : tensor<?x128xf32>, tensor<128xf32>
    %g = xfmr.linear %n, %wg : (tensor<?x128xf32>, tensor<352x128xf32>) -> tensor<?x352xf32>
    %first, %second, %third = xfmr.split %g : tensor<?x352xf32> -> tensor<?x101xf32>, tensor<?x128xf32>, tensor<?x123xf32>
    // A part at column 101 is read by an elementwise op and a product.
    %o = xfmr.linear %second, %wo : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    %t = xfmr.activation tanh %o : tensor<?x128xf32>
    %both = xfmr.add %t, %second : tensor<?x128xf32>
    // Pads of sigmoids would be halves: a norm of 101 columns meets zeros there.
    %s = xfmr.activation sigmoid %first : tensor<?x101xf32>
    %w101 = xfmr.weight_slice %wn axis 0 offset 0 size 101 : tensor<128xf32> -> tensor<101xf32>
    %sn = xfmr.rms_norm %s, %w101 eps 1.0e-5 : tensor<?x101xf32>, tensor<101xf32>
    %wd101 = xfmr.weight_slice %wd axis 1 offset 0 size 101 : tensor<128x352xf32> -> tensor<128x101xf32>
    %sd = xfmr.linear %sn, %wd101 : (tensor<?x101xf32>, tensor<128x101xf32>) -> tensor<?x128xf32>
    %wd123 = xfmr.weight_slice %wd axis 1 offset 229 size 123 : tensor<128x352xf32> -> tensor<128x123xf32>
    %td = xfmr.linear %third, %wd123 : (tensor<?x123xf32>, tensor<128x123xf32>) -> tensor<?x128xf32>
    // The gate of a shared expert without a mixture.
    %w1 = xfmr.weight_slice %wq axis 0 offset 3 size 1 : tensor<128x128xf32> -> tensor<1x128xf32>
    %logit = xfmr.linear %n, %w1 : (tensor<?x128xf32>, tensor<1x128xf32>) -> tensor<?x1xf32>
    %gate = xfmr.activation sigmoid %logit : tensor<?x1xf32>
    %gated = xfmr.row_scale %both, %gate : tensor<?x128xf32>, tensor<?x1xf32>
    // The query turns in place, and yet %q is added later.
    %q = xfmr.linear %n, %wq : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    %qr = xfmr.rope half %q head_dim 16 theta 1.0e4 : tensor<?x128xf32>
    %kr = xfmr.rope half %sd head_dim 16 theta 1.0e4 : tensor<?x128xf32>
    %a = xfmr.attention %qr, %kr, %td heads 8 kv_heads 8 head_dim 16 causal scale 0.25
        : (tensor<?x128xf32>, tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
    %r1 = xfmr.add %a, %q : tensor<?x128xf32>
    %r2 = xfmr.add %r1, %gated : tensor<?x128xf32>
    %r3 = xfmr.add %h, %r2 : tensor<?x128xf32>
    xfmr.yield %r3 : tensor<?x128xf32>
  }
  %l = xfmr.linear %y, %table : (tensor<?x128xf32>, tensor<1024x128xf32>) -> tensor<?x1024xf32>
  xfmr.yield %l : tensor<?x1024xf32>
}
