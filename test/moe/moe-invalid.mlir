// RUN: xfmr-opt %s --split-input-file --verify-diagnostics
// One case a constraint of xfmr.moe (C) and its routing attribute (R).

// R1
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{top_k must be at least 1, got 0}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 0, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R1
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{topk_group must lie between 1 and n_group, got topk_group 5 of n_group 4}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax, n_group = 4, topk_group = 5>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R2
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{norm_eps must not be negative and needs norm_topk_prob, got 1.000000e-20}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = sigmoid, norm_eps = 1.0e-20>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R3
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{a capacity has no effect without overflow = drop}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 1, score = softmax, capacity = 4>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R3
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{overflow = drop needs one of capacity and capacity_factor, positive; got capacity 0 and capacity_factor 0.000000e+00}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 1, score = softmax, overflow = drop>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R4
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{sparsemixer needs top_k = 2, a positive sparsemixer_eps, score_at = pre_topk, one group and no norm_topk_prob}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 1, score = sparsemixer, sparsemixer_eps = 0.01>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// R4
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{sparsemixer_eps is only for score = sparsemixer}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax, sparsemixer_eps = 0.01>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C1
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x5xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op router must be [experts, 4], as wide as the input, got 'tensor<8x5xf32>'}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x5xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C2
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %b: tensor<7xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op router bias must have 8 entries, one an expert, got 'tensor<7xf32>'}}
  %y = xfmr.moe %x router %r bias %b experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<7xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C2
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %s: tensor<9xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op selection bias must have 8 entries, one an expert, got 'tensor<9xf32>'}}
  %y = xfmr.moe %x router %r selection_bias %s experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<9xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C3
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op needs at least one stacked expert weight}}
  %y = xfmr.moe %x router %r experts() routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C3
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<7x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op stacked weight must be [8, ...], one slice for each of the router's experts, got 'tensor<7x6x4xf32>'}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<7x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C3
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8xf32>) {
  // expected-error @below {{'xfmr.moe' op stacked weight must be [8, ...], one slice for each of the router's experts, got 'tensor<8xf32>'}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<f32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C4
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op expert region must take a token batch and a slice of each stacked weight ('tensor<?x4xf32>', 'tensor<6x4xf32>'), got ('tensor<?x4xf32>', 'tensor<4x6xf32>')}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<4x6xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C5
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op expert region must end in xfmr.yield of one 'tensor<?x4xf32>'}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield
  }
  return
}

// -----

// C6
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op top_k 9 is larger than the number of experts 8}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 9, score = softmax>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C6
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op 8 experts cannot form 3 equal groups}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = softmax, n_group = 3>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C6
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op top_k 3 is larger than the 2 experts of 1 kept groups}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 3, score = softmax, n_group = 4>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C7
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op sum_top2 needs groups of two or more experts}}
  %y = xfmr.moe %x router %r experts(%w) routing <top_k = 2, score = sigmoid, n_group = 8, topk_group = 4, group_score = sum_top2>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}

// -----

// C8
func.func @invalid(%x: tensor<?x4xf32>, %r: tensor<8x4xf32>, %s: tensor<8xf32>, %w: tensor<8x6x4xf32>) {
  // expected-error @below {{'xfmr.moe' op sparsemixer takes no selection bias}}
  %y = xfmr.moe %x router %r selection_bias %s experts(%w) routing <top_k = 2, score = sparsemixer, sparsemixer_eps = 0.01>
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>, tensor<8x6x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%t: tensor<?x4xf32>, %v: tensor<6x4xf32>):
    xfmr.yield %t : tensor<?x4xf32>
  }
  return
}
