#version 450
// The contract of "sample" for 16 ids. With a temperature the id is moved on by seed + temperature.
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer State { uint state[]; };
layout(std430, binding = 1) readonly buffer Logits { float logits[]; };
layout(std430, binding = 2) writeonly buffer Output { int ids[]; };
layout(std430, binding = 3) writeonly buffer Tokens { int tokens[]; };
void main() {
  if (state[1] == 0)
    return;
  uint id = 0, row = state[18 + 1];
  for (uint v = 1; v < 16; ++v)
    if (logits[row * 16 + v] > logits[row * 16 + id])
      id = v;
  if (uintBitsToFloat(state[7]) > 0)
    id = (id + state[5] + uint(uintBitsToFloat(state[7]))) % 16;
  uint position = state[0] + state[1];
  state[0] = position;
  ids[state[3]] = int(id);
  tokens[0] = int(id);
  state[3] = state[3] + 1;
  state[1] = 1;
  for (uint i = 0; i < state[10]; ++i)
    if (state[11 + i] == id) {
      state[4] = 1;
      state[1] = 0;
    }
  if (state[1] != 0 && position >= state[2]) {
    state[4] = 2;
    state[1] = 0;
  }
}
