// Prints what @huggingface/gguf reads from a file: keys, then tensors with their types and shapes.
import { gguf } from "@huggingface/gguf";

const { metadata, tensorInfos, littleEndian } = await gguf(process.argv[2], { allowLocalFile: true });
console.log("little-endian", littleEndian);
for (const [key, value] of Object.entries(metadata))
  console.log("key", key, Array.isArray(value) ? `[${value.length}]` : String(value).slice(0, 60).replaceAll("\n", " "));
for (const tensor of tensorInfos)
  console.log("tensor", tensor.name, tensor.dtype, tensor.shape.join("x"));
