#version 450
// x[t] = float(tokens[t]) for t < count
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer State { uint state[]; };
layout(std430, binding = 1) readonly buffer Tokens { int tokens[]; };
layout(std430, binding = 2) writeonly buffer X { float x[]; };
void main() {
  uint t = gl_GlobalInvocationID.x;
  if (t < state[1])
    x[t] = float(tokens[t]);
}
