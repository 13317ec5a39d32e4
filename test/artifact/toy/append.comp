#version 450
// cache[position + t] = x[t] for t < count
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer State { uint state[]; };
layout(std430, binding = 1) readonly buffer X { float x[]; };
layout(std430, binding = 2) writeonly buffer Cache { float cache[]; };
void main() {
  uint t = gl_GlobalInvocationID.x;
  if (t < state[1])
    cache[state[0] + t] = x[t];
}
