#version 450
// The next id of a row is (sum of all tokens so far + weight[0]) mod 16; its logit is 1, another id v has
// -v / 100. With all == 0 only the last row of the run is computed, as logits row 0.
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer State { uint state[]; };
layout(std430, binding = 1) readonly buffer Cache { float cache[]; };
layout(std430, binding = 2) readonly buffer Weight { float weight[]; };
layout(std430, binding = 3) writeonly buffer Logits { float logits[]; };
layout(push_constant) uniform Push { uint all; };
void main() {
  uint row = gl_GlobalInvocationID.x / 16, v = gl_GlobalInvocationID.x % 16;
  uint rows = all != 0 ? state[1] : min(1u, state[1]);
  if (row >= rows)
    return;
  uint last = state[0] + (all != 0 ? row : state[1] - 1);
  float sum = weight[0];
  for (uint j = 0; j <= last; ++j)
    sum += cache[j];
  logits[row * 16 + v] = v == uint(sum) % 16 ? 1.0 : -0.01 * float(v);
}
