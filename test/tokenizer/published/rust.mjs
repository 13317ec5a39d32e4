// rust.mjs FOLDER < records: the ids that Hugging Face's Rust library, as WebAssembly, gives to each NUL-terminated record,
// one JSON array a line, special tokens off. It is of a time when merges were strings.
import { readFileSync } from "node:fs";
import { initSync, WasmTokenizer } from "./rust/tokenizers_wasm.js";

initSync(readFileSync("rust/tokenizers_wasm_bg.wasm"));
const json = JSON.parse(readFileSync(`${process.argv[2]}/tokenizer.json`, "utf8"));
if (Array.isArray(json.model.merges?.[0])) json.model.merges = json.model.merges.map((pair) => pair.join(" "));
const tokenizer = new WasmTokenizer(JSON.stringify(json));

const input = readFileSync(0);
const out = [];
for (let begin = 0; begin < input.length;) {
  const end = input.indexOf(0, begin);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(input.subarray(begin, end));
  out.push(JSON.stringify([...tokenizer.encode(text, false)]));
  begin = end + 1;
}
process.stdout.write(out.join("\n") + "\n");
